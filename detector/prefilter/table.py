"""The heads of all rules, each once, and which rules each of them speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from detector.prefilter.edge import Beginnings
from detector.rules import Head, Rule

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
        speaks: list[list[int]] = []
        for index, rule in enumerate(rules):
            for head in dict.fromkeys(rule.heads.heads):
                number = ids.setdefault(head.regex, len(self.heads))
                if number == len(self.heads):
                    self.heads.append(head)
                    self.candidates.append([])
                    self.named.append(False)
                    self.runs.append(head.runs)
                    speaks.append([])
                speaks[number].append(index)
                if rule.spec.keywords and head.runs:
                    self.named[number] = True
                else:
                    self.candidates[number].append(Candidate(index, head.length or head.tail))
        if len(self.heads) > MAX_HEADS:
            raise ValueError(f"{len(self.heads)} heads; at most {MAX_HEADS} fit into a hit")
        self.longest = max((head.most for head in self.heads), default=1)
        self.beginnings = Beginnings(rules, self.heads, speaks)
