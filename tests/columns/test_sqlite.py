"""SQLite files that sqlite3 writes: every table, value and row; damage, locks and logs."""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import threading
import time
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.columns import Chunk, Limits, kind_of, open_columns

from .conftest import Given


def _database(path, *statements, rows=(), pragmas=()):
    with closing(sqlite3.connect(path)) as connection:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        for statement in statements:
            connection.execute(statement)
        for sql, values in rows:
            connection.executemany(sql, values)
        connection.commit()
    return path


def _sorts(rng):
    return rng.choice([None, 7, 1.5, "", "text", "é\n", b"\xff\0", b"blob", rng.randbytes(9).hex()])


def _bytes(value):
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    return str(value).encode()


@pytest.fixture
def mixed(tmp_path):
    rng = random.Random(1)
    rows = [(n, _sorts(rng), _sorts(rng), n * 2) for n in range(1, 3001)]
    path = _database(
        tmp_path / "odd ?#%é.db",
        'CREATE TABLE "a ""b" (id INTEGER PRIMARY KEY, "the \'x\'" , y TEXT, n INT)',
        'CREATE INDEX covering ON "a ""b" (n DESC, y, "the \'x\'")',
        "CREATE TABLE keyed (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID",
        "CREATE TABLE empty (a, b)",
        "CREATE TABLE shadowed (rowid TEXT, oid TEXT, _rowid_ TEXT)",
        "CREATE TABLE computed (a TEXT, b TEXT AS (a || 'v'), c TEXT AS (a || 's') STORED)",
        "CREATE VIEW seen AS SELECT 'in a view'",
        "CREATE TRIGGER t AFTER INSERT ON empty BEGIN SELECT 'in a trigger'; END",
        rows=[
            ('INSERT INTO "a ""b" VALUES (?, ?, ?, ?)', rows),
            ("INSERT INTO keyed VALUES (?, ?)", [("b", b"2"), ("a", b"1")]),
            ("INSERT INTO shadowed VALUES (?, ?, ?)", [("x", "y", "z"), ("1", "2", "3")]),
            ("INSERT INTO computed (a) VALUES (?)", [("w",)]),
        ],
    )
    return path, rows


@pytest.mark.parametrize("way", ["path", "bytes", "wal", "wal bytes"])
def test_every_table_and_value(way, mixed, given):
    path, rows = mixed
    if "wal" in way:
        _database(path, pragmas=["journal_mode=wal"])
    before = sorted(path.parent.iterdir())
    got = given(path.read_bytes() if "bytes" in way else path)
    assert sorted(path.parent.iterdir()) == before
    assert not got.skipped
    name = 'a "b'
    assert got.tables[name] == (name, ("id", "the 'x'", "y", "n"), 3000)
    assert got.values[name, "the 'x'"] == [(n, _bytes(x)) for n, x, _, _ in rows]
    # What has TEXT as its type turns numbers into text itself.
    assert got.values[name, "y"] == [(n, _bytes(y)) for n, _, y, _ in rows]
    assert got.nulls[name, "y"] == sum(y is None for _, _, y, _ in rows)
    assert (name, "n") not in got.values and (name, "id") not in got.values
    assert got.values["keyed", "v"] == [(1, b"1"), (2, b"2")]
    assert got.tables["empty"] == ("empty", ("a", "b"), 0)
    assert got.column("rowid", "shadowed") == [b"x", b"1"]
    assert got.column("c", "computed") == [b"ws"]
    assert ("computed", "b") not in got.values
    assert "seen" not in got.tables
    ddl = b"\n".join(got.column("sql", "sqlite_schema"))
    assert b"in a view" in ddl and b"in a trigger" in ddl


def test_rows_are_in_the_order_of_the_table_not_of_an_index(tmp_path, given):
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE t (a TEXT, b TEXT AS (a || 'v'), c TEXT AS (a || 'w'))",
        "CREATE INDEX covering ON t (a)",
        rows=[("INSERT INTO t (a) VALUES (?)", [("z",), ("y",), ("x",)])],
    )
    assert given(path).column("a") == [b"z", b"y", b"x"]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_encodings_of_a_database(encoding, tmp_path, given):
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE t (a)",
        rows=[("INSERT INTO t VALUES (?)", [("é€",), (None,)])],
        pragmas=[f"encoding='{encoding}'"],
    )
    assert given(path).values["t", "a"] == [(1, "é€".encode()), (2, b"")]


