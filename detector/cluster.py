"""Survivors, and which of those that overlap to report."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from detector.rules import Rule
from detector.types import CheckResult, CheckStatus

MAX_CLUSTER = 256  # overlapping matches that are weighed against each other: the first ones


class Survivor(msgspec.Struct, frozen=True, gc=False):
    """A verified match with its confidence; positions are absolute."""

    start: int
    end: int
    rule: Rule
    secret: bytes
    result: CheckResult
    confidence: float
    line: int
    column: int
    reasons: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Survivor({self.rule.id}, {self.start}:{self.end})"  # never the secret

    @property
    def members(self) -> list[Survivor]:
        """Itself: a survivor that overlaps no other stands for a cluster of one."""
        return [self]

    def best(self) -> list[Survivor]:
        """What to report: itself."""
        return [self]


by_place = attrgetter("start", "end", "rule.spec.id")


def clusters_of(survivors: Sequence[Survivor]) -> list[Settled]:
    """Survivors that stand alone as they are, those that overlap in clusters.

    Spans of clusters never overlap and ends ascend: what a redaction replaces has no gaps.
    """
    out: list[Settled] = []
    end = -1
    for survivor in survivors:
        if survivor.start >= end:
            out.append(survivor)
        elif isinstance(last := out[-1], Cluster):
            last.members.append(survivor)
            out[-1] = last._replace(end=max(end, survivor.end))
        else:
            out[-1] = Cluster(last.start, max(end, survivor.end), [last, survivor])
        end = out[-1].end
    return out


class Cluster(NamedTuple):
    """Survivors that overlap, directly or through others, and the span of them all."""

    start: int
    end: int
    members: list[Survivor]

    def best(self) -> list[Survivor]:
        """Those to report: the most specific, then the leftmost, and what they leave free."""
        kept: list[Survivor] = []
        for one in sorted(self.members[:MAX_CLUSTER], key=_preference):
            if all(one.end <= other.start or other.end <= one.start for other in kept):
                kept.append(one)
        return sorted(kept, key=by_place)


Settled = Survivor | Cluster

_ORDER = {CheckStatus.passed: 0, CheckStatus.none: 1, CheckStatus.failed: 2}


DOUBTFUL = 0.5  # below that, a specific rule does not outdo a surer general one


def _preference(survivor: Survivor) -> tuple[bool, int, int, int, int, float, str]:
    return (
        survivor.confidence < DOUBTFUL,
        -survivor.rule.spec.rank,
        survivor.start,
        _ORDER[survivor.result.status],
        survivor.start - survivor.end,
        -survivor.confidence,
        survivor.rule.id,
    )
