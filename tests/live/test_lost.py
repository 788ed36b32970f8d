"""What happens to a live database while it is read: tables that go, connections that break."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymysql
import pytest
from material import example_of
from servers import mariadb, postgres_database

from detector import Scanner
from detector.live.rows import gathered
from detector.run import Options, Run
from detector.types import Skipped

SCANNER = Scanner()
PASSWORD = "hunter2prod"
PATIENCE = 60
FIRST = 5000  # rows of the first table: 16 MB, more than a connection's buffers hold


def key(number=0):
    text, start, end = example_of("openai-project-key", number)
    return text[start:end].decode()


TABLES = f"""
CREATE TABLE a (x TEXT);
INSERT INTO a VALUES ('{key(0)}');
INSERT INTO a SELECT repeat('wxyz 1234 ', 320) FROM {{numbers}} n;
CREATE TABLE b (x TEXT); INSERT INTO b VALUES ('{key(1)}');
CREATE TABLE c (x TEXT); INSERT INTO c VALUES ('{key(2)}');
"""


class Server:
    """A database of three tables on a server of some kind, and a way to disturb who reads it."""

    def __init__(self, kind, url, execute, schema):
        self.kind, self.url, self.execute, self.schema = kind, url, execute, schema
        self.with_password, self.password = url, PASSWORD

    def names(self, *tables):
        return {self.schema + table for table in tables}

    def waiting(self):
        """The connections that wait for a lock."""
        if self.kind == "postgresql":  # which in a transaction shows what it has shown before
            self.execute("SELECT pg_stat_clear_snapshot()")
            return self.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'detector'"
                " AND datname = current_database() AND wait_event_type = 'Lock'"
            )
        return self.execute(
            "SELECT id FROM information_schema.processlist WHERE db IS NULL"
            f" AND state LIKE 'Waiting for table%' AND info LIKE '%{urlsplit(self.url).path[1:]}%'"
        )

    def reading(self):
        """The connections that read."""
        if self.kind == "postgresql":
            return self.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'detector'"
                " AND datname = current_database()"
            )
        name = urlsplit(self.url).path[1:]
        return self.execute(
            "SELECT id FROM information_schema.processlist WHERE id <> connection_id()"
            f" AND info LIKE '%{name}%'"
        )

    def end(self, connections, *, query=False):
        """End connections, or what they do."""
        assert connections
        for (number,) in connections:
            if self.kind == "postgresql":
                what = "pg_cancel_backend" if query else "pg_terminate_backend"
                self.execute(f"SELECT {what}({number})")
            else:
                self.execute(f"KILL {'QUERY ' if query else ''}{number}")


@contextmanager
def a_postgres():
    with (
        postgres_database(TABLES.format(numbers=f"generate_series(2, {FIRST})")) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):

        def execute(sql):
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

        server = Server("postgresql", url, execute, "public.")
        parts = urlsplit(url)  # where nobody is asked for a password, none is refused
        server.password = parts.password or PASSWORD
        user = f"{parts.username or 'postgres'}:{server.password}"
        netloc = f"{user}@{parts.netloc.rpartition('@')[2]}"
        server.with_password = urlunsplit(parts._replace(netloc=netloc))
        yield server


@contextmanager
def a_mariadb():
    parts = urlsplit(mariadb())
    name = f"detector_{uuid.uuid4().hex[:12]}"
    connection = pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username,
        password=parts.password or "", autocommit=True,
    )  # fmt: skip

    def execute(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return [*cursor.fetchall()]

    with connection:
        execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            execute(f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}'")
            execute(f"GRANT SELECT ON {name}.* TO {name}@'%'")
            execute(f"USE {name}")
            for statement in TABLES.format(numbers=f"seq_2_to_{FIRST}").split(";")[:-1]:
                execute(statement)
            server = Server("mysql", urlunsplit(parts._replace(path=f"/{name}")), execute, "")
            netloc = f"{name}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"
            server.with_password = urlunsplit(parts._replace(netloc=netloc, path=f"/{name}"))
            yield server
        finally:
            execute("UNLOCK TABLES")
            execute(f"DROP DATABASE {name}")
            execute(f"DROP USER IF EXISTS {name}@'%'")


@pytest.fixture(params=["postgresql", "mysql"])
def server(request):
    with {"postgresql": a_postgres, "mysql": a_mariadb}[request.param]() as server:
        yield server


def scanned(server, disturb):
    """Findings' tables and what was skipped, while the first rows of the first table make
    ``disturb`` happen."""
    run = Run(SCANNER, [server.url], Options())
    todo = [disturb]

    def watch():
        if run.rows and todo:
            todo.pop()()

    run.watch = watch
    found, skipped = set(), {}
    for one in run:
        if isinstance(one, Skipped):
            skipped[one.path.rpartition("!")[2]] = one.reason
        else:
            found.add(one.table)
    assert not todo
    return found, skipped, run.rows


def test_a_table_that_is_dropped_before_its_turn(server):
    found, skipped, rows = scanned(server, lambda: server.execute("DROP TABLE b"))
    assert found == server.names("a", "c")
    assert skipped == dict.fromkeys(server.names("b"), "it was dropped meanwhile")
    assert rows == FIRST + 1


def test_a_column_that_comes_meanwhile_moves_no_other(server):
    if server.kind == "postgresql":
        found, skipped, _ = scanned(server, lambda: server.execute("ALTER TABLE b ADD y int"))
        assert not skipped
        assert found == server.names("a", "b", "c")
    else:
        change = "ALTER TABLE b ADD y INT FIRST"
        found, skipped, _ = scanned(server, lambda: server.execute(change))
        assert found | server.names("b") == server.names("a", "b", "c")
        assert skipped.keys() <= server.names("b")


def test_a_column_that_goes_meanwhile():
    with a_postgres() as server:
        change = "ALTER TABLE b ADD y text; ALTER TABLE b DROP x"
        found, skipped, _ = scanned(server, lambda: server.execute(change))
    assert found == server.names("a", "c")
    assert skipped == {"public.b": "a column of it was dropped meanwhile"}


def test_who_drops_a_table_that_is_read_waits(server):
    """A lock is held until the end, so nothing is dropped while it is read."""

    def drop():
        if server.kind == "postgresql":
            server.execute("SET lock_timeout = 100")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                server.execute("DROP TABLE a")
        else:
            server.execute("SET lock_wait_timeout = 1")
            with pytest.raises(pymysql.OperationalError):
                server.execute("DROP TABLE a")

    found, skipped, rows = scanned(server, drop)
    assert (found, skipped, rows) == (server.names("a", "b", "c"), {}, FIRST + 2)


def test_a_connection_that_is_lost_half_way(server):
    found, skipped, rows = scanned(server, lambda: server.end(server.reading()))
    assert found == server.names("a")
    assert skipped == dict.fromkeys(server.names("a", "b", "c"), "the connection is lost")
    assert 0 < rows < FIRST


def test_rows_in_front_of_a_loss_are_given():
    def lines():
        yield b"a\n"
        yield b"b\n"
        raise ConnectionError

    given = []
    with pytest.raises(ConnectionError):
        given.extend(gathered(lines()))
    assert b"".join(given) == b"a\nb\n"


def test_what_somebody_cancels_is_one_table(server):
    found, skipped, rows = scanned(server, lambda: server.end(server.reading(), query=True))
    assert found == server.names("a", "b", "c")
    (reason,) = skipped.values()
    assert skipped.keys() == server.names("a")
    assert "somebody cancelled it" in reason
    assert 0 < rows < FIRST


def test_a_statement_that_takes_too_long_is_one_table(monkeypatch):
    monkeypatch.setattr("detector.live.postgres.STATEMENT", 1)
    with a_postgres() as server:  # which waits until somebody takes its rows
        found, skipped, rows = scanned(server, lambda: time.sleep(1.5))
    assert found == server.names("a", "b", "c")
    assert skipped == {"public.a": "it took longer than the timeout, or somebody cancelled it"}
    assert 0 < rows < FIRST


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_table_that_is_locked_is_left_out(kind, monkeypatch):
    monkeypatch.setattr(f"detector.live.{'postgres' if kind == 'postgresql' else 'mysql'}.LOCK", 1)
    with {"postgresql": a_postgres, "mysql": a_mariadb}[kind]() as server:
        lock(server)
        found, skipped, _ = scanned(server, lambda: None)
        unlock(server)
    assert found == server.names("a", "c")
    assert skipped == dict.fromkeys(server.names("b"), "it is locked by somebody else")


def lock(server):
    if server.kind == "postgresql":
        server.execute("BEGIN")
        server.execute("LOCK TABLE b IN ACCESS EXCLUSIVE MODE")
    else:
        server.execute("LOCK TABLES b WRITE")


def unlock(server):
    server.execute("ROLLBACK" if server.kind == "postgresql" else "UNLOCK TABLES")


def test_the_command_says_which_tables_it_lost(server):
    """A real one, caught where it waits for the second table."""
    lock(server)
    command = [sys.executable, "-m", "detector", "scan", "--format", "jsonl", server.with_password]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + PATIENCE
        while not (waiting := server.waiting()):
            assert time.monotonic() < until
            time.sleep(0.02)
        server.end(waiting)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()
        unlock(server)
    records = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 2
    assert {one["table"] for one in records if one["type"] == "finding"} == server.names("a")
    skipped = {one["path"]: one["reason"] for one in records if one["type"] == "skipped"}
    parts = urlsplit(server.url)
    shown = f"{server.kind}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    lost = [f"{shown}!{table}" for table in sorted(server.names("b", "c"))]
    assert skipped == dict.fromkeys(lost, "the connection is lost")
    assert server.password.encode() not in out + err
    assert b"Traceback" not in err
