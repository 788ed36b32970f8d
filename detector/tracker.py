"""The heart: hits → matches → scored survivors → findings, over a moving window.

The caller owns the bytes. It shows a window of them, says how much is new and whether
anything follows, and gets the findings that are certain. Everything here is a function
of the bytes alone, never of where the windows were cut:

* a candidate is decided once a byte that no match of its rule contains is seen, or its
  longest match fits into the window, or (for rules whose match is certain as soon as it
  is complete) when it is complete;
* a finding is given once no later byte can bring a better match that overlaps it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from time import perf_counter
from typing import NamedTuple

import msgspec
import numpy as np

from detector.allow import Allowlist
from detector.batch import Batch, joined, split
from detector.checks import CHECKS
from detector.checks.logins import DEFAULTS
from detector.cluster import Settled, Survivor, by_place, clusters_of
from detector.entropy import Floats
from detector.features import AFTER, BEFORE
from detector.linemap import LineMap
from detector.names import Names, Services
from detector.plain import WORTH, PlainMatcher
from detector.prefilter import ID_BITS, ID_MASK, Engine, HeadTable
from detector.prefilter.table import Candidate
from detector.rules import Rule
from detector.rules.assigned import RUN, RUN_BYTES
from detector.score import Around, Judge, Scorer, Survivors
from detector.sieve import Sieve
from detector.types import Bytes, CheckResult
from detector.verify import Incomplete, RuleTimeoutError, Verifier

CONTEXT = 1024  # bytes before a match that checks and scores may look at
STRIDE = 1 << 20  # bytes that the engine gets at a time: hits stay few, the cache warm
JUDGED = 128  # matches that the model gets at a time: alone, one costs it as much as a hundred
KEYWORD_SIDE = 16  # bytes before a provider's name that may qualify it


class Machinery(NamedTuple):
    """What a scanner is made of; shared by all its scans, changed by none."""

    rules: Sequence[Rule]
    table: HeadTable
    engine: Engine
    verifier: Verifier
    plain: PlainMatcher
    names: Names
    allowlist: Allowlist
    looked_at: Sequence[bool]  # by rule: there is a check, or a value known to everybody
    scorer: Scorer
    min_confidence: float
    sieve: Sieve | None  # None: no rule's matches are for a model to judge
    services: Services
    explain: bool = False


class Timings(msgspec.Struct):
    """Seconds spent: in the engine's pass, on regexes, and on checks and scores."""

    prefilter: float = 0.0
    verify: float = 0.0
    score: float = 0.0


class _Pending:
    """A candidate that waits for more bytes."""

    __slots__ = ("candidate", "position", "searched", "through")

    def __init__(self, candidate: Candidate, position: int, through: int) -> None:
        self.candidate, self.position, self.through = candidate, position, through
        self.searched = position


_Match = tuple[int, int, int, int]
"""The secret's start and end, its rule's number and where the match begins; absolute."""

_KNOWN = CheckResult(placeholder=True)
_UNCHECKED = CheckResult()


