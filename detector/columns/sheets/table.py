"""The cells of a sheet by column, and which row names the columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from detector.columns.sheets.rows import Cells
from detector.columns.types import Chunk, Limits, joined, unless_consecutive

_CELLS = 200_000  # that wait for a chunk
_LOOKED = 50  # rows that say whether the first one is a heading


_HEADING = re.compile(r"[^\W\d][\w .:/()#&%-]{0,39}")
_KNOWN = re.compile(
    r"(?:^|[\W_])(?:id|name|names|user|username|login|account|e-?mail|mail|pass|password|passwd|pwd"
    r"|secret|token|key|api|value|url|host|date|time|created|updated|status|type|note|notes"
    r"|comment|comments|description|title|phone|address|role|group|owner|service|code|number"
    r"|amount|price|count|total|city|country|company|department|product|order"
    r"|body|text|content|subject|message|from|to|at|by|read|sent)(?:[\W_]|$)",
    re.IGNORECASE,
)


class Columns:
    """Cells by column, until they are worth a chunk."""

    def __init__(self, table: str, limits: Limits) -> None:
        self._table, self._most = table, limits.chunk_bytes
        self._values: dict[int, list[bytes]] = {}
        self._rows: dict[int, list[int]] = {}
        self._seen: set[int] = set()
        self._first: list[tuple[int, Cells]] | None = []
        self._heading: dict[int, str] = {}
        self._base = 0
        self._size = self._count = 0
        self.last = 0
        """The last row, as the sheet numbers them."""

    @property
    def full(self) -> bool:
        """Whether they are worth their chunks."""
        return self._size >= self._most or self._count >= _CELLS

    @property
    def rows(self) -> int:
        """Without the headings."""
        return max(0, self.last - self._base)

    def names(self) -> tuple[str, ...]:
        """Of the columns that hold anything."""
        return tuple(self._name(column) for column in sorted(self._seen))

    def add(self, number: int, cells: Cells) -> None:
        """Take one row."""
        self.last = number
        if self._first is not None:
            self._first.append((number, cells))
            if len(self._first) >= _LOOKED:
                self._decide()
            return
        self._put(number, cells)

    def _decide(self) -> None:
        rows, self._first = self._first or [], None
        if rows and _is_heading([cells for _, cells in rows]):
            self._base = rows[0][0]
            self._heading = {
                column: value.decode("utf-8", "replace")
                for column, value in rows[0][1]
                if value is not None
            }
        for number, cells in rows:
            self._put(number, cells)

    def _put(self, number: int, cells: Cells) -> None:
        for column, value in cells:
            self._seen.add(column)
            if value is not None:
                self._values.setdefault(column, []).append(value)
                self._rows.setdefault(column, []).append(number - self._base)
                self._size += len(value) + 1
                self._count += 1

    def flush(self) -> Iterator[Chunk]:
        """The chunks of the cells at hand. Cells without text are in none."""
        if self._first is not None:
            self._decide()
        for column in sorted(self._values):
            data, offsets = joined(self._values[column])
            rows = np.array(self._rows[column], np.int64)
            name = self._name(column)
            gaps = unless_consecutive(rows)
            yield Chunk(self._table, name, int(rows[0]), data, offsets, 0, gaps)
        self._values, self._rows = {}, {}
        self._size = self._count = 0

    def _name(self, column: int) -> str:
        if column in self._heading:
            return self._heading[column]
        letters = ""
        column += 1
        while column:
            column, rest = divmod(column - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


def _is_heading(rows: list[Cells]) -> bool:
    """Whether the first row names the columns.

    A heading is printed wherever a column is, so a value must not be taken for one: it looks
    like a name, is none of its column's values, and half of its cells are words that name columns.
    """
    texts = [value.decode("utf-8", "replace") for _, value in rows[0] if value is not None]
    if len(rows) < 2 or len(texts) < len(rows[0]) or len(set(texts)) < len(texts):
        return False
    if not all(_HEADING.fullmatch(t) and sum(map(str.isdigit, t)) <= 2 for t in texts):
        return False
    below = {(column, value) for row in rows[1:] for column, value in row}
    if any(cell in below for cell in rows[0]):
        return False
    return 2 * sum(bool(_KNOWN.search(_spaced(text))) for text in texts) >= len(texts)


def _spaced(name: str) -> str:
    """camelCase as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
