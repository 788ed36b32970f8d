"""The tables of a SQLite file, and what of them cannot be read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from detector.columns.sqlite.opening import CORRUPT, TOO_BIG, Broken, Error, code_of, connect, why
from detector.columns.sqlite.reading import Reading, Table
from detector.columns.types import (
    Also,
    Chunk,
    Item,
    Limits,
    Meter,
    Spent,
    TableInfo,
    Unreadable,
    shown,
)
from detector.types import Skipped

_ROWS = 512  # fetched at once: bounds memory where rows are long
_STEPS = 100_000  # of SQLite's machine between two looks at the clock
_SMALLEST = 4  # bytes of a row in a page: its pointer, size and key
_RESUMES = 64  # damaged places in a table that are stepped over
_ALIASES = ("rowid", "_rowid_", "oid")


_LAST_KEY = (1 << 63) - 1


def read_sqlite(
    path: str, data: bytes | memoryview | None, display: str, limits: Limits, also: Also
) -> Iterator[Item]:
    """The chunks of all tables of a file, or of its bytes."""
    size = len(data) if data is not None else Path(path).stat().st_size
    try:
        connection, note = connect(path, data, limits)
    except (sqlite3.Error, OSError, OverflowError, ValueError) as error:
        yield Skipped(path=display, reason=f"SQLite: {why(error)}", nbytes=size)
        return
    try:
        if note is not None:
            yield Skipped(path=display, reason=f"SQLite: {note[0]}", nbytes=note[1])
        yield from _Reader(connection, size, display, limits, also).items()
    finally:
        connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


class _Reader:
    def __init__(
        self,
        connection: sqlite3.Connection,
        size: int,
        display: str,
        limits: Limits,
        also: Also,
    ) -> None:
        self._also = also
        self._connection, self._display, self._limits = connection, display, limits
        self._size = size
        self._most_rows = size // _SMALLEST + (1 << 20)  # what stands in a log, too
        self._meter = Meter(limits)
        self._since = time.monotonic()
        connection.set_progress_handler(self._stalled, _STEPS)

    def _stalled(self) -> int:
        return int(time.monotonic() - self._since > self._limits.stall_seconds)

    def _skipped(self, what: str, nbytes: int = 0) -> Skipped:
        return Skipped(path=self._display, reason=f"SQLite: {what}", nbytes=nbytes)

    def _query(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self._since = time.monotonic()
        return self._connection.execute(sql, values)

    def items(self) -> Iterator[Item]:
        """The schema, then each table."""
        try:
            names, error = self._names()
            if error is not None and not names and code_of(error) in (0, CORRUPT):
                yield self._skipped(f"part of its schema: {why(error)}")
                # Takes the definitions that it understands and leaves out the others.
                self._query("PRAGMA writable_schema=ON")
                names, error = self._names()
        except Broken as caught:
            yield self._skipped(why(caught), self._size)
            return
        if error is not None and not names:
            yield self._skipped(why(error), self._size)
            return
        yield from self._rows(Table("sqlite_schema", ("sql",), (0,), "rowid"))
        for name in names:
            try:
                table = self._described(name)
            except (*Broken, Unreadable) as caught:
                yield self._skipped(f"table {shown(name)}: {why(caught)}")
                continue
            yield from self._rows(table)
        if error is not None:
            yield self._skipped(f"its list of tables: {why(error)}")

    def _names(self) -> tuple[list[str], Error | None]:
        """Tables with pages of their own, and what ended their list."""
        names: list[str] = []
        try:
            found = self._query(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
            )
            names.extend(_text(name) for (name,) in found)
        except Broken as error:
            return names, error
        return names, None

    def _described(self, name: str) -> Table:
        about = self._query(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
        columns = tuple(_text(row[1]) for row in about)
        if not columns:
            raise Unreadable("no longer there or not understood")
        # Hidden 2: a column that is computed when it is read, by an expression of the schema.
        stored = tuple(i for i, row in enumerate(about) if row[6] != 2)
        taken = {column.lower() for column in columns}
        alias = next((a for a in _ALIASES if a not in taken), None)
        if alias is not None:
            try:
                self._query(f"SELECT {alias} FROM {_quoted(name)} LIMIT 0")  # noqa: S608  (quoted)
            except sqlite3.OperationalError:
                alias = None
        return Table(name, columns, stored, alias)

    def _rows(self, table: Table) -> Iterator[Item]:
        """A table's chunks, and what could not be read of it."""
        reading = Reading(table, self._limits.chunk_bytes, self._also)
        for number in range(_RESUMES):
            error = yield from self._from(table, reading)
            if error is None:
                break
            again = table.alias is not None and code_of(error) in (CORRUPT, TOO_BIG)
            again = again and number + 1 < _RESUMES
            step = self._behind(table, reading) if again else None
            where = f" from row {reading.count + 1} on" if reading.count else ""
            yield self._skipped(f"table {shown(table.name)}{where}: {why(error)}")
            if step is None:
                break
            reading.pass_to(step)
        yield from self._charged(reading.flush())
        columns = tuple(map(shown, table.columns))
        yield TableInfo(shown(table.name), columns, reading.count)

    def _charged(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            self._meter.charge(len(chunk.data))
            yield chunk

    def _select(self, table: Table) -> str:
        names = [_quoted(table.columns[i]) for i in table.stored]
        key = [table.alias] if table.alias else []
        # An index may hold all the columns, in another order.
        return f"SELECT {', '.join(key + names)} FROM {_quoted(table.name)} NOT INDEXED"  # noqa: S608

    def _from(self, table: Table, reading: Reading) -> Generator[Item, None, Error | None]:
        """Rows behind the last one to their chunks; returns the error that ended them."""
        sql = self._select(table)
        try:
            if reading.last is None:
                cursor = self._query(sql)
            else:
                cursor = self._query(f"{sql} WHERE {table.alias} > ?", reading.last)
            while True:
                self._since = time.monotonic()
                rows: list[tuple[Any, ...]] = []
                error: Error | None = None
                try:
                    rows.extend(islice(cursor, _ROWS))  # keeps those before an error
                except Broken as caught:
                    error = caught
                reading.add(rows)
                if reading.count > self._most_rows:
                    raise Unreadable("more rows than its pages can hold")
                if reading.full:
                    yield from self._charged(reading.flush())
                if error is not None or len(rows) < _ROWS:
                    return error
        except Spent:
            raise
        except (sqlite3.Error, Unreadable, UnicodeError, OverflowError) as caught:
            return caught

    def _behind(self, table: Table, reading: Reading) -> int | None:
        """The key in front of the next row that can be read, None where there is none.

        The row in front of an error is taken first: sqlite3 is one row ahead, and loses it.
        Then steps double until there is a row, and are halved again to find the first.
        """
        sql = f"{self._select(table)} WHERE {table.alias} > ? LIMIT 1"

        def row_behind(key: int) -> tuple[Any, ...] | None:
            row: tuple[Any, ...] | None = self._query(sql, min(key, _LAST_KEY)).fetchone()
            return row

        start = reading.last
        try:
            if (row := row_behind(-_LAST_KEY if start is None else start)) is not None:
                reading.add([row])
        except (*Broken, Unreadable):
            pass
        start = reading.last or 0
        for power in range(64):
            low, high = (1 << power) >> 1, 1 << power
            try:
                found = row_behind(start + high)
            except Broken:
                continue
            while high - low > 1:
                middle = (low + high) // 2
                try:
                    found, high = row_behind(start + middle), middle
                except Broken:
                    low = middle
            return None if found is None else int(found[0]) - 1
        return None
