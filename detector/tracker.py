"""The heart: matches → survivors and cases → groups, over a moving window.

The caller owns the bytes. It shows a window of them, says how much is new and whether anything
follows, and gets the groups of matches that are certain: no later byte can bring a match that
overlaps them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from time import perf_counter

from detector.batch import JUDGED, Batch, cases_in, judged, survivors_of
from detector.checks import CHECKS
from detector.cluster import Case, Group, Match, by_place, clusters_of
from detector.features import AFTER, BEFORE
from detector.linemap import LineMap
from detector.machinery import Machinery
from detector.matcher import Matcher, Place, Timings
from detector.rules import Rule
from detector.score import Around
from detector.tables.layout import Cell, Cells
from detector.types import Bytes, CheckResult

CONTEXT = 1024  # bytes before a match that checks and scores may look at
KEYWORD_SIDE = 16  # bytes before a provider's name that may qualify it

_KNOWN = CheckResult(placeholder=True)
_UNCHECKED = CheckResult()


class Tracker:
    """One scan of one source, named ``path``. Not for several threads at once.

    ``prompt``: cases are judged at once, each with those that are there with it. Else they are
    handed on in their groups, and only as many as are worth it are judged here. ``layout``: how
    the source holds tables.
    """

    def __init__(
        self,
        machinery: Machinery,
        base: int = 0,
        path: str = "",
        *,
        prompt: bool = True,
        layout: Cells | None = None,
    ) -> None:
        self._m = machinery
        self.layout = layout
        self._path = path
        self._enough = 1 if prompt else JUDGED
        self.lines = LineMap(base)
        self.timings = Timings()
        self._matcher = Matcher(machinery, base, self.timings)
        self.timeouts = self._matcher.timeouts
        """Rules that took too long, with the position: nothing is known about those."""
        self._open: list[Match] = []
        self._view = memoryview(b"")  # for the time of one call of advance

    @property
    def base(self) -> int:
        """Absolute position of the window's first byte."""
        return self.lines.base

    def advance(
        self, window: Bytes, size: int, *, final: bool, hits: list[int] | None = None
    ) -> list[Group]:
        """Look at ``window[:size]``; give what has become certain, by position.

        ``hits``: what the engine has found in the whole of a window of one stride, if the
        caller has asked it already.
        """
        out: list[Group] = []
        with memoryview(window)[:size] as self._view:
            for places in self._matcher.strides(self._view, final=final, hits=hits):
                if places:
                    begun = perf_counter()
                    self._survive(places)
                    self.timings.score += perf_counter() - begun
                if self._open:
                    done = self._matcher.scanned == self.base + size
                    out += self._settle(done, last=final and done)
        return out

    def keep_from(self) -> int:
        """Absolute position before which the window's bytes are no longer needed."""
        return max(self.base, self._matcher.keep_from() - CONTEXT)

    def drop(self, window: Bytes, base: int) -> None:
        """The window's first bytes go; ``base`` is the new absolute beginning."""
        self.lines.drop(window, base)
        if self.layout is not None:
            self.layout.pass_to(window, self._matcher.base, base)
        self._matcher.drop(base)

    def undecided_from(self, window: Bytes, size: int) -> int:
        """Absolute position before which nothing can become part of a secret any more."""
        return self._matcher.undecided_from(window, size)

    def pending_from(self, window: Bytes, size: int) -> int:
        """Absolute position before which no secret lies that a head was hit of; what has no head
        yet is for the caller to know."""
        floor = self._matcher.pending_from(window, size)
        return min([floor, *(match.start for match in self._open)])

    @property
    def waits(self) -> bool:
        """Whether more bytes could settle something."""
        return bool(self._open) or self._matcher.waits

    def open_from(self) -> int | None:
        """Where the first match begins that is not given yet; None if there is none."""
        return min((match.start for match in self._open), default=None)

    # matches

    def _survive(self, places: list[Place]) -> None:
        self._open += survivors_of(self._m, self._batch(sorted(places)))
        cases = cases_in(self._open)
        if len(cases) >= self._enough:
            rest = [match for match in self._open if not isinstance(match, Case)]
            (left,) = judged(self._m, [cases])
            self._open = [*rest, *(one for group in left for one in group.members)]
        self.lines.pass_to(self._view, self.keep_from())

    def _batch(self, places: list[Place]) -> Batch:
        starts, ends, indices, begins = map(list, zip(*places, strict=True))
        rules = [self._m.rules[index] for index in indices]
        low = max(self.base, starts[0])
        raw = bytes(self._view[low - self.base : max(ends) - self.base])
        secrets = [raw[start - low : end - low] for start, end in zip(starts, ends, strict=True)]
        looked_at = self._m.looked_at
        results = [
            self._check(place, rule, secret) if looked_at[place[2]] else _UNCHECKED
            for place, rule, secret in zip(places, rules, secrets, strict=True)
        ]
        near = {
            number: self._bytes(begin - KEYWORD_SIDE, start)
            for number, (begin, start, rule) in enumerate(zip(begins, starts, rules, strict=True))
            if rule.spec.keywords
        }
        around = {
            number: self._around(start, end)
            for number, (start, end, rule) in enumerate(zip(starts, ends, rules, strict=True))
            if rule.spec.judged
        }
        lines, columns = self.lines.locate(self._view, starts)
        cells: Sequence[Cell | None] = [None] * len(starts)
        if self.layout is not None:
            cells = self.layout.locate(self._view, self.base, starts)
        return Batch(starts, ends, indices, secrets, results, lines, columns, cells, near, around)

    def _around(self, start: int, end: int) -> Around:
        before, after = self._bytes(start - BEFORE, start), self._bytes(end, end + AFTER)
        return Around(before, after, self._path)

    def _check(self, place: Place, rule: Rule, secret: bytes) -> CheckResult:
        if self._m.allowlist.holds(place[2], secret):
            return _KNOWN
        if not rule.checked:
            return _UNCHECKED
        before = self._bytes(place[0] - CONTEXT, place[0])
        return CHECKS[rule.spec.check].check(secret, before)

    def _bytes(self, start: int, end: int) -> bytes:
        base = self.base
        return bytes(self._view[max(0, start - base) : end - base])

    # groups

    def _settle(self, done: bool, *, last: bool) -> list[Group]:
        """``done``: all bytes at hand were looked at; ``last``: and nothing follows."""
        self._open.sort(key=by_place)
        groups = clusters_of(self._open)
        if last:
            self._open = []
            return groups
        floor = self._matcher.keep_from()
        if done and groups[-1].end > floor:
            floor = self._matcher.undecided_from(self._view, len(self._view))
        ready = bisect_right(groups, floor, key=attrgetter("end"))
        self._open = [match for group in groups[ready:] for match in group.members]
        return groups[:ready]
