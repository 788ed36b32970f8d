"""Tables in binary files, as chunks of columns.

    for item in open_columns("agents.parquet", "agents.parquet"):   # Chunk | TableInfo | Skipped
        ...

A file streams in constant memory and has no limit on rows. What is damaged becomes a `Skipped`;
everything else of the file is given. They know nothing of rules.

    types     chunks, limits               arrays   arrays of Arrow to chunks
    parquet   row groups, columns          pages    what a page unpacks to
    arrow     IPC, Feather, ORC            ipc      what a message unpacks to
    sqlite    tables of a database         sheets   sheets of a workbook
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.columns.types import Also, Chunk, Item, Limits, Spent, TableInfo, none, table_name
from detector.errors import UsageError
from detector.types import Skipped

__all__ = ["KINDS", "Chunk", "Item", "Limits", "TableInfo", "kind_of", "none", "open_columns"]

KINDS = ("parquet", "arrow", "arrow stream", "orc", "sqlite", "workbook")

_LIMITS = Limits()
_SQLITE = b"SQLite format 3\0"
# A local header of a zip, then the name of its member.
_IN_WORKBOOK = re.compile(rb"PK\x03\x04.{26}xl/", re.DOTALL)
# The mark of a message, its size, and the root of a flatbuffer, which is always near.
_STREAM = re.compile(rb"\xff{4}..[\x00-\x07]\x00[\x04-\x40]\x00{3}", re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")


def kind_of(head: bytes) -> str | None:
    """Which of :data:`KINDS` begins like this, None for others. 4 KiB are enough."""
    if head[:4] in (b"PAR1", b"PARE"):
        return "parquet"
    if head[:8] == b"ARROW1\0\0":
        return "arrow"
    if _STREAM.match(head):
        return "arrow stream"
    if head[:3] == b"ORC" and _CONTROL.search(head[:64]):  # a list of orchards is text
        return "orc"
    if head[:16] == _SQLITE:
        return "sqlite"
    if head[:4] == b"PK\3\4" and _IN_WORKBOOK.search(head[:4096]):
        return "workbook"
    return None


def open_columns(
    path: str,
    display: str,
    *,
    kind: str | None = None,
    data: bytes | memoryview | None = None,
    limits: Limits = _LIMITS,
    also: Also = none,
) -> Iterator[Item]:
    """The columns of all tables in a file, or in ``data`` where it is at hand already.

    Each table's chunks are followed by its `TableInfo`. Rows of one column ascend; columns take
    turns. ``kind`` is what :func:`kind_of` said, and asked of the file by default. ``also``: of a
    table and a field, whether its values are given although they are no text. Bad input never
    raises; :class:`~detector.errors.UsageError` says which library is not installed.
    """
    try:
        size = len(data) if data is not None else Path(path).stat().st_size
        kind = kind or kind_of(_head(path, data))
    except OSError:
        yield Skipped(path=display, reason="cannot be opened")
        return
    if kind is None:
        yield Skipped(path=display, reason="no table that is known", nbytes=size)
        return
    try:
        yield from _items(kind, path, data, display, size, limits, also)
    except OSError:
        yield Skipped(path=display, reason=f"{kind}: cannot be read to its end")
    except Spent as error:
        yield Skipped(path=display, reason=f"{kind}: {error.reason}")


def _head(path: str, data: bytes | memoryview | None) -> bytes:
    if data is not None:
        return bytes(data[:4096])
    with Path(path).open("rb") as file:
        return file.read(4096)


def _items(
    kind: str,
    path: str,
    data: bytes | memoryview | None,
    display: str,
    size: int,
    limits: Limits,
    also: Also,
) -> Iterator[Item]:
    table = table_name(display)
    if kind == "sqlite":
        from detector.columns.sqlite import read_sqlite

        yield from read_sqlite(path, data, display, limits, also)
    elif kind == "workbook":
        from detector.columns.sheets import read_sheets

        yield from read_sheets(path, data, display, limits, also)
    else:
        arrow = _pyarrow()
        mapped = kind.startswith("arrow")
        with _source(arrow, path, data, mapped=mapped) as source:
            if mapped:
                from detector.columns.arrow import read_arrow

                yield from read_arrow(source.read_buffer(), table, display, limits, also)
            elif kind == "orc":
                from detector.columns.arrow import read_orc

                yield from read_orc(source, size, table, display, limits, also)
            else:
                from detector.columns.parquet import read

                yield from read(source, size, table, display, limits, also)


def _source(arrow: Any, path: str, data: bytes | memoryview | None, *, mapped: bool) -> Any:
    if data is not None:
        return arrow.BufferReader(data)
    return arrow.memory_map(path) if mapped else arrow.OSFile(path)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise UsageError(
            "Parquet, Arrow and ORC need pyarrow: pip install 'secrets-leak-detector[arrow]'"
        ) from None
    return pyarrow
