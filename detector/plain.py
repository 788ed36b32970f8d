"""Matches without a regex: tokens of one length whose head is the whole token.

Such a hit is a match if the bytes around it are not the token's own: two table look-ups
for a whole column of hits. A dump with a token in every row spends 0.1 microseconds a
token here instead of 3. Every hit that the tables cannot accept goes to the regex.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detector.prefilter import ID_BITS, ID_MASK, HeadTable
from detector.rules import Rule

Ints = NDArray[np.int64]

WORTH = 16  # hits: below that the arrays cost more than they save

_ALNUM = np.array([chr(byte).isalnum() and byte < 128 for byte in range(256)])


class PlainMatcher:
    """Accepts hits in columns. Immutable."""

    def __init__(self, rules: Sequence[Rule], table: HeadTable) -> None:
        count = len(table.heads)
        self._rule = np.full(count, -1, np.int64)
        self._length = np.ones(count, np.int64)
        self._after = np.zeros((count, 256), np.bool_)
        self._guarded = np.zeros(count, np.bool_)
        for head, candidates in enumerate(table.candidates):
            if len(candidates) != 1 or table.named[head]:
                continue
            rule = rules[candidates[0].rule]
            if rule.plain:
                self._rule[head] = candidates[0].rule
                self._length[head] = candidates[0].length
                self._after[head] = _members(rule.after)
                self._guarded[head] = _ALNUM[ord(table.heads[head].literals[0][0])]

    def split(
        self, hits: Sequence[int], view: memoryview, begin: int, size: int
    ) -> tuple[Ints, Ints, Ints, list[int]]:
        """Rule, start and end of each accepted hit, and the hits that are left over.

        Positions count in ``view``, hits from ``begin``.
        """
        column = np.array(hits, np.int64)
        column.sort()
        head, end = column & ID_MASK, (column >> ID_BITS) + begin
        start = end - self._length[head]
        data = np.frombuffer(view, np.uint8)
        inside = (self._rule[head] >= 0) & (start > 0) & (end < size)
        before = data[np.where(inside, start - 1, 0)]
        behind = data[np.where(inside, end, 0)]
        accepted = inside & ~self._after[head, behind] & ~(self._guarded[head] & _ALNUM[before])
        chosen = np.flatnonzero(accepted)
        return self._rule[head[chosen]], start[chosen], end[chosen], column[~accepted].tolist()


@lru_cache(maxsize=256)
def _members(regex: str) -> NDArray[np.bool_]:
    if not regex:
        return np.zeros(256, np.bool_)
    compiled = re.compile(regex.encode())
    return np.array([compiled.fullmatch(bytes([byte])) is not None for byte in range(256)])
