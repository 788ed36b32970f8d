"""Sanitised exports: they load, have the same rows, and a scan of them finds nothing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from itertools import pairwise

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leak import leaked
from material import builtin_scanner, example_of
from servers import postgres_database, psql

from detector.export.hexes import HexFilter
from detector.mask import Mask


def detector(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "detector", *map(str, arguments)],
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip


def redacted(source, target, mask="pseudonym"):
    done = detector("redact", source, "--output", target, "--mask", mask)
    assert done.returncode == 0, done.stderr
    return done


def found(path):
    done = detector("scan", "--format", "jsonl", path)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [r for r in records if r["type"] == "finding"]


def some_of(name):
    """The files of the tables with most of the secrets, and with bytes."""
    files = leaked(name).format(name).iterdir()
    return sorted(f for f in files if f.stem in ("agents", "messages", "attachments"))


COUNTS = """
SELECT count(*), count(DISTINCT api_key), count(DISTINCT claim_url) FROM agents;
SELECT count(*) FROM messages; SELECT count(*) FROM owners; SELECT count(*) FROM attachments;
SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1;
SELECT length(body) > 0 FROM attachments GROUP BY 1;
"""


@pytest.mark.parametrize("name", ["plain", "inserts"])
def test_a_dump_is_restored_with_the_same_rows_and_constraints(name, tmp_path):
    data = leaked(name)
    (source,) = data.format(name).iterdir()
    clean = tmp_path / "clean.sql"
    redacted(source, clean)
    counts = []
    for dump in (source, clean):
        with postgres_database() as url:
            psql(url, dump.read_text(encoding="utf-8"))
            counts.append(psql(url, COUNTS))
    assert counts[0] == counts[1]
    assert found(source)
    assert found(clean) == []


@pytest.mark.parametrize("mask", ["label", "stars", "pseudonym"])
@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_text_exports_keep_their_lines(name, mask, tmp_path):
    for source in some_of(name):
        clean = tmp_path / source.name
        redacted(source, clean, mask)
        assert found(clean) == []
        lines = [path.read_bytes().count(b"\n") for path in (source, clean)]
        assert lines[0] == lines[1]
        if name == "jsonl":
            for line in clean.read_text(encoding="utf-8").splitlines():
                json.loads(line)


def test_parquet_keeps_its_schema_and_all_other_values(tmp_path):
    for source in some_of("parquet"):
        clean = tmp_path / source.name
        redacted(source, clean)
        before, after = map(pyarrow.parquet.read_table, (source, clean))
        assert before.schema.equals(after.schema)
        assert before.num_rows == after.num_rows
        assert found(clean) == []
        for name in before.column_names:
            if name in ("id", "owner_id", "created_at"):
                assert before[name].equals(after[name])


def test_sqlite_keeps_its_rows_and_triggers(tmp_path):
    source = tmp_path / "a.db"
    (given,) = leaked("sqlite").format("sqlite").iterdir()
    source.write_bytes(given.read_bytes())
    with sqlite3.connect(source) as database:
        database.execute("CREATE TABLE log (note TEXT)")
        database.execute(
            "CREATE TRIGGER t AFTER UPDATE ON agents BEGIN INSERT INTO log VALUES ('ran'); END"
        )
    database.close()
    clean = tmp_path / "clean.db"
    redacted(source, clean)
    assert found(clean) == []
    with sqlite3.connect(clean) as database:
        (count,) = database.execute("SELECT count(DISTINCT api_key) FROM agents").fetchone()
        assert count == 1500
        assert database.execute("SELECT count(*) FROM log").fetchone() == (0,)
        assert database.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    with sqlite3.connect(source) as database:
        keys = [key for (key,) in database.execute("SELECT api_key FROM agents")]
    database.close()
    raw = clean.read_bytes()
    assert not any(key.encode() in raw for key in keys)


def test_what_cannot_be_written_is_said(tmp_path):
    (given,) = leaked("sqlite").format("sqlite").iterdir()
    done = detector("redact", given)
    assert done.returncode == 2
    assert b"--output" in done.stderr


@given(st.lists(st.integers(0, 10**6), max_size=10), st.sampled_from(["\\\\x{}", "0x{}", "X'{}'"]))
@settings(max_examples=60)
def test_digits_are_cleaned_however_the_text_is_cut(cuts, way):
    secret, start, end = example_of("openai-project-key")
    key = secret[start:end]
    text = f"a 0 {way.format((b'see ' + key + b'.').hex())}\tx0 {way.format('00' * 20)}0x".encode()
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    cleaner = HexFilter(builtin_scanner(), Mask.label)
    out = b"".join(cleaner.feed(text[a:b]) for a, b in pairwise(edges)) + cleaner.feed(
        b"", final=True
    )
    assert key.hex().encode() not in out
    assert out == text.replace(key.hex().encode(), b"[redacted:openai-project-key]".hex().encode())
    assert cleaner.found == {"openai-project-key": 1}
