"""``detector scan``: every option, on real processes."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from commands import ANTHROPIC, KEY, OWN_RULE, RULES, SUPABASE, run, scan, secret

PUBLIC = "supabase-publishable-key"


def test_nothing_found_is_0(tmp_path: Path) -> None:
    path = tmp_path / "clean.txt"
    path.write_bytes(b"nothing to see here\n" * 9)
    done = scan(path)
    assert (done.status, done.err) == (0, "")
    assert done.summary["bytes_read"] == done.summary["bytes_scanned"] == 180
    assert done.summary["findings"] == 0


def test_a_finding_is_1_and_has_all_fields(dump: Path) -> None:
    done = scan(dump)
    assert (done.status, done.err) == (1, "")
    first, second = done.findings
    raw = dump.read_bytes()
    assert [raw[f["start"] : f["end"]] for f in (first, second)] == [secret(KEY), secret(ANTHROPIC)]
    assert (first["line"], first["column"]) == (1, 3)
    assert (second["line"], second["column"]) == (3, 3)
    assert first["rule"] == KEY
    assert first["provider"] == "github"
    assert first["path"] == str(dump)
    assert first["severity"] == "critical"
    assert first["privilege"] == "full"
    assert first["check"] == "passed"
    assert first["confidence"] >= 0.9
    assert first["decoded"] == []
    assert first["table"] is first["field"] is first["row"] is None
    assert first["secret"] == f"ghp_****({len(secret(KEY))})"
    assert next(iter(first)) == "type"
    assert done.summary["by_rule"] == {KEY: 1, ANTHROPIC: 1}


def test_fail_on(tmp_path: Path) -> None:
    path = tmp_path / "bundle.js"
    path.write_bytes(b'createClient(u,"' + secret(PUBLIC) + b'")')
    statuses = {
        limit: scan(path, "--rules", PUBLIC, "--fail-on", limit).status
        for limit in ("info", "low", "critical")
    }
    assert statuses == {"info": 1, "low": 0, "critical": 0}
    assert len(scan(path, "--rules", PUBLIC).findings) == 1  # shown all the same


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "nothing to scan"),
        (["x", "--format", "xml"], "format 'xml' is none of text, jsonl, sarif"),
        (["x", "--fail-on", "fatal"], "severity 'fatal' is none of info"),
        (["x", "--rules", "nobody"], "no rule or provider is named nobody"),
        (["x", "--engine", "magic"], "engine 'magic' is none of auto"),
        (["x", "--min-confidence", "2"], "--min-confidence"),
        (["x", "--jobs", "0"], "--jobs"),
        (["x", "--no-such-option"], "--no-such-option"),
        (["x", "--baseline", "gone.json"], "gone.json: no such file"),
        (["x", "--patterns", "gone.toml"], "gone.toml: No such file"),
        (["x", "--show-secrets", "--format", "sarif"], "SARIF never carries raw secrets"),
    ],
)
def test_wrong_use_is_2_and_says_what(arguments: list[str], says: str) -> None:
    done = run("scan", *arguments)
    assert done.status == 2
    assert done.out == b""
    assert says in re.sub(r"[\s│]+", " ", done.err)


def test_no_command_shows_the_help() -> None:
    done = run()
    assert done.status == 2
    assert "Usage" in done.out.decode() + done.err


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "-h"], ["rules", "check", "--help"]])
def test_help(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.status, done.err) == (0, "")
    assert b"Usage" in done.out


def test_a_dash_is_standard_input(dump: Path) -> None:
    done = scan("-", stdin=dump.read_bytes())
    assert done.status == 1
    assert [f["path"] for f in done.findings] == ["-", "-"]
    assert [f["start"] for f in done.findings] == [f["start"] for f in scan(dump).findings]


def test_compressed_standard_input(dump: Path) -> None:
    done = scan("-", stdin=gzip.compress(dump.read_bytes()))
    assert [f["rule"] for f in done.findings] == [KEY, ANTHROPIC]


def test_text_is_for_people_and_masks(dump: Path) -> None:
    done = run("scan", "--rules", RULES, dump)
    assert done.status == 1
    text = done.out.decode()
    assert f"{dump}:1:3" in text
    assert f"{dump}:3:3" in text
    assert "ghp_****" in text
    assert secret(KEY).decode() not in text


def test_sarif_is_whole(dump: Path) -> None:
    done = run("scan", "--rules", RULES, "--format", "sarif", dump)
    assert done.status == 1
    (sarif_run,) = json.loads(done.out)["runs"]
    assert [result["ruleId"] for result in sarif_run["results"]] == [KEY, ANTHROPIC]


def test_output_to_a_file_that_lies_in_the_scanned_folder(dump: Path) -> None:
    report = dump.with_name("report.jsonl")
    for _ in range(2):  # the second time it is there already
        done = scan(dump.parent, "--output", report)
        assert (done.status, done.out) == (1, b"")
        lines = [json.loads(line) for line in report.read_bytes().splitlines()]
        assert {line["path"] for line in lines[:-1]} == {str(dump)}
        assert lines[-1]["type"] == "summary"


def test_output_that_cannot_be_written(dump: Path, tmp_path: Path) -> None:
    done = scan(dump, "--output", tmp_path / "no" / "such" / "folder")
    assert done.status == 2
    assert "cannot be written" in done.err


def test_choosing_rules(dump: Path) -> None:
    def found(selection: str) -> list[str]:
        return [f["rule"] for f in scan(dump, "--rules", selection).findings]

    assert found(KEY) == [KEY]
    assert found("anthropic") == [ANTHROPIC]
    assert found("github,anthropic") == [KEY, ANTHROPIC]
    assert found(f"github,anthropic,-{KEY}") == [ANTHROPIC]
    without = run("scan", "--format", "jsonl", "--rules", "-generic,-github", dump)
    assert [f["rule"] for f in without.findings] == [ANTHROPIC]


def test_rules_of_ones_own(tmp_path: Path) -> None:
    rules, text = tmp_path / "own.toml", tmp_path / "text"
    rules.write_text(OWN_RULE)
    value = b"acme-tok-" + secret(KEY)[-20:]
    text.write_bytes(b"x=" + value + b"\n")
    done = scan(text, "--patterns", rules, "--rules", "acme")
    assert [f["rule"] for f in done.findings] == ["acme-token"]
    assert scan(text).findings == []


def test_a_broken_rule_names_file_rule_and_field(tmp_path: Path, dump: Path) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text(OWN_RULE.replace("{20}", "+"))
    done = scan(dump, "--patterns", rules)
    assert done.status == 2
    assert f"{rules}: rule 'acme-token': field 'pattern'" in done.err
    rules.write_text(OWN_RULE.replace('"high"', '"bad"'))
    assert f"{rules}: rule 'acme-token': field 'severity'" in scan(dump, "--patterns", rules).err
    rules.write_text("provider = ")
    assert f"{rules}: not valid TOML" in scan(dump, "--patterns", rules).err


def test_min_confidence(tmp_path: Path) -> None:
    # A wrong checksum lowers the confidence.
    last = secret(KEY)[-1:]
    broken = secret(KEY)[:-1] + (b"a" if last != b"a" else b"b")
    (tmp_path / "x").write_bytes(b"k: " + broken + b"\n")
    (finding,) = scan(tmp_path / "x", "--min-confidence", "0").findings
    assert finding["check"] == "failed"
    assert scan(tmp_path / "x", "--min-confidence", str(finding["confidence"])).status == 1
    assert scan(tmp_path / "x", "--min-confidence", "0.99").status == 0


def test_both_engines_find_the_same(dump: Path) -> None:
    reports = [
        scan(dump, "--engine", engine, "--rules", "github,anthropic,supabase,generic").findings
        for engine in ("hyperscan", "aho-corasick")
    ]
    assert reports[0] == reports[1]
    assert len(reports[0]) == 2


def test_baseline_leaves_out_what_is_known(dump: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    made = run("baseline", "create", "--rules", RULES, baseline, dump)
    assert (made.status, made.out) == (0, b"")
    assert secret(KEY) not in baseline.read_bytes()

    done = scan(dump, "--baseline", baseline)
    assert (done.status, done.findings, done.summary["findings"]) == (0, [], 0)

    dump.write_bytes(b"moved\n" + dump.read_bytes() + b"new: " + secret(SUPABASE) + b"\n")
    done = scan(dump, "--baseline", baseline)
    assert (done.status, [f["rule"] for f in done.findings]) == (1, [SUPABASE])
    assert done.summary["findings"] == 1


def test_a_baseline_of_another_key_is_refused(dump: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    keyed = {**os.environ, "DETECTOR_KEY": "a key of our own, long enough"}
    run("baseline", "create", "--rules", RULES, baseline, dump, env=keyed)
    done = scan(dump, "--baseline", baseline)
    assert done.status == 2
    assert "DETECTOR_KEY" in done.err
    assert scan(dump, "--baseline", baseline, env=keyed).status == 0


def test_show_secrets_is_the_only_way_to_see_them(dump: Path) -> None:
    for arguments in (["--format", "jsonl"], ["--format", "text"]):
        hidden = run("scan", "--rules", RULES, *arguments, dump)
        shown = run("scan", "--rules", RULES, *arguments, "--show-secrets", dump)
        assert secret(KEY) not in hidden.out
        assert secret(KEY) in shown.out


def test_stats_go_to_standard_error(dump: Path) -> None:
    plain, counted = scan(dump), scan(dump, "--stats")
    assert counted.findings == plain.findings
    for word in ("read", "scanned", "findings", "engine", "verify", "score", "MB/s"):
        assert word in counted.err
    assert f"{dump.stat().st_size:,} bytes" in counted.err


def test_progress_goes_to_standard_error(dump: Path) -> None:
    plain, shown = scan(dump), scan(dump, "--progress")
    assert shown.findings == plain.findings
    assert "scanning" in shown.err
    assert scan(dump, "--no-progress").err == ""


def test_version() -> None:
    assert re.fullmatch(rb"detector \d+\.\d+\.\d+\S*\n", run("--version").out)


def test_a_report_never_replaces_what_is_read(dump: Path) -> None:
    before = dump.read_bytes()
    done = run("scan", dump, "--output", dump)
    assert done.status == 2
    assert "write to another file" in done.err
    assert dump.read_bytes() == before
