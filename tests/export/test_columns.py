"""Columns that a scan reports as a whole: no value of them is left, and the file still loads."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import uuid
from contextlib import closing
from functools import cache
from itertools import pairwise
from random import Random

import pyarrow
import pyarrow.parquet
import pytest
from commands import run
from hypothesis import given, settings
from hypothesis import strategies as st
from leak import leaked
from material import builtin_scanner, sample_of
from servers import postgres_database, psql

from bench.database import UNKNOWN
from detector.cli.redact import redact
from detector.export.columns import ColumnFilter, ColumnMask
from detector.fingerprint import Fingerprinter
from detector.mask import Mask
from detector.run import Run
from detector.tables.csvs import Csv
from detector.tables.jsons import JsonArray, JsonLines
from detector.tables.sql import Sql
from detector.types import Finding

FORMATS = ("plain", "inserts", "mysql", "csv", "jsonl", "json", "parquet", "sqlite", "sqlite-dump")


def cleaned(source, target, mask="pseudonym"):
    """Redacts as the command does, in this process."""
    nothing = {"patterns": None, "min_confidence": None, "precision": None, "model": None}
    status = redact(
        str(source), output_file=target, mask=Mask(mask), rules="", engine="auto", **nothing
    )
    assert status == 0
    return target


def scanned(path):
    """What a scan of it reports."""
    scan, found = Run(builtin_scanner(), [str(path)]), []
    for one in scan:
        if isinstance(one, Finding):
            scan.count(one)
            found.append(one)
    return found


@cache
def tokens():
    (source,) = (f for f in leaked("csv").format("csv").iterdir() if f.stem == UNKNOWN[0])
    with source.open(encoding="utf-8", newline="") as file:
        return [row[UNKNOWN[1]].encode() for row in csv.DictReader(file)]


def source_of(name, folder):
    """The file of a format in which the unknown tokens are."""
    files = sorted(leaked("jsonl" if name == "json" else name).format(
        "jsonl" if name == "json" else name
    ).iterdir())  # fmt: skip
    source = next((f for f in files if f.stem == UNKNOWN[0]), files[0])
    if name == "json":
        lines = source.read_text(encoding="utf-8").splitlines()
        source = folder / "agents.json"
        source.write_text("[" + ",\n".join(lines) + "]", encoding="utf-8")
    return source


def content(path):
    """All that is in a file, unpacked."""
    if path.suffix == ".parquet":
        return repr(pyarrow.parquet.read_table(path).to_pydict()).encode()
    return path.read_bytes()


def rows(name, path):
    if name == "parquet":
        return pyarrow.parquet.read_metadata(path).num_rows
    if name == "sqlite":
        with closing(sqlite3.connect(path)) as database:
            return database.execute("SELECT count(*) FROM agents").fetchone()
    return path.read_bytes().count(b"\n")


@pytest.mark.parametrize("name", FORMATS)
def test_no_piece_of_a_token_is_left_in_any_format(name, tmp_path):
    source = source_of(name, tmp_path)
    clean = cleaned(source, tmp_path / f"clean{source.suffix}")
    assert rows(name, clean) == rows(name, source)
    assert scanned(clean) == []
    before, after = content(source), content(clean)
    bodies = [token[10:] for token in tokens()]
    for body in bodies:
        assert body in before
        for at in (0, 8, len(body) - 8):
            assert body[at : at + 8] not in after
    names = [Fingerprinter().pseudonym(token, 32)[:12].encode() for token in tokens()]
    assert len({*names}) == len({*tokens()})
    assert all(name in after for name in names)


def test_the_command_finds_nothing_in_its_copy(tmp_path):
    source, clean = source_of("plain", tmp_path), tmp_path / "clean.sql"
    done = run("redact", source, "--output", clean, "--mask", "pseudonym")
    assert done.status == 0
    assert f"unknown-token-column {len(tokens())}" in done.err
    assert run("scan", "--format", "jsonl", clean).status == 0


# A password each, some of them awkward to write; sessions by a UUID, which is their type.
ODD = ["it's1a'b", 'say"2b"x', "back\\3c\\", "ünï4d€code", "t\tab5;x,y", "(6),('x", "[7a]{b}z"]
ROWS = 300


@cache
def accounts():
    rng = Random(5)
    words = [f"{rng.choice('aeimos')}{rng.getrandbits(40):x}{rng.choice('!?#')}" for _ in range(90)]
    passwords = [*ODD, *words]
    drawn = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        (
            n,
            None if n % 10 == 3 else passwords[n % len(passwords)],
            str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "".join(rng.choices(drawn, k=24)),
        )
        for n in range(1, ROWS + 1)
    ]


COLUMNS = ("id", "password", "session_token", "access_token")
DEFINED = """
CREATE TABLE accounts (id int PRIMARY KEY, password varchar(20), session_token uuid UNIQUE,
    access_token varchar(24) NOT NULL UNIQUE);
