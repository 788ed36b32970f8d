"""A dump's numbers and strings, and data in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from detector.sources.limits import Damaged
from detector.sources.stream import BLOCK, Stream

LONGEST = 1 << 30
"""Bytes of a definition, and of a piece of data: as long as PostgreSQL's own strings get."""

LONGEST_NAME = 1 << 20
"""Bytes of what is kept of an entry. 1,600 columns, the most there are, with names of 63 quotes
make a COPY statement of 210 kB."""


class Reader:
    """The numbers and strings of a dump. ``broken``: nothing that follows can be made out."""

    def __init__(self, stream: Stream, int_size: int, offset_size: int) -> None:
        self.stream, self.int_size, self.offset_size = stream, int_size, offset_size
        self.broken = False

    def take(self, n: int) -> bytes:
        """The next ``n`` bytes, at most `BLOCK`. Raises `Damaged`."""
        data = self.stream.peek(n)
        if len(data) < n:
            self.fail("dump is truncated")
        self.stream.skip(n)
        return data

    def byte(self) -> int:
        """One byte as a number."""
        return self.take(1)[0]

    def integer(self) -> int:
        """A sign in a byte of its own, then the value, lowest byte first."""
        raw = self.take(1 + self.int_size)
        value = int.from_bytes(raw[1:], "little")
        return -value if raw[0] else value

    def size(self, most: int) -> int:
        """An int that counts what follows; -1 is that of a string that is NULL."""
        if not -1 <= (n := self.integer()) <= most:
            self.fail("dump is corrupt")
        return n

    def text(self) -> bytes | None:
        """A string that is kept."""
        if (left := self.size(LONGEST_NAME)) < 0:
            return None
        parts = []
        while left:
            parts.append(self.take(min(left, BLOCK)))
            left -= len(parts[-1])
        return b"".join(parts)

    def number(self) -> bool:
        """Whether there is a string: the digits of a number."""
        if (text := self.text()) is None:
            return False
        if not text.isdigit():
            self.fail("dump is corrupt")
        return True

    def pieces(self) -> Iterator[bytes]:
        """A string of any length."""
        left = max(0, self.size(LONGEST))
        while left:
            data = bytes(self.stream.take(min(left, BLOCK)))
            if not data:
                self.fail("dump is truncated")
            left -= len(data)
            yield data

    def fail(self, reason: str) -> NoReturn:
        """Pass over the rest. Raises `Damaged`: the stream's own, or for this reason."""
        self.broken = True
        lost = self.stream.drain()
        self.stream.settle()
        raise Damaged(reason, lost)


class Text:
    """What a generator of bytes yields, as a source."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._part = parts, b""

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises what the generator does."""
        if not self._part:
            self._part = next((part for part in self._parts if part), b"")
        filled = min(len(view), len(self._part))
        view[:filled] = self._part[:filled]
        self._part = self._part[filled:]
        return filled


class Chunks:
    """The data of one table or large object: pieces, each behind its size, up to a size of 0.

    pg_dump writes 4 KiB of compressed data at a time, and one row at a time without compression.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader, self._stream = reader, reader.stream
        self._left = 0
        self._ended = False

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        if self._left >= BLOCK:
            return self._direct(view[: self._left])
        if self._ended or self._reader.broken or not view:
            return 0
        data = self._stream.peek(min(BLOCK, max(len(view), 16)))
        used, filled = self._walk(data, view)
        self._stream.skip(used)
        if not filled and not self._ended:
            self._reader.fail("dump is truncated" if self._left >= 0 else "dump is corrupt")
        return filled

    def _direct(self, view: memoryview) -> int:
        try:
            n = self._stream.readinto(view)
        except Damaged:
            self._reader.broken, self._left = True, 0
            raise
        self._left -= n
        if not n:
            self._left = 0
            self._reader.fail("dump is truncated")
        return n

    def _walk(self, data: bytes, view: memoryview) -> tuple[int, int]:
        """Bytes used of ``data`` and put into ``view``. ``_left`` is -1 before what is no size.

        0.7 microseconds a row of a dump without compression, of which each is a piece.
        """
        size, room, head = len(data), len(view), 1 + self._reader.int_size
        parts, at, filled, left = [], 0, 0, self._left
        while True:
            end = at + left
            if end > size or filled + left > room:
                n = min(size - at, room - filled)
                parts.append(data[at : at + n])
                at, filled, left = at + n, filled + n, left - n
                break
            if left:
                parts.append(data[at:end])
                at, filled, left = end, filled + left, 0
            if (end := at + head) > size:
                break
            left = int.from_bytes(data[at + 1 : end], "little")
            if left > LONGEST << 1 or (data[at] and left):
                left = 0 if filled else -1
                break
            at = end
            if not left:
                self._ended = True
                break
        self._left = left
        view[:filled] = b"".join(parts)
        return at, filled
