"""The heads of all rules, each once, and which rules each of them speaks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from detector.rules import Head, Rule
from detector.types import Bytes

ID_BITS = 16  # a hit is one int, ``end << 16 | head``: half the Python work of a pair
MAX_HEADS = 1 << ID_BITS


class Candidate(NamedTuple):
    """What a hit of one head means for one rule.

    ``length`` is how far before its end a hit stands for something: the head's own, or its
    tail's where the head varies (0: the *end* is what is known).
    """

    rule: int
    length: int


class HeadTable:
    """``heads[i]`` is what an engine compiles, ``candidates[i]`` what its hit stands for.

    ``runs[i]`` says that its hits end in the first bytes of a value, whose beginning is for the
    caller to find. ``named[i]`` says that a hit of this head is a value with a name: the names of
    providers to its left tell which rules it stands for.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        ids: dict[str, int] = {}
        self.heads: list[Head] = []
        self.candidates: list[list[Candidate]] = []
        self.named: list[bool] = []
        self.runs: list[bool] = []
        for index, rule in enumerate(rules):
            for head in dict.fromkeys(rule.heads.heads):
                number = ids.setdefault(head.regex, len(self.heads))
                if number == len(self.heads):
                    self.heads.append(head)
                    self.candidates.append([])
                    self.named.append(False)
                    self.runs.append(head.runs)
                if rule.spec.keywords and head.runs:
                    self.named[number] = True
                else:
                    self.candidates[number].append(Candidate(index, head.length or head.tail))
        if len(self.heads) > MAX_HEADS:
            raise ValueError(f"{len(self.heads)} heads; at most {MAX_HEADS} fit into a hit")
        self.longest = max((head.most for head in self.heads), default=1)
        self._leads = _leads(rules)
        self._holds = [
            max((rules[c.rule].hold for c in candidates), default=0)
            for candidates in self.candidates
        ]
        self._longest_hold = max(self._holds, default=0)
        self._starting_with: dict[bytes, list[int]] = {}
        for number, head in enumerate(self.heads):
            for start in {s for word in head.literals for s in _beginnings(word, head)}:
                self._starting_with.setdefault(start, []).append(number)
        self._partial: dict[int, Any] = {}

    def undecided_from(self, data: Bytes, size: int) -> int:
        """The first position of ``data[:size]`` from which later bytes could still make a
        secret: a head that has begun, or what may stand before one; ``size`` if none."""
        begin = max(0, size - max(self.longest - 1, self._longest_hold))
        tail = bytes(data[begin:size])
        floor = len(tail) - self._lead_at_end(tail)
        for offset in range(len(tail)):
            if offset - self._longest_hold >= floor:
                break
            for number in self._starting_with.get(tail[offset : offset + 2], ()):
                held = offset - self._holds[number]
                if held < floor and self._could_be(number, tail[offset:]):
                    floor = max(0, held)
        return begin + floor

    def _lead_at_end(self, tail: bytes) -> int:
        """How many bytes at the end may stand before a head and belong to its secret."""
        backwards = tail[::-1]
        runs = (lead.match(backwards) for lead in self._leads)
        return max((run.end() for run in runs if run is not None), default=0)

    def _could_be(self, number: int, tail: bytes) -> bool:
        """Whether ``tail`` is a proper beginning of this head."""
        head = self.heads[number]
        text = (tail.lower() if head.caseless else tail).decode("latin-1")
        if not any(text.startswith(word) or word.startswith(text) for word in head.literals):
            return False
        if number not in self._partial:
            import regex

            self._partial[number] = regex.compile(head.regex.encode())
        found = self._partial[number].fullmatch(tail, partial=True)
        return found is not None and found.partial


def _beginnings(word: str, head: Head) -> set[bytes]:
    """The first byte alone, for the last place of a text, and the first two."""
    first, second = (({c, c.upper()} if head.caseless else {c}) for c in (word + "\0")[:2])
    both = {a + b for a in first for b in second} if len(word) > 1 else set()
    return {text.encode("latin-1") for text in first | both}


def _leads(rules: Sequence[Rule]) -> list[re.Pattern[bytes]]:
    classes: dict[str, int] = {}
    for rule in rules:
        if rule.hold:
            classes[rule.lead] = max(rule.hold, classes.get(rule.lead, 0))
    return [re.compile(f"{lead}{{1,{hold}}}".encode()) for lead, hold in classes.items()]
