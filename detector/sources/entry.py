"""Opening a file: what it holds, unfolded into entries that read as plain bytes."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Self

from detector.sources.containers import Known, Member
from detector.sources.inflate import CODECS, Decompressed
from detector.sources.kind import first_bytes
from detector.sources.limits import Budget, Counted, Damaged, Limits
from detector.sources.pgdump import (
    LZ4,
    TOC,
    Contents,
    CopyText,
    Data,
    dump_members,
    is_data_file,
    is_dump,
    named_members,
    read_contents,
)
from detector.sources.stream import FileSource, Source, Stream
from detector.sources.tars import is_tar, tar_members
from detector.sources.utf16 import Transcoder, detect_encoding
from detector.sources.walk import STDIN, FileRef, printable
from detector.sources.zips import is_zip, zip_members
from detector.types import Skipped

# Compressed containers that are recognised and not read. To scan their bytes as they lie
# there would find nothing and claim that all was read.
_UNSUPPORTED = (
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archives"),
    (b"Rar!\x1a\x07", "RAR archives"),
    (b"MSCF\0\0\0\0", "Cabinet archives"),
    (b"LZIP\x01", "lzip files"),
)

_CODECS = (*CODECS, LZ4)


class Entry:
    """One readable stream of bytes.

    Read it to its end with `readinto` or `chunks` before taking the next one. Afterwards
    ``skipped`` says what could not be read of it, if anything.
    """

    def __init__(
        self,
        path: str,
        stream: Stream,
        file: Counted,
        *,
        size: int | None = None,
        packed: bool = False,
        known: Known | None = None,
    ) -> None:
        self.path = path
        """For display: archive members joined with "!", "-" for standard input."""
        self.packed = packed or known is not None
        """Whether it came out of a compression, an archive or a database's dump."""
        self.table = known.table if known else None
        """Table and columns of whose rows the bytes are the COPY text of PostgreSQL, and nothing
        else: no statement, no end mark. None for everything else."""
        self.encoding = None if known else detect_encoding(first_bytes(stream))
        """The wide encoding that was turned into UTF-8, or None for bytes as they are."""
        self.size = size
        """Bytes on disk of a plain regular file, else None."""
        self.plain = bool(size) and self.encoding is None and known is None
        """The bytes are the file's own: any range of it may be read with `open_range`. False
        for size 0: files that the kernel makes up have content all the same."""
        self.skipped: Skipped | None = None
        self._stream, self._file = stream, file
        self._back = memoryview(b"")
        self._text = Transcoder(stream, self.encoding) if self.encoding else None
        self._source: Source = self._text or (CopyText(stream) if self.table else stream)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file on disk consumed so far, for this entry and those before it."""
        return self._file.bytes_read

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; how many bytes, 0 at the end. Never raises on bad input."""
        if self._back:
            count = min(len(view), len(self._back))
            view[:count], self._back = self._back[:count], self._back[count:]
            return count
        if self.skipped is not None:
            return 0
        try:
            return self._source.readinto(view)
        except Damaged as damage:
            self.skipped = _lost(self.path, damage)
            return 0

    def give_back(self, data: bytes | bytearray) -> None:
        """Bytes that were read and are to be read again, before what follows."""
        self._back = memoryview(data)

    def peek(self, count: int) -> bytes:
        """The first bytes, without taking them; before anything was read."""
        return first_bytes(self._stream)[:count]

    def chunks(self, size: int) -> Iterator[bytes | Skipped]:
        """The bytes in pieces of ``size`` (the last one shorter), then `Skipped` if any."""
        buffer = bytearray(size)
        view = memoryview(buffer)
        while n := self._fill(view):
            yield bytes(view[:n])
        if self.skipped is not None:
            yield self.skipped

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The source's byte offsets for the scanned bytes ``[start, end)``."""
        return self._text.source_span(start, end) if self._text else (start, end)

    def forget(self, before: int) -> None:
        """No span in front of this scanned position will be asked for any more.

        Call it now and then when ``encoding`` is set: it is what keeps memory constant.
        """
        if self._text:
            self._text.forget(before)

    def _fill(self, view: memoryview) -> int:
        filled = 0
        while filled < len(view) and (n := self.readinto(view[filled:])):
            filled += n
        return filled


