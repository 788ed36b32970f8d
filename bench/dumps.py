"""The formats a database leaves its server in, each written by the tool that people use.

``write`` takes a PostgreSQL that :mod:`bench.database` has filled. MariaDB gets the same rows
through LOAD DATA first. Every table is written in the order of its key.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import psycopg

from bench.database import TABLES, Table, quoted

MARIADB = "DETECTOR_TEST_MARIADB"
DEFAULT_MARIADB = "mysql://root@127.0.0.1:3306"
BATCH = 50_000  # rows at a time, where they become Python objects

# PostgreSQL's types in MariaDB, Arrow and SQLite. What has no such type goes as text.
_MARIADB = {
    "bigint": "BIGINT", "integer": "INT", "boolean": "TINYINT(1)", "jsonb": "JSON",
    "bytea": "LONGBLOB", "text[]": "JSON", "timestamp with time zone": "DATETIME(6)",
    "timestamp without time zone": "DATETIME(6)",
}  # fmt: skip
_SQLITE = {"bigint": "INTEGER", "integer": "INTEGER", "boolean": "INTEGER", "bytea": "BLOB"}


class Session:
    """One filled database, and the things that several formats share."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url, self._stack = url, stack
        parts = urlsplit(url)
        self.name = parts.path[1:]
        self.environment = os.environ | {
            "PGHOST": parts.hostname or "", "PGPORT": str(parts.port or 5432),
            "PGUSER": unquote(parts.username or ""), "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": self.name,
        }  # fmt: skip
        self.connection = stack.enter_context(psycopg.connect(url))
        # Without, a scan begins where another one is: rows would come in another order.
        self.connection.execute("SET synchronize_seqscans = off; SET timezone = 'UTC'")

    @cached_property
    def mariadb(self) -> str:
        """The name of a database with the same rows, made on first use."""
        return self._stack.enter_context(_mariadb(self))

    def copy(self, query: str, file: IO[bytes], options: str = "") -> None:
        """``COPY (query) TO STDOUT`` into a file."""
        with self.connection.cursor().copy(f"COPY ({query}) TO STDOUT {options}".encode()) as out:
            for data in out:
                file.write(data)

    def rows(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of a query, some at a time."""
        with self.connection.cursor(name="rows", binary=True) as cursor:
            cursor.itersize = BATCH
            cursor.execute(query.encode())
            while batch := cursor.fetchmany(BATCH):
                yield batch


Make = Callable[[Session, Path], None]


class Format(NamedTuple):
    """``make(session, folder)`` writes it. ``small``: for databases of a few thousand rows, as
    nobody would write a large one that way. ``text``: readable as it lies there."""

    make: Make
    small: bool = False
    text: bool = False


def _select(table: Table, change: Callable[[str, str], str] | None = None) -> str:
    """All of a table in its order; ``change(column, type)`` gives another expression."""
    names = (change(quoted(n), kind) if change else quoted(n) for n, kind in table.columns.items())
    order = "ctid" if table.keyless else quoted(next(iter(table.columns)))
    return f"SELECT {', '.join(names)} FROM public.{quoted(table.name)} ORDER BY {order}"


def _pg_dump(name: str, *options: str) -> Make:
    def make(session: Session, folder: Path) -> None:
        target = folder / name
        command = ["pg_dump", *options, f"--file={target}"]
        subprocess.run(command, env=session.environment, check=True)

    return make


def _pg_directory(session: Session, folder: Path) -> None:
    _pg_dump("dump", "--format=directory")(session, folder)


def _gzipped(make: Make) -> Make:
    def both(session: Session, folder: Path) -> None:
        make(session, folder)
        for path in sorted(folder.iterdir()):
            packed = path.with_name(path.name + ".gz")
            with path.open("rb") as source, gzip.GzipFile(packed, "wb", 6, mtime=0) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            path.unlink()

    return both


def _copied(suffix: str, options: str, session: Session, folder: Path) -> None:
    for table in TABLES:
        with (folder / f"{table.name}.{suffix}").open("wb", buffering=1 << 20) as file:
            session.copy(_select(table), file, options)


_csv = partial(_copied, "csv", "WITH (FORMAT csv, HEADER)")
_tsv = partial(_copied, "tsv", "WITH (FORMAT csv, HEADER, DELIMITER E'\\t')")

# Of the formats of COPY only this one leaves backslashes alone; neither byte stands in JSON.
_RAW = "WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"


def _jsonl(session: Session, folder: Path) -> None:
    for table in TABLES:
        with (folder / f"{table.name}.jsonl").open("wb", buffering=1 << 20) as file:
            session.copy(f"SELECT row_to_json(t) FROM ({_select(table)}) AS t", file, _RAW)


def _json(session: Session, folder: Path) -> None:
    _jsonl(session, folder)
    for path in sorted(folder.iterdir()):
        with path.open("rb") as lines, path.with_suffix(".json").open("wb") as file:
            file.write(b"[")
            for number, line in enumerate(lines):
                file.write((b",\n " if number else b"\n ") + line[:-1])
            file.write(b"\n]\n")
        path.unlink()


def _plain_types(name: str, kind: str) -> str:
    """No dictionaries and lists in the driver's hands where text will do."""
    return f"{name}::text" if kind == "jsonb" or kind.startswith("character") else name


def _arrow_type(kind: str) -> Any:
    pa = import_module("pyarrow")
    types = {
        "bigint": pa.int64(), "integer": pa.int32(), "boolean": pa.bool_(), "bytea": pa.binary(),
        "text[]": pa.list_(pa.string()), "timestamp with time zone": pa.timestamp("us", "UTC"),
        "timestamp without time zone": pa.timestamp("us"),
    }  # fmt: skip
    return types.get(kind, pa.string())


def _batches(session: Session, table: Table, schema: Any) -> Iterator[Any]:
    pa = import_module("pyarrow")
    for batch in session.rows(_select(table, _plain_types)):
        columns = zip(zip(*batch, strict=True), schema.types, strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(c, t) for c, t in columns], schema=schema)


