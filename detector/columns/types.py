"""What the readers of tables give: chunks of one column, sizes of tables, and their bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.types import Skipped

MIB = 1 << 20
Ints = NDArray[np.int64]

_MOST_VALUES = 1 << 20  # of a chunk: its offsets are then as large as its data may be
_ENDINGS = re.compile(
    r"(?:\.(?:parquet|pq|arrow|arrows|ipc|feather|orc|sqlite3?|db3?|xlsx|xlsm"
    r"|gz|zst|bz2|xz|snappy|lz4|zstd|gzip))+$",
    re.IGNORECASE,
)


class Chunk(NamedTuple):
    """Consecutive values of one column.

    ``offsets`` has shape (n + 1,): value ``i`` is ``data[offsets[i] : offsets[i + 1] - 1]``. Each
    is followed by one newline, and may hold others. NULL is empty, and counted in ``nulls``.
    """

    table: str
    field: str
    first_row: int
    """The first value's row, from 1; 0 is a row of headings."""
    data: memoryview | bytes
    offsets: Ints
    nulls: int = 0
    rows: Ints | None = None
    """The row of each value, shape (n,), ascending; None where it is ``first_row + i``."""
    is_text: bool = True
    """False for numbers and the like, which were asked for by name, as text."""

    def __repr__(self) -> str:
        return (
            f"Chunk({self.table!r}, {self.field!r}, row {self.first_row}, {len(self.offsets) - 1})"
        )


class TableInfo(NamedTuple):
    """Follows a table's chunks. ``columns``: all of them, also those that hold no text.

    Names, here and in chunks, are fit for a line of text (:func:`shown`).
    """

    table: str
    columns: tuple[str, ...]
    rows: int


Item = Chunk | TableInfo | Skipped
Also = Callable[[str, str], bool]
"""Whether the values of a table's field are asked for although they are no text."""


def none(_table: str, _field: str) -> bool:
    """Nothing but text is asked for."""
    return False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on memory and time. None cuts an honest table."""

    chunk_bytes: int = 8 * MIB
    """Of a chunk's data; a single value may be longer."""

    batch_bytes: int = 256 * MIB
    """What a batch of rows of one column may take when it is decoded: a short page of references
    to one long value is what makes it grow, so the number of rows follows from both."""

    page_bytes: int = 256 * MIB
    """Of one page of Parquet, unpacked. Writers aim at 1 MiB; more than 16 is not seen."""

    unit_bytes: int = 2048 * MIB
    """What has to be unpacked at once: a compressed record batch of Arrow. Polars writes a whole
    frame as one. Those that are not compressed are mapped and may be of any size."""

    page_values: int = 16 << 20
    """Values of a page in lists: their levels take 4 bytes each when they are unpacked."""

    value_bytes: int = 512 * MIB
    """Of one value in SQLite, and of one cell's text in a sheet."""

    shared_bytes: int = 256 * MIB
    """Of the strings that the sheets of a workbook share, which are kept in memory."""

    total_bytes: int = 4 << 40
    """Of all values of a file: at 1 GB/s about an hour."""

    ratio: int = 200
    """Bytes out for each byte in, of a workbook's parts, from 16 MiB on. Sheets have 10 to 30."""

    busy_seconds: float = 1.0
    """How long a locked database is waited for."""

    stall_seconds: float = 20.0
    """How long SQLite may work without giving a row."""


class Unreadable(Exception):  # noqa: N818  (a fact about the input that never leaves this package)
    """Part of a file cannot be read; ``reason`` says why without its data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Spent(Unreadable):
    """The file has given as much as it may; nothing more of it is read."""


class Meter:
    """Counts the bytes of all values of a file."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.total_bytes
        self._most = limits.total_bytes

    def charge(self, nbytes: int) -> None:
        """Raises :class:`Spent`."""
        self._left -= nbytes
        if self._left < 0:
            raise Spent(f"expands to more than {self._most} bytes")


def table_name(display: str) -> str:
    """The name of the one table that a file is: its own without folders and endings."""
    name = re.split(r"[/\\!]", display)[-1]
    return shown(_ENDINGS.sub("", name) or name)


def shown(name: str, most: int = 200) -> str:
    """A name from a file, fit for a line of text."""
    if len(name) > most:
        name = name[: most - 1] + "…"
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def cuts(offsets: Ints, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of values of at most so many bytes; a longer value has a range of its own."""
    at, n = 0, len(offsets) - 1
    while at < n:
        to = int(np.searchsorted(offsets, offsets[at] + most, side="right")) - 1
        to = min(max(to, at + 1), at + _MOST_VALUES, n)
        yield at, to
        at = to


def joined(values: list[bytes]) -> tuple[bytes, Ints]:
    """The data and offsets of some values in memory."""
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, values), np.int64, len(values)) + 1, out=offsets[1:])
    return b"\n".join([*values, b""]), offsets


def unless_consecutive(rows: Ints) -> Ints | None:
    """``rows``, or None where they ascend one by one."""
    return None if bool(np.all(np.diff(rows) == 1)) else rows
