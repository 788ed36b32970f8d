"""Hits → matches, over a moving window.

Everything here is a function of the bytes alone, never of where the windows were cut: a
candidate is decided once a byte that no match of its rule contains is seen, or its longest match
fits into the window, or (for rules whose match is certain as soon as it is complete) when it is
complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import msgspec

from detector.machinery import Machinery
from detector.plain import WORTH
from detector.prefilter import ID_BITS, ID_MASK
from detector.prefilter.table import Candidate
from detector.rules.assigned import RUN, RUN_BYTES
from detector.types import Bytes
from detector.verify import Incomplete, RuleTimeoutError

STRIDE = 1 << 20  # bytes that the engine gets at a time: hits stay few, the cache warm

Place = tuple[int, int, int, int]
"""A match: the secret's start and end, its rule's number and where it begins; absolute."""


class Timings(msgspec.Struct):
    """Seconds spent: in the engine's pass, on regexes, and on checks and scores."""

    prefilter: float = 0.0
    verify: float = 0.0
    score: float = 0.0


class _Pending:
    """A candidate that waits for more bytes."""

    __slots__ = ("candidate", "doubted", "position", "searched", "through")

    def __init__(self, candidate: Candidate, position: int, through: int) -> None:
        self.candidate, self.position, self.through = candidate, position, through
        self.searched = self.doubted = position


