"""A leaked database, scanned in every format that it leaves a server in: one truth for all."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from functools import cache

import pytest
from leak import leaked
from material import example_of

from bench.dumps import FORMATS, usual
from bench.tables import compare, report

SCALE = 0.001


@cache
def scanned(name, *options):
    data = leaked(name)
    out = data.folder / f"report-{name}{'-'.join(options)}.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "detector", "scan", "--format", "jsonl", "--output", str(out),
         *options, str(data.format(name))],
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    return data, out, done


def records(out, kind):
    lines = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["type"] == kind]


@pytest.mark.parametrize("name", sorted(set(usual(SCALE)) & set(FORMATS)))
def test_every_planted_secret_in_its_cell(name):
    data, out, done = scanned(name)
    assert done.returncode == 1, done.stderr
    compared = compare(data.truth, report(out))
    assert compared.placed == compared.found == compared.planted == len([*data.truth])
    assert not compared.skipped
    assert {place for place in compared.extra if "column" not in place} == set()


@pytest.mark.parametrize("name", ["plain", "custom", "tar", "directory", "inserts"])
def test_who_else_may_read_a_table(name):
    _, out, _ = scanned(name)
    tables = {one["table"]: one for one in records(out, "table")}
    assert tables["public.agents"]["open"]
    assert "row-level security is off" in tables["public.agents"]["exposure"]
    assert not tables["public.apiClients"]["open"]


@pytest.mark.parametrize("name", ["plain", "custom", "csv", "jsonl", "json", "parquet", "sqlite"])
def test_a_column_of_unknown_tokens_is_told_once(name):
    _, out, _ = scanned(name)
    (finding,) = (one for one in records(out, "finding") if one["field"] == "acme_key")
    assert finding["rule"] == "unknown-token-column"
    assert finding["claims"]["rows"] == 1500
    assert finding["row"] is None


def test_counts_are_those_of_the_truth():
    data, out, _ = scanned("plain")
    truth = [*data.truth]
    for one in records(out, "column"):
        if one["rule"] == "unknown-token-column":
            continue
        table = one["table"].rpartition(".")[2]
        mine = [
            t for t in truth if (t.table, t.column, t.rule) == (table, one["field"], one["rule"])
        ]
        assert one["occurrences"] == len(mine)
        assert one["rows_found"] == len({t.row for t in mine})
        assert one["distinct"] == len({t.fingerprint for t in mine})


@pytest.mark.parametrize("name", sorted(set(usual(SCALE)) & set(FORMATS)))
def test_addresses_are_counted_the_same_in_every_format(name):
    data, out, _ = scanned(name)
    (summary,) = records(out, "summary")
    assert summary["in_tables"]["addresses"] == data.counts.owners


def test_one_worker_and_many_say_the_same():
    _, one, _ = scanned("plain", "--jobs", "1")
    _, two, _ = scanned("plain", "--jobs", "2")
    assert sorted(map(str, records(one, "finding"))) == sorted(map(str, records(two, "finding")))


def test_a_drafted_rule_finds_the_column(tmp_path):
    data = leaked("csv")
    drafts = tmp_path / "acme.toml"
    command = [sys.executable, "-m", "detector", "scan", "--format", "jsonl"]
    csv = str(data.format("csv"))
    subprocess.run([*command, "--save-rules", str(drafts), csv], capture_output=True, check=False)
    done = subprocess.run(
        [*command, "--patterns", str(drafts), csv], capture_output=True, check=False
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    rows = {one["row"] for one in found if one["type"] == "finding" and one["field"] == "acme_key"}
    assert len(rows) == 1500


def test_a_key_that_is_a_secret_is_not_shown_as_a_field(tmp_path):
    text, start, end = example_of("openai-project-key")
    key = text[start:end].decode()
    lines = [json.dumps({"tokens": {key: {"note": f"see {key}"}}}) for _ in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "detector", "scan", "--format", "jsonl", str(tmp_path)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert key.encode() not in done.stdout + done.stderr


def found_in(path):
    done = subprocess.run(
        [sys.executable, "-m", "detector", "scan", "--format", "jsonl", str(path)],
        capture_output=True, check=False,
    )  # fmt: skip
    lines = map(json.loads, done.stdout.splitlines())
    return done, [line for line in lines if line["type"] == "finding"]


@pytest.mark.parametrize("way", ["gz", "zip"])
@pytest.mark.parametrize("name", ["parquet", "sqlite"])
def test_columns_inside_of_another_file(name, way, tmp_path):
    (source,) = (f for f in leaked(name).format(name).iterdir() if f.stem in ("agents", "database"))
    if way == "gz":
        packed = tmp_path / f"{source.name}.gz"
        packed.write_bytes(gzip.compress(source.read_bytes()))
        shown = str(packed)
    else:
        packed = tmp_path / "a.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(source, source.name)
        shown = f"{packed}!{source.name}"
    _, plain = found_in(source)
    done, inside = found_in(packed)
    assert done.returncode == 1, done.stderr
    assert {one["path"] for one in inside} == {shown}
    places = [(one["table"], one["field"], one["row"], one["fingerprint"]) for one in plain]
    assert len(places) > 1500
    assert sorted(map(str, places)) == sorted(
        str((one["table"], one["field"], one["row"], one["fingerprint"])) for one in inside
    )


def test_digits_in_wide_text_have_the_span_in_the_file(tmp_path):
    text, start, end = example_of("openai-project-key")
    digits = text[start:end].hex()
    dump = f"-- PostgreSQL database dump\n\nCOPY t (b) FROM stdin;\n\\\\x{digits}\n\\.\n"
    path = tmp_path / "a.sql"
    path.write_bytes(dump.encode("utf-16"))
    _, (finding,) = found_in(path)
    assert path.read_bytes()[finding["start"] : finding["end"]].decode("utf-16-le") == digits
