"""Zip archives (PKWARE APPNOTE 6.3), read forward from local header to local header.

Office files, jars, apks and wheels are zips too.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

from detector.sources.containers import Member, Until, outside
from detector.sources.decode import (
    Decoder,
    Frame,
    Meter,
    RawDeflate,
    lzma_decoder,
    zstd_decoder,
)
from detector.sources.limits import Budget, Damaged, Limits
from detector.sources.stream import Bounded, Source, Stream

LOCAL, DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
STORED, LZMA = 0, 14

_METHODS: dict[int, tuple[str, Callable[[Limits], Decoder]]] = {
    8: ("deflate", lambda _limits: RawDeflate()),
    12: ("bzip2", lambda _limits: bz2.BZ2Decompressor()),
    LZMA: ("lzma", lzma_decoder),
    93: ("zstd", zstd_decoder),
    95: ("xz", lzma_decoder),
}

# Records that are no member: signature -> (fixed size, fields that give the sizes of what
# follows it). All of them lie behind the last member.
_OTHER: dict[bytes, tuple[int, str, int]] = {
    b"PK\x01\x02": (46, "<HHH", 28),  # central directory: name, extra, comment
    b"PK\x05\x05": (6, "<H", 4),  # digital signature
    b"PK\x05\x06": (22, "<H", 20),  # end of central directory: comment
    b"PK\x06\x06": (12, "<Q", 4),  # zip64 end of central directory
    b"PK\x06\x07": (20, "", 0),  # its locator
    b"PK\x06\x08": (8, "<I", 4),  # archive extra data
}
_END = b"PK\x05\x06"


def is_zip(head: bytes) -> bool:
    """Whether a stream begins like a zip: a believable local header, or an empty archive."""
    if head[:4] in (DESCRIPTOR, b"PK00"):  # the marks of a split or once split archive
        head = head[4:]
    return _is_local(head) or (head[:4] == _END and len(head) >= 22)


def zip_members(stream: Stream, budget: Budget) -> Iterator[Member]:
    """The members of a zip. Raises `Damaged` when the archive ends before its directory."""
    if stream.peek(4) in (DESCRIPTOR, b"PK00"):
        stream.skip(4)
    ended = False
    places = count(1)
    while head := stream.peek(30):
        if _is_local(head):
            yield _member(stream, budget)
        elif _is_other(head):
            ended = _pass_other(stream, head[:4]) and (ended or head[:4] == _END)
        else:
            yield outside(stream, _find_record, next(places))
    stream.settle()
    if not ended and not stream.reported:
        raise Damaged("archive is truncated")


def _is_local(head: bytes) -> bool:
    if head[:4] != LOCAL or len(head) < 30:
        return False
    version, method = head[4], int.from_bytes(head[8:10], "little")
    return version <= 100 and method < 100


def _is_other(head: bytes) -> bool:
    return head[:4] in _OTHER and len(head) >= min(_OTHER[head[:4]][0], 30)


def _pass_other(stream: Stream, signature: bytes) -> bool:
    """Pass over a record that is no member; False when the archive ends inside it."""
    fixed, layout, at = _OTHER[signature]
    head = stream.peek(fixed)
    size = fixed + (sum(struct.unpack_from(layout, head, at)) if len(head) == fixed else 0)
    return stream.skip(size) == size


def _find_record(data: bytes, last: bool) -> tuple[int, bool]:
    at = 0
    while (at := data.find(b"PK", at)) >= 0:
        head = data[at : at + 30]
        if len(head) < 30 and not last:
            return at, False
        if _is_local(head) or _is_other(head):
            return at, True
        at += 2
    return len(data) - 1, False


class _Header(NamedTuple):
    """A local file header. ``size`` is None where it only stands behind the data."""

    flags: int
    method: int
    crc: int | None
    size: int | None
    full: int
    name: str
    complete: bool


def _read_header(stream: Stream) -> _Header:
    fixed = stream.peek(30)
    stream.skip(30)
    flags, method, crc, size, full, n_name, n_extra = struct.unpack("<6xHH4xIIIHH", fixed)
    raw_name = stream.peek(n_name)
    stream.skip(n_name)
    extra = stream.peek(n_extra)
    stream.skip(n_extra)
    if 0xFFFFFFFF in (size, full):
        full, size = _zip64_sizes(extra, full, size)
    behind = bool(flags & 8)  # checksum and sizes stand in a descriptor behind the data
    nothing = method == STORED and raw_name.endswith(b"/")
    unknown = behind and size == 0 and not nothing
    complete = len(raw_name) == n_name and len(extra) == n_extra
    crc_here = None if behind and crc == 0 else crc
    return _Header(
        flags, method, crc_here, None if unknown else size, full, _name(raw_name), complete
    )


def _zip64_sizes(extra: bytes, full: int, size: int) -> tuple[int, int]:
    at = 0
    while at + 4 <= len(extra):
        tag, n = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            wide = iter(struct.unpack_from(f"<{min(n, len(extra) - at - 4) // 8}Q", extra, at + 4))
            full = next(wide, full) if full == 0xFFFFFFFF else full
            size = next(wide, size) if size == 0xFFFFFFFF else size
        at += 4 + n
    return full, size


def _name(raw: bytes) -> str:
    # Many writers store UTF-8 without setting the flag that says so.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _member(stream: Stream, budget: Budget) -> Member:
    header = _read_header(stream)
    if not header.complete:
        stream.settle()
        stream.reported = True  # what ends here is the archive
        return Member(header.name, Damaged("archive ends inside a header"))
    if problem := _unreadable(header):
        raw = Stream(_raw(stream, header))
        return Member(header.name, Damaged(problem, raw.drain()))
    return Member(header.name, Stream(_Data(stream, header, budget)))


def _unreadable(header: _Header) -> str | None:
    if header.flags & 1:
        return "encrypted"
    if header.method != STORED and header.method not in _METHODS:
        return f"zip compression method {header.method} is not supported"
    return None


def _raw(stream: Stream, header: _Header) -> Source:
    if header.size is not None:
        return Bounded(stream, header.size)
    return Until(stream, _find_record)


class _Data:
    """One member's data, decoded, and checked at its end."""

    def __init__(self, stream: Stream, header: _Header, budget: Budget) -> None:
        self._stream, self._header = stream, header
        self._crc = self._count = 0
        self._done = False
        self._packed = stream
        self._source = self._open(budget)

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        n = self._source.readinto(view)
        self._crc = zlib.crc32(view[:n], self._crc)
        if n == 0 and not self._done:
            self._done = True
            self._finish()
        return n

    def _open(self, budget: Budget) -> Source:
        header = self._header
        if header.method == STORED:
            if header.size is not None:
                return Bounded(self._stream, header.size)
            return Until(self._stream, self._find_descriptor)
        if header.size is not None:
            self._packed = Stream(Bounded(self._stream, header.size))
        name, make = _METHODS[header.method]
        front = _lzma_header(self._packed, header) if header.method == LZMA else b""
        meter = Meter(budget, self._abandon)
        return Frame(self._packed, make(budget.limits), name, meter, front)

    def _abandon(self) -> int:
        if self._packed is self._stream:
            return Stream(Until(self._stream, _find_record)).drain()
        return self._packed.drain()

    def _find_descriptor(self, data: bytes, last: bool) -> tuple[int, bool]:
        """Where a stored member of unknown size ends: its descriptor repeats the size so far,
        twice. The descriptor's signature is optional; the next record's is not."""
        at = 0
        while (at := data.find(b"PK", at)) >= 0:
            end = at if data[at : at + 4] == DESCRIPTOR else at - 12
            sizes = data[at + 8 : at + 16] if end == at else data[max(end + 4, 0) : at]
            if end >= 0 and sizes[:4] == ((self._count + end) & 0xFFFFFFFF).to_bytes(4, "little"):
                self._count += end
                return end, True
            at += 2
        safe = len(data) if last else len(data) - 32
        self._count += safe
        return safe, False

    def _finish(self) -> None:
        if self._packed is not self._stream:
            self._packed.drain()
        crc = _pass_descriptor(self._stream) if self._header.flags & 8 else None
        if crc is None and self._header.size is None:
            self._no_descriptor()
        crc = self._header.crc if crc is None else crc
        if crc is not None and crc != self._crc and not self._stream.reported:
            raise Damaged("checksum does not match")

    def _no_descriptor(self) -> None:
        if self._stream.reported:
            return
        lost = Stream(Until(self._stream, _find_record)).drain()
        self._stream.settle()
        if not self._stream.peek(1):
            self._stream.reported = True
        raise Damaged("no checksum where its data ends", lost)


def _lzma_header(packed: Stream, header: _Header) -> bytes:
    """The header of a .lzma file, which the decoder knows, for the one that zip has."""
    prefix = packed.peek(9)  # two bytes of version, two of size, five of properties
    packed.skip(9)
    # Flag bit 1: an end mark stands in the data; else the size must say where it ends.
    size = (1 << 64) - 1 if header.flags & 2 else header.full
    return prefix[4:] + size.to_bytes(8, "little") if len(prefix) == 9 else b""


def _pass_descriptor(stream: Stream) -> int | None:
    """Pass over a data descriptor; its checksum, or None where none is recognised.

    It comes with or without signature, with sizes of 4 or 8 bytes, and nothing in front says
    which. Another record always follows, so that decides.
    """
    head = stream.peek(28)
    at = 4 if head[:4] == DESCRIPTOR else 0
    for length in (at + 12, at + 20):
        if head[length : length + 2] == b"PK":
            stream.skip(length)
            return int.from_bytes(head[at : at + 4], "little")
    return None
