"""The column chunks of a Parquet file and their pages, by the footer and the headers alone.

What a page unpacks to is said in its own header, not in the file's footer, which may say
anything. So these are read before the page is: how large it is, and whether its values refer to
others, which makes few bytes stand for many. The footer is read here because pyarrow ends the
process when it is asked about an encrypted column.

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from detector.columns.types import Limits, Unreadable

Read = Callable[[int, int], bytes]
"""``read(nbytes, offset)``: some bytes of the file, fewer at its end."""

_HEADERS = (1 << 12, 1 << 16, 16 << 20)  # bytes read for a header; its statistics may be long
_DEEPEST = 12
_MOST_FIELDS = 64

_DATA, _INDEX, _DICTIONARY, _DATA_2 = 0, 1, 2, 3
_I32, _I64, _LIST, _STRUCT = 5, 6, 9, 12
_PLAIN_DICTIONARY, _DELTA_BYTE_ARRAY, _RLE_DICTIONARY = 2, 7, 8


Broken = (ValueError, IndexError, KeyError, TypeError)
"""What reading a damaged header raises."""


class Pages(msgspec.Struct):
    """What is known of a column chunk. Sizes are bytes, unpacked."""

    largest: int = 0
    """The largest page of data."""
    dictionary: int = 0
    """The page that others refer to."""
    entries: int = 0
    """Values of that."""
    first_coded: bool = False
    """Whether the first page of data refers to it."""
    unpacked: int = 0
    """Of all pages that refer to no dictionary."""
    density: float = 0.0
    """Of a value, at most, in pages that refer to no dictionary."""
    coded: int = 0
    """Values that refer to the dictionary."""
    plain: int = 0
    """Those that do not."""
    prefixed: bool = False
    """Whether values begin as those before them do (DELTA_BYTE_ARRAY)."""
    most_values: int = 0
    """Values of one page."""
    complete: bool = True
    """Whether all headers could be read."""

    @property
    def values(self) -> int:
        """Values of all pages whose headers could be read."""
        return self.coded + self.plain


class Place(NamedTuple):
    """A column chunk: where its first page is, and its bytes."""

    start: int
    size: int
    encrypted: bool


class Group(NamedTuple):
    """A row group."""

    rows: int
    columns: list[Place]


Fields = dict[tuple[int, int], Any]
"""A struct: number and type of a field to its value. What has another type than it must have is
no such field, as for pyarrow."""


def row_groups(footer: bytes) -> list[Group]:
    """What the footer says of row groups. Raises :class:`Unreadable`."""
    try:
        fields, _ = _struct(footer, 0, 0)
        return [_group(group) for group in fields[4, _LIST]]
    except Broken:
        raise Unreadable("its footer cannot be read") from None


def _group(fields: Fields) -> Group:
    rows = int(fields[3, _I64])
    if rows < 0:
        raise ValueError
    return Group(rows, [_place(chunk) for chunk in fields[1, _LIST]])


def _place(fields: Fields) -> Place:
    encrypted = (8, _STRUCT) in fields
    about = fields.get((3, _STRUCT))
    if about is None:
        return Place(0, 0, True)
    start, size = int(about[9, _I64]), int(about[7, _I64])
    before = int(about.get((11, _I64), 0))
    if 0 < before < start:
        start = before
    if start < 0 or size < 0:
        raise ValueError
    return Place(start, size, encrypted)


def survey(read: Read, place: Place, limits: Limits) -> Pages:
    """Look at the headers of a column chunk. Raises :class:`Unreadable` for a page too large."""
    if place.encrypted:
        raise Unreadable("encrypted")
    pages = Pages()
    at, end = place.start, place.start + place.size
    while at < end:
        try:
            header, length = _header(read, at, end)
            unpacked, packed = int(header[2, _I32]), int(header[3, _I32])
            if unpacked < 0 or packed < 0:
                raise ValueError
            _add(pages, header, unpacked)
        except Broken:
            pages.complete = False
            break
        if unpacked > limits.page_bytes:
            raise Unreadable(f"a page of more than {limits.page_bytes} bytes")
        at += length + packed
    return pages


def _add(pages: Pages, header: Fields, unpacked: int) -> None:
    kind = header[1, _I32]
    if kind == _DICTIONARY:
        if pages.values:
            raise ValueError  # it would have to be in front of those that refer to it
        pages.dictionary = max(pages.dictionary, unpacked)
        pages.entries = int(header[7, _STRUCT][1, _I32])
    elif kind in (_DATA, _DATA_2):
        about = header[5 if kind == _DATA else 8, _STRUCT]
        n, encoding = int(about[1, _I32]), about[2 if kind == _DATA else 4, _I32]
        if n < 0:
            raise ValueError
        pages.largest = max(pages.largest, unpacked)
        pages.most_values = max(pages.most_values, n)
        if encoding in (_PLAIN_DICTIONARY, _RLE_DICTIONARY):
            pages.first_coded |= not pages.values
            pages.coded += n
            return
        pages.plain += n
        pages.unpacked += unpacked
        pages.density = max(pages.density, unpacked / max(n, 1))
        pages.prefixed |= encoding == _DELTA_BYTE_ARRAY
    elif kind != _INDEX:
        raise ValueError


def _header(read: Read, at: int, end: int) -> tuple[Fields, int]:
    for size in _HEADERS:
        data = read(min(size, end - at), at)
        try:
            return _struct(data, 0, 0)
        except IndexError:
            if len(data) < size:
                raise
    raise ValueError


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _struct(data: bytes, at: int, depth: int) -> tuple[Fields, int]:
    if depth > _DEEPEST:
        raise ValueError
    fields: Fields = {}
    number = 0
    for _ in range(_MOST_FIELDS):
        head = data[at]
        at += 1
        if head == 0:
            return fields, at
        if head >> 4:
            number += head >> 4
        else:
            raw, at = _varint(data, at)
            number = _zigzag(raw)
        key = number, head & 15
        if key in fields:
            raise ValueError  # readers differ in which one counts
        fields[key], at = _value(data, at, head & 15, depth)
    raise ValueError


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # a boolean is its type
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in (4, _I32, _I64):
        value, at = _varint(data, at)
        if value >> (64 if kind == _I64 else 32):
            raise ValueError
        return _zigzag(value), at
    if kind == 7:
        return None, at + 8
    if kind == 8:  # bytes: statistics, passed over
        size, at = _varint(data, at)
        if at + size > len(data):
            raise IndexError
        return None, at + size
    if kind == _LIST:
        return _list(data, at, depth + 1)
    if kind == _STRUCT:
        return _struct(data, at, depth + 1)
    raise ValueError  # sets and maps are nowhere in Parquet


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    if depth > _DEEPEST:
        raise ValueError
    head = data[at]
    n, kind = head >> 4, head & 15
    at += 1
    if n == 15:
        n, at = _varint(data, at)
    if n > len(data) - at:  # each item takes a byte at least
        raise ValueError
    items: list[Any] = []
    for _ in range(n):
        # In a list a boolean is a byte of its own.
        item, at = _value(data, at, 3 if kind in (1, 2) else kind, depth)
        items.append(item)
    return items, at
