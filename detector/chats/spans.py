"""Where messages begin and end in a stream, whatever its cut.

A splitter walks from a state over the bytes that follow to the next state, as a dialect does. It
keeps the beginning of the message that is open, so a message is whole when its end has come. Of a
long one only the first bytes are kept: which, never depends on the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.tables.bits import Flags, parity, pieces
from detector.types import Bytes

LONGEST = 1 << 20  # bytes of a message that are looked at
OWNER = 1 << 16  # bytes of what stands before the messages, as the channel's name

Ints = NDArray[np.int64]


class Message(NamedTuple):
    """The bytes of one, and those of the object around its array, up to that array."""

    text: bytes = b""
    owner: bytes = b""

    def __repr__(self) -> str:
        return f"Message({len(self.text)} bytes)"  # never the bytes


Found = Message | None
"""None: the message goes on, or it is not known yet whether there is one."""
NONE = Message()  # not in a message


class Splitter(Protocol):
    """One way to put messages one after the other. Immutable and picklable; states are, too."""

    def begin(self) -> Any:
        """The state before the first byte."""
        ...

    def walk(self, state: Any, data: Bytes, offsets: Sequence[int]) -> tuple[Any, list[Found]]:
        """The state behind ``data``, and the messages at ascending offsets in it; 0 is also any
        byte before, of the message that was open."""
        ...

    def rest(self, state: Any) -> Message:
        """What is there of the open message, when nothing follows."""
        ...


class LinesState(NamedTuple):
    """The line so far."""

    held: bytes = b""

    def __repr__(self) -> str:
        return f"LinesState({len(self.held)} bytes)"


class Lines(NamedTuple):
    """A message a line."""

    def begin(self) -> LinesState:
        """See :class:`Splitter`."""
        return LinesState()

    def walk(
        self, state: LinesState, data: Bytes, offsets: Sequence[int]
    ) -> tuple[LinesState, list[Found]]:
        """See :class:`Splitter`."""
        text = bytes(data)
        known: dict[int, Found] = {}
        found: list[Found] = []
        for offset in offsets:
            begin = text.rfind(b"\n", 0, offset) + 1
            if begin not in known:
                known[begin] = self._line(state.held if begin == 0 else b"", text, begin, offset)
            found.append(known[begin])
        last = text.rfind(b"\n") + 1
        held = b"" if last else state.held
        return LinesState(held + text[last : last + LONGEST - len(held)]), found

    def rest(self, state: LinesState) -> Message:
        """See :class:`Splitter`."""
        return Message(state.held)

    def _line(self, held: bytes, text: bytes, begin: int, offset: int) -> Found:
        end = text.find(b"\n", offset)
        stop = begin + LONGEST - len(held)
        if end < 0 and len(text) < stop:
            return None
        return Message(held + text[begin : min(stop, end if end >= 0 else stop)])


class ArrayState(NamedTuple):
    """``inside`` a string, behind a ``slash`` that escapes, with ``depth`` brackets open.

    ``owner``: the first bytes of the object that holds the array, of ``size`` bytes so far;
    ``array``: where in it the last array begins. ``held``: the open message's first bytes.
    """

    inside: bool = False
    slash: bool = False
    depth: int = 0
    owner: bytes = b""
    size: int = 0
    array: int = 0
    held: bytes | None = None

    def __repr__(self) -> str:
        return f"ArrayState(depth={self.depth}, size={self.size})"


class Arrays(NamedTuple):
    """Objects in an array, each the ``level``-th bracket that is open."""

    level: int

    def begin(self) -> ArrayState:
        """See :class:`Splitter`."""
        return ArrayState()

    def walk(
        self, state: ArrayState, data: Bytes, offsets: Sequence[int]
    ) -> tuple[ArrayState, list[Found]]:
        """See :class:`Splitter`."""
        found: list[Found] = []
        for part, here in pieces(memoryview(data), offsets):
            piece = _Piece(self.level, state, part)
            if found and None in found:  # they are of the message that was open
                first = found.index(None)
                found[first:] = [piece.message(0)] * (len(found) - first)
            found += [piece.message(offset) for offset in here]
            state = piece.after()
        return state, found

    def rest(self, state: ArrayState) -> Message:
        """See :class:`Splitter`."""
        return NONE if state.held is None else Message(state.held, state.owner[: state.array])


class _Piece:
    """Brackets outside of strings, as positions, in one piece."""

    def __init__(self, level: int, state: ArrayState, text: bytes) -> None:
        self._level, self._state = level, state
        self._lead = int(state.slash)
        self._text = text = b"\\" * self._lead + text
        column = np.frombuffer(text, np.uint8)
        self._inside = parity(_quotes(text, column), state.inside)
        folded = column | 32  # [ and {, ] and } are one bit apart
        brackets = (folded == 0x7B) | (folded == 0x7D)
        marks = np.flatnonzero(brackets & ~self._inside)
        steps = np.where(column[marks] & 2, 1, -1)
        depths = np.cumsum(steps) + state.depth
        self._depth = int(depths[-1]) if depths.size else state.depth
        opening = steps == 1
        self._begins = marks[opening & (depths == level)]
        self._ends = marks[~opening & (depths == level - 1)] + 1
        self._owners = marks[opening & (depths == level - 2)]
        arrays = marks[opening & (depths == level - 1)]
        self._arrays = arrays[column[arrays] == 0x5B]

    def message(self, offset: int) -> Found:
        """What is open at an offset."""
        at = offset + self._lead
        n = int(np.searchsorted(self._begins, at, "right"))
        if n == 0 and self._state.held is None:
            return NONE
        begin = int(self._begins[n - 1]) if n else 0
        held = b"" if n else self._state.held or b""
        behind = int(np.searchsorted(self._ends, begin, "right"))
        end = int(self._ends[behind]) if behind < self._ends.size else None
        if end is not None and at >= end:
            return NONE
        first = begin if n else self._lead
        stop = first + LONGEST - len(held)
        if end is None and len(self._text) < stop:
            return None
        text = self._text[first : stop if end is None else min(stop, end)]
        return Message(held + text, self._owner(at))

    def _owner(self, at: int) -> bytes:
        """What stands before the array that holds this."""
        owner, begin = self._owned(at)
        n = int(np.searchsorted(self._arrays, at))
        if n and (array := int(self._arrays[n - 1])) >= begin:
            return owner[: array - begin]
        return owner[: self._state.array]

    def _owned(self, at: int) -> tuple[bytes, int]:
        """The first bytes of the owner at a place, and where it begins, before 0 perhaps."""
        n = int(np.searchsorted(self._owners, at))
        if n:
            begin = int(self._owners[n - 1])
            return self._text[begin : begin + OWNER], begin
        state = self._state
        begin = self._lead - state.size
        more = self._text[self._lead : self._lead + OWNER - len(state.owner)]
        return state.owner + more, begin

    def after(self) -> ArrayState:
        """The state behind the piece."""
        text, state, end = self._text, self._state, len(self._text)
        owner, begin = self._owned(end)
        array = 0 if self._owners.size else state.array
        if self._arrays.size and int(self._arrays[-1]) >= begin:
            array = int(self._arrays[-1]) - begin
        slashes = end - len(text.rstrip(b"\\"))
        inside = bool(self._inside[-1]) if end else state.inside
        return ArrayState(
            inside, bool(slashes & 1), self._depth, owner, end - begin, array, self._held()
        )

    def _held(self) -> bytes | None:
        last = int(self._begins[-1]) if self._begins.size else None
        if self._ends.size and (last is None or self._ends[-1] > last):
            return None
        if last is not None:
            return self._text[last : last + LONGEST]
        held = self._state.held
        if held is None:
            return None
        return held + self._text[self._lead : self._lead + LONGEST - len(held)]


def _quotes(text: bytes, column: NDArray[np.uint8]) -> Flags:
    """Quotes, but for those behind an odd number of backslashes."""
    quotes: Flags = column == 34
    if b"\\" in text:
        slashes = np.flatnonzero(column == 92)
        ends = np.flatnonzero(np.diff(slashes, append=-1) != 1)
        odd = np.diff(ends, prepend=-1) & 1 == 1
        behind = slashes[ends[odd]] + 1
        quotes[behind[behind < column.size]] = False
    return quotes