CREATE TABLE logins (id int PRIMARY KEY,
    session_token uuid REFERENCES accounts (session_token), access_token varchar(24));
"""


def literal(value):
    return "NULL" if value is None else f"'{value.replace(chr(39), 2 * chr(39))}'"


def filled():
    made = [f"({n},{literal(p)},'{s}','{t}')" for n, p, s, t in accounts()]
    same = [f"({n},'{s}','{t}')" for n, _, s, t in accounts()]
    return (
        f"{DEFINED}INSERT INTO accounts VALUES {','.join(made)};"
        f"INSERT INTO logins VALUES {','.join(same)};"
    )


COUNTS = """
SELECT count(*), count(password), count(DISTINCT session_token), count(DISTINCT access_token)
    FROM accounts;
SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) n FROM accounts GROUP BY password) x;
SELECT count(*) FROM logins JOIN accounts USING (session_token, access_token);
SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1;
"""


@pytest.mark.parametrize("option", ["--no-owner", "--inserts"])
def test_a_dump_is_restored_with_its_keys_and_joins(option, tmp_path):
    source, clean = tmp_path / "dump.sql", tmp_path / "clean.sql"
    with postgres_database(filled()) as url:
        subprocess.run(["pg_dump", option, "-d", url, "-f", str(source)], check=True)
        counts = psql(url, COUNTS)
    assert {one.field for one in scanned(source)} >= {*COLUMNS[1:]}
    cleaned(source, clean)
    assert scanned(clean) == []
    with postgres_database(clean.read_text(encoding="utf-8")) as url:
        assert psql(url, COUNTS) == counts
        left = psql(url, "SELECT password FROM accounts").decode().splitlines()
    given = {password for _, password, _, _ in accounts()} - {None}
    assert not given & {*left}
    assert not any(token in clean.read_text("utf-8") for row in accounts() for token in row[2:])


def written(name, folder):
    """The accounts as a file."""
    path = folder / f"accounts.{name}"
    objects = [dict(zip(COLUMNS, row, strict=True)) for row in accounts()]
    if name == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *accounts()])
    elif name == "jsonl":
        path.write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
    elif name == "arrow":
        table = pyarrow.Table.from_pylist(objects)
        with pyarrow.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    else:
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE accounts (id, password, session_token, access_token)")
            database.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?)", accounts())
            database.commit()
    return path


def read(name, path):
    if name == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [tuple(v or None for v in row) for row in csv.reader(file)][1:]
    if name == "jsonl":
        return [tuple(json.loads(line).values()) for line in path.read_text("utf-8").splitlines()]
    if name == "arrow":
        return [tuple(row.values()) for row in pyarrow.ipc.open_file(path).read_all().to_pylist()]
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM accounts").fetchall()


@pytest.mark.parametrize("mask", [*Mask])
@pytest.mark.parametrize("name", ["csv", "jsonl", "arrow", "db"])
def test_each_value_goes_and_nulls_stay(name, mask, tmp_path):
    source = written(name, tmp_path)
    assert {one.field for one in scanned(source)} >= {*COLUMNS[1:]}
    clean = cleaned(source, tmp_path / f"clean.{name}", mask)
    assert scanned(clean) == []
    before, after = read(name, source), read(name, clean)
    assert [str(row[0]) for row in after] == [str(row[0]) for row in before]
    named = {}
    for old, new in zip(before, after, strict=True):
        for field, was, now in zip(COLUMNS[1:], old[1:], new[1:], strict=True):
            assert (was is None) == (now is None)
            if was is not None:
                assert was != now
                assert len(now) <= len(was)
                assert named.setdefault((field, was), now) == now
    if mask is Mask.stars:
        assert all(now == "*" * 24 for *_, now in after)
    if mask is Mask.label and name != "jsonl":
        assert {now for *_, now in after} == {"[redacted]"}
    if mask is Mask.pseudonym:
        assert len({row[2] for row in after}) == len({row[3] for row in after}) == ROWS


def test_a_column_in_which_rules_know_most_goes_where_they_do_not(tmp_path):
    """What rules find is no column of unknown tokens; without it the rest would be one."""
    source, known = (
        tmp_path / "mixed.arrow",
        [sample_of("github-pat", n).secret for n in range(200)],
    )
    tokens = [token.encode() for *_, token in accounts()[:100]]
    mixed = [tokens[n // 3] if n % 3 == 0 else known[n - n // 3 - 1] for n in range(300)]
    table = pyarrow.table({"access_token": [one.decode() for one in mixed]})
    with pyarrow.ipc.new_file(source, table.schema) as writer:
        writer.write_table(table)
    assert all(one.row is not None for one in scanned(source))
    clean = cleaned(source, tmp_path / "clean.arrow", "label")
    assert scanned(clean) == []
    kinds = [kind for (kind,) in read("arrow", clean)]
    assert kinds == ["[redacted]", *["[redacted:github-pat]"] * 2] * 100


def test_in_a_pipe_columns_are_not_judged(tmp_path):
    raw = written("csv", tmp_path).read_bytes()
    done = run("redact", stdin=raw)
    assert done.status == 0
    assert done.out == raw
    assert done.err == (
        "detector: columns as a whole are not judged in a pipe: only what rules find is replaced\n"
    )


DIALECTS = {
    "sql": (Sql(), "COPY t (a, b) FROM stdin;\n1\tse\\tcret\n\\N\t00\n2\t\n\\.\n"
            "INSERT INTO t (a, b) VALUES (1, 'it''s'), (now(), NULL), (3, 777),\n"
            "(4, X'616263'), (5, E'a\\'b');\n"),
    "mysql": (Sql(backslashes=True), "INSERT INTO `t` (`a`, `b`) VALUES (1,'a\\'b'),(2,NULL);\n"),
    "csv": (Csv("t", header=("a", "b")), 'a,b\n1,"x ""y"", z"\n2,\n3,plain\r\n4,123456\n'),
    "jsonl": (JsonLines("t"), '{"a": 1, "b": "x\\"y"}\n{"b": 1234, "a": null}\n{"b": true}\n'),
    "json": (JsonArray("t"), '[{"a": [1], "b": "x\\u00e9"}, {"b": null, "a": "b"}, {"b": ""}]'),
}  # fmt: skip
EXPECTED = {
    "sql": "COPY t (a, b) FROM stdin;\n1\t*******\n\\N\t0\n2\t\n\\.\nINSERT INTO t (a, b)"
           " VALUES (1, '****'), (now(), NULL), (3, 0),\n(4, X'2a2a2a'), (5, E'***');\n",
    "mysql": "INSERT INTO `t` (`a`, `b`) VALUES (1,'***'),(2,NULL);\n",
    "csv": 'a,b\n1,"********"\n2,\n3,*****\r\n4,0\n',
    "jsonl": '{"a": 1, "b": "***"}\n{"b": 0, "a": null}\n{"b": true}\n',
    "json": '[{"a": [1], "b": "**"}, {"b": null, "a": "b"}, {"b": ""}]',
}  # fmt: skip


def filtered(dialect, parts, mask):
    columns = {("t", "b"): "plaintext-password-column"}
    one = ColumnFilter(dialect, ColumnMask(columns, mask, Fingerprinter()))
    return b"".join([*map(one.feed, parts), one.feed(b"", final=True)])


@pytest.mark.parametrize("name", DIALECTS)
@given(cuts=st.lists(st.integers(0, 10**6), max_size=9), mask=st.sampled_from([*Mask]))
@settings(max_examples=25, deadline=None)
def test_only_the_inside_of_values_goes_however_the_text_is_cut(name, cuts, mask):
    dialect, text = DIALECTS[name]
    raw = text.encode()
    edges = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    whole = filtered(dialect, [raw], mask)
    assert filtered(dialect, [raw[a:b] for a, b in pairwise(edges)], mask) == whole
    assert filtered(dialect, [raw[n : n + 1] for n in range(len(raw))], mask) == whole
    if mask is Mask.stars:
        assert whole.decode() == EXPECTED[name]
