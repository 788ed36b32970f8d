"""MySQL and MariaDB, all tables in one snapshot, through a cursor that streams.

``START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY`` holds for tables of InnoDB; others are
read as they are by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from detector.errors import UsageError
from detector.live.addresses import Address
from detector.live.rows import Relation, gathered, line_of
from detector.types import Skipped

CONNECT = 15  # seconds for a connection
READ = 600  # seconds without a row
_SYSTEM = ("information_schema", "performance_schema", "mysql", "sys")

_TABLES = """
    SELECT table_schema, table_name, coalesce(table_rows, 0) FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND (table_schema = %s OR (%s = '' AND table_schema NOT IN %s))
    ORDER BY 1, 2
"""
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""


def relations(address: Address) -> Iterator[Relation | Skipped]:
    """Tables by database and name; all databases where the URL names none."""
    driver = _driver()
    parts = urlsplit(address.url)
    database = unquote(parts.path.strip("/"))
    try:
        connection = driver.connect(
            host=parts.hostname or "localhost",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            charset="utf8mb4",
            connect_timeout=CONNECT,
            read_timeout=READ,
            local_infile=False,
        )
    except (driver.Error, RuntimeError, ValueError):  # its message may name the user
        yield Skipped(path=address.shown, reason="no connection: is the server up, and may we?")
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            cursor.execute(_TABLES, (database, database, _SYSTEM))
            tables = [*cursor.fetchall()]
        for schema, table, rows in tables:
            name = table if database else f"{schema}.{table}"
            with connection.cursor() as cursor:
                cursor.execute(_COLUMNS, (schema, table))
                columns = tuple(column for (column,) in cursor.fetchall())
            data = _data(driver, connection, address, name, schema, table)
            yield Relation(name, columns, int(rows), data)
    except driver.Error as error:
        yield Skipped(path=address.shown, reason=_why(error))
    finally:
        if connection.open:
            connection.close()


def _data(
    driver: Any, connection: Any, address: Address, name: str, schema: str, table: str
) -> Iterator[bytes | Skipped]:
    from pymysql.cursors import SSCursor

    try:
        with connection.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT * FROM {_quoted(schema)}.{_quoted(table)}")  # noqa: S608
            yield from gathered(map(line_of, cursor))
    except driver.Error as error:
        yield Skipped(path=f"{address.shown}!{name}", reason=_why(error))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _why(error: Any) -> str:
    """Without the server's words, which may hold values."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    known = {
        1142: "this user may not read it",
        1146: "it was dropped meanwhile",
        1205: "it is locked by somebody else",
        2006: "the connection is lost",
        2013: "the connection is lost",
    }
    return known.get(number, f"the server says {number}")


def _driver() -> Any:
    try:
        import pymysql
    except ImportError:
        raise UsageError(
            "mysql:// needs PyMySQL: pip install 'secrets-leak-detector[mysql]'"
        ) from None
    return pymysql
