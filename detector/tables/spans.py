"""What stands in chosen fields, told by a dialect in passing and put together over the cuts.

A dialect tells where parts of cells begin and end in the piece of text that it walks over. A part
that is open at the end of one piece goes on at the begin of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 16 << 20  # bytes of a value that are kept
NUMBERED = 1024  # fields of a table that can be chosen beyond those that have names
_KNOWN = 4096  # tables whose choice is remembered

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Inner = tuple[int, int] | None
"""From and to where in a cell's text its value stands, without quotes; None for a NULL."""


class Value(NamedTuple):
    """What stands in one cell: bytes ``[start, end)`` of the source, as they stand there (escapes
    and doubled quotes too), without the quotes around them."""

    table: str
    field: str
    row: int
    start: int
    end: int
    raw: bytes

    def __repr__(self) -> str:
        return f"Value({self.table!r}, {self.field!r}, row {self.row}, {len(self.raw)} bytes)"


class _Open(NamedTuple):
    """A cell whose end was not seen."""

    table: str
    field: str
    row: int
    start: int
    parts: list[bytes]
    inner: Callable[[bytes, bool], Inner]

    def __repr__(self) -> str:
        return f"_Open({self.table!r}, {self.field!r}, row {self.row})"


class Part(NamedTuple):
    """Cells in one piece of text, each from ``starts`` to ``ends``; ``is_open``: the end of the
    last one was not seen; ``lasts``: which ones end their row."""

    starts: Ints
    ends: Ints
    fields: Ints
    rows: Ints
    lasts: Flags
    is_open: bool


def numbered(edges: Ints, lasts: Flags, begin: int, end: int, field: int) -> Part:
    """Cells between separators, of which ``lasts`` end a row; the last one is open. ``field``: the
    number of the first one. Rows count from 0."""
    starts = np.concatenate((np.array([begin]), edges + 1))
    rows = np.concatenate((np.zeros(1, np.int64), np.cumsum(lasts)))
    numbers = np.arange(starts.size)
    firsts = np.concatenate((np.zeros(1, np.int64), numbers[1:][lasts]))
    fields = numbers - firsts[rows]
    fields[rows == 0] += field
    ends, lasts = np.append(edges, end).astype(np.int64), np.append(lasts, False)
    return Part(starts, ends, fields, rows.astype(np.int64), lasts, True)


class Spans:
    """Gathers. ``take`` gives what is complete."""

    def __init__(
        self,
        wanted: Callable[[str, str], bool],
        *,
        keys: Collection[str] | None = None,
        base: int = 0,
    ) -> None:
        """``wanted``: of a table and a field; always the same answer. ``keys``: the only last
        parts of fields of JSON that can be wanted, in any case, None for any: nothing else is
        looked at."""
        self.wanted = wanted
        self.keys = None if keys is None else frozenset(key.encode().lower() for key in keys)
        self.position = base
        """Of the byte that follows all that was walked over."""
        self._text, self._base = b"", base
        self._values: list[Value] = []
        self._open: _Open | None = None
        self._chosen: dict[tuple[str, tuple[str, ...]], Flags] = {}

    def begin(self, text: bytes, held: int) -> None:
        """Parts are told of this text next, whose first bytes were ``held`` since before."""
        self._text, self._base = text, self.position - held
        self.position += len(text) - held

    def chosen(self, table: str, columns: Sequence[str]) -> Flags | None:
        """Of a table's fields by number, whether each is wanted; None if none is."""
        key = (table, tuple(columns))
        flags = self._chosen.get(key)
        if flags is None:
            if len(self._chosen) >= _KNOWN:
                self._chosen.clear()
            names = [*columns, *(f"column {n + 1}" for n in range(len(columns), NUMBERED))]
            flags = np.array([self.wanted(table, name) for name in names])
            self._chosen[key] = flags
        return flags if flags.any() else None

    def add(
        self,
        table: str,
        columns: Sequence[str],
        part: Part,
        inner: Callable[[bytes, bool], Inner],
    ) -> None:
        """Cells of a table whose fields have numbers, in the text that was begun."""
        flags = self.chosen(table, columns)
        if flags is None or not part.starts.size:
            return
        which = np.flatnonzero(flags[np.minimum(part.fields, flags.size - 1)])
        which = which[(part.fields[which] < flags.size) & (part.rows[which] > 0)]
        names = [*columns, *(f"column {n + 1}" for n in range(len(columns), NUMBERED))]
        size = part.starts.size - part.is_open  # from this number on, they are open
        text, base = self._text, self._base
        arrays = (which, *(array[which] for array in part[:5]))
        for n, start, end, field, row, last in zip(*(a.tolist() for a in arrays), strict=True):
            if self._open is not None or n >= size:
                name = names[field]
                self.tell(table, name, row, start, end, inner, ended=n < size, last=last)
                continue
            raw = text[start:end]
            if (within := inner(raw[:MOST], last)) is not None:
                begin, stop = within
                self._values.append(
                    Value(
                        table, names[field], row, base + start + begin, base + start + stop,
                        raw[begin:stop],
                    )
                )  # fmt: skip

    def tell(
        self, table: str, field: str, row: int, start: int, end: int,
        inner: Callable[[bytes, bool], Inner], *, ended: bool, last: bool = False,
    ) -> None:  # fmt: skip
        """Part of one cell in the text that was begun. ``ended``: its end was seen, and whether it
        is the ``last`` of its row."""
        raw = self._text[start:end]
        known = self._open
        if known is not None and (known.table, known.field, known.row) == (table, field, row):
            if sum(map(len, known.parts)) <= MOST:
                known.parts.append(raw)
        else:
            self.close()
            known = _Open(table, field, row, self._base + start, [raw], inner)
        self._open = known
        if ended:
            self.close(last=last)
        elif end == start and len(known.parts) == 1:
            self._open = None  # nothing of it was seen

    def close(self, *, last: bool = True) -> None:
        """What is open has ended."""
        known, self._open = self._open, None
        if known is None:
            return
        raw = b"".join(known.parts)[:MOST]
        within = known.inner(raw, last)
        if within is not None:
            begin, end = within
            start = known.start
            self._values.append(Value(*known[:3], start + begin, start + end, raw[begin:end]))

    @property
    def open_from(self) -> int | None:
        """Where the value begins whose end was not seen yet."""
        return None if self._open is None else self._open.start

    def take(self) -> list[Value]:
        """The values that are complete, since the last time."""
        taken, self._values = self._values, []
        return taken
