"""Live databases: what is in them, where, and nothing of their passwords."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from urllib.parse import urlsplit, urlunsplit

import pymysql
import pytest
from material import example_of
from servers import mariadb, postgres_database, psql


def key(number=0):
    text, start, end = example_of("openai-project-key", number)
    return text[start:end].decode()


def scanned(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "detector", "scan", "--format", "jsonl", *arguments],
        capture_output=True,
        timeout=120,
        check=False,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return done, records


def places(records):
    return sorted(
        (one["table"], one["field"], one["row"]) for one in records if one["type"] == "finding"
    )


TABLES = """
CREATE TABLE "Odd Name" (id int, "a b" text, bytes bytea);
INSERT INTO "Odd Name" VALUES
    (1, 'x', null), (2, E'tab\\t{0}\\nline', null), (3, null, '{1}'::bytea);
CREATE SCHEMA app;
CREATE TABLE app.parts (id int, note text) PARTITION BY RANGE (id);
CREATE TABLE app.low PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
INSERT INTO app.parts VALUES (1, '{2}');
CREATE MATERIALIZED VIEW app.kept AS SELECT id, note FROM app.parts;
"""


def test_every_table_of_postgresql_is_read():
    with postgres_database(TABLES.format(key(0), key(1), key(2))) as url:
        done, records = scanned(url)
    assert done.returncode == 1, done.stderr
    assert places(records) == [
        ("app.kept", "note", 1),
        ("app.low", "note", 1),
        ("public.Odd Name", "a b", 2),
        ("public.Odd Name", "bytes", 3),
    ]
    rows = {one["table"]: one["rows"] for one in records if one["type"] == "table"}
    assert rows == {"app.kept": 1, "app.low": 1, "public.Odd Name": 3}


def test_a_column_that_is_computed_moves_no_other():
    tables = f"""
        CREATE TABLE a (n int, twice int GENERATED ALWAYS AS (n * 2) STORED, note text,
            again text GENERATED ALWAYS AS (note || '') STORED);
        INSERT INTO a (n, note) VALUES (1, 'x'), (2, '{key()}');
        CREATE TABLE child () INHERITS (a);
        INSERT INTO child (n, note) VALUES (3, '{key(1)}');
        CREATE TABLE none (); INSERT INTO none DEFAULT VALUES;
    """
    with postgres_database(tables) as url:
        done, records = scanned(url)
    assert done.returncode == 1, done.stderr
    assert places(records) == [
        ("public.a", "again", 2),
        ("public.a", "note", 2),
        ("public.child", "again", 1),
        ("public.child", "note", 1),
    ]


def test_what_may_not_be_read_is_named_and_the_rest_is_read():
    role = f"r{uuid.uuid4().hex[:10]}"
    setup = f"""
        CREATE TABLE open (note text); INSERT INTO open VALUES ('{key(0)}');
        CREATE TABLE closed (note text); INSERT INTO closed VALUES ('{key(1)}');
        CREATE TABLE filtered (mine bool, note text);
        INSERT INTO filtered VALUES (true, '{key(2)}'), (false, '{key(3)}');
        ALTER TABLE filtered ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON filtered USING (mine);
        CREATE ROLE {role} LOGIN PASSWORD 'pw{role}';
        GRANT SELECT ON open, filtered TO {role};
    """
    with postgres_database(setup) as url:
        try:
            parts = urlsplit(url)
            netloc = f"{role}:pw{role}@{parts.netloc.rpartition('@')[2]}"
            done, records = scanned(urlunsplit(parts._replace(netloc=netloc)))
        finally:
            psql(url, f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert done.returncode == 2
    assert places(records) == [("public.filtered", "note", 1), ("public.open", "note", 1)]
    skipped = {
        one["path"].rpartition("!")[2]: one["reason"] for one in records if one["type"] == "skipped"
    }
    assert skipped.keys() == {"public.closed", "public.filtered"}
    assert f"pw{role}".encode() not in done.stdout + done.stderr
    assert role.encode() not in done.stdout + done.stderr


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_no_server_no_password(scheme):
    done, records = scanned(f"{scheme}://bo:hunter2prod@127.0.0.1:9/app")
    assert done.returncode == 2
    (skipped,) = (one for one in records if one["type"] == "skipped")
    assert skipped["path"] == f"{scheme}://127.0.0.1:9/app"
    assert b"hunter2prod" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr


def test_the_snapshot_is_read_only():
    with postgres_database("CREATE TABLE t (note text)") as url:
        psql(url, f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '{key()}' $$")
        done, _ = scanned(url)
        assert psql(url, "SELECT count(*) FROM t").strip() == b"0"
    assert done.returncode == 0


def test_mariadb_is_read_as_well():
    url = mariadb()
    name = f"detector_{uuid.uuid4().hex[:12]}"
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username,
        password=parts.password or "", autocommit=True,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            cursor.execute(f"CREATE TABLE {name}.`odd ``name` (id int, note text, raw blob)")
            insert = f"INSERT INTO {name}.`odd ``name` VALUES (%s, %s, %s)"
            rows = [(1, "é", None), (2, f"a\tb\n{key(0)}", None), (3, "", key(1).encode())]
            cursor.executemany(insert, rows)
            done, records = scanned(urlunsplit(parts._replace(path=f"/{name}")))
        finally:
            cursor.execute(f"DROP DATABASE {name}")
    assert done.returncode == 1, done.stderr
    assert places(records) == [("odd `name", "note", 2), ("odd `name", "raw", 3)]


def test_a_sqlite_url_is_a_file(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
        database.executemany("INSERT INTO t (note) VALUES (?)", [("x",), (key(),)])
    database.close()
    done, records = scanned(f"sqlite:///{tmp_path / 'a.db'}")
    assert done.returncode == 1, done.stderr
    assert places(records) == [("t", "note", 2)]
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