def _arrow(suffix: str, session: Session, folder: Path) -> None:
    """Parquet, Feather (version 2, compressed as its makers do) or ORC."""
    pa = import_module("pyarrow")
    for table in TABLES:
        schema = pa.schema([(name, _arrow_type(kind)) for name, kind in table.columns.items()])
        path = str(folder / f"{table.name}.{suffix}")
        batches = _batches(session, table, schema)
        if suffix == "orc":
            with import_module("pyarrow.orc").ORCWriter(path, compression="zlib") as writer:
                for batch in batches:
                    writer.write(pa.Table.from_batches([batch]))
        elif suffix == "parquet":
            with import_module("pyarrow.parquet").ParquetWriter(path, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
        else:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.ipc.new_file(path, schema, options=options) as writer:
                for batch in batches:
                    writer.write_batch(batch)


def _xlsx(session: Session, folder: Path) -> None:
    """A sheet for each table. A cell holds text, a number or nothing: bytes go as text."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    book = import_module("xlsxwriter").Workbook(str(folder / "database.xlsx"), options)
    for table in TABLES:
        sheet = book.add_worksheet(table.name)
        for column, name in enumerate(table.columns):
            sheet.write(0, column, name)
        rows = chain.from_iterable(session.rows(_select(table, _plain_types)))
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, _cell(value))
    book.close()


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, (int, str)) else str(value)


def _sqlite_expression(name: str, kind: str) -> str:
    if kind == "text[]":
        return f"to_json({name})::text"
    return name if kind in {"bigint", "integer", "bytea", "boolean"} else f"{name}::text"


def _sqlite(session: Session, folder: Path) -> None:
    connection = sqlite3.connect(folder / "database.db")
    for table in TABLES:
        key = "" if table.keyless else " PRIMARY KEY"
        columns = [f"{quoted(n)} {_SQLITE.get(k, 'TEXT')}" for n, k in table.columns.items()]
        columns[0] += key
        connection.execute(f"CREATE TABLE {quoted(table.name)} ({', '.join(columns)})")
        into = f"INSERT INTO {quoted(table.name)} VALUES ({','.join('?' * len(columns))})"
        for batch in session.rows(_select(table, _sqlite_expression)):
            connection.executemany(into, batch)
    connection.commit()
    connection.close()


def _sqlite_dump(session: Session, folder: Path) -> None:
    _sqlite(session, folder)
    with (folder / "dump.sql").open("wb") as file:
        subprocess.run(["sqlite3", folder / "database.db", ".dump"], stdout=file, check=True)
    (folder / "database.db").unlink()


def mariadb_server() -> SplitResult:
    """Where MariaDB is: the URL in ``DETECTOR_TEST_MARIADB``, or the one of compose.yaml."""
    return urlsplit(os.environ.get(MARIADB) or DEFAULT_MARIADB)


def _command(program: str, *arguments: str) -> list[str]:
    server = mariadb_server()
    return [
        program, "--no-defaults", f"--host={server.hostname}", f"--port={server.port or 3306}",
        "--protocol=tcp", f"--user={unquote(server.username or 'root')}",
        "--default-character-set=utf8mb4", *arguments,
    ]  # fmt: skip


def _mysql_environment() -> dict[str, str]:
    return os.environ | {"MYSQL_PWD": unquote(mariadb_server().password or "")}


def _client(program: str, *arguments: str) -> None:
    subprocess.run(_command(program, *arguments), env=_mysql_environment(), check=True)


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _for_mariadb(name: str, kind: str) -> str:
    match kind:
        case "bytea":
            return f"encode({name}, 'hex')"
        case "text[]":
            return f"to_json({name})"
        case "boolean":
            return f"{name}::int"
        case "timestamp with time zone":
            return f"{name} AT TIME ZONE 'UTC'"
    return name


@contextmanager
def _mariadb(session: Session) -> Iterator[str]:
    """COPY's text is what LOAD DATA reads by default, but for bytes: those come as hex."""
    name = session.name
    _client("mysql", f"--execute=CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        for table in TABLES:
            _client("mysql", name, f"--execute={_mariadb_table(table)}")
            _load(session, table, name)
        yield name
    finally:
        _client("mysql", f"--execute=DROP DATABASE {name}")


def _mariadb_table(table: Table) -> str:
    columns = [f"{_ticked(n)} {_MARIADB.get(k, 'LONGTEXT')}" for n, k in table.columns.items()]
    if not table.keyless:
        columns[0] += " PRIMARY KEY"
    return f"CREATE TABLE {_ticked(table.name)} ({', '.join(columns)}) ENGINE=InnoDB"


def _load(session: Session, table: Table, name: str) -> None:
    names = {n: "@hex" if kind == "bytea" else _ticked(n) for n, kind in table.columns.items()}
    sets = [f"{_ticked(n)} = UNHEX(@hex)" for n, kind in table.columns.items() if kind == "bytea"]
    statement = (
        f"LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE {_ticked(table.name)}"
        f" CHARACTER SET utf8mb4 ({', '.join(names.values())})"
        + (f" SET {', '.join(sets)}" if sets else "")
    )
    with subprocess.Popen(
        _command("mysql", "--local-infile=1", name, f"--execute={statement}"),
        env=_mysql_environment(), stdin=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        session.copy(_select(table, _for_mariadb), process.stdin)
        process.stdin.close()
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, "mysql")


def _mysqldump(session: Session, folder: Path, *options: str) -> None:
    _client(
        "mysqldump", "--order-by-primary", "--single-transaction", *options,
        f"--result-file={folder / 'dump.sql'}", session.mariadb,
    )  # fmt: skip


def _mysql_single(session: Session, folder: Path) -> None:
    _mysqldump(session, folder, "--skip-extended-insert")


FORMATS: dict[str, Format] = {
    "plain": Format(_pg_dump("dump.sql"), text=True),
    "plain-gz": Format(_gzipped(_pg_dump("dump.sql"))),
    "custom": Format(_pg_dump("dump.dump", "--format=custom")),
    "custom-raw": Format(_pg_dump("dump.dump", "--format=custom", "--compress=0")),
    "directory": Format(_pg_directory),
    "tar": Format(_pg_dump("dump.tar", "--format=tar")),
    "inserts": Format(_pg_dump("dump.sql", "--inserts"), small=True, text=True),
    "column-inserts": Format(
        _pg_dump("dump.sql", "--column-inserts", "--rows-per-insert=100"), small=True, text=True
    ),
    "mysql": Format(_mysqldump, text=True),
    "mysql-single": Format(_mysql_single, small=True, text=True),
    "csv": Format(_csv, text=True),
    "csv-gz": Format(_gzipped(_csv)),
    "tsv": Format(_tsv, text=True),
    "jsonl": Format(_jsonl, text=True),
    "jsonl-gz": Format(_gzipped(_jsonl)),
    "json": Format(_json, text=True),
    "parquet": Format(partial(_arrow, "parquet")),
    "feather": Format(partial(_arrow, "feather")),
    "orc": Format(partial(_arrow, "orc")),
    "xlsx": Format(_xlsx, small=True),
    "sqlite": Format(_sqlite),
    "sqlite-dump": Format(_sqlite_dump, text=True),
}
"""Every format by name."""

SMALL = 0.05  # the largest scale at which all are written


def usual(scale: float) -> list[str]:
    """The formats that make sense at this scale."""
    return [name for name, one in FORMATS.items() if scale <= SMALL or not one.small]


def write(url: str, folder: Path, formats: Iterable[str]) -> None:
    """Write these formats of the database at ``url``, each into a folder of its own in ``folder``.

    :raises subprocess.CalledProcessError: when a tool fails; what was whole before stays."""
    with ExitStack() as stack:
        session = Session(url, stack)
        for name in formats:
            began = time.perf_counter()
            part = folder / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            FORMATS[name].make(session, part)
            part.rename(folder / name)
            print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
