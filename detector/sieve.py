"""What has a credential's name and is plainly none: dropped before anything is matched.

Minified code is full of ``token:"delimiter.square"`` and ``key=getKey(``: 85 named values a
megabyte, and a regex and a judgement for each would halve the speed. Three tests on a value's
first bytes, in columns, leave one in ten. On labelled values they drop one secret in 1,000.

A function of the ``REACH`` bytes from a value's first on, one way for one value and another for
many; both give the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.prefilter import ID_BITS, ID_MASK, HeadTable
from detector.rules import Rule
from detector.types import Bytes

REACH = 24
_SCALE = 256  # of the pairs of letters: whole numbers, so that both ways add up to the same

_WORD = np.zeros(256, np.bool_)
_WORD[[*range(65, 91), *range(97, 123), *b"._$@:/-"]] = True
_NAME = np.zeros(256, np.bool_)
_NAME[[*range(48, 58), *range(65, 91), *range(97, 123), *b"_$"]] = True
_LETTER = np.zeros(256, np.int16)
_LETTER[97:123] = _LETTER[65:91] = np.arange(1, 27)
_LETTERS = _LETTER.tolist()
_QUOTE = np.zeros(256, np.bool_)
_QUOTE[list(b"\"'`;")] = True  # the last one ends &quot;
_STOP = np.ones(256, np.bool_)
_STOP[[*range(33, 127)]] = False
_STOP[list(b"\"'`,;)}]<>&\\")] = True

_WORDS = re.compile(rb"[A-Za-z._$@:/-]+[0-9]{0,2}(?=[\0-\x20\"'`,;)}\]<>&\\\x7f-\xff]|\Z)")
_CALL = re.compile(rb"[A-Za-z_$][0-9A-Za-z_$]*[(\[]")
_CONSTANT = re.compile(
    rb"(?:true|false|null|none|nil|undefined|function|async|await|return|typeof|string|object"
    rb"|number|boolean|void|this|self|new|not|required|optional|0x[0-9a-f]{1,8})(?![0-9A-Za-z_$.-])",
    re.IGNORECASE,
)


class Sieve:
    """Drops hits of named values. Immutable."""

    def __init__(self, rules: Sequence[Rule], table: HeadTable, pairs: NDArray[np.float32]) -> None:
        """``pairs``: the log ratio of each pair of letters to chance in English, (27, 27)."""
        self._pairs = np.round(pairs * _SCALE).astype(np.int32)
        self._pairs[0] = self._pairs[:, 0] = 0
        self._rows: list[list[int]] = self._pairs.tolist()
        self._of_words = [bool(rule.spec.names) and not rule.spec.worded for rule in rules]
        self.concerns = [
            any(rules[candidate.rule].spec.names for candidate in candidates)
            for candidates in table.candidates
        ]
        """By head: whether its hits are named values."""
        self._worded = np.zeros(len(table.heads), np.bool_)
        self._tail = np.ones(len(table.heads), np.int64)
        for head, candidates in enumerate(table.candidates):
            for candidate in candidates:
                self._tail[head] = candidate.length
                self._worded[head] |= not self._of_words[candidate.rule]

    def drops(self, view: Bytes, start: int, rule: int) -> bool:
        """Whether the value at ``start`` of ``view`` is plainly no secret."""
        text = bytes(view[start : start + REACH])
        quoted = start > 0 and bool(_QUOTE[view[start - 1]])
        if not quoted and _CALL.match(text):
            return True
        if not quoted and _CONSTANT.match(text):
            return True
        if not self._of_words[rule] or not (found := _WORDS.match(text)):
            return False
        letters = [_LETTERS[byte] for byte in found.group()]
        rows = self._rows
        return sum(rows[a][b] for a, b in pairwise(letters)) > 0

    def rest(self, hits: Sequence[int], view: memoryview, begin: int) -> list[int]:
        """The hits that are left, each of a named value with ``REACH`` bytes at hand; positions
        count in ``view``, hits from ``begin``."""
        column = np.array(hits, np.int64)
        head = column & ID_MASK
        start = (column >> ID_BITS) + begin - self._tail[head]
        data = np.frombuffer(view, np.uint8)
        text = data[start + np.arange(REACH)[:, None]]
        quoted = (start > 0) & _QUOTE[data[np.maximum(start - 1, 0)]]
        dropped = ~quoted & self._calls(text)
        dropped |= self._words(text) & ~self._worded[head]
        constant = np.flatnonzero(~quoted & ~dropped)
        raw = text.T.tobytes()
        for number in constant.tolist():
            dropped[number] = bool(_CONSTANT.match(raw, number * REACH, (number + 1) * REACH))
        kept: list[int] = column[~dropped].tolist()
        return kept

    def _calls(self, text: NDArray[np.uint8]) -> NDArray[np.bool_]:
        inside = _NAME[text]
        end = np.where(inside.all(axis=0), REACH - 1, inside.argmin(axis=0))
        behind = text[end, np.arange(text.shape[1])]
        opens = (behind == 40) | (behind == 91)
        digit = (text[0] >= 48) & (text[0] <= 57)
        calls: NDArray[np.bool_] = opens & (end > 0) & ~digit
        return calls

    def _words(self, text: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether a value is letters, with up to two digits at its end, that look English."""
        word = _WORD[text]
        whole = word.all(axis=0)
        end = np.where(whole, REACH, word.argmin(axis=0))
        columns = np.arange(text.shape[1])
        rest = end.copy()
        for _ in range(2):
            behind = text[np.minimum(rest, REACH - 1), columns]
            rest += (rest < REACH) & (behind >= 48) & (behind <= 57)
        stops = (rest == REACH) | _STOP[text[np.minimum(rest, REACH - 1), columns]]
        letter = np.where(np.arange(REACH)[:, None] < end, _LETTER[text], 0)
        english = self._pairs[letter[:-1], letter[1:]].sum(axis=0)
        words: NDArray[np.bool_] = stops & (end > 0) & (english > 0)
        return words
