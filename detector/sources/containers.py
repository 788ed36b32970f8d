"""What zip and tar readers share: members, and the bytes that belong to no member.

Both readers go forward only, over any stream, and never hold a directory in memory. So an
archive in an archive, on standard input or cut short is read like any other, memory does not
grow with the number of members, and a hostile archive cannot have the same bytes read twice.
`zipfile` needs to seek and keeps every member's record (500 bytes each, measured). `tarfile`
keeps them too, reads extended headers of any length into memory, and stops at a damaged header
without a word. `stream-unzip` reads forward, but raises at the first damage, brings a cipher
suite along, and gives up on stored members of unknown size, which Python's own `zipfile` writes
to a pipe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from detector.sources.limits import Damaged
from detector.sources.stream import BLOCK, Stream

Find = Callable[[bytes, bool], tuple[int, bool]]
"""``find(data, last)`` gives the offset of a wanted place in ``data`` and True, or how many
bytes surely lie before any such place and False. ``last`` says that nothing follows."""


def outside(stream: Stream, find: Find, number: int) -> Member:
    """The bytes up to the next record, as a member of their own.

    They are scanned as they are: padding, signature blocks, an appended note, what an
    overwritten archive left behind. ``number`` tells several such places apart.
    """
    return Member(f"(outside members, {number})", Stream(Until(stream, find)))


Table = tuple[str, tuple[str, ...]]
"""A table's name as SQL writes it, without quotes, and those of its columns."""


class Known(NamedTuple):
    """What a dump's table of contents says of data: it is text, and nothing is unfolded in it.

    ``table``: whose COPY text it is; None for SQL. ``packed``: it is compressed, once.
    """

    table: Table | None = None
    packed: bool = False


class Member(NamedTuple):
    """One member: its name, its bytes or why they cannot be had, and what is known of them.

    The receiver drains the stream before it asks for the next member.
    """

    name: str
    data: Stream | Damaged
    known: Known | None = None


class Until:
    """The bytes of a stream up to a place that ``find`` recognises, as a source."""

    def __init__(self, stream: Stream, find: Find) -> None:
        self._stream, self._find = stream, find
        self._safe = 0
        self._found = False

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end."""
        if not self._safe and not self._found:
            self._look()
        data = self._stream.take(min(self._safe, len(view))) if self._safe else b""
        self._safe -= len(data)
        view[: len(data)] = data
        return len(data)

    def _look(self) -> None:
        data = self._stream.peek(BLOCK)
        last = len(data) < BLOCK
        self._safe, self._found = self._find(data, last)
        if last and not self._found:
            self._safe, self._found = len(data), True
