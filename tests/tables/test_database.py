"""The leaked database and its truth: row n of every format is row n of the truth."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import subprocess

import msgspec
import pytest
import servers
from hypothesis import given
from hypothesis import strategies as st
from leak import SCALE, leaked

from bench.database import RULES, SEED, TABLES, Counts, Text, Truth, planted, rows
from bench.dumps import FORMATS
from bench.tables import Found, compare, within
from detector import Scanner

COUNTS = Counts.of(SCALE)
PLANTED = [table for table in TABLES if any(one.table == table.name for one in planted(COUNTS))]


def _expected(table):
    return list(rows(table, COUNTS))


def _cell(value):
    """The text in a cell of any reader; bytes stand as hex where a format has no bytes."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return bytes.fromhex(text[2:]) if text.startswith("\\x") else text.encode()


def _holds(table, found):
    """Every planted secret stands in its row and column, and no row is missing or too many."""
    expected = _expected(table)
    assert len(found) == len(expected)
    for row, cells in zip(expected, found, strict=True):
        for column, value in zip(table.columns, row, strict=True):
            if isinstance(value, Text):
                assert all(one.value in _cell(cells[column]) for one in value.planted)


def _read_csv(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _read_jsonl(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _read_arrow(path):
    pytest.importorskip("pyarrow")
    from pyarrow import feather, orc, parquet

    readers = {".parquet": parquet, ".feather": feather, ".orc": orc}
    return readers[path.suffix].read_table(str(path)).to_pylist()


READERS = {
    "csv": _read_csv,
    "tsv": lambda path: _read_csv(path, "\t"),
    "jsonl": _read_jsonl,
    "json": lambda path: json.loads(path.read_bytes()),
    "parquet": _read_arrow,
    "feather": _read_arrow,
    "orc": _read_arrow,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("table", PLANTED, ids=lambda table: table.name)
def test_a_file_for_each_table_has_its_rows_in_order(name, table):
    folder = leaked(name).format(name)
    _holds(table, READERS[name](folder / f"{table.name}.{name}"))


def _of_sqlite(connection, table):
    connection.row_factory = sqlite3.Row
    return list(connection.execute(f'SELECT * FROM "{table.name}"'))


@pytest.mark.parametrize("name", ["sqlite", "sqlite-dump"])
def test_sqlite_has_its_rows_in_order(name):
    folder = leaked(name).format(name)
    if name == "sqlite":
        connection = sqlite3.connect(folder / "database.db")
    else:
        connection = sqlite3.connect(":memory:")
        connection.executescript((folder / "dump.sql").read_text("utf-8"))
    for table in PLANTED:
        _holds(table, _of_sqlite(connection, table))
    connection.close()


@pytest.mark.parametrize(
    "name", ["plain", "custom", "custom-raw", "directory", "tar", "inserts", "column-inserts"]
)
def test_a_dump_restores_in_order(name):
    """COPY into a table of the same transaction keeps the order; INSERT fills gaps, and is read by
    the key."""
    dump = next(leaked(name).format(name).iterdir())
    with servers.postgres_database() as url:
        program = ["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f"]
        if not name.endswith(("plain", "inserts")):
            program = ["pg_restore", "--exit-on-error"]
        command = [*program, dump, "--single-transaction", "-d", url]
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
        for table in PLANTED:
            order = "id" if name.endswith("inserts") else "ctid"
            query = (
                f'SELECT row_to_json(t) FROM (SELECT * FROM "{table.name}" ORDER BY {order}) AS t'
            )
            _holds(table, [json.loads(line) for line in servers.psql(url, query).splitlines()])


@pytest.mark.parametrize("name", ["mysql", "mysql-single", "inserts", "column-inserts"])
def test_inserted_rows_are_in_order(name):
    text = (leaked(name).format(name) / "dump.sql").read_bytes()
    agents = re.findall(rb"[ ,\n\t]\((\d+), ?\d+, ?'agent(\d+)'", text)
    assert [int(number) for number, _ in agents] == list(range(1, COUNTS.agents + 1))
    assert all(number == name for number, name in agents)
    statements = {"mysql": 1, "column-inserts": COUNTS.agents // 100}
    heads = len(re.findall(rb"INSERT INTO (?:public\.|`)agents", text))
    assert heads == statements.get(name, COUNTS.agents)
    if name.startswith("mysql"):  # bytes are bytes there
        for row in _expected(next(table for table in TABLES if table.name == "attachments")):
            assert row[-1].planted[0].value in text


def test_the_truth_is_what_the_rules_call_it():
    """Scanned alone, each planted value is found by its rule with the fingerprint of the truth."""
    scanner = Scanner()
    truth = iter(planted(COUNTS))
    for table in PLANTED:
        for number, row in enumerate(rows(table, COUNTS), 1):
            for column, value in zip(table.columns, row, strict=True):
                for one in value.planted if isinstance(value, Text) else ():
                    said = next(truth)
                    assert (said.table, said.column, said.row) == (table.name, column, number)
                    assert said.rule == RULES[one.kind]
                    (found,) = scanner.scan(one.value)
                    assert (found.rule, found.fingerprint) == (said.rule, said.fingerprint)
    assert next(truth, None) is None


def test_the_truth_file_holds_no_secret():
    found = leaked()
    text = (found.folder / "truth.jsonl").read_bytes()
    assert [msgspec.json.decode(line, type=Truth) for line in text.splitlines()] == list(
        planted(COUNTS)
    )
    assert not list(Scanner().scan(text))


def test_another_seed_gives_other_rows():
    owners = TABLES[0]
    assert list(rows(owners, COUNTS)) == list(rows(owners, COUNTS, SEED))
    assert list(rows(owners, COUNTS)) != list(rows(owners, COUNTS, SEED + 1))


def _finding(one, **changes):
    said = {"table": f"public.{one.table}", "field": one.column, "row": one.row} | changes
    return Found(type="finding", rule=one.rule, fingerprint=one.fingerprint, **said)


places = st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"]), st.integers(1, 4))
truths = st.lists(
    st.builds(lambda s, p: Truth("r", *p, s), st.sampled_from("stuv"), places), min_size=1
)


@given(truths, st.randoms(use_true_random=False))
def test_all_findings_in_any_order_are_right(truth, rng):
    findings = [_finding(one) for one in truth]
    rng.shuffle(findings)
    said = compare(truth, findings)
    assert said.right
    assert said.placed == len(truth)


@given(truths, st.data())
def test_whatever_is_wrong_is_said(truth, data):
    number = data.draw(st.integers(0, len(truth) - 1))
    findings = [_finding(one) for one in truth]
    one = truth[number]
    less = compare(truth, findings[:number] + findings[number + 1 :])
    assert (less.right, less.missed) == (False, {"r": 1})
    more = compare(truth, [*findings, _finding(one)])
    assert (more.right, more.repeated) == (False, 1)
    findings[number] = _finding(one, row=9)
    moved = compare(truth, findings)
    assert (moved.right, moved.misplaced, moved.found) == (False, 1, len(truth))
    findings[number] = _finding(one, row=None)
    assert compare(truth, findings).nowhere == 1
    other = compare(truth, [*findings, Found(type="finding", rule="q", fingerprint="-")])
    assert other.extra == {"q in None.None": 1}


def test_a_part_of_a_column_is_within_it():
    assert within("meta", "meta")
    assert within("meta.env", "meta")
    assert within("tags[1]", "tags")
    assert not within("metadata", "meta")
    assert not within("met", "meta")


def test_every_format_is_known_to_a_test():
    tested = {*READERS, "sqlite", "sqlite-dump", "mysql", "mysql-single", "plain", "custom"}
    tested |= {"custom-raw", "directory", "tar", "inserts", "column-inserts"}
    packed = {"plain-gz", "csv-gz", "jsonl-gz"}  # the same bytes
    assert FORMATS.keys() - tested - packed == {"xlsx"}
