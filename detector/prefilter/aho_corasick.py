"""The second engine: literals by Aho-Corasick, the rest of the head by ``re``.

Written to be obviously right rather than fast: every other engine must agree with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import ahocorasick

from detector.prefilter.table import ID_BITS
from detector.rules import Head
from detector.types import Bytes


class AhoCorasick:
    """Two automata over literals: one for exact case, one over the lower-cased bytes."""

    name = "aho-corasick"

    def __init__(self, heads: Sequence[Head], numbers: Sequence[int] | None = None) -> None:
        self._heads = heads
        self._numbers = range(len(heads)) if numbers is None else numbers
        self._regexes: list[re.Pattern[bytes] | None] = [None] * len(heads)
        self._exact = _automaton(heads, caseless=False)
        self._folded = _automaton(heads, caseless=True)

    def find(self, data: Bytes) -> list[int]:
        """See :class:`detector.prefilter.Engine`."""
        raw = bytes(data)
        hits: set[int] = set()
        for automaton, haystack in ((self._exact, raw), (self._folded, raw.lower())):
            if automaton is None:
                continue
            for last, (length, heads) in automaton.iter(haystack.decode("latin-1")):
                start = last + 1 - length
                for head in heads:
                    number = self._numbers[head]
                    hits.update(end << ID_BITS | number for end in self._ends(head, raw, start))
        return list(hits)

    def _ends(self, number: int, raw: bytes, start: int) -> Iterator[int]:
        """Where this head ends that begins at ``start``."""
        head = self._heads[number]
        if (regex := self._regexes[number]) is None:
            regex = self._regexes[number] = re.compile(head.regex.encode("ascii"))
        if (found := regex.match(raw, start)) is None:
            return
        if head.length:
            yield found.end()
            return
        for end in range(start + 1, min(len(raw), start + head.most) + 1):
            if regex.fullmatch(raw, start, end) is not None:
                yield end


def _automaton(heads: Sequence[Head], *, caseless: bool) -> ahocorasick.Automaton | None:
    literals: dict[str, list[int]] = {}
    for number, head in enumerate(heads):
        if head.caseless == caseless:
            for literal in head.literals:
                literals.setdefault(literal, []).append(number)
    if not literals:
        return None
    automaton = ahocorasick.Automaton()
    for literal, numbers in literals.items():
        automaton.add_word(literal, (len(literal), tuple(numbers)))
    automaton.make_automaton()
    return automaton
