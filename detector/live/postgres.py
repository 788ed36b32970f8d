"""PostgreSQL through ``COPY … TO STDOUT``, all tables in one read-only snapshot.

A statement that stalls ends at a timeout, one that waits for a lock at a shorter one. Where
row-level security would hide rows from this user, what it shows is read, and it is said that this
is not all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from detector.errors import UsageError
from detector.exposure import Exposure, exposure_of_catalog
from detector.live.addresses import Address
from detector.live.rows import Relation, gathered
from detector.types import Skipped

CONNECT = 15  # seconds for a connection
STATEMENT = 3600  # seconds for one table
LOCK = 10  # seconds that a lock of somebody else is waited for

_TABLES = """
    SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::bigint,
           array(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY a.attnum),
           c.relkind = 'r' AND NOT EXISTS (
             SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
             AND pg_catalog.to_jsonb(a) ->> 'attgenerated' <> ''),
           pg_catalog.has_table_privilege(c.oid, 'SELECT')
             AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\\_toast%'
    ORDER BY 1, 2
"""


def relations(address: Address) -> Iterator[Relation | Exposure | Skipped]:
    """Tables, materialised views and foreign tables, by schema and name."""
    psycopg, sql = _driver()
    try:
        connection = psycopg.connect(
            address.url, connect_timeout=CONNECT, application_name="detector"
        )
    except (psycopg.Error, ValueError):  # its message may quote the URL
        yield Skipped(path=address.shown, reason="no connection: is the server up, and may we?")
        return
    with suppress(psycopg.Error), connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            found = _begin(connection)
        except psycopg.Error as error:
            yield Skipped(path=address.shown, reason=f"the catalogue cannot be read: {_why(error)}")
            return
        with suppress(psycopg.Error), connection.transaction():
            yield exposure_of_catalog(connection)
        for schema, table, rows, columns, plain, allowed in found:
            name = f"{schema}.{table}"
            if not allowed:
                yield _lost(address, name, "this user may not read it")
            elif connection.closed:
                yield _lost(address, name, "the connection is lost")
            else:
                source = _Source(sql, schema, table, columns, plain=plain)
                data = _data(psycopg, connection, address, name, source)
                yield Relation(name, tuple(columns), rows, data)


class _Source:
    """The statements that read a table. They name its columns: by then there may be others, which
    are no part of the snapshot. ``plain``: COPY takes it as it is, and no query is needed."""

    def __init__(
        self, sql: Any, schema: str, table: str, columns: list[str], *, plain: bool
    ) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._parts = {"table": sql.Identifier(schema, table), "columns": names}
        # Rows of children are read as theirs.
        self.query = self._statement(sql, "COPY (SELECT {columns} FROM ONLY {table}) TO STDOUT")
        whole = self._statement(sql, "COPY {table} ({columns}) TO STDOUT")
        self.first = whole if plain and columns else self.query

    def _statement(self, sql: Any, text: str) -> Any:
        return sql.SQL(text).format(**self._parts)


def _begin(connection: Any) -> list[tuple[str, str, int, list[str], bool, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL statement_timeout = '{STATEMENT}s'; SET LOCAL lock_timeout = '{LOCK}s';"
            "SET LOCAL row_security = off; SET LOCAL search_path = pg_catalog;"
            "SET LOCAL client_encoding = 'UTF8'; SET LOCAL bytea_output = 'hex'"
        )
        cursor.execute(_TABLES)
        return [*cursor.fetchall()]


def _data(
    psycopg: Any, connection: Any, address: Address, name: str, source: _Source
) -> Iterator[bytes | Skipped]:
    """A table's rows."""
    try:
        try:
            yield from _copied(connection, source.first)
        except psycopg.errors.InsufficientPrivilege:  # of row-level security, before the first row
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL row_security = on")
            yield from _copied(connection, source.query)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL row_security = off")
            yield _lost(address, name, "row-level security shows this user only some of its rows")
    except psycopg.Error as error:
        yield _lost(address, name, _why(error))


def _copied(connection: Any, statement: Any) -> Iterator[bytes]:
    with (
        connection.transaction(),
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        yield from gathered(copy)


def _why(error: Any) -> str:
    """Without the server's words, which may hold values."""
    known = {
        "57014": "it took longer than the timeout, or somebody cancelled it",
        "55P03": "it is locked by somebody else",
        "42P01": "it was dropped meanwhile",
        "42703": "a column of it was dropped meanwhile",
        "42501": "this user may not read it",
    }
    state = getattr(error, "sqlstate", None)
    if state is None or state in ("57P01", "57P02", "57P03"):  # the server ends, or it ended us
        return "the connection is lost"
    return known.get(state, f"the server says {state}")


def _lost(address: Address, table: str, reason: str) -> Skipped:
    return Skipped(path=f"{address.shown}!{table}", reason=reason)


def _driver() -> tuple[Any, Any]:
    try:
        import psycopg
        import psycopg.sql
    except ImportError:
        raise UsageError(
            "postgresql:// needs psycopg: pip install 'secrets-leak-detector[postgres]'"
        ) from None
    return psycopg, psycopg.sql
