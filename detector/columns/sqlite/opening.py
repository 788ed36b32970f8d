"""Connections to SQLite files that write nothing and run nothing."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from detector.columns.types import Limits, Unreadable

_WAL = 2  # in bytes 18 and 19 of the header; 1 is a rollback journal
_BUSY, _LOCKED, CORRUPT, TOO_BIG = 5, 6, 11, 18


Broken = (sqlite3.Error, UnicodeError)  # the latter from a message that quotes what it met
Error = sqlite3.Error | Unreadable | UnicodeError | OverflowError


def connect(
    path: str, data: bytes | memoryview | None, limits: Limits
) -> tuple[sqlite3.Connection, tuple[str, int] | None]:
    """To a file, or its bytes; and what of it cannot be read, with its size. Raises what SQLite and
    the system do."""
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
        if code_of(error) in (_BUSY, _LOCKED):
            connection.close()
            raise
        for end, what in (("-wal", "log"), ("-journal", "journal")):
            if _exists(path + end):
                connection.close()
                nbytes = Path(path + end).stat().st_size
                note = f"its {what} ({end}) cannot be read, the file is as it was before or amid it"
                return _open(path, limits, immutable=True), (note, nbytes)
        return connection, None  # says what is wrong with the schema
    except Broken:
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


def code_of(error: BaseException) -> int:
    """SQLite's number for an error, 0 for what is none of its own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def why(error: BaseException) -> str:
    """A reason; SQLite's own texts may quote what they met."""
    if isinstance(error, Unreadable):
        return error.reason
    code = code_of(error)
    reasons = {
        1: "no longer there or not understood",
        _BUSY: "locked by another process",
        _LOCKED: "locked by another process",
        9: "takes too long without giving a row",
        CORRUPT: "damaged",
        14: "cannot be opened",
        TOO_BIG: "a value is too large",
        26: "encrypted or damaged",
    }
    return reasons.get(code, "cannot be read")
