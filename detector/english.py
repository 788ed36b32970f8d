"""Whether letters follow each other as in English: a look-up a pair, in plain Python."""

from __future__ import annotations

from operator import getitem

import numpy as np

from detector.entropy import Floats

_SCALE = 256  # of the pairs of letters, in whole numbers
_LETTERS = bytearray(256)
for _number in range(1, 27):
    _LETTERS[64 + _number] = _LETTERS[96 + _number] = _number


class English:
    """Adds up the pairs of a text's letters. Immutable."""

    def __init__(self, pairs: Floats) -> None:
        """``pairs``: the log ratio of each pair of letters to chance in English, (27, 27)."""
        rows = np.round(pairs * _SCALE).astype(np.int32)
        rows[0] = rows[:, 0] = 0  # no letter
        self._rows: list[list[int]] = rows.tolist()

    def __call__(self, text: bytes) -> int:
        """Above 0 for what reads like words, below for what does not; 0 without a pair."""
        letters = text.translate(_LETTERS)
        return sum(map(getitem, map(self._rows.__getitem__, letters), letters[1:]))
