"""MySQL and MariaDB, all tables in one snapshot, through a cursor that streams.

``START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY`` holds for tables of InnoDB; others are
read as they are by then. A table that somebody has locked is waited for a short while.
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
LOCK = 10  # seconds that a lock of somebody else is waited for
WRITE = 3600  # seconds that the server waits for us to take a row
_LOST = "the connection is lost"
_SYSTEM = ("information_schema", "performance_schema", "mysql", "sys")

_TABLES = """
    SELECT table_schema, table_name, coalesce(table_rows, 0) FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND (table_schema = %s OR (%s = '' AND table_schema NOT IN %s))
    ORDER BY 1, 2
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
            cursor.execute(f"SET SESSION lock_wait_timeout = {LOCK}, net_write_timeout = {WRITE}")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            cursor.execute(_TABLES, (database, database, _SYSTEM))
            tables = [*cursor.fetchall()]
        for schema, table, rows in tables:
            name = table if database else f"{schema}.{table}"
            shown = f"{address.shown}!{name}"
            if connection.open:
                source = f"{_quoted(schema)}.{_quoted(table)}"
                yield _relation(driver, connection, shown, name, source, int(rows))
            else:
                yield Skipped(path=shown, reason=_LOST)
    except driver.Error as error:
        yield Skipped(path=address.shown, reason=_why(error))
    finally:
        if connection.open:
            connection.close()


def _relation(
    driver: Any, connection: Any, shown: str, name: str, source: str, rows: int
) -> Relation | Skipped:
    """A table with the columns that its rows come with: a list made before may be of another day,
    for columns are not part of the snapshot."""
    from pymysql.cursors import SSCursor

    cursor = connection.cursor(SSCursor)
    try:
        cursor.execute(f"SELECT * FROM {source}")  # noqa: S608  (quoted)
    except driver.Error as error:
        _give_up(connection, cursor)
        return Skipped(path=shown, reason=_why(error))
    columns = tuple(column[0] for column in cursor.description)
    return Relation(name, columns, rows, _data(driver, connection, cursor, shown))


def _data(driver: Any, connection: Any, cursor: Any, shown: str) -> Iterator[bytes | Skipped]:
    try:
        yield from gathered(map(line_of, cursor))
    except driver.Error as error:
        yield Skipped(path=shown, reason=_why(error))
    finally:
        _give_up(connection, cursor)


def _give_up(connection: Any, cursor: Any) -> None:
    """Of rows that nobody will take. The driver would read all of them, also when it is deleted,
    and from a connection that is lost this raises what is no error of its own."""
    result = cursor._result
    if result is not None and result.unbuffered_active:
        result.unbuffered_active = False
        if connection.open:
            connection.close()


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _why(error: Any) -> str:
    """Without the server's words, which may hold values."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    known = {
        1142: "this user may not read it",
        1146: "it was dropped meanwhile",
        1205: "it is locked by somebody else",
        1317: "somebody cancelled it",
        1412: "it was changed meanwhile",
        1927: _LOST,  # MariaDB: the connection was killed
        1969: "it took longer than the server's timeout",
        2006: _LOST,
        2013: _LOST,
        3024: "it took longer than the server's timeout",
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
