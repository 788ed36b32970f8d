"""Lines and columns, worked out for survivors only.

The newlines of bytes that leave the window are counted once, with numpy (13 GB/s, five
times ``bytes.count``); positions inside the window are looked up when asked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.types import Bytes

_NEWLINE = 10
WORTH, SHORT = 4, 4096  # fewer positions than that, in fewer bytes: no arrays


class LineMap:
    """Where lines begin, in a stream of which only a window is at hand.

    Lines are counted up to a mark that only moves forward: no byte is counted twice.
    """

    def __init__(self, base: int = 0) -> None:
        self.base = base
        """Absolute position of the window's first byte."""
        self._mark = base
        self._lines = 0  # newlines before the mark
        self._line_start = base  # absolute start of the line that the mark stands in

    def drop(self, window: Bytes, base: int) -> None:
        """The window moves on to ``base``; ``window`` still begins at the old one."""
        self.pass_to(window, base)
        self.base = base

    def pass_to(self, window: Bytes, position: int) -> None:
        """No line will be asked for before this absolute position any more."""
        if position > self._mark:
            self._lines, self._line_start = self.count(window, position)
            self._mark = position

    def count(self, window: Bytes, position: int) -> tuple[int, int]:
        """The newlines before an absolute position, and where its line begins."""
        if position - self._mark < SHORT:
            text = bytes(window[self._mark - self.base : position - self.base])
            last = text.rfind(b"\n")
            if last < 0:
                return self._lines, self._line_start
            return self._lines + text.count(b"\n"), self._mark + last + 1
        passed = self._from_mark(window, position)
        count = int(np.count_nonzero(passed == _NEWLINE))
        if not count:
            return self._lines, self._line_start
        return self._lines + count, self._mark + _last_newline(passed) + 1

    def locate(self, window: Bytes, positions: list[int]) -> tuple[list[int], list[int]]:
        """Lines and columns, both from 1, of ascending absolute positions in the window."""
        if len(positions) < WORTH and positions[-1] - self._mark < SHORT:
            return self._locate_few(window, positions)
        newlines = np.flatnonzero(self._from_mark(window, positions[-1]) == _NEWLINE) + self._mark
        starts = np.concatenate(([self._line_start], newlines + 1))
        column = np.asarray(positions)
        before = np.searchsorted(newlines, column)
        return (before + self._lines + 1).tolist(), (column - starts[before] + 1).tolist()

    def _locate_few(self, window: Bytes, positions: list[int]) -> tuple[list[int], list[int]]:
        """The same without arrays: 1 microsecond instead of 10 for a message."""
        text = bytes(window[self._mark - self.base : positions[-1] - self.base])
        lines, columns = [], []
        for position in positions:
            last = text.rfind(b"\n", 0, position - self._mark)
            start = self._line_start if last < 0 else self._mark + last + 1
            lines.append(self._lines + text.count(b"\n", 0, position - self._mark) + 1)
            columns.append(position - start + 1)
        return lines, columns

    def _from_mark(self, window: Bytes, position: int) -> NDArray[np.uint8]:
        begin = self._mark - self.base
        return np.frombuffer(window, np.uint8, position - self._mark, begin)


def _last_newline(window: NDArray[np.uint8]) -> int:
    """Index of the last newline, looked for from the end."""
    size = 4096
    while (at := bytes(window[-size:]).rfind(b"\n")) < 0:
        size *= 2
    return max(0, window.size - size) + at
