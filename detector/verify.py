"""From a hit to a match: the rule's regex, anchored, inside a window.

It drops, it never adds. Windows are bounded by the rule's longest match, so the work for
a hit is bounded too; ``regex``'s timeout bounds a pathological rule of a user's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from detector.features import AFTER
from detector.prefilter.table import Candidate
from detector.rules import Rule
from detector.types import Bytes

TIMEOUT = 2.0  # seconds for one window of at most 16 KiB: a sound rule takes microseconds
_NEVER = rb"[\x00-\xff]{32768}"  # more than a window of a rule
GUARD = 4  # bytes behind a match that its boundary may look at


class RuleTimeoutError(Exception):
    """A rule's regex took too long on one window. Carries the rule's id, no data."""


class Verifier:
    """The compiled regexes of a rule set, each compiled when its first hit comes."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._regexes: list[Any] = [None] * len(rules)
        self._stops: list[re.Pattern[bytes] | None] = [None] * len(rules)
        self._lasts: list[re.Pattern[bytes] | None] = [None] * len(rules)
        # Watching the clock takes 1.6 microseconds a match, twice what a match itself takes.
        self._timeouts = [None if rule.linear else TIMEOUT for rule in rules]
        self._framed = [rule.framed for rule in rules]
        self.judged = [rule.spec.judged for rule in rules]
        self.named = [bool(rule.spec.names) for rule in rules]
        self.reach = [
            r.longest - r.heads.lead_lo + (AFTER if r.spec.judged else GUARD) for r in rules
        ]
        """How far behind a hit's start the bytes may lie that decide it, by rule."""
        self.back = [r.heads.lead_hi for r in rules]
        """How far before a hit's start a match may begin, by rule."""
        self.furthest_back = max(self.back, default=0)
        self.least_back = [r.heads.lead_lo for r in rules]
        self.secret_from = [_secret_from(rule) for rule in rules]
        """How far behind a hit's start its secret begins at least, by rule; before it: negative."""
        self._tells = [re.search(r"[}?*+]\?", rule.regex) is None for rule in rules]
        """Whether no partial match says that there will be none, by rule. Behind a lazy repeat
        ``regex`` looks for what follows as if nothing could come behind the end."""
        self._values: list[Any] = [None] * len(rules)
        self._open: list[Any] = [None] * len(rules)

    def regex(self, rule: int) -> Any:
        """The rule's verifier, a ``regex`` pattern."""
        if (compiled := self._regexes[rule]) is None:
            import regex

            compiled = self._regexes[rule] = regex.compile(self._rules[rule].regex.encode())
        return compiled

    def _unfinished(self, rule: int) -> Any:
        if (compiled := self._open[rule]) is None:
            compiled = self._open[rule] = _unfinished(self._rules[rule].regex)
        return compiled

    def match(
        self, candidate: Candidate, position: int, data: Bytes, *, partial: bool = False
    ) -> tuple[int, int, int] | None:
        """The match that this hit is part of: the secret's span and the match's start.

        ``position`` is where the head begins, or ends if its length varies. With
        ``partial``, a match that more bytes could complete raises :class:`Incomplete`.
        """
        rule = candidate.rule
        first = position - self.back[rule]
        last = position - self.least_back[rule]
        stop = position + self.reach[rule]
        if last < 0:  # there is no room for what must stand before the head
            return None
        try:
            if first == last:
                found = self.regex(rule).match(
                    data, first, stop, partial=partial, timeout=self._timeouts[rule]
                )
                found = None if found is None else self._complete(found)
            else:
                found = self._first_covering(rule, max(0, first), last, position, data, partial)
        except TimeoutError:
            raise RuleTimeoutError(self._rules[rule].id) from None
        if found is None:
            if partial and not self._tells[rule]:
                raise Incomplete
            return None
        start, end = found.span("secret")
        if self._framed[rule]:
            end -= _frame(data, start, end)
        if partial and self.judged[rule] and not _goes_on(data, end):
            raise Incomplete
        return start, end, found.start()

    def is_dead(self, candidate: Candidate, position: int, data: Bytes) -> bool:
        """Whether no bytes behind ``data`` could make this hit a match."""
        try:
            return self.match(candidate, position, data, partial=True) is None
        except (Incomplete, RuleTimeoutError):
            return False

    def begins(self, rule: int, position: int, data: Bytes) -> int:
        """Where the secret begins at the earliest that this hit may lead to."""
        begin = position + self.secret_from[rule]
        if not self._rules[rule].value:
            return begin
        if (compiled := self._values[rule]) is None:
            compiled = self._values[rule] = _unfinished(self._rules[rule].value)
        try:
            found = compiled.search(data, begin, partial=True, timeout=self._timeouts[rule])
        except TimeoutError:
            return begin
        return len(data) if found is None else found.start()

    def _first_covering(
        self, rule: int, first: int, last: int, position: int, data: Bytes, partial: bool
    ) -> Any:
        """The leftmost match that begins in ``[first, last]`` and reaches ``position``."""
        stop, timeout = position + self.reach[rule], self._timeouts[rule]
        while first <= last:
            if partial:
                begun = self._unfinished(rule).search(data, first, stop, partial=True)
                first = last + 1 if begun is None else begun.start()
                found = self.regex(rule).match(data, first, stop, partial=True, timeout=timeout)
            else:
                found = self.regex(rule).search(data, first, stop, timeout=timeout)
            if found is None or found.start() > last:
                return None
            if found.end() >= position:
                return self._complete(found)
            first = found.start() + 1
        return None

    def _complete(self, found: Any) -> Any:
        if found.partial:
            raise Incomplete
        return found

    def stops(self, rule: int, data: Bytes) -> bool:
        """Whether ``data`` holds a byte that no match of the rule contains."""
        if (stop := self._stops[rule]) is None:
            if not self._rules[rule].stop:
                return False
            stop = self._stops[rule] = re.compile(self._rules[rule].stop.encode())
        return stop.search(data) is not None

    def may_close(self, rule: int, data: Bytes) -> bool:
        """Whether ``data`` may complete a match that is certain once it is complete."""
        if not self._rules[rule].closed:
            return False
        if (last := self._lasts[rule]) is None:
            last = self._lasts[rule] = re.compile(self._rules[rule].last.encode())
        return last.search(data) is not None


def _unfinished(pattern: str) -> Any:
    """What finds the leftmost place where the pattern matches, or could with more bytes.

    A search for partial matches prefers a whole one, wherever it is: so there are none.
    """
    import regex

    return regex.compile(f"(?:{pattern})".encode() + _NEVER)


def _secret_from(rule: Rule) -> int:
    if rule.hold:
        return -rule.hold
    return rule.before - (rule.heads.lead_lo if rule.heads.heads[0].length else rule.heads.lead_hi)


class Incomplete(Exception):  # noqa: N818 - a signal, not an error
    """More bytes could complete the match."""


def _goes_on(data: Bytes, end: int) -> bool:
    """Whether all that a judge may look at behind a match is there."""
    behind = bytes(data[end : end + AFTER])
    return len(behind) == AFTER or b"\n" in behind or b"\r" in behind


def _frame(data: Bytes, start: int, end: int) -> int:
    """How many bytes at the end close what the same bytes before the start have opened.

    A token of open length takes the second underscore of ``_X_``.
    """
    width = 0
    while (
        width < GUARD - 1
        and start > width
        and data[start - 1 - width] == data[end - 1 - width]
        and data[end - 1 - width] in _FRAMES
    ):
        width += 1
    return width


_FRAMES = b"_-*~"