class Entries:
    """The entries of one file, in order; an iterator and a context manager."""

    def __init__(self, ref: FileRef, limits: Limits) -> None:
        self._file: FileSource | None = None
        self._limits = limits
        self._items = self._open(ref)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file on disk consumed so far."""
        return self._file.bytes_read if self._file else 0

    def close(self) -> None:
        """Close the file. It closes by itself at the end of the iteration."""
        self._items.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Entry | Skipped:
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _open(self, ref: FileRef) -> Generator[Entry | Skipped, None, None]:
        try:
            raw, size = _open_raw(ref)
        except (OSError, ValueError) as error:
            yield _unopened(ref, error)
            return
        self._file = FileSource(raw, size)
        self._budget = Budget(self._limits, self._file)
        try:
            data = _beside(ref)
            path = f"{ref.name}!{printable(data.name)}" if data else ref.name
            known = data.known if data else None
            yield from self._unfold(Stream(self._file), path, 0, size, known)
        finally:
            self._file.close()

    def _unfold(
        self,
        stream: Stream,
        path: str,
        depth: int,
        size: int | None = None,
        known: Known | None = None,
    ) -> Iterator[Entry | Skipped]:
        budget = self._budget
        head = first_bytes(stream)
        codec = next((codec for codec in _CODECS if codec.starts(head)), None)
        text = known is not None and not (known.packed and codec)
        container = codec is not None or is_zip(head) or is_tar(head) or is_dump(head)
        if text or not (container or (what := _unsupported(head))):
            yield Entry(path, stream, budget.file, size=size, packed=depth > 0, known=known)
        elif not container:
            yield _lost(path, Damaged(f"{what} are not supported", stream.drain()))
        elif depth >= self._limits.depth:
            reason = f"nested deeper than {self._limits.depth} levels"
            yield _lost(path, Damaged(reason, stream.drain()))
        elif codec:
            inner = Stream(Decompressed(stream, codec, budget))
            known = known._replace(packed=False) if known else None
            yield from self._unfold(inner, path, depth + 1, known=known)
        else:
            yield from self._members(_members(stream, head, budget), path, depth)

    def _members(
        self, members: Iterator[Member], path: str, depth: int
    ) -> Iterator[Entry | Skipped]:
        try:
            for member in members:
                self._budget.member()
                yield from self._member(member, f"{path}!{printable(member.name)}", depth)
                if self._budget.spent:
                    return
        except Damaged as damage:
            yield _lost(path, damage)

    def _member(self, member: Member, path: str, depth: int) -> Iterator[Entry | Skipped]:
        if isinstance(member.data, Damaged):
            yield _lost(path, member.data)
            return
        yield from self._unfold(member.data, path, depth + 1, known=member.known)
        if self._budget.spent:
            return
        member.data.drain()  # the receiver may have left bytes; the end holds the checksum
        try:
            member.data.settle()
        except Damaged as damage:
            yield _lost(path, damage)


def is_packed(head: bytes) -> bool:
    """Whether bytes that begin so are an archive or a compression."""
    codec = any(codec.starts(head) for codec in _CODECS)
    return codec or is_zip(head) or is_tar(head) or _unsupported(head) is not None


def _unsupported(head: bytes) -> str | None:
    return next((what for magic, what in _UNSUPPORTED if head.startswith(magic)), None)


def _members(stream: Stream, head: bytes, budget: Budget) -> Iterator[Member]:
    if is_dump(head):
        return dump_members(stream, budget)
    members = zip_members(stream, budget) if is_zip(head) else tar_members(stream)
    return named_members(members, budget)


def contents_beside(ref: FileRef) -> FileRef | None:
    """The ``toc.dat`` beside a file that may hold a table's data: pg_dump's directory format."""
    found = _toc_beside(ref)
    return None if found is None else FileRef(found[0], "file", found[1].st_size)


def _toc_beside(ref: FileRef) -> tuple[str, os.stat_result] | None:
    name = Path(ref.path).name
    if ref.kind != "file" or not is_data_file(name):
        return None
    toc = ref.path.removesuffix(name) + TOC  # a Path would drop "./", and shows in reports
    try:
        info = Path(toc).stat()
    except (OSError, ValueError):
        return None
    return (toc, info) if stat.S_ISREG(info.st_mode) else None


def _beside(ref: FileRef) -> Data | None:
    """What the table of contents beside a file says of it, where they are parts of a dump."""
    found = _toc_beside(ref)
    if found is None:
        return None
    toc, info = found
    version = (info.st_dev, info.st_ino, info.st_mtime_ns, info.st_size)
    return _contents(toc, version).file(Path(ref.path).name)


@lru_cache(maxsize=2)  # a walk is in one folder at a time
def _contents(path: str, _version: tuple[int, ...]) -> Contents:
    try:
        raw, size = _open_raw(FileRef(path, "file"))
    except (OSError, ValueError):
        return Contents()
    file = FileSource(raw, size)
    try:
        return read_contents(Stream(file), Budget(Limits(), file))
    finally:
        file.close()


def entry_of(path: str, data: bytes) -> Entry:
    """An entry of bytes that are in memory already, which are scanned as they are."""
    source = FileSource(io.BytesIO(data), None)  # type: ignore[arg-type]
    return Entry(path, Stream(source), source)


class RangeReader:
    """Bytes of a plain file from an offset on, straight into the caller's buffer.

    Ends early where the file does by then. After an input error ``skipped`` says so.
    """

    def __init__(self, path: str, raw: io.FileIO, size: int | None, start: int) -> None:
        raw.seek(start)
        self.skipped: Skipped | None = None
        self._path = path
        self._raw = raw
        self._file = FileSource(raw, max(0, (size or 0) - start))

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; how many bytes, 0 at the end. Never raises on bad input."""
        try:
            return self._file.readinto(view)
        except Damaged as damage:
            self.skipped = _lost(self._path, damage)
            return 0

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def open_entries(ref: FileRef, limits: Limits | None = None) -> Entries:
    """What a file holds: its archives opened, its compression undone.

    Yields `Entry` for what can be read and `Skipped` for what cannot; bad input never raises.
    What a container is shows in its bytes, never in its name; a container whose header does
    not hold together is read as the plain bytes that it then is.
    """
    return Entries(ref, limits or Limits())