def test_virtual_tables_are_read_by_what_they_keep(tmp_path, given):
    try:
        path = _database(
            tmp_path / "a.db",
            "CREATE VIRTUAL TABLE notes USING fts5(body)",
            rows=[("INSERT INTO notes VALUES (?)", [("indexed text",)])],
        )
    except sqlite3.OperationalError:
        pytest.skip("no fts5 here")
    got = given(path)
    assert got.column("c0", "notes_content") == [b"indexed text"]
    assert "notes" not in got.tables


def test_chunks_are_bounded(tmp_path, given):
    rng = random.Random(2)
    rows = [(rng.randbytes(rng.randrange(40)).hex(), "x") for _ in range(20_000)]
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE t (a, b)",
        rows=[("INSERT INTO t VALUES (?, ?)", rows)],
    )
    got = given(path, limits=Limits(chunk_bytes=1 << 16))
    assert got.largest < 1 << 17
    assert got.values["t", "a"] == list(enumerate((a.encode() for a, _ in rows), 1))
    assert given(path, limits=Limits(total_bytes=1 << 16)).skipped[-1].reason == (
        "sqlite: expands to more than 65536 bytes"
    )


def test_a_value_that_is_too_large_loses_its_row_only(tmp_path, given):
    rows = [("a",), ("b" * 5000,), ("c",), ("d" * 6000,), ("e",)]
    path = _database(
        tmp_path / "a.db", "CREATE TABLE t (a)", rows=[("INSERT INTO t VALUES (?)", rows)]
    )
    got = given(path, limits=Limits(value_bytes=2000))
    assert got.values["t", "a"] == [(1, b"a"), (3, b"c"), (5, b"e")]
    assert [s.reason for s in got.skipped] == [
        "SQLite: table t from row 2 on: a value is too large",
        "SQLite: table t from row 4 on: a value is too large",
    ]
    assert got.tables["t"].rows == 5


# Logs and locks


def test_what_only_the_log_holds_is_read(tmp_path, given):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=wal")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE t (a)")
        writer.executemany("INSERT INTO t VALUES (?)", [("x",)] * 9)
        writer.commit()
        assert given(path).column("a") == [b"x"] * 9
        copy = tmp_path / "copy" / "a.db"
        copy.parent.mkdir()
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    assert given(copy).column("a") == [b"x"] * 9


def test_a_locked_database_is_no_hang(mixed, given):
    path, _ = mixed
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        got = given(path, limits=Limits(busy_seconds=0.2))
        assert time.monotonic() - begun < 5
    assert [s.reason for s in got.skipped] == ["SQLite: locked by another process"]
    assert got.skipped[0].nbytes == path.stat().st_size
    assert not got.values and not got.tables


def test_a_transaction_that_broke_off_is_said(tmp_path, given):
    """A journal that is hot: whoever wrote it is gone."""
    path = tmp_path / "a.db"
    _database(path, "CREATE TABLE t (a)", rows=[("INSERT INTO t VALUES (?)", [("x" * 900,)] * 99)])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size=1")
        writer.execute("BEGIN")
        writer.execute("UPDATE t SET a = a || 'y'")
        for name in ("a.db", "a.db-journal"):
            shutil.copy(tmp_path / name, tmp_path / f"copy-{name}")
    got = given(tmp_path / "copy-a.db")
    assert len(got.column("a")) > 50
    assert got.skipped[0].reason.startswith("SQLite: its journal (-journal) cannot be read")


def test_a_table_dropped_while_it_is_read_is_said(tmp_path):
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE first (a)",
        "CREATE TABLE second (a)",
        rows=[
            ("INSERT INTO first VALUES (?)", [("x",)]),
            ("INSERT INTO second VALUES (?)", [("y",)]),
        ],
    )
    items = []
    for item in open_columns(str(path), "a.db"):
        items.append(item)
        if isinstance(item, Chunk) and item.table == "first":
            _database(path, "DROP TABLE second")
    got = Given(items)
    assert got.column("a", "first") == [b"x"]
    assert [s.reason for s in got.skipped] == [
        "SQLite: table second: no longer there or not understood"
    ]


def test_nothing_is_written_and_nothing_is_run(mixed, given):
    path, _ = mixed
    before = path.read_bytes()
    given(path)
    assert path.read_bytes() == before


def test_no_file_and_no_database(tmp_path, given):
    assert [s.reason for s in given(tmp_path / "none.db").skipped] == ["cannot be opened"]
    other = tmp_path / "a.db"
    other.write_bytes(b"SQLite format 3\0" + bytes(5000))
    (skipped,) = given(other).skipped
    assert skipped.reason == "SQLite: encrypted or damaged"
    assert skipped.nbytes == 5016


# Damage


def _pages(path, table):
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    return root


