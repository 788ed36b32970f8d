"""What Arrow's messages say of their size, before anything of them is unpacked.

A file is its magic, a stream and a footer with the place of each message. Metadata are
flatbuffers, of which four tables matter here.

https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
https://github.com/apache/arrow/blob/main/format/Message.fbs and File.fbs
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"ARROW1"

_CONTINUES = 0xFFFFFFFF
DICTIONARY, BATCH = 2, 3

Broken = (struct.error, ValueError, IndexError, OverflowError)
"""What reading a damaged message raises."""


class Message(NamedTuple):
    """``unpacked``: bytes of its compressed buffers; ``end``: where the next one begins."""

    kind: int
    rows: int
    unpacked: int
    end: int


def messages(data: memoryview, at: int) -> Iterator[Message]:
    """The messages of a stream from a place on. Raises one of :data:`Broken`."""
    while at + 4 <= len(data):
        message = message_at(data, at)
        if message is None:
            return
        yield message
        at = message.end


def message_at(data: memoryview, at: int) -> Message | None:
    """The message at a place, None where the stream ends there."""
    (size,) = struct.unpack_from("<I", data, at)
    at += 4
    if size == _CONTINUES:
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
    if not size:
        return None
    meta = data[at : at + size]
    if len(meta) < size:
        raise ValueError
    root = _root(meta)
    kind = _number(meta, root, 1, "<B")
    length = _number(meta, root, 3, "<q")
    body = data[at + size : at + size + length]
    if length < 0 or len(body) < length:
        raise ValueError
    head = _table(meta, root, 2)
    if kind == DICTIONARY:
        head = _table(meta, head, 1)
    rows = unpacked = 0
    if kind in (DICTIONARY, BATCH):
        rows = _number(meta, head, 0, "<q")
        unpacked = _unpacked(meta, head, body)
    return Message(kind, rows, unpacked, at + size + length)


def blocks(data: memoryview) -> tuple[list[int], list[int]]:
    """Where a file's dictionaries and batches are, by its footer."""
    (size,) = struct.unpack_from("<i", data, len(data) - 10)
    if not 0 < size <= len(data) - 10:
        raise ValueError
    footer = data[len(data) - 10 - size : len(data) - 10]
    root = _root(footer)
    return _blocks(footer, root, 2), _blocks(footer, root, 3)


def _blocks(data: memoryview, table: int, slot: int) -> list[int]:
    start, n = _vector(data, table, slot, 24)
    return [struct.unpack_from("<q", data, start + 24 * i)[0] for i in range(n)]


def _unpacked(meta: memoryview, batch: int, body: memoryview) -> int:
    """The sum of what compressed buffers say to unpack to, in their first 8 bytes."""
    if not _field(meta, batch, 3):
        return 0
    total = 0
    start, n = _vector(meta, batch, 2, 16)
    for number in range(n):
        at, size = struct.unpack_from("<qq", meta, start + 16 * number)
        if size >= 8 and at >= 0:
            total += max(0, struct.unpack_from("<q", body, at)[0])
    return total


def _root(data: memoryview) -> int:
    return int(struct.unpack_from("<I", data, 0)[0])


def _field(data: memoryview, table: int, slot: int) -> int:
    """Where a field of a table stands, 0 where it is absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise ValueError
    at = 4 + 2 * slot
    if at + 2 > struct.unpack_from("<H", data, vtable)[0]:
        return 0
    offset = int(struct.unpack_from("<H", data, vtable + at)[0])
    return table + offset if offset else 0


def _number(data: memoryview, table: int, slot: int, form: str) -> int:
    at = _field(data, table, slot)
    return int(struct.unpack_from(form, data, at)[0]) if at else 0


def _table(data: memoryview, table: int, slot: int) -> int:
    at = _field(data, table, slot)
    if not at:
        raise ValueError
    return int(at + struct.unpack_from("<I", data, at)[0])


def _vector(data: memoryview, table: int, slot: int, size: int) -> tuple[int, int]:
    """Where a vector's items begin and how many there are."""
    at = _field(data, table, slot)
    if not at:
        return 0, 0
    at += struct.unpack_from("<I", data, at)[0]
    n = int(struct.unpack_from("<I", data, at)[0])
    if at + 4 + n * size > len(data):
        raise ValueError
    return at + 4, n