def open_range(ref: FileRef, start: int) -> RangeReader | Skipped:
    """A reader of a regular file that begins at byte ``start``."""
    try:
        raw, size = _open_raw(ref)
    except (OSError, ValueError) as error:
        return _unopened(ref, error, start)
    return RangeReader(ref.name, raw, size, start)


def _open_raw(ref: FileRef) -> tuple[io.FileIO, int | None]:
    """The file, and its size where it is a regular one."""
    if ref.path == STDIN:
        return io.FileIO(0, closefd=False), None
    if ref.kind == "stream":
        return io.FileIO(ref.path), None
    raw = io.FileIO(ref.path, opener=_open_without_waiting)
    info = os.fstat(raw.fileno())
    if not stat.S_ISREG(info.st_mode):
        raw.close()
        raise OSError(0, "no longer a regular file")
    return raw, info.st_size


def _open_without_waiting(path: str, flags: int) -> int:
    # Should a pipe have taken the file's place since the walk, opening must not hang.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _unopened(ref: FileRef, error: OSError | ValueError, start: int = 0) -> Skipped:
    why = error.strerror if isinstance(error, OSError) else "not a usable path"
    left = max(0, (ref.size or 0) - start)
    return Skipped(path=ref.name, reason=f"cannot be opened: {why}", nbytes=left)


def _lost(path: str, damage: Damaged) -> Skipped:
    return Skipped(path=path, reason=damage.reason, nbytes=damage.nbytes)
