"""Dumps of PostgreSQL that are no SQL text: pg_dump's custom, directory and tar formats.

All three begin with the same header and table of contents. In the custom format blocks of data
follow in the same file; in the other two ``toc.dat`` stands alone, and each table's data is a file
beside it or a member of the tar. What comes out: the definitions as SQL under the name
``(schema)``, the data of each table under ``public.agents``, each large object as ``blob 12345``.
A file or a member that holds one table keeps its own name in front of that:
``dump/3456.dat.gz!public.agents``. The files of large objects there say what they are themselves,
and stay as they are. A ``toc.dat`` that comes behind the data in an archive comes too late for it.

Format: pg_backup_archiver.h (versions), ReadHead and ReadToc in pg_backup_archiver.c,
pg_backup_custom.c (blocks), pg_backup_directory.c and pg_backup_tar.c (names of files), and
compress_*.c of PostgreSQL 15 to 18. Versions: 1.10 is PostgreSQL 8.0, 1.14 is 12 to 15, 1.15 is
16, 1.16 is 17 and 18.

The library pgdumplib reads only the custom format, and keeps all data of a dump in temporary
files, in plain text: what must never lie on a disk here.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from detector.sources.containers import Known, Member, Table
from detector.sources.decode import Decoder, Frame, Meter, RawDeflate
from detector.sources.inflate import CODECS, Codec, Decompressed
from detector.sources.limits import Budget, Damaged, Limits
from detector.sources.stream import BLOCK, Source, Stream
from detector.tables.sql import Sql

TOC = "toc.dat"
SCHEMA = "(schema)"

MOST_ENTRIES = 1 << 24
"""Entries of a table of contents: before version 17 each large object is one."""

MOST_DEPENDENCIES = 1 << 20
"""Of one entry."""

LONGEST = 1 << 30
"""Bytes of a definition, and of a piece of data: as long as PostgreSQL's own strings get."""

LONGEST_NAME = 1 << 20
"""Bytes of what is kept of an entry. 1,600 columns, the most there are, with names of 63 quotes
make a COPY statement of 210 kB."""

MOST_KEPT = 32 << 20
"""Bytes kept of all entries: names and COPY statements of 100,000 tables. The data of tables
behind that is read without them."""

_KEPT_ENTRY = 300  # what an entry of the dictionary costs besides its strings

_MAGIC = b"PGDMP"
_FIXED = len(_MAGIC) + 6  # version in three bytes, the size of an int, of an offset, the format
_OLDEST, _NEWEST = 10, 16
_CUSTOM, _TAR, _DIRECTORY = 1, 3, 5  # pg_dump writes 3 into toc.dat of a directory too
_TABLE, _BLOBS = 1, 3  # kinds of blocks
_NO_DATA = 3  # the flag of an entry's offset; 1 is an unknown offset, 2 a known one

_DATA_FILE = re.compile(r"(\d{1,10}\.dat)(\.gz|\.lz4|\.zst)?", re.ASCII)
_NAME = rb'(?:"(?:[^"]|"")++"|[^\s".(),;]++)'
# Exactly what pg_dump writes. The parser of dumps reads it afterwards: it allows for more space,
# on which its time would be quadratic.
_COPY = re.compile(
    rb"COPY %s(?:\.%s)? ?(?:\(%s(?:, %s)*+\))? (WITH OIDS )?FROM stdin;\n" % ((_NAME,) * 4)
)

_DROP = re.compile(
    rb"DROP ((TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|PROCEDURE) .+);\n",
    re.DOTALL,
)


def is_dump(head: bytes) -> bool:
    """Whether a stream begins like a dump of any version."""
    return head.startswith(_MAGIC) and len(head) >= _FIXED and 0 < head[5] < 9


class Data(NamedTuple):
    """One table's data: its name for display, and what is known of the bytes."""

    name: str
    known: Known


