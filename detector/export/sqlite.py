"""A copy of an SQLite database in which the rows with secrets are changed.

Triggers are taken out before and put back behind: nothing that a database brings along runs here.
The copy is vacuumed, so that no page keeps what was overwritten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from detector.columns.types import shown
from detector.errors import UsageError
from detector.export.values import Cleaner

ROWS = 4096  # looked at together


def copy(kind: str, source: Path, target: Path, cleaner: Cleaner) -> None:
    """See :func:`detector.export.export`."""
    target.unlink(missing_ok=True)
    try:
        uri = f"{source.resolve().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=5)) as given,
            closing(sqlite3.connect(target, isolation_level=None)) as made,
        ):
            given.backup(made)
            made.execute("PRAGMA trusted_schema = OFF")
            made.execute("PRAGMA secure_delete = ON")
            made.execute("BEGIN")
            triggers = made.execute(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
            ).fetchall()
            for name, _ in triggers:
                made.execute(f"DROP TRIGGER {_quoted(name)}")
            for table, keys, columns in _tables(made):
                _clean(made, table, keys, columns, cleaner)
            for _, statement in triggers:
                made.execute(statement)
            made.execute("COMMIT")
            made.execute("VACUUM")
    except sqlite3.IntegrityError:
        raise UsageError(
            f"{source}: its constraints do not take the masks; --mask pseudonym keeps values apart"
        ) from None
    except sqlite3.Error:  # its message may quote a value
        raise UsageError(
            f"{source}: cannot be read or copied to its end, so there is no copy"
        ) from None


def _tables(database: sqlite3.Connection) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, what names a row, and the columns that can be changed."""
    names = database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall()
    for (table,) in names:
        info = database.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
        columns = [row[1] for row in info if row[6] == 0]  # not the generated ones
        keys = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]]
        (sql,) = database.execute(
            "SELECT upper(sql) FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
        ).fetchone()
        yield table, keys if "WITHOUT ROWID" in sql else [_rowid(columns)], columns


def _rowid(columns: Sequence[str]) -> str:
    """A name of the row's number that no column has taken."""
    taken = {column.lower() for column in columns}
    return next(name for name in ("rowid", "_rowid_", "oid") if name not in taken)


def _clean(
    database: sqlite3.Connection, table: str, keys: list[str], columns: list[str], cleaner: Cleaner
) -> None:
    key = ", ".join(map(_quoted, keys))
    for column in columns:
        names = shown(table), shown(column)
        select = (
            f"SELECT {key}, {_quoted(column)} FROM {_quoted(table)}"  # noqa: S608
            f" WHERE typeof({_quoted(column)}) IN ('text', 'blob')"
        )
        where = " AND ".join(f"{_quoted(name)} IS ?" for name in keys)
        update = f"UPDATE {_quoted(table)} SET {_quoted(column)} = ? WHERE {where}"  # noqa: S608
        changes: list[tuple[object, ...]] = []
        rows = database.execute(select)
        while part := rows.fetchmany(ROWS):
            values = [row[-1] for row in part]
            for number, clean in cleaner.clean(*names, values).items():
                changes.append((clean, *part[number][:-1]))
        database.executemany(update, changes)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
