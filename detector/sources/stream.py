"""Byte streams: the one shape that files, decoders and archive members share.

A *source* has ``readinto(view) -> int`` (0 at the end) and may raise `Damaged` once. A
`Stream` puts a small buffer on top, so that a parser can look ahead; large reads go past the
buffer straight into the caller's memory.
"""

from __future__ import annotations

import io
import select
from collections.abc import Callable
from typing import Protocol

from detector.sources.limits import Damaged

BLOCK = 64 << 10
"""The buffer of a stream: the memory of one nesting level, besides its decoder's window."""


class Source(Protocol):
    """Anything that bytes come out of."""

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged` when the rest is lost."""


class Stream:
    """A source with look-ahead.

    Damage met while looking ahead waits until the bytes in front of it are taken, so a
    broken source loses nothing that came out of it. ``reported`` says that the damage was
    raised already: whoever then finds the stream short keeps silent.
    """

    def __init__(self, source: Source) -> None:
        self.reported = False
        self._source = source
        self._buffer = memoryview(bytearray(BLOCK))
        self._start = self._end = 0
        self._ended = False
        self._pending: Damaged | None = None

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged` once."""
        if self._start < self._end:
            data = self.take(len(view))
            view[: len(data)] = data
            return len(data)
        self.settle()
        if self._ended:
            return 0
        try:
            n = self._source.readinto(view)
        except Damaged:
            self._ended = self.reported = True
            raise
        self._ended = n == 0
        return n

    def peek(self, n: int) -> bytes:
        """The next ``n`` bytes (at most `BLOCK`) without taking them; fewer at the end."""
        while self._end - self._start < n and not self._ended:
            self._fill()
        return self._ahead(n)

    def peek_until(self, n: int, enough: Callable[[bytes], bool]) -> bytes:
        """Like `peek`, but stops waiting for more as soon as what came is ``enough``."""
        while len(head := self._ahead(n)) < n and not self._ended and not (head and enough(head)):
            self._fill()
        return head

    def take(self, limit: int = BLOCK) -> memoryview:
        """Some bytes, at most ``limit``, valid until the next call; empty at the end."""
        if self._start == self._end and not self._ended:
            self._fill()
        data = self._buffer[self._start : min(self._end, self._start + limit)]
        self._start += len(data)
        return data

    def rewind(self, n: int) -> None:
        """Give back the last ``n`` bytes of what `take` gave."""
        self._start -= n

    def skip(self, n: int) -> int:
        """Pass over ``n`` bytes; how many there were."""
        left = n
        while left and (data := self.take(left)):
            left -= len(data)
        return n - left

    def drain(self) -> int:
        """Pass over everything to the end; how many bytes it was."""
        n = 0
        while data := self.take():
            n += len(data)
        return n

    def settle(self) -> None:
        """Raise damage that was met while looking ahead."""
        if self._pending is not None and self._start == self._end:
            pending, self._pending = self._pending, None
            self.reported = True
            raise pending

    def _ahead(self, n: int) -> bytes:
        return bytes(self._buffer[self._start : min(self._end, self._start + n)])

    def _fill(self) -> None:
        if self._start:
            kept = self._end - self._start
            self._buffer[:kept] = self._buffer[self._start : self._end]
            self._start, self._end = 0, kept
        try:
            n = self._source.readinto(self._buffer[self._end :])
        except Damaged as damage:
            self._pending, n = damage, 0
        self._end += n
        self._ended = n == 0


class Bounded:
    """The next ``size`` bytes of a stream, as a source of their own."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream, self._left = stream, size

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged` when the stream is shorter."""
        if not self._left:
            return 0
        n = self._stream.readinto(view[: self._left])
        self._left -= n
        if n == 0 and not self._stream.reported:
            self._stream.reported = True
            raise Damaged("archive ends inside this member", self._left)
        return n


class FileSource:
    """A file, pipe or standard input, counted.

    Reads until the end as it is when it gets there: a file that grows or shrinks meanwhile
    is no error. Plain ``read`` calls only: a mapped file that another process truncates
    would kill this one.
    """

    def __init__(self, file: io.RawIOBase, size: int | None) -> None:
        self._file, self._size = file, size
        self.bytes_read = 0

    @property
    def bytes_left(self) -> int:
        """Bytes not read yet, 0 where the size is unknown."""
        return max(0, (self._size or 0) - self.bytes_read)

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged` on an input error."""
        try:
            # None: a pipe that somebody else set to not block, and that has nothing now.
            while (n := self._file.readinto(view)) is None:
                select.select([self._file], [], [])
        except OSError as error:
            raise Damaged(f"cannot be read: {error.strerror or 'error'}", self.bytes_left) from None
        self.bytes_read += n
        return n

    def close(self) -> None:
        """Close the file."""
        self._file.close()