class Matcher:
    """The matches of one source. Not for several threads at once."""

    def __init__(self, machinery: Machinery, base: int, timings: Timings) -> None:
        self._m = machinery
        self._sieve = machinery.sieve
        self._verifier = machinery.verifier
        self._timings = timings
        self.base = base
        """Absolute position of the window's first byte."""
        self.scanned = base
        """Absolute position before which every head that ends there has been hit."""
        self._pending: list[_Pending] = []
        self._seen: set[Place] = set()  # lately: two heads may lead to one match
        self.timeouts: list[tuple[str, int]] = []
        """Rules that took too long, with the position: nothing is known about those."""
        # What is looked at, for the time of one pass through strides.
        self._view = memoryview(b"")
        self._final = False
        self._matches: list[Place] = []
        self._looks: dict[tuple[int, int], tuple[bool, bool]] = {}
        self._named: list[int] = []  # where the heads of named values end
        self._own = len(machinery.table.heads)
        self._longest = machinery.table.longest
        if machinery.signs is not None:
            self._longest = max(self._longest, machinery.signs.longest)
        self._signs: list[tuple[int, int]] = []

    def strides(
        self, view: memoryview, *, final: bool, hits: list[int] | None
    ) -> Iterator[list[Place]]:
        """What has become certain, by strides of the new bytes of ``view``; one at least.

        ``hits``: what the engine has found in the whole of a view of one stride, if the caller
        has asked it already.
        """
        self._view, self._final = view, final
        self._looks.clear()  # its places count from the window's first byte
        if self._pending:
            self._revisit()
        while True:
            self._scan(hits)
            found, self._matches = self._matches, []
            yield found
            if self.scanned - self.base >= len(view):
                return

    def drop(self, base: int) -> None:
        """The window's first bytes go; ``base`` is the new absolute beginning."""
        self.base = base
        if self._seen:
            self._seen = {match for match in self._seen if match[1] > base}

    def signs(self) -> list[tuple[int, int]]:
        """Signs of something encoded since the last call: where each ends, and its kind."""
        signs, self._signs = self._signs, []
        return signs

    def keep_from(self) -> int:
        """Absolute position before which no byte of a match to come lies."""
        first = self.scanned - self._longest - self._verifier.furthest_back
        return min([first, *map(self._earliest, self._pending)])

    def undecided_from(self, window: Bytes, size: int) -> int:
        """Absolute position before which nothing can become part of a secret any more: dearer
        than :meth:`keep_from`, and higher."""
        floor = self.base + self._m.table.beginnings.undecided_from(window, size)
        if not self._pending:
            return floor
        return min(floor, self.pending_from(window, size))

    @property
    def waits(self) -> bool:
        """Whether a candidate waits for more bytes."""
        return bool(self._pending)

    def pending_from(self, window: Bytes, size: int) -> int:
        """Where the first secret may begin of which a head was hit; behind the window if none."""
        with memoryview(window)[:size] as view:
            begins = self._verifier.begins
            return self.base + min(
                [
                    size,
                    *(
                        begins(p.candidate.rule, p.position - self.base, view)
                        for p in self._pending
                    ),
                ]
            )

    def _earliest(self, pending: _Pending) -> int:
        return pending.position - self._verifier.back[pending.candidate.rule]

    # hits

    def _scan(self, hits: list[int] | None) -> None:
        """Show the engine the next stride."""
        overlap = self._longest - 1
        size = len(self._view)
        done = self.scanned - self.base
        begin, stop = max(0, done - overlap), min(size, done + STRIDE)
        begun = perf_counter()
        if hits is None:
            hits = self._m.engine.find(self._view[begin:stop]) if stop > done else []
        found = perf_counter()
        self._timings.prefilter += found - begun
        if hits and self._m.signs is not None:
            hits = self._without_signs(hits, begin, done)
        if hits:
            if len(hits) >= WORTH:
                hits = self._accept(hits, begin, done)
            else:
                hits.sort()
            for hit in hits:
                end = begin + (hit >> ID_BITS)
                if end > done:
                    self._hit(hit & ID_MASK, end)
            if self._named:
                for position, candidate, end in self._m.names.before(self._named, self._view):
                    self._consider(candidate, position, end)
                self._named.clear()
            self._timings.verify += perf_counter() - found
        self.scanned = self.base + stop

    def _without_signs(self, hits: list[int], begin: int, done: int) -> list[int]:
        """The hits of the rules' own heads; the others are put aside."""
        rest = []
        for hit in hits:
            kind = (hit & ID_MASK) - self._own
            if kind < 0:
                rest.append(hit)
            elif begin + (hit >> ID_BITS) > done:
                self._signs.append((self.base + begin + (hit >> ID_BITS), kind))
        return rest

    def _accept(self, hits: list[int], begin: int, done: int) -> list[int]:
        """Take the plain matches out of many hits, in columns; the hits that are left."""
        rule, start, end, rest = self._m.plain.split(hits, self._view, begin, len(self._view))
        fresh = end > done
        base = self.base
        columns = (start[fresh] + base, end[fresh] + base, rule[fresh], start[fresh] + base)
        self._matches += zip(*(column.tolist() for column in columns), strict=True)
        return rest

    def _hit(self, head: int, end: int) -> None:
        table = self._m.table
        start = self._run_before(end) if table.runs[head] else 0
        for candidate in table.candidates[head]:
            self._consider(candidate, start or end - candidate.length)
        if table.named[head]:
            self._named.append(end)

    def _run_before(self, end: int) -> int:
        """Where the run of bytes begins in which a drawn value's head has ended."""
        text = bytes(self._view[max(0, end - RUN - 1) : end])
        return end - len(text) + len(text.rstrip(RUN_BYTES))

    # candidates

    def _consider(self, candidate: Candidate, position: int, through: int = 0) -> None:
        """``through``: where the secret must reach over, 0 if that is not known."""
        if self._final or position + self._verifier.reach[candidate.rule] <= len(self._view):
            self._decide(candidate, position, through)
            return
        pending = _Pending(candidate, self.base + position, self.base + through if through else 0)
        if not self._try(pending):
            self._pending.append(pending)

    def _revisit(self) -> None:
        waiting = []
        for pending in self._pending:
            position = pending.position - self.base
            reach = self._verifier.reach[pending.candidate.rule]
            if self._final or position + reach <= len(self._view):
                self._decide(pending.candidate, position, self._through(pending))
            elif not self._try(pending):
                waiting.append(pending)
        self._pending = waiting

    def _try(self, pending: _Pending) -> bool:
        """Decide early if the bytes at hand allow it. Each byte is looked at once for that."""
        rule = pending.candidate.rule
        position = pending.position - self.base
        stops, closes = self._look(rule, pending.searched - self.base)
        pending.searched = self.base + len(self._view)
        if stops:
            self._decide(pending.candidate, position, self._through(pending))
            return True
        if closes or self._verifier.judged[rule]:
            try:
                self._decide(pending.candidate, position, self._through(pending), partial=True)
            except Incomplete:
                return False
            return True
        return self._is_dead(pending, position)

    def _is_dead(self, pending: _Pending, position: int) -> bool:
        """Whether no match can come of it. It is looked at again when it has grown by a quarter,
        so the work for it is linear."""
        size = len(self._view) - position
        if size * 4 < (pending.doubted - pending.position) * 5:
            return False
        pending.doubted = pending.position + size
        return self._verifier.is_dead(pending.candidate, position, self._view)

    def _look(self, rule: int, begin: int) -> tuple[bool, bool]:
        """Whether the bytes from ``begin`` on hold an end for a match of this rule, sure or
        possible. Many candidates of a rule wait for the same bytes: they are looked at once."""
        key = (rule, begin)
        if (seen := self._looks.get(key)) is None:
            fresh = self._view[begin:]
            stops = self._verifier.stops(rule, fresh)
            seen = self._looks[key] = stops, stops or self._verifier.may_close(rule, fresh)
        return seen

    def _through(self, pending: _Pending) -> int:
        return pending.through - self.base if pending.through else 0

    def _decide(
        self, candidate: Candidate, position: int, through: int, *, partial: bool = False
    ) -> None:
        named = self._sieve is not None and self._verifier.named[candidate.rule]
        if named and not partial and self._sifted(candidate.rule, position):
            return
        try:
            found = self._verifier.match(candidate, position, self._view, partial=partial)
        except RuleTimeoutError as error:
            self.timeouts.append((str(error), self.base + position))
            return
        if found is None:
            return
        base = self.base
        start, end, match_start = found
        if through and not start < through <= end:
            return
        if named and partial and self._sifted(candidate.rule, start):
            return
        match = (base + start, base + end, candidate.rule, base + match_start)
        if match not in self._seen:
            self._seen.add(match)
            self._matches.append(match)

    def _sifted(self, rule: int, start: int) -> bool:
        """Whether the value at ``start`` is plainly none: before its regex, which takes longer,
        if all of it is there, and else behind, when a match says where it ends."""
        return self._sieve is not None and self._sieve.drops(self._view, start, rule)