class Tracker:
    """One scan of one source, named ``path``. Not for several threads at once.

    ``prompt``: what is certain is given at once. Else what a model must judge may wait until
    there is enough of it, or the end.
    """

    def __init__(
        self, machinery: Machinery, base: int = 0, path: str = "", *, prompt: bool = True
    ) -> None:
        self._m = machinery
        self._path, self._prompt = path, prompt
        self._sieve = machinery.sieve
        self._waiting: list[Batch] = []
        self._verifier = machinery.verifier
        self.lines = LineMap(base)
        self.timings = Timings()
        self._scanned = base  # absolute: every head that ends here or before has been hit
        self._pending: list[_Pending] = []
        self._open: list[Survivor] = []
        self._seen: set[_Match] = set()  # lately: two heads may lead to one match
        self.timeouts: list[tuple[str, int]] = []
        """Rules that took too long, with the position: nothing is known about those."""
        self._back = machinery.verifier.furthest_back
        # What is looked at, for the time of one call of advance.
        self._view = memoryview(b"")
        self._final = False
        self._matches: list[_Match] = []
        self._looks: dict[tuple[int, int], tuple[bool, bool]] = {}
        self._named: list[int] = []  # where the heads of named values end

    @property
    def base(self) -> int:
        """Absolute position of the window's first byte."""
        return self.lines.base

    def advance(
        self, window: Bytes, size: int, *, final: bool, hits: list[int] | None = None
    ) -> list[Settled]:
        """Look at ``window[:size]``; give what has become certain, by position.

        ``hits``: what the engine has found in the whole of a window of one stride, if the
        caller has asked it already.
        """
        with memoryview(window)[:size] as self._view:
            self._final = final
            self._looks.clear()  # its places count from the window's first byte
            if self._pending:
                self._revisit()
            out: list[Settled] = []
            while True:
                self._scan(hits)
                done = self._scanned - self.base >= size
                if self._matches or self._waiting:
                    begun = perf_counter()
                    self._score_matches(now=done and (final or self._prompt))
                    self.timings.score += perf_counter() - begun
                if self._open:
                    out += self._settle(last=final and done)
                if done:
                    return out

    def keep_from(self) -> int:
        """Absolute position before which the window's bytes are no longer needed."""
        first = self._scanned - self._m.table.longest - self._back
        for pending in self._pending:
            first = min(first, self._earliest(pending))
        return max(self.base, first - CONTEXT)

    def drop(self, window: Bytes, base: int) -> None:
        """The window's first bytes go; ``base`` is the new absolute beginning."""
        self.lines.drop(window, base)
        if self._seen:
            self._seen = {match for match in self._seen if match[1] > base}

    def undecided_from(self, window: Bytes, size: int) -> int:
        """Absolute position before which nothing can become part of a finding any more."""
        floor = self.base + self._m.table.undecided_from(window, size)
        return min([floor, *map(self._earliest, self._pending)])

    def open_from(self) -> int | None:
        """Where the first match begins that is not given yet; None if there is none."""
        first = min((survivor.start for survivor in self._open), default=None)
        judged = self._judged_from()
        return judged if first is None else first if judged is None else min(first, judged)

    def _judged_from(self) -> int | None:
        """Where the first match begins that waits for the model."""
        return min((min(batch.starts) for batch in self._waiting), default=None)

    def _earliest(self, pending: _Pending) -> int:
        return pending.position - self._verifier.back[pending.candidate.rule]

    # hits and candidates

    def _scan(self, hits: list[int] | None) -> None:
        """Show the engine the next stride."""
        overlap = self._m.table.longest - 1
        size = len(self._view)
        done = self._scanned - self.base
        begin, stop = max(0, done - overlap), min(size, done + STRIDE)
        begun = perf_counter()
        if hits is None:
            hits = self._m.engine.find(self._view[begin:stop]) if stop > done else []
        found = perf_counter()
        self.timings.prefilter += found - begun
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
            self.timings.verify += perf_counter() - found
        self._scanned = self.base + stop

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
        return False

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

    # matches and survivors

    def _score_matches(self, *, now: bool) -> None:
        """Confidences for the matches at hand; the model's for those that wait, if there are
        enough of them or ``now``."""
        if self._matches:
            batch = self._batch(sorted(self._matches))
            self._matches.clear()
            at_once, judged = split(batch)
            if at_once.starts:
                self._open += self._survivors(at_once)
            if judged.starts:
                self._waiting.append(judged)
            self.lines.pass_to(self._view, self.keep_from())
        if self._waiting and (now or sum(len(b.starts) for b in self._waiting) >= JUDGED):
            self._open += self._survivors(joined(self._waiting))
            self._waiting.clear()

    def _batch(self, matches: list[_Match]) -> Batch:
        starts, ends, indices, begins = map(list, zip(*matches, strict=True))
        rules = [self._m.rules[index] for index in indices]
        low = max(self.base, starts[0])
        raw = bytes(self._view[low - self.base : max(ends) - self.base])
        secrets = [raw[start - low : end - low] for start, end in zip(starts, ends, strict=True)]
        looked_at = self._m.looked_at
        results = [
            self._check(match, rule, secret) if looked_at[match[2]] else _UNCHECKED
            for match, rule, secret in zip(matches, rules, secrets, strict=True)
        ]
        near = {
            number: self._bytes(begin - KEYWORD_SIDE, start)
            for number, (begin, start, rule) in enumerate(zip(begins, starts, rules, strict=True))
            if rule.spec.keywords
        }
        around = {
            number: Around(self._bytes(start - BEFORE, start), self._bytes(end, end + AFTER))
            for number, (start, end, rule) in enumerate(zip(starts, ends, rules, strict=True))
            if rule.spec.judged
        }
        lines, columns = self.lines.locate(self._view, starts)
        return Batch(starts, ends, indices, secrets, results, near, around, lines, columns)

    def _survivors(self, batch: Batch) -> list[Survivor]:
        starts, ends, indices, secrets, results, near, around, lines, columns = batch
        rules = [self._m.rules[index] for index in indices]
        column = np.array(indices, np.int64)
        survivors = Survivors(
            self._m.rules, column, secrets, results, near, around, starts, self._path
        )
        scores = _rounded(self._m.scorer(survivors))
        least = self._m.min_confidence
        for number, sides in around.items():
            if scores[number] >= least:
                results[number] = self._claimed(results[number], secrets[number], sides)
        made = map(Survivor, starts, ends, rules, secrets, results, scores, lines, columns)
        if self._m.explain and isinstance(self._m.scorer, Judge):
            explain = self._m.scorer.explain
            return [
                msgspec.structs.replace(one, reasons=explain(survivors, number))
                for number, one in enumerate(made)
                if one.confidence >= least
            ]
        return [survivor for survivor in made if survivor.confidence >= least]

    def _claimed(self, result: CheckResult, secret: bytes, sides: Around) -> CheckResult:
        """With what a value's name and the value itself tell."""
        claims = dict(result.claims)
        if service := self._m.services.of(sides.before):
            claims["service"] = service
        if secret.lower() in DEFAULTS:
            claims["default_password"] = True
        return result._replace(claims=claims) if claims else result

    def _check(self, match: _Match, rule: Rule, secret: bytes) -> CheckResult:
        if self._m.allowlist.holds(match[2], secret):
            return _KNOWN
        if not rule.checked:
            return _UNCHECKED
        before = self._bytes(match[0] - CONTEXT, match[0])
        return CHECKS[rule.spec.check].check(secret, before)

    def _bytes(self, start: int, end: int) -> bytes:
        base = self.base
        return bytes(self._view[max(0, start - base) : end - base])

    # survivors and findings

    def _settle(self, *, last: bool) -> list[Settled]:
        self._open.sort(key=by_place)
        settled = clusters_of(self._open)
        if not last:
            floor = self._safe_floor()
            if settled[-1].end > floor and self._scanned == self.base + len(self._view):
                floor = self.undecided_from(self._view, len(self._view))
            if (judged := self._judged_from()) is not None:
                floor = min(floor, judged)
            ready = bisect_right(settled, floor, key=attrgetter("end"))
            waiting = settled[ready:]
            settled = settled[:ready]
            self._open = [survivor for item in waiting for survivor in item.members]
        else:
            self._open = []
        return settled

    def _safe_floor(self) -> int:
        """Cheaper and lower than :meth:`undecided_from`."""
        floor = self._scanned - self._m.table.longest - self._back
        return min([floor, *map(self._earliest, self._pending)])


def _rounded(scores: Floats) -> list[float]:
    rounded: list[float] = np.round(scores.astype(np.float64), 3).tolist()
    return rounded
