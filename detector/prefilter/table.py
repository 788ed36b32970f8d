"""The heads of all rules, each once, and which rules each of them speaks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from detector.rules import Head, Rule

ID_BITS = 16  # a hit is one int, ``end << 16 | head``: half the Python work of a pair
MAX_HEADS = 1 << ID_BITS


class Candidate(NamedTuple):
    """What a hit of one head means for one rule.

    ``length`` is the head's (0: it varies, and the hit's *end* is what is known).
    """

    rule: int
    length: int


class HeadTable:
    """``heads[i]`` is what an engine compiles, ``candidates[i]`` what its hit stands for.

    ``named[i]`` says that a hit of this head is a value with a name: the names of providers
    to its left tell which rules it stands for.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        ids: dict[str, int] = {}
        self.heads: list[Head] = []
        self.candidates: list[list[Candidate]] = []
        self.named: list[bool] = []
        for index, rule in enumerate(rules):
            for head in dict.fromkeys(rule.heads.heads):
                number = ids.setdefault(head.regex, len(self.heads))
                if number == len(self.heads):
                    self.heads.append(head)
                    self.candidates.append([])
                    self.named.append(False)
                if rule.spec.keywords:
                    self.named[number] = True
                else:
                    self.candidates[number].append(Candidate(index, head.length))
        if len(self.heads) > MAX_HEADS:
            raise ValueError(f"{len(self.heads)} heads; at most {MAX_HEADS} fit into a hit")
        self.longest = max((head.most for head in self.heads), default=1)
        self._lead = _lead_at_end(rules)
        self._longest_lead = max((rule.heads.lead_hi for rule in rules), default=0)
        self._leads = [
            max((rules[c.rule].heads.lead_hi for c in candidates), default=0)
            for candidates in self.candidates
        ]
        self._starting_with: dict[int, list[int]] = {}
        for number, head in enumerate(self.heads):
            for byte in {ord(char) for word in head.literals for char in _cases(word[0], head)}:
                self._starting_with.setdefault(byte, []).append(number)
        self._partial: dict[int, object] = {}

    def undecided_from(self, data: bytes | bytearray | memoryview, size: int) -> int:
        """The first position of ``data[:size]`` from which later bytes could still make a
        match: a head that has begun, or what may stand before one; ``size`` if none."""
        floor = size
        if self._lead is not None:
            begin = max(0, size - self._longest_lead)
            if (lead := self._lead.search(bytes(data[begin:size]))) is not None:
                floor = begin + lead.start()
        begin = max(0, size - self.longest + 1)
        tail = bytes(data[begin:size])
        for offset, byte in enumerate(tail):
            for number in self._starting_with.get(byte, ()):
                if begin + offset - self._leads[number] < floor and self._could_be(
                    number, tail[offset:]
                ):
                    floor = max(0, begin + offset - self._leads[number])
        return floor

    def _could_be(self, number: int, tail: bytes) -> bool:
        """Whether ``tail`` is a proper beginning of this head."""
        head = self.heads[number]
        text = (tail.lower() if head.caseless else tail).decode("latin-1")
        if not any(text.startswith(word) or word.startswith(text) for word in head.literals):
            return False
        if number not in self._partial:
            import regex

            self._partial[number] = regex.compile(self.heads[number].regex.encode())
        found = self._partial[number].fullmatch(tail, partial=True)  # type: ignore[attr-defined]
        return found is not None and found.partial


def _cases(char: str, head: Head) -> set[str]:
    return {char, char.upper()} if head.caseless else {char}


def _lead_at_end(rules: Sequence[Rule]) -> re.Pattern[bytes] | None:
    classes = dict.fromkeys(rule.lead for rule in rules if rule.lead)
    longest = max((rule.heads.lead_hi for rule in rules), default=0)
    if not classes:
        return None
    return re.compile(f"(?:{'|'.join(classes)}){{1,{longest}}}\\Z".encode())
