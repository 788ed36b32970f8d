"""What the relay counts. Plain numbers: a batch costs a few additions, whoever reads them."""

from __future__ import annotations

import bisect
from collections import Counter

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper ends of the histogram's buckets, in seconds."""


class Histogram:
    """How long things took. All messages of a batch take the same time: one step for all."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float, many: int = 1) -> None:
        """``many`` things that each took ``seconds``."""
        self.counts[bisect.bisect_left(BOUNDS, seconds)] += many
        self.seconds += seconds * many


class Tally:
    """Of one relay, since its start."""

    def __init__(self) -> None:
        self.actions: Counter[str] = Counter()
        """Messages acknowledged, by what was done with them."""
        self.findings: Counter[str] = Counter()
        """By rule."""
        self.redelivered = 0
        self.latency = Histogram()
        """From the fetch to the acknowledgement."""
        self.filtering = Histogram()
        """The filter's time for a batch, divided by its messages."""
        self.reconnects: Counter[str] = Counter()
        """Lost connections, by the end's role."""
        self.in_flight = 0
        self.held = 0
        """Waiting for the quarantine to take them."""
