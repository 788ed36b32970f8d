"""A dump's table of contents, and the blocks of the custom format."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detector.sources.containers import Known, Member
from detector.sources.inflate import Codec, Decompressed
from detector.sources.limits import Budget, Damaged
from detector.sources.pgdump.codecs import ALGORITHMS
from detector.sources.pgdump.contents import Contents
from detector.sources.pgdump.reader import LONGEST_NAME, Chunks, Reader, Text
from detector.sources.stream import Stream

TOC = "toc.dat"
SCHEMA = "(schema)"

MOST_ENTRIES = 1 << 24
"""Entries of a table of contents: before version 17 each large object is one."""

MOST_DEPENDENCIES = 1 << 20
"""Of one entry."""


_MAGIC = b"PGDMP"
FIXED = len(_MAGIC) + 6  # version in three bytes, the size of an int, of an offset, the format
_OLDEST, _NEWEST = 10, 16
CUSTOM, _TAR, _DIRECTORY = 1, 3, 5  # pg_dump writes 3 into toc.dat of a directory too
_TABLE, _BLOBS = 1, 3  # kinds of blocks
_NO_DATA = 3  # the flag of an entry's offset; 1 is an unknown offset, 2 a known one


_DROP = re.compile(
    rb"DROP ((TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|PROCEDURE) .+);\n",
    re.DOTALL,
)


def is_dump(head: bytes) -> bool:
    """Whether a stream begins like a dump of any version."""
    return head.startswith(_MAGIC) and len(head) >= FIXED and 0 < head[5] < 9


class Dump:
    """A dump, read forward. ``contents`` grows as its definitions are read."""

    def __init__(self, stream: Stream, budget: Budget) -> None:
        """At a stream that :func:`is_dump`. Raises `Damaged` for one that cannot be read."""
        self._stream, self._budget = stream, budget
        self.contents = Contents()
        head = stream.peek(FIXED + 1)
        if problem := _unreadable(head):
            raise Damaged(problem, stream.drain())
        self._version, self._format = head[6], head[10]
        self._codec: Codec | None = None
        self._blocks_expected = 0
        self._reader = Reader(stream, head[8], head[9])

    @property
    def is_alone(self) -> bool:
        """The data lies in other files."""
        return self._format != CUSTOM

    def members(self) -> Iterator[Member]:
        """The definitions, then the data that follows. Raises `Damaged`."""
        yield Member(SCHEMA, Stream(Text(self.definitions())), Known())
        if self._reader.broken:
            return
        if self.is_alone:
            if rest := self._stream.drain():
                raise Damaged("other bytes follow the table of contents", rest)
            self._stream.settle()
        else:
            yield from self._blocks()

    def definitions(self) -> Iterator[bytes]:
        r"""All definitions in their order as SQL, each ending with ``;\n``. Raises `Damaged`."""
        reader = self._reader
        codec = self._header()
        for _ in range(reader.size(MOST_ENTRIES)):
            yield from self._entry()
        self._codec = codec

    def _header(self) -> Codec | None:
        reader = self._reader
        reader.take(FIXED)
        method = reader.byte() if self._version >= 15 else int(reader.integer() != 0)
        for _ in range(7):  # the time when the dump was begun
            reader.integer()
        for _ in range(3):  # the database, the versions of the server and of pg_dump
            reader.text()
        return ALGORITHMS[method]

    def _entry(self) -> Iterator[bytes]:
        """One entry of the table of contents: its definition, while its data is noted."""
        reader, version = self._reader, self._version
        number = reader.integer()
        if number <= 0:
            reader.fail("dump is corrupt")
        reader.integer()  # whether there was data to dump; the offset says it better
        reader.number()  # the object's catalogue and its id there
        reader.number()
        tag, kind = reader.text() or b"", reader.text()
        if version >= 11:
            reader.integer()  # before, among or behind the data
        yield from self._definition(kind)
        owned = self._dropped(kind) or (b"SCHEMA " + _quoted(tag) if kind == b"SCHEMA" else b"")
        copy, namespace = reader.text() or b"", reader.text()
        reader.text()  # tablespace
        if version >= 14:
            reader.text()  # access method
        if version >= 16:
            reader.integer()  # kind of relation
        owner = reader.text()
        reader.text()  # "true" or "false" for hidden ids
        if owned and owner:
            yield b"ALTER %s OWNER TO %s;\n" % (owned, _quoted(owner))
        self._pass_dependencies()
        key = self._where(number)
        if kind == b"TABLE DATA" and key:
            self.contents.keep(key, b".".join(filter(None, (namespace, tag))), copy)

    def _definition(self, kind: bytes | None) -> Iterator[bytes]:
        pieces = self._reader.pieces()
        if kind == b"BLOB METADATA":
            pieces = self._created(pieces)
        last, newline = b"", False
        for piece in pieces:
            yield piece
            last, newline = piece.rstrip()[-1:] or last, piece.endswith(b"\n")
        if last:
            yield (b"" if newline else b"\n") if last == b";" else b";\n"

    def _dropped(self, kind: bytes | None) -> bytes:
        """Whose owner counts and is kept beside the definition, as the statement that drops it
        names it: quoted, a function with its arguments. pg_restore does the same."""
        text = b""
        for piece in self._reader.pieces():
            text += piece[: LONGEST_NAME - len(text)]
        found = _DROP.fullmatch(text)
        return found[1] if found and found[2] == kind else b""

    def _created(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Large objects, from version 16 on many in one entry: their ids, a line each."""
        line = b""
        for piece in pieces:
            *lines, line = (line + piece).split(b"\n")
            if len(line) > 10:
                self._reader.fail("dump is corrupt")
            yield b"".join(b"SELECT pg_catalog.lo_create('%s');\n" % oid for oid in lines)

    def _pass_dependencies(self) -> None:
        for _ in range(MOST_DEPENDENCIES):
            if not self._reader.number():
                return
        self._reader.fail("dump is corrupt")

    def _where(self, number: int) -> bytes | None:
        """What an entry's data is known by, if it has any."""
        reader = self._reader
        if self.is_alone:
            return reader.text()
        flag = reader.byte()
        reader.take(reader.offset_size)  # useless forward, and not filled in on a pipe
        if not 0 < flag <= _NO_DATA:
            reader.fail("dump is corrupt")
        if flag == _NO_DATA:
            return None
        self._blocks_expected += 1
        return b"%d" % number

    def _blocks(self) -> Iterator[Member]:
        reader, seen = self._reader, 0
        while self._stream.peek(1):
            kind, number = reader.byte(), reader.integer()
            if kind == _TABLE:
                name, known = self.contents.block(number) or (f"(data {number})", Known())
                yield from self._data(name, known)
            elif kind == _BLOBS:
                while not reader.broken and (oid := reader.integer()):
                    yield from self._data(f"blob {oid % (1 << 32)}", None)
            else:
                reader.fail("dump is corrupt")
            if reader.broken:
                return
            seen += 1
        self._stream.settle()
        if missing := max(0, self._blocks_expected - seen):
            raise Damaged(f"dump is truncated: {missing} pieces of its data are missing")

    def _data(self, name: str, known: Known | None) -> Iterator[Member]:
        chunks = Stream(Chunks(self._reader))
        data = chunks
        # From version 16 on nothing at all is written for an empty table.
        if self._codec is not None and chunks.peek(1):
            data = Stream(Decompressed(chunks, self._codec, self._budget))
        yield Member(name, data, known)
        chunks.drain()


def _quoted(name: bytes) -> bytes:
    return b'"' + name.replace(b'"', b'""') + b'"'


def _unreadable(head: bytes) -> str | None:
    """Why a dump that begins with these bytes cannot be read, if so."""
    major, minor, int_size, offset_size, kind = *head[5:7], *head[8:11]
    if major != 1 or not _OLDEST <= minor <= _NEWEST:
        hint = "pg_restore -f - makes SQL of them"
        return f"PostgreSQL dumps of version {major}.{minor} are not supported ({hint})"
    if not 0 < int_size <= 8 or not 0 < offset_size <= 8:
        return (
            f"PostgreSQL dumps with numbers of {int_size} and {offset_size} bytes are not supported"
        )
    if kind not in (CUSTOM, _TAR, _DIRECTORY):
        return f"PostgreSQL dumps of format {kind} are not supported"
    if minor >= 15 and head[11:] and head[11] >= len(ALGORITHMS):
        return f"compression {head[11]} of PostgreSQL dumps is not supported"
    return None
