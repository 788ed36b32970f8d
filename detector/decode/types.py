"""What a decoder is given, and what it gives back."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

Span = tuple[int, int]


class Unfinished(Exception):  # noqa: N818 - a signal, not an error
    """What is encoded goes on behind the text at hand."""


class Text(NamedTuple):
    """Some bytes of a source. ``whole``: nothing follows, or no more of it is wanted."""

    data: bytes
    whole: bool

    def __repr__(self) -> str:
        return f"Text({len(self.data)})"  # never the bytes

    def ended(self, at: int) -> int:
        """``at`` is where something ends. Raises :class:`Unfinished` if it may go on."""
        if at >= len(self.data) and not self.whole:
            raise Unfinished
        return at


class Decoded(NamedTuple):
    """What ``text[start:end]`` stands for. ``by``: the decoders, from outside in. ``source``
    gives the span in the text that some decoded bytes come from. ``surroundings``: what stands
    around a secret is decoded with it, so names before values tell something. ``in_step`` says
    whether a later sign of the same decoder would decode the same. ``joints``: a secret must
    reach over one of these places in the decoded bytes. ``left_out``: why something is missing.
    """

    by: tuple[str, ...]
    data: bytes
    start: int
    end: int
    source: Callable[[int, int], Span]
    surroundings: bool = False
    in_step: Callable[[int], bool] | None = None
    joints: tuple[int, ...] | None = None
    left_out: str = ""

    def __repr__(self) -> str:
        return f"Decoded({'+'.join(self.by)}, {self.start}:{self.end})"  # never the bytes


class Pieces:
    """Which decoded bytes come from where: pieces taken as they are, and units that were
    replaced as a whole."""

    def __init__(self) -> None:
        self.size = 0
        self._at: list[int] = []
        self._begin: list[int] = []
        self._end: list[int] = []
        self._as_is: list[bool] = []

    def add(self, count: int, begin: int, end: int) -> None:
        """The next ``count`` decoded bytes stand for ``begin`` to ``end``."""
        if not count:
            return
        self._at.append(self.size)
        self._begin.append(begin)
        self._end.append(end)
        self._as_is.append(end - begin == count)
        self.size += count

    def span(self, start: int, end: int) -> Span:
        """The source of ``[start, end)``, which is not empty."""
        first, last = bisect_right(self._at, start) - 1, bisect_right(self._at, end - 1) - 1
        begin, stop = self._begin[first], self._end[last]
        if self._as_is[first]:
            begin += start - self._at[first]
        if self._as_is[last]:
            stop = self._begin[last] + end - self._at[last]
        return begin, stop

    def index(self, place: int) -> int:
        """The first decoded byte that comes from ``place`` or from behind it."""
        number = bisect_right(self._begin, place) - 1
        if number < 0:
            return 0
        if place < self._end[number]:
            return self._at[number] + (place - self._begin[number]) * self._as_is[number]
        return self._at[number + 1] if number + 1 < len(self._at) else self.size
