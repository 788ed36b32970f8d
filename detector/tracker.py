"""The heart: matches → survivors and cases → groups, over a moving window.

The caller owns the bytes. It shows a window of them, says how much is new and whether anything
follows, and gets the groups of matches that are certain: no later byte can bring a match that
overlaps them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import takewhile
from operator import attrgetter
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from detector.batch import JUDGED, Batch, cases_in, judged, survivors_of
from detector.checks import CHECKS
from detector.cluster import MAX_CLUSTER, Case, Group, Match, Survivor, by_place, clusters_of
from detector.features import AFTER, BEFORE
from detector.linemap import LineMap
from detector.machinery import Machinery
from detector.matcher import Matcher, Place, Timings
from detector.rules import Rule
from detector.score import Around
from detector.tables.layout import Cell, Cells
from detector.types import Bytes, CheckResult

if TYPE_CHECKING:  # only who decodes needs it
    from detector.decoding import Decoding, Inside

CONTEXT = 1024  # bytes before a match that checks and scores may look at
KEYWORD_SIDE = 16  # bytes before a provider's name that may qualify it

_by_place = attrgetter("start", "end")
_ENDS = (b"\n", b"\r")

KNOWN = CheckResult(placeholder=True)
UNCHECKED = CheckResult()


class Tracker:
    """One scan of one source, named ``path``. Not for several threads at once.

    ``prompt``: cases are judged at once, each with those that are there with it. Else they are
    handed on in their groups, and only as many as are worth it are judged here. ``layout``: how
    the source holds tables. ``inside``: what decoders have given these bytes, if any have.
    """

    def __init__(
        self,
        machinery: Machinery,
        base: int = 0,
        path: str = "",
        *,
        prompt: bool = True,
        layout: Cells | None = None,
        inside: Inside | None = None,
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
        self._decoding: Decoding | None = None
        if machinery.signs is not None:
            from detector.decoding import decoding_in

            self._decoding = decoding_in(machinery, self._look_into, inside)
            self._prompt = prompt
            self._given: list[tuple[int, int]] = []  # what a decoder's secret may yet overlap

    def leave_hexes(self) -> None:
        """Somebody else scans the digits that a dump writes behind a prefix."""
        if self._decoding is not None:
            self._decoding.leave_hexes = True

    @property
    def left_out(self) -> list[tuple[str, int]]:
        """Why something was not decoded, with the position."""
        return self._decoding.left_out if self._decoding is not None else []

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
                if self._decoding is not None:
                    self._decoding.add(self._matcher.signs())
                if places:
                    begun = perf_counter()
                    self._survive(places)
                    self.timings.score += perf_counter() - begun
                if self._decoding is not None and self._decoding.floor is not None:
                    self._open += self._decoded(final)
                if self._open:
                    done = self._matcher.scanned == self.base + size
                    out += self._settle(done, last=final and done)
        return out

    def keep_from(self) -> int:
        """Absolute position before which the window's bytes are no longer needed."""
        keep = self._matcher.keep_from() - CONTEXT
        if self._decoding is not None and (floor := self._decoding.floor) is not None:
            keep = min(keep, floor)
        return max(self.base, keep)

    def drop(self, window: Bytes, base: int) -> None:
        """The window's first bytes go; ``base`` is the new absolute beginning."""
        self.lines.drop(window, base)
        if self.layout is not None:
            self.layout.pass_to(window, self._matcher.base, base)
        self._matcher.drop(base)

    def undecided_from(self, window: Bytes, size: int) -> int:
        """Absolute position before which nothing can become part of a secret any more."""
        return self._not_pointed_at(self._matcher.undecided_from(window, size))

    def pending_from(self, window: Bytes, size: int) -> int:
        """Absolute position before which no secret lies that a head was hit of, or that a sign
        of something encoded may point back at; what has no head yet is for the caller to know."""
        floor = self._not_pointed_at(self._matcher.pending_from(window, size))
        return min([floor, *(match.start for match in self._open)])

    @property
    def waits(self) -> bool:
        """Whether more bytes could settle something: always, where a sign may point back."""
        return bool(self._open) or self._matcher.waits or self._decoding is not None

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
            self._check(place, rule, secret) if looked_at[place[2]] else UNCHECKED
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
            return KNOWN
        if not rule.checked:
            return UNCHECKED
        before = self._bytes(place[0] - CONTEXT, place[0])
        return CHECKS[rule.spec.check].check(secret, before)

    def _bytes(self, start: int, end: int) -> bytes:
        base = self.base
        return bytes(self._view[max(0, start - base) : end - base])

    # what is encoded

    def _not_pointed_at(self, floor: int) -> int:
        """The same, or the position before which no sign to come, or that waits, points."""
        if self._decoding is None:
            return floor
        return max(self.base, min(floor, self._decoding.reach_from(self._matcher.keep_from())))

    def _decoded(self, final: bool) -> list[Match]:
        """The secrets that decoders have found by now."""
        if self._decoding is None:
            return []
        found = sorted(self._decoding.look(self._view, self.base, final=final), key=_by_place)
        if not found:
            return []
        starts = [one.start for one in found]
        lines, columns = self.lines.locate(self._view, starts)
        cells: Sequence[Cell | None] = [None] * len(starts)
        if self.layout is not None:
            cells = self.layout.locate(self._view, self.base, starts)
        return [
            msgspec.structs.replace(
                one.survivor,
                start=one.start,
                end=one.end,
                line=line,
                column=column,
                cell=cell,
                sign=one.sign,
            )
            for one, line, column, cell in zip(found, lines, columns, cells, strict=True)
        ]

    def _look_into(self, data: bytes, inside: Inside) -> list[Group]:
        """The groups in what was decoded."""
        inner = Tracker(self._m, path=self._path, prompt=False, inside=inside)
        groups = inner.advance(data, len(data), final=True)
        self.left_out.extend((reason, inside.position) for reason, _ in inner.left_out)
        self.timeouts.extend((rule, inside.position) for rule, _ in inner.timeouts)
        return groups

    def _without_beaten(self, groups: list[Group]) -> list[Group]:
        """A decoder's secret gives way to a plain match of a format, and to whatever was certain
        before its sign was seen: that may have been given already, and it must not matter."""
        hidden = [one for one in self._open if isinstance(one, Survivor) and one.decoded]
        plain = clusters_of([one for one in self._open if one not in hidden])
        ends = [group.end for group in plain]
        beaten = []
        for one in hidden:
            first = bisect_right(ends, one.start)
            over = takewhile(lambda group: group.start < one.end, plain[first:])  # noqa: B023
            given = any(start < one.end and one.start < end for start, end in self._given)
            if given or any(self._certain(group) < one.sign for group in over):
                beaten.append(one)
        if not beaten:
            return groups
        self._open = [match for match in self._open if match not in beaten]
        return clusters_of(self._open)

    def _waits(self, group: Group) -> bool:
        """Whether what a sign that was seen leads to may yet beat this group, or, where nobody
        waits for an answer, belongs before it."""
        sign = self._decoding.first_sign if self._decoding is not None else None
        if sign is None or group.end + AFTER < sign:
            return False
        return self._certain(group) >= sign or (group.start >= sign and not self._prompt)

    def _remember(self, groups: Sequence[Group]) -> None:
        """Spans of groups that are given, as long as what is decoded later may overlap them."""
        if self._decoding is None or not (groups or self._given):
            return
        low = self._decoding.reach_from(self._matcher.keep_from())
        near = takewhile(lambda group: group.end > low, reversed(groups))
        self._given = [span for span in self._given if span[1] > low]
        self._given += [(group.start, group.end) for group in near]

    def _certain(self, group: Group) -> int:
        """Up to where the bytes are sure to have been seen when a group of values that are judged
        by what stands around them is given; 0 if a format is among them."""
        if any(not match.rule.spec.judged for match in group.members[:MAX_CLUSTER]):
            return 0
        behind = self._bytes(group.end, group.end + AFTER)
        newline = min((at for mark in _ENDS if (at := behind.find(mark)) >= 0), default=AFTER)
        return group.end + newline

    # groups

    def _settle(self, done: bool, *, last: bool) -> list[Group]:
        """``done``: all bytes at hand were looked at; ``last``: and nothing follows."""
        self._open.sort(key=by_place)
        groups = clusters_of(self._open)
        if self._decoding is not None and self._decoding.has_found:
            groups = self._without_beaten(groups)
        if last:
            self._open = []
            return groups
        floor = self._matcher.keep_from()
        if done and groups and groups[-1].end > floor:
            floor = self._matcher.undecided_from(self._view, len(self._view))
        ready = bisect_right(groups, floor, key=attrgetter("end"))
        if self._decoding is not None:
            ready = next((n for n in range(ready) if self._waits(groups[n])), ready)
            self._remember(groups[:ready])
        self._open = [match for group in groups[ready:] for match in group.members]
        return groups[:ready]