class Contents:
    """Which data is which table's: by the names of files, or the ids of blocks.

    Names and statements are kept as bytes, and parsed for the tables that are asked for.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[bytes, bytes]] = {}
        self._size = 0

    def keep(self, key: bytes, name: bytes, copy: bytes) -> None:
        """The data ``key`` is that of the table ``name``, as a COPY statement has it or none."""
        self._size += len(key) + len(name) + len(copy) + _KEPT_ENTRY
        if self._size <= MOST_KEPT:
            self._kept[key] = name, copy

    def block(self, number: int) -> Data | None:
        """A block of the custom format."""
        return self._data(b"%d" % number, packed=False)

    def file(self, name: str) -> Data | None:
        """A file of the other formats, whose name may end with that of a compression."""
        found = _DATA_FILE.fullmatch(name)
        return self._data(found[1].encode(), packed=found[2] is not None) if found else None

    def _data(self, key: bytes, *, packed: bool) -> Data | None:
        if (kept := self._kept.get(key)) is None:
            return None
        name, copy = kept
        return Data(name.decode("utf-8", "replace"), Known(_copied(copy), packed))


def is_data_file(name: str) -> bool:
    """Whether a file may be a table's data in the directory format."""
    return _DATA_FILE.fullmatch(name) is not None


def _copied(statement: bytes) -> Table | None:
    """Table and columns of a COPY statement."""
    found = _COPY.fullmatch(statement)
    if found is None:
        return None
    oids = found[1] or b""  # until version 11 a table could have a hidden first column
    plain = statement.removesuffix(oids + b"FROM stdin;\n") + b"FROM stdin;\n"
    dialect = Sql()
    state, _ = dialect.walk(dialect.begin(), plain, ())
    return state.table, (("oid",) if oids else ()) + state.columns


class CopyText:
    r"""COPY text as COPY itself would write it: without the end mark ``\.`` that pg_dump adds.

    A backslash in a value is doubled, so a single one before a dot is the mark.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged` where the stream does."""
        data = self._stream.take(len(view))
        size = len(data)
        if size == 0:
            self._stream.settle()
            return 0
        view[:size] = data
        tail = bytes(view[max(0, size - _LONGEST_MARK) : size])
        begun = tail.rfind(b"\\")
        if begun < 0 or not _may_be_mark(tail[begun:]):
            return size
        kept = len(tail) - begun
        if kept < size:
            self._stream.rewind(kept)
            return size - kept
        # The mark, or the beginning of one, is all that was at hand.
        self._stream.rewind(kept)
        ahead = self._stream.peek(_LONGEST_MARK + 1)
        if ahead[:3] == b"\\.\n" and _may_be_mark(ahead):
            self._stream.skip(len(ahead))
            return self.readinto(view)
        view[:1] = self._stream.take(1)
        return 1


_LONGEST_MARK = 8  # it is followed by three newlines; room for more


def _may_be_mark(text: bytes) -> bool:
    return len(text) <= _LONGEST_MARK and text[1:2] in (b".", b"") and not text[2:].strip(b"\n")


class _Zlib:
    """A zlib stream (RFC 1950). zlib itself would withhold data whose checksum is wrong."""

    def __init__(self, stream: Stream, meter: Meter) -> None:
        self._stream, self._meter = stream, meter
        head = stream.peek(2)
        if len(head) == 2 and not _is_zlib(head):
            raise meter.lost("zlib data is corrupt")
        stream.skip(2)  # where there are fewer the frame says that there is no more
        self._frame = Frame(stream, RawDeflate(), "zlib", meter)
        self._sum = 1
        self._done = False

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        n = self._frame.readinto(view)
        self._sum = zlib.adler32(view[:n], self._sum)
        if n == 0 and not self._done:
            self._done = True
            self._verify()
        return n

    def _verify(self) -> None:
        trailer = self._stream.peek(4)
        self._stream.skip(4)
        if len(trailer) < 4:
            self._stream.settle()
            raise Damaged("zlib data is truncated")
        if int.from_bytes(trailer, "big") != self._sum:
            raise self._meter.lost("zlib checksum does not match")


def _is_zlib(head: bytes) -> bool:
    return len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0


class _Lz4:
    """The decoder of the package lz4 with the manners of the others."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """The end of the frame was seen."""
        return bool(self._decoder.eof)

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind the end."""
        return self._decoder.unused_data or b""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """At most ``max_length`` bytes. Raises :class:`ValueError`."""
        try:
            out: bytes = self._decoder.decompress(data, max_length)
        except RuntimeError:
            raise ValueError("no LZ4 frame") from None
        # All input may be taken and a decoded block still wait inside.
        self.needs_input = bool(self._decoder.needs_input) and len(out) < max_length
        return out


