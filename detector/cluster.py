"""Verified matches, those that overlap together, and which of them to report."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Generic, Self, TypeVar

import msgspec

from detector.rules import Rule
from detector.score import Around
from detector.tables.layout import Cell
from detector.types import CheckResult, CheckStatus

MAX_CLUSTER = 256  # overlapping matches that are weighed against each other: the first ones


class Match(msgspec.Struct, frozen=True, gc=False):
    """A place where a rule's regex matches, and what its check says; positions are absolute.
    ``cell`` is where it begins in a table, if its source holds tables."""

    start: int
    end: int
    rule: Rule
    secret: bytes
    result: CheckResult
    line: int
    column: int
    cell: Cell | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.rule.id}, {self.start}:{self.end})"  # no secret

    @property
    def members(self) -> list[Self]:
        """Itself: a match that overlaps no other stands for a cluster of one."""
        return [self]


class Survivor(Match, frozen=True, gc=False):
    """A match that is sure enough. ``decoded``: the decoders that have brought it to light, from
    outside in, and then ``sign`` is where the sign ends that led to it."""

    confidence: float
    reasons: tuple[str, ...] = ()
    decoded: tuple[str, ...] = ()
    sign: int = 0

    def best(self) -> list[Survivor]:
        """What to report: itself."""
        return [self]


class Case(Match, frozen=True, gc=False):
    """A match that only the model can say anything of. ``number`` is the rule's."""

    number: int
    around: Around


by_place = attrgetter("start", "end", "rule.spec.id")


M = TypeVar("M", bound=Match)
M_co = TypeVar("M_co", bound=Match, covariant=True)


class Cluster(msgspec.Struct, Generic[M_co]):
    """Matches that overlap, directly or through others, and the span of them all."""

    start: int
    end: int
    members: list[M_co]

    def best(self: Cluster[Survivor]) -> list[Survivor]:
        """Those to report: the most specific, then the leftmost, and what they leave free."""
        kept: list[Survivor] = []
        for one in sorted(self.members[:MAX_CLUSTER], key=_preference):
            if all(one.end <= other.start or other.end <= one.start for other in kept):
                kept.append(one)
        return sorted(kept, key=by_place)


Group = Match | Cluster[Match]
"""What overlaps nothing else, whatever becomes of its cases."""

Settled = Survivor | Cluster[Survivor]
"""What holds no case any more, and is reported."""


def clusters_of(matches: Sequence[M]) -> list[M | Cluster[M]]:
    """Matches that stand alone as they are, those that overlap in clusters.

    Spans of clusters never overlap and ends ascend: what a redaction replaces has no gaps.
    """
    out: list[M | Cluster[M]] = []
    end = -1
    for match in matches:
        if match.start >= end:
            out.append(match)
        elif isinstance(last := out[-1], Cluster):
            last.members.append(match)
            last.end = max(end, match.end)
        else:
            out[-1] = Cluster(last.start, max(end, match.end), [last, match])
        end = out[-1].end
    return out


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
