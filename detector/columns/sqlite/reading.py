"""The rows of one table, until they are worth a chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from detector.columns.types import Also, Chunk, Unreadable, joined, shown


class Table(NamedTuple):
    """A table with pages of its own."""

    name: str
    columns: tuple[str, ...]
    stored: tuple[int, ...]
    """Those of them that are not computed."""
    alias: str | None
    """What its row number is called, None for a table WITHOUT ROWID."""


class Reading:
    """Rows of one table until they are worth a chunk."""

    def __init__(self, table: Table, most: int, also: Also) -> None:
        self._also = also
        self._table, self._most = table, most
        self._parts: list[list[Sequence[Any]]] = [[] for _ in table.stored]
        self._nulls = [0] * len(table.stored)
        self._text = [False] * len(table.stored)
        self._held: list[Chunk] = []
        self._first = 1
        self._size = 0
        self.count = 0
        """Rows so far."""
        self.last: int | None = None
        """The key of the last one."""

    @property
    def full(self) -> bool:
        """Whether they are worth their chunks."""
        return self._size >= self._most

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Take some rows. Raises :class:`Unreadable` where keys do not ascend: pages that refer
        to each other could go on for ever."""
        if not rows:
            return
        if not any(self._parts):
            self._first = self.count + 1
        columns = list(zip(*rows, strict=True))
        if self._table.alias is not None:
            keys = np.array(columns.pop(0), np.int64)
            if (self.last is not None and keys[0] <= self.last) or np.any(keys[1:] <= keys[:-1]):
                raise Unreadable("damaged: its rows are not in order")
            self.last = int(keys[-1])
        self.count += len(rows)
        for number, values in enumerate(columns):
            self._size += self._take(number, values)

    def _take(self, number: int, values: tuple[Any, ...]) -> int:
        """Keep one column's values; returns their size where any is text."""
        parts = self._parts[number]
        try:
            size = len(b"".join(values))
        except TypeError:
            self._nulls[number] += values.count(None)
            if not any(type(value) is bytes for value in values):
                parts.append(values)
                return 8 * len(values)  # about what they take as they wait
            given = [_written(value) for value in values]
            size = sum(map(len, given))
            parts.append(given)
        else:
            parts.append(values)
        self._text[number] = True
        return size + len(values)

    def pass_to(self, key: int) -> None:
        """Rows up to a key cannot be read. Keys mostly follow each other: so many are counted."""
        self._held = list(self.flush())
        self.count += key - (self.last or 0)
        self.last = key

    def flush(self) -> Iterator[Chunk]:
        """The chunks of the rows at hand: of columns in which any value is text."""
        yield from self._held
        self._held = []
        table = shown(self._table.name)
        for number, index in enumerate(self._table.stored):
            parts = self._parts[number]
            field = shown(self._table.columns[index])
            is_text = self._text[number]
            if parts and (is_text or self._also(table, field)):
                values = list(chain.from_iterable(parts))
                try:
                    data, offsets = joined(values)
                except TypeError:  # numbers among them, which are text then
                    data, offsets = joined([_written(value) for value in values])
                nulls = self._nulls[number]
                yield Chunk(table, field, self._first, data, offsets, nulls, is_text=is_text)
            self._parts[number] = []
            self._nulls[number], self._text[number] = 0, False
        self._size = 0


def _written(value: Any) -> bytes:
    if value is None:
        return b""
    return value if type(value) is bytes else str(value).encode("ascii")
