"""Whose rows: owners counted by a column, in every format, against the truth."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
import servers
from commands import run
from hypothesis import given, settings
from hypothesis import strategies as st
from leak import SCALE, leaked
from material import builtin_scanner, sample_of

from bench.database import TABLES, Counts
from bench.database import rows as rows_of
from detector.distinct import Distinct
from detector.fingerprint import Fingerprinter
from detector.run import Options, Run, owners, work
from detector.run.owners import Owned, OwnerColumns, OwnerTally

ASKED = ("Owner_ID", "messages.from_agent")


def _truth(data):
    """By table and column: how many owners the rows with a planted secret have."""
    out = {}
    for table, asked in (("agents", "owner_id"), ("messages", "from_agent")):
        shape = next(one for one in TABLES if one.name == table)
        at = list(shape.columns).index(asked)
        of_row = [row[at] for row in rows_of(shape, Counts.of(SCALE))]
        truth = [one for one in data.truth if one.table == table]
        for column in {one.column for one in truth}:
            rows = {one.row for one in truth if one.column == column}
            out[table, column] = len({of_row[n - 1] for n in rows})
        out[table, None] = len({of_row[one.row - 1] for one in truth})
    return out


def _scanned(path, *names, jobs=1):
    run = Run(builtin_scanner(), [str(path)], Options(jobs=jobs, owner_columns=names))
    for item in run:
        run.count(item)
    return run


def _counts(run):
    """By table and column, as a set of numbers: rules have a line each."""
    short = {one.table: one.table.rpartition(".")[2] for one in run.sums().tables}
    out = {(short[one.table], None): {one.owners} for one in run.sums().tables}
    columns = {}
    for one in run.tables.columns():
        if one.owners is not None:
            columns.setdefault((short[one.table], one.field), set()).add(one.owners)
    return out | columns


FORMATS = ["plain", "custom", "directory", "tar", "inserts", "column-inserts", "mysql", "csv"]
FORMATS += [
    "tsv",
    "jsonl",
    "json",
    "parquet",
    "feather",
    "orc",
    "sqlite",
    "sqlite-dump",
    "plain-gz",
]


@pytest.mark.parametrize("name", FORMATS)
def test_owners_are_those_of_the_truth(name):
    data = leaked(name)
    run = _scanned(data.format(name), *ASKED)
    truth, counts = _truth(data), _counts(run)
    assert run.tables.owners.unseen() == []
    for table in ("agents", "messages"):
        assert counts[table, None] == {truth[table, None]}
    assert counts["agents", "api_key"] == {truth["agents", "api_key"]}
    other = next(one for one in run.sums().tables if one.table.endswith("posts"))
    assert (other.owners, other.owner_column) == (other.rows_found, None)


def test_a_file_that_is_cut_over_several_workers(monkeypatch):
    data = leaked("plain")
    whole = _counts(_scanned(data.format("plain"), *ASKED))
    monkeypatch.setattr(work, "PIECE", 1 << 16)
    monkeypatch.setattr("detector.run.run.PIECE", 1 << 16)
    monkeypatch.setattr("detector.run.run.HEAD_START", 0)
    assert _counts(_scanned(data.format("plain"), *ASKED, jobs=2)) == whole


def _rows(tmp_path, rows):
    path = tmp_path / "keys.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_without_a_column_a_row_is_its_own_owner_and_null_is_none(tmp_path):
    secrets = [sample_of("openai-project-key", n).secret.decode() for n in range(5)]
    whose = [7, 7, None, 8, ""]
    rows = [{"o": o, "t": s} for o, s in zip(whose, secrets, strict=True)]
    path = _rows(tmp_path, rows)
    (table,) = _scanned(path).sums().tables
    assert (table.rows_found, table.owners, table.owner_column) == (5, 5, None)
    (table,) = _scanned(path, "keys.O").sums().tables
    assert (table.owners, table.owner_column) == (2, "o")
    run = _scanned(path, "other.o", "nothing")
    assert next(iter(run.sums().tables)).owners == 5
    assert run.tables.owners.unseen() == ["other.o", "nothing"]


def test_a_live_database():
    data = leaked("plain")
    with servers.postgres_database() as url:
        dump = next(data.format("plain").iterdir())
        servers.psql(url, f"\\i {dump}")
        counts = _counts(_scanned(url, *ASKED))
    truth = _truth(data)
    assert counts["agents", None] == {truth["agents", None]}
    assert counts["messages", None] == {truth["messages", None]}


def test_the_report_has_a_column_only_where_it_was_asked_for(tmp_path):
    rows = [{"o": n % 2, "t": sample_of("openai-project-key", n).secret.decode()} for n in range(5)]
    path = _rows(tmp_path, rows)
    plain = run("scan", path)
    assert "owners" not in plain.out.decode()
    owned = run("scan", "--owner-column", "o", "--owner-column", "nobody", path)
    line = next(one for one in owned.out.decode().splitlines() if "kind" in one)
    assert line.split()[-1] == "owners"
    assert "no table that was read has a column 'nobody'" in owned.err
    assert "'o'" not in owned.err


pairs = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 5)), max_size=60)


@given(pairs, st.lists(st.lists(st.integers(1, 40)), max_size=3), st.integers(1, 9))
@settings(deadline=None)
def test_the_count_is_exact_whatever_lies_on_disk(given_pairs, found, block):
    tally = OwnerTally(OwnerColumns(["o"], Fingerprinter()), in_memory=7)
    for row, owner in given_pairs:
        tally.add(Owned("p", "t", "o", np.array([[row, owner]], np.uint64).tobytes()))
    rows = []
    for numbers in found:
        rows.append(Distinct(in_memory=5, gathered=2))
        rows[-1].add(np.array(numbers, np.uint64))
    wanted = {row for numbers in found for row in numbers}
    before, owners._BLOCK = owners._BLOCK, block
    try:
        expected = len({owner for row, owner in given_pairs if row in wanted})
        assert (tally.count("p", "t", rows) or 0) == expected
    finally:
        owners._BLOCK = before


def test_nothing_that_crosses_a_pipe_or_lies_on_disk_has_a_value():
    columns = OwnerColumns(["o"], Fingerprinter(b"k"))
    spans = columns.spans()
    from detector.tables.jsons import JsonLines

    dialect = JsonLines("t")
    dialect.walk(dialect.begin(), b'{"o": "somebody@example.com"}\n', (), None, spans)
    (owned,) = columns.of_values("p", spans.take())
    assert len(owned.pairs) == 16
    assert b"somebody" not in msgspec.json.encode(owned)