def _open_lz4(stream: Stream, meter: Meter, _limits: Limits) -> Source:
    try:
        frames = import_module("lz4.frame")
    except ImportError:
        raise meter.lost("LZ4 data needs another package (pip install lz4)") from None
    decoder: Decoder = _Lz4(frames.LZ4FrameDecompressor())
    return Frame(stream, decoder, "LZ4", meter)


def _is_lz4(head: bytes) -> bool:
    # Version 01, and bit 1 of the flags is reserved and zero (LZ4 frame format 1.6).
    return head[:4] == b"\x04\x22\x4d\x18" and len(head) > 4 and head[4] & 0xC2 == 0x40


ZLIB = Codec("zlib", _is_zlib, lambda stream, meter, _limits: _Zlib(stream, meter))
LZ4 = Codec("LZ4", _is_lz4, _open_lz4)
_ZSTD = next(codec for codec in CODECS if codec.name == "zstd")
_ALGORITHMS = (None, ZLIB, LZ4, _ZSTD)  # by pg_compress_algorithm


class _Reader:
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


class _Text:
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


class _Chunks:
    """The data of one table or large object: pieces, each behind its size, up to a size of 0.

    pg_dump writes 4 KiB of compressed data at a time, and one row at a time without compression.
    """

    def __init__(self, reader: _Reader) -> None:
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


class Dump:
    """A dump, read forward. ``contents`` grows as its definitions are read."""

    def __init__(self, stream: Stream, budget: Budget) -> None:
        """At a stream that :func:`is_dump`. Raises `Damaged` for one that cannot be read."""
        self._stream, self._budget = stream, budget
        self.contents = Contents()
        head = stream.peek(_FIXED + 1)
        if problem := _unreadable(head):
            raise Damaged(problem, stream.drain())
        self._version, self._format = head[6], head[10]
        self._codec: Codec | None = None
        self._blocks_expected = 0
        self._reader = _Reader(stream, head[8], head[9])

    @property
    def is_alone(self) -> bool:
        """The data lies in other files."""
        return self._format != _CUSTOM

    def members(self) -> Iterator[Member]:
        """The definitions, then the data that follows. Raises `Damaged`."""
        yield Member(SCHEMA, Stream(_Text(self.definitions())), Known())
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
        reader.take(_FIXED)
        method = reader.byte() if self._version >= 15 else int(reader.integer() != 0)
        for _ in range(7):  # the time when the dump was begun
            reader.integer()
        for _ in range(3):  # the database, the versions of the server and of pg_dump
            reader.text()
        return _ALGORITHMS[method]

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
        chunks = Stream(_Chunks(self._reader))
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
    if kind not in (_CUSTOM, _TAR, _DIRECTORY):
        return f"PostgreSQL dumps of format {kind} are not supported"
    if minor >= 15 and head[11:] and head[11] >= len(_ALGORITHMS):
        return f"compression {head[11]} of PostgreSQL dumps is not supported"
    return None


def dump_members(stream: Stream, budget: Budget) -> Iterator[Member]:
    """What a dump holds, the definitions first. Raises `Damaged` when it ends too early."""
    yield from Dump(stream, budget).members()


def read_contents(stream: Stream, budget: Budget) -> Contents:
    """What ``toc.dat`` says of the files beside it; as far as it can be read."""
    if not is_dump(stream.peek(_FIXED)):
        return Contents()
    try:
        dump = Dump(stream, budget)
    except Damaged:
        return Contents()
    try:
        for _ in dump.definitions() if dump.is_alone else ():
            pass
    except Damaged:
        pass
    return dump.contents


def named_members(members: Iterator[Member], budget: Budget) -> Iterator[Member]:
    """An archive's members. Those behind a ``toc.dat`` in its folder are known by it."""
    folder, contents = "", Contents()
    for member in members:
        where, _, name = member.name.rpartition("/")
        if name == TOC and isinstance(member.data, Stream) and _is_toc(member.data):
            try:
                dump = Dump(member.data, budget)
                folder, contents = where, dump.contents
                for one in dump.members():
                    yield one._replace(name=f"{member.name}!{one.name}")
                member.data.settle()
            except Damaged as damage:
                yield Member(member.name, damage)
        elif where == folder and (data := contents.file(name)):
            yield Member(f"{member.name}!{data.name}", member.data, data.known)
        else:
            yield member


def _is_toc(stream: Stream) -> bool:
    head = stream.peek(_FIXED)
    return is_dump(head) and head[10] != _CUSTOM
