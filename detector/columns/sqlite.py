"""SQLite files, opened read-only: every table that has pages of its own, and the schema.

Views and virtual tables are computed from those, so they are not read; that also means that
nothing of the schema is evaluated. Rows are counted in the order of the table's own tree, which
is that of `.dump`. A database whose write-ahead log was left behind without its index gets that
index (`-shm`) from SQLite, as from every other reader; one that was closed cleanly is opened so
that nothing is written beside it.

https://www.sqlite.org/security.html, https://www.sqlite.org/wal.html#readonly
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from detector.columns.types import (
    Also,
    Chunk,
    Item,
    Limits,
    Meter,
    Spent,
    TableInfo,
    Unreadable,
    joined,
    shown,
)
from detector.types import Skipped

MAGIC = b"SQLite format 3\0"

_ROWS = 512  # fetched at once: bounds memory where rows are long
_STEPS = 100_000  # of SQLite's machine between two looks at the clock
_SMALLEST = 4  # bytes of a row in a page: its pointer, size and key
_RESUMES = 64  # damaged places in a table that are stepped over
_ALIASES = ("rowid", "_rowid_", "oid")
_WAL = 2  # in bytes 18 and 19 of the header; 1 is a rollback journal
_BUSY, _LOCKED, _CORRUPT, _TOO_BIG = 5, 6, 11, 18
_LAST_KEY = (1 << 63) - 1

_Broken = (sqlite3.Error, UnicodeError)  # the latter from a message that quotes what it met
Error = sqlite3.Error | Unreadable | UnicodeError | OverflowError


class _Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    stored: tuple[int, ...]
    """Those of them that are not computed."""
    alias: str | None
    """What its row number is called, None for a table WITHOUT ROWID."""


def read_sqlite(
    path: str, data: bytes | memoryview | None, display: str, limits: Limits, also: Also
) -> Iterator[Item]:
    """The chunks of all tables of a file, or of its bytes."""
    size = len(data) if data is not None else Path(path).stat().st_size
    try:
        connection, note = _connect(path, data, limits)
    except (sqlite3.Error, OSError, OverflowError, ValueError) as error:
        yield Skipped(path=display, reason=f"SQLite: {_why(error)}", nbytes=size)
        return
    try:
        if note is not None:
            yield Skipped(path=display, reason=f"SQLite: {note[0]}", nbytes=note[1])
        yield from _Reader(connection, size, display, limits, also).items()
    finally:
        connection.close()


def _connect(
    path: str, data: bytes | memoryview | None, limits: Limits
) -> tuple[sqlite3.Connection, tuple[str, int] | None]:
    if data is not None:
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        if not hasattr(connection, "deserialize"):
            raise ValueError
        connection.deserialize(_without_log(data))
        _harden(connection, limits)
        return connection, None
    # Safe while nobody has it open: whoever has keeps a log beside it.
    closed = _header(path)[18:20] == bytes([_WAL, _WAL]) and not _exists(path + "-wal")
    connection = _open(path, limits, immutable=closed)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        if _code(error) in (_BUSY, _LOCKED):
            connection.close()
            raise
        for end, what in (("-wal", "log"), ("-journal", "journal")):
            if _exists(path + end):
                connection.close()
                nbytes = Path(path + end).stat().st_size
                note = f"its {what} ({end}) cannot be read, the file is as it was before or amid it"
                return _open(path, limits, immutable=True), (note, nbytes)
        return connection, None  # says what is wrong with the schema
    except _Broken:
        pass
    return connection, None


def _open(path: str, limits: Limits, *, immutable: bool) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(Path(path).absolute()))}?mode=ro"
    connection = sqlite3.connect(
        uri + "&immutable=1" * immutable,
        uri=True,
        timeout=limits.busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    _harden(connection, limits)
    return connection


def _harden(connection: sqlite3.Connection, limits: Limits) -> None:
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.value_bytes)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")


def _without_log(data: bytes | memoryview) -> bytes:
    """A database in memory has no log: what says that there is one would stop it."""
    if data[18:20] != bytes([_WAL, _WAL]):
        return bytes(data)
    return b"".join((data[:18], b"\1\1", data[20:]))


def _header(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(100)


def _exists(path: str) -> bool:
    return Path(path).exists()


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _why(error: BaseException) -> str:
    """A reason; SQLite's own texts may quote what they met."""
    if isinstance(error, Unreadable):
        return error.reason
    code = _code(error)
    reasons = {
        1: "no longer there or not understood",
        _BUSY: "locked by another process",
        _LOCKED: "locked by another process",
        9: "takes too long without giving a row",
        _CORRUPT: "damaged",
        14: "cannot be opened",
        _TOO_BIG: "a value is too large",
        26: "encrypted or damaged",
    }
    return reasons.get(code, "cannot be read")


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
            if error is not None and not names and _code(error) in (0, _CORRUPT):
                yield self._skipped(f"part of its schema: {_why(error)}")
                # Takes the definitions that it understands and leaves out the others.
                self._query("PRAGMA writable_schema=ON")
                names, error = self._names()
        except _Broken as caught:
            yield self._skipped(_why(caught), self._size)
            return
        if error is not None and not names:
            yield self._skipped(_why(error), self._size)
            return
        yield from self._rows(_Table("sqlite_schema", ("sql",), (0,), "rowid"))
        for name in names:
            try:
                table = self._described(name)
            except (*_Broken, Unreadable) as caught:
                yield self._skipped(f"table {shown(name)}: {_why(caught)}")
                continue
            yield from self._rows(table)
        if error is not None:
            yield self._skipped(f"its list of tables: {_why(error)}")

    def _names(self) -> tuple[list[str], Error | None]:
        """Tables with pages of their own, and what ended their list."""
        names: list[str] = []
        try:
            found = self._query(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
            )
            names.extend(_text(name) for (name,) in found)
        except _Broken as error:
            return names, error
        return names, None

    def _described(self, name: str) -> _Table:
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
        return _Table(name, columns, stored, alias)

    def _rows(self, table: _Table) -> Iterator[Item]:
        """A table's chunks, and what could not be read of it."""
        reading = _Reading(table, self._limits.chunk_bytes, self._also)
        for number in range(_RESUMES):
            error = yield from self._from(table, reading)
            if error is None:
                break
            again = table.alias is not None and _code(error) in (_CORRUPT, _TOO_BIG)
            again = again and number + 1 < _RESUMES
            step = self._behind(table, reading) if again else None
            where = f" from row {reading.count + 1} on" if reading.count else ""
            yield self._skipped(f"table {shown(table.name)}{where}: {_why(error)}")
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

    def _select(self, table: _Table) -> str:
        names = [_quoted(table.columns[i]) for i in table.stored]
        key = [table.alias] if table.alias else []
        # An index may hold all the columns, in another order.
        return f"SELECT {', '.join(key + names)} FROM {_quoted(table.name)} NOT INDEXED"  # noqa: S608

    def _from(self, table: _Table, reading: _Reading) -> Generator[Item, None, Error | None]:
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
                except _Broken as caught:
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

    def _behind(self, table: _Table, reading: _Reading) -> int | None:
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
        except (*_Broken, Unreadable):
            pass
        start = reading.last or 0
        for power in range(64):
            low, high = (1 << power) >> 1, 1 << power
            try:
                found = row_behind(start + high)
            except _Broken:
                continue
            while high - low > 1:
                middle = (low + high) // 2
                try:
                    found, high = row_behind(start + middle), middle
                except _Broken:
                    low = middle
            return None if found is None else int(found[0]) - 1
        return None


class _Reading:
    """Rows of one table until they are worth a chunk."""

    def __init__(self, table: _Table, most: int, also: Also) -> None:
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
