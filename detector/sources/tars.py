"""Tar archives, read forward: ustar, GNU and pax headers (POSIX.1-2001), and the old v7 form."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from detector.sources.containers import Member, outside
from detector.sources.limits import Damaged
from detector.sources.stream import BLOCK, Bounded, Stream

RECORD = 512
_ZERO = bytes(RECORD)
_NO_DATA = b"123456"  # links, devices, directories, pipes: the size field means nothing


def is_tar(head: bytes) -> bool:
    """Whether a stream begins with a tar header: its checksum holds and its fields parse.

    The checksum alone recognises v7 archives, which have no magic; "ustar" without a right
    checksum is not a tar.
    """
    return len(head) >= RECORD and _is_header(head[:RECORD])


def tar_members(stream: Stream) -> Iterator[Member]:
    """The members that hold data. Raises `Damaged` when the archive is cut inside a header."""
    places = count(1)
    long_name: str | None = None
    long_size: int | None = None
    while block := stream.peek(RECORD):
        if len(block) < RECORD and block.strip(b"\0"):
            lost = stream.drain()
            stream.settle()
            raise Damaged("archive is truncated", lost)
        if block == _ZERO[: len(block)]:
            stream.skip(len(block))
            continue
        if not _is_header(block):
            yield outside(stream, _find_header, next(places))
            continue
        stream.skip(RECORD)
        kind = block[156:157]
        size = _number(block[124:136]) or 0
        if kind in (b"x", b"g", b"L", b"K"):
            text = _header_text(stream, size)
            if kind == b"x":
                long_name, long_size = _pax(text, long_name)
            elif kind == b"L":
                long_name = _text(text)
            continue
        size, name = long_size if long_size is not None else size, long_name or _name(block)
        long_name = long_size = None
        if kind == b"S":
            _pass_sparse_maps(stream, block)
        if kind in _NO_DATA:
            continue
        yield Member(name, Stream(Bounded(stream, size)))
        stream.skip(-size % RECORD)
    stream.settle()


def _is_header(block: bytes) -> bool:
    stated = _number(block[148:156])
    if not stated or block[0] == 0 or _number(block[124:136]) is None:
        return False
    total = sum(block) - sum(block[148:156]) + 8 * 32
    # Some old writers summed signed bytes.
    return stated in (total, total - 256 * sum(1 for byte in block if byte > 127))


def _number(field: bytes) -> int | None:
    if field[0] == 0x80:  # GNU: base 256 for what octal cannot hold
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        return None
    return int(digits or b"0", 8)


def _find_header(data: bytes, last: bool) -> tuple[int, bool]:
    for at in range(0, len(data) - RECORD + 1, RECORD):
        if _is_header(data[at : at + RECORD]):
            return at, True
    return (len(data) if last else len(data) // RECORD * RECORD), False


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _name(block: bytes) -> str:
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _header_text(stream: Stream, size: int) -> bytes:
    """An extended header's text, as far as it can matter: names are at most some KiB long."""
    text = stream.peek(min(size, BLOCK))
    if stream.skip(size) < size:
        stream.settle()
        raise Damaged("archive is truncated")
    stream.skip(-size % RECORD)
    return text


def _pax(text: bytes, name: str | None) -> tuple[str | None, int | None]:
    """``path`` and ``size`` of a pax header: lines of "length key=value" and a newline."""
    size = None
    while text:
        length, _, rest = text.partition(b" ")
        if not length.isdigit() or len(length) > 9 or int(length) <= len(length) + 1:
            break
        key, _, value = rest[: int(length) - len(length) - 2].partition(b"=")
        if key in (b"path", b"GNU.sparse.name"):
            name = _text(value)
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        text = text[int(length) :]
    return name, size


def _pass_sparse_maps(stream: Stream, block: bytes) -> None:
    # GNU sparse: the stored pieces follow each other, after further blocks of their map.
    more = block[482]
    while more and (block := stream.peek(RECORD)):
        stream.skip(RECORD)
        more = block[504] if len(block) == RECORD else 0