def test_rows_behind_a_damaged_page_are_read(tmp_path, given):
    rng = random.Random(3)
    rows = [(n, rng.randbytes(60).hex()) for n in range(1, 2001)]
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
        rows=[("INSERT INTO t VALUES (?, ?)", rows)],
        pragmas=["page_size=4096"],
    )
    raw = bytearray(path.read_bytes())
    leaves = [at for at in range(0, len(raw), 4096) if raw[at] == 13]  # b-tree leaves of tables
    assert len(leaves) > 30
    for at in (leaves[7], leaves[20]):
        raw[at : at + 4096] = b"\xee" * 4096
    got = given(bytes(raw))
    values = dict(got.values["t", "a"])
    assert all(values[row] == rows[row - 1][1].encode() for row in values)
    per_page = 2000 / len(leaves)
    assert 2000 - 6 * per_page < len(values) < 2000 - per_page
    assert max(values) == 2000
    assert [s.reason.split(" from")[0] for s in got.skipped] == ["SQLite: table t"] * 2
    assert all(s.reason.endswith(": damaged") for s in got.skipped)


def test_a_definition_that_is_damaged_loses_its_table_only(tmp_path, given):
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE first (a)",
        "CREATE TABLE second (a)",
        rows=[
            ("INSERT INTO first VALUES (?)", [("x",)]),
            ("INSERT INTO second VALUES (?)", [("y",)]),
        ],
    )
    raw = path.read_bytes().replace(b"CREATE TABLE second", b"CREATE TAXXE second")
    got = given(raw)
    assert got.column("a", "first") == [b"x"]
    assert [s.reason for s in got.skipped] == [
        "SQLite: part of its schema: damaged",
        "SQLite: table second: no longer there or not understood",
    ]


def test_pages_that_refer_to_each_other_end(tmp_path, given):
    """An inner page whose children are all the same one: rows without end, but for their order."""
    rows = [(n, "x" * 90) for n in range(1, 5001)]
    path = _database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
        rows=[("INSERT INTO t VALUES (?, ?)", rows)],
        pragmas=["page_size=1024"],
    )
    raw = bytearray(path.read_bytes())
    start = (_pages(path, "t") - 1) * 1024
    assert raw[start] == 5
    n = int.from_bytes(raw[start + 3 : start + 5], "big")
    cells = [int.from_bytes(raw[start + 12 + 2 * i : start + 14 + 2 * i], "big") for i in range(n)]
    child = raw[start + cells[0] : start + cells[0] + 4]
    for cell in cells:
        raw[start + cell : start + cell + 4] = child
    got = given(bytes(raw))
    assert len(got.column("a")) < 5000
    assert any("not in order" in s.reason or "damaged" in s.reason for s in got.skipped)


def _sample():
    rng = random.Random(4)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA page_size=512")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b)")
        connection.execute("CREATE TABLE k (a TEXT PRIMARY KEY, b) WITHOUT ROWID")
        connection.execute("CREATE INDEX i ON t (b)")
        rows = [(rng.randbytes(8).hex(), _sorts(rng)) for _ in range(300)]
        connection.executemany("INSERT INTO t (a, b) VALUES (?, ?)", rows)
        connection.executemany("INSERT INTO k VALUES (?, ?)", rows)
        connection.execute("INSERT INTO t (a) VALUES (?)", ("long" * 900,))
        connection.commit()
        return connection.serialize()


SAMPLE = _sample()


@given(data=st.data())
@settings(max_examples=150, deadline=20_000, suppress_health_check=[HealthCheck.too_slow])
def test_damage_anywhere_never_raises(data):
    raw = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(16, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        page = 512 * data.draw(st.integers(0, len(raw) // 512 - 1))
        raw[page : page + 512] = data.draw(st.sampled_from([bytes(512), b"\xff" * 512, raw[:512]]))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(16, len(raw))) :]
    got = Given(open_columns("", "t", kind="sqlite", data=bytes(raw)))
    for skipped in got.skipped:
        assert len(skipped.reason) < 300


def test_the_kind():
    assert kind_of(SAMPLE[:4096]) == "sqlite"
    assert kind_of(b"ORCHARD,TREE\nnorth,7\n") is None
    assert kind_of(b"PK\3\4" + bytes(100)) is None
    assert kind_of(b"") is None


def test_it_may_be_read_in_another_thread(mixed):
    path, _ = mixed
    items = open_columns(str(path), "a.db")
    first, rest = next(items), []
    thread = threading.Thread(target=lambda: rest.extend(items))
    thread.start()
    thread.join()
    assert first and len(rest) > 5
    assert sys.getsizeof(rest) < 10_000
