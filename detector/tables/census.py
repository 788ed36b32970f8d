"""What a text says of its tables in passing: columns, rows, some of the values, definitions.

Memory is bounded: of each table some rows, of all of them and of definitions some megabytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

SAMPLED = 4096  # rows kept of a table, at most; then every second one goes
LONGEST = 512  # bytes kept of a sampled value
MOST_TABLES = 4096
MOST_SAMPLED = 64 << 20  # bytes of samples of all tables; what comes then is not kept
MOST_DDL = 4 << 20  # bytes of definitions kept


class TableCensus(msgspec.Struct):
    """One table. ``samples``: rows of raw values, None for NULL, shorter where a row is."""

    name: str
    columns: tuple[str, ...]
    rows: int = 0
    samples: list[tuple[bytes | None, ...]] = []
    step: int = 1
    """Of the rows that were offered as samples one in ``step`` is kept."""
    offered: int = 0
    values: dict[str, list[bytes | None]] = {}
    """Of a field: some values, where columns come apart instead of rows."""

    def forget(self) -> None:
        """The samples: they are looked at once."""
        self.samples, self.values = [], {}

    def sampled(self) -> dict[str, list[bytes | None]]:
        """Some values of each column."""
        if self.values:
            return self.values
        width = max(map(len, self.samples), default=0)
        names = [
            self.columns[n] if n < len(self.columns) else f"column {n + 1}" for n in range(width)
        ]
        return {
            name: [row[n] if n < len(row) else None for row in self.samples]
            for n, name in enumerate(names)
        }

    def __repr__(self) -> str:
        return f"TableCensus({self.name!r}, rows={self.rows})"  # never the samples


class Census:
    """Collects. ``tables`` by name; ``ddl``: statements that define or grant something."""

    def __init__(self) -> None:
        self.tables: dict[str, TableCensus] = {}
        self.ddl: list[str] = []
        self._ddl_size = self._sampled = 0
        self.complete = True
        """Whether all tables and definitions could be kept."""

    def count(self, table: str, columns: Sequence[str], rows: int) -> None:
        """``rows`` more of a table."""
        if (one := self._table(table, columns)) is not None:
            one.rows += rows

    def sample(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[bytes | None]]
    ) -> None:
        """Some rows that were seen, in order."""
        if (one := self._table(table, columns)) is None or self._sampled > MOST_SAMPLED:
            return
        self._sampled += sum(len(value or b"") for row in rows for value in row)
        for row in rows:
            if one.offered % one.step == 0:
                one.samples.append(tuple(v if v is None else bytes(v[:LONGEST]) for v in row))
                if len(one.samples) > SAMPLED:
                    one.samples = one.samples[::2]
                    one.step *= 2
            one.offered += 1

    def column(self, table: str, field: str, values: Sequence[bytes | None]) -> None:
        """Some values of one column, where columns come apart."""
        if (one := self._table(table, ())) is None or self._sampled > MOST_SAMPLED:
            return
        self._sampled += sum(len(value or b"") for value in values)
        kept = one.values.setdefault(field, [])
        kept.extend(v if v is None else v[:LONGEST] for v in values)
        if len(kept) > SAMPLED:
            one.values[field] = kept[::2]

    def define(self, statement: str) -> None:
        """A statement of the language that defines tables and rights."""
        self._ddl_size += len(statement)
        if self._ddl_size > MOST_DDL:
            self.complete = False
            return
        self.ddl.append(statement)

    def _table(self, name: str, columns: Sequence[str]) -> TableCensus | None:
        one = self.tables.get(name)
        if one is None:
            if len(self.tables) >= MOST_TABLES:
                self.complete = False
                return None
            one = self.tables[name] = TableCensus(name, tuple(columns), samples=[], values={})
        elif not one.columns:
            one.columns = tuple(columns)
        return one
