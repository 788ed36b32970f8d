from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.sinks import sarif
from detector.sinks.sarif import SarifSink, uri
from detector.types import Skipped, Summary

SCHEMA = Path(__file__).parents[1] / "fixtures" / "sarif" / "sarif-schema-2.1.0.json"


@pytest.fixture(scope="session")
def validate():
    """Against the standard's own schema, which allows no property that it does not know."""
    validator = jsonschema.Draft4Validator(json.loads(SCHEMA.read_bytes()))

    def check(findings=(), skipped=()) -> dict:
        stream = io.BytesIO()
        sink = SarifSink(stream)
        for finding in findings:
            sink.write(finding)
        for record in skipped:
            sink.skip(record)
        sink.close(Summary(bytes_read=10, seconds=0.5))
        log = json.loads(stream.getvalue().decode("utf-8"))
        validator.validate(log)
        return log["runs"][0]

    return check


def test_an_origin_is_a_property(validate, make_finding):
    origin = {"channel": "ops", "author": "Ada", "message": "1", "time": None}
    run = validate([make_finding(origin=origin), make_finding()])
    first, second = run["results"]
    assert first["properties"]["origin"] == origin
    assert "origin" not in second["properties"]


def test_the_schema_is_a_real_one():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(json.loads(SCHEMA.read_bytes())).validate(
            {"version": "2.1.0", "runs": [{"results": []}]}
        )


def test_an_empty_run_is_a_valid_log(validate):
    run = validate()
    assert run["results"] == [] and run["tool"]["driver"]["name"] == "detector"
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_result(validate, make_finding):
    finding = make_finding(
        path="out/my export.zip!users.csv",
        table="public.users",
        field="key",
        row=3,
        check="passed",
        claims={"role": "x"},
        severity="critical",
    )
    run = validate([finding])
    (result,), (rule,) = run["results"], run["tool"]["driver"]["rules"]
    assert result["ruleId"] == rule["id"] == "acme-token" and result["ruleIndex"] == 0
    assert result["level"] == "error"
    assert result["partialFingerprints"] == {"secretFingerprint/v1": finding.fingerprint}
    assert finding.secret.masked in result["message"]["text"]
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "out/my%20export.zip!users.csv"}
    assert physical["region"] == {
        "byteOffset": 1234,
        "byteLength": 43,
        "startLine": 12,
        "startColumn": 40,
        "endColumn": 83,
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "public.users.key"
    assert rule["properties"]["security-severity"] == "9.5"
    assert rule["helpUri"] == "https://acme.example/keys"
    assert result["properties"]["claims"] == {"role": "x"}


def test_rules_are_written_once_in_the_order_of_their_index_with_their_worst_severity(
    validate, make_finding
):
    findings = [
        make_finding(1, rule="a", severity="low"),
        make_finding(2, rule="b", severity="info"),
        make_finding(3, rule="a", severity="high"),
        make_finding(4, rule="a", severity="medium"),
    ]
    run = validate(findings)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["a", "b"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    assert [r["level"] for r in run["results"]] == ["note", "note", "error", "warning"]
    assert rules[0]["properties"]["security-severity"] == "8.0"
    assert "security-severity" not in rules[1]["properties"]


def test_no_end_is_claimed_where_it_is_not_known(validate, make_finding):
    findings = [
        make_finding(raw=b"-----BEGIN\nbody\nEND-----"),
        make_finding(decoded=("base64",)),
        make_finding(end=9999),
    ]
    for result in validate(findings)["results"]:
        assert "endColumn" not in result["locations"][0]["physicalLocation"]["region"]


def test_skipped_inputs_are_notifications_and_the_run_no_success(validate):
    run = validate(skipped=[Skipped(path="caf\udce9[x].zip", reason="encrypted {0}", nbytes=5)])
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert note["message"]["text"] == "Not scanned: encrypted {{0}} (5 bytes)"
    uri = note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "caf%E9%5Bx%5D.zip"


def test_notifications_are_bounded(validate, monkeypatch):
    monkeypatch.setattr(sarif, "MAX_NOTIFICATIONS", 3)
    run = validate(skipped=[Skipped(path=str(n), reason="r") for n in range(10)])
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == 4 and notes[-1]["message"]["text"] == "7 more inputs were not scanned"


def test_text_of_any_kind_keeps_the_log_valid(validate, make_finding):
    odd = "\udce9\ud800[x](y){0}\\\x1b\n"
    deep: dict = {}
    for _ in range(5000):
        deep = {"a": deep}
    finding = make_finding(path=odd, table=odd, name=odd, why=odd, claims={odd: odd, "d": deep})
    (result,) = validate([finding])["results"]
    assert r"\[x\](y){{0}}" in result["message"]["text"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("dump.sql", "dump.sql"),
        ("./a/b.sql", "a/b.sql"),
        (".//a", "a"),
        (".", "."),
        ("../up.sql", "../up.sql"),
        ("/var/a b.sql", "file:///var/a%20b.sql"),
        ("//var/x", "file:///var/x"),
        ("a:b.sql", "a%3Ab.sql"),
        ("50%?#.sql", "50%25%3F%23.sql"),
        ("", "-"),
        ("-", "-"),
    ],
)
def test_uris(path, expected):
    assert uri(path) == expected


def test_uris_of_windows(monkeypatch):
    monkeypatch.setattr(sarif.os, "sep", "\\")
    assert uri("C:\\data\\a b.sql") == "file:///C:/data/a%20b.sql"
    assert uri("data\\a.sql") == "data/a.sql"


@given(st.binary(min_size=1).map(lambda raw: b"x" + raw.replace(b"\0", b"")))
def test_a_uri_gives_back_every_byte_of_a_relative_path(raw):
    encoded = uri(raw.decode("utf-8", "surrogateescape"))
    assert encoded.isascii() and not urlsplit(encoded).scheme
    assert unquote_to_bytes(encoded) == raw


def test_results_are_not_kept(make_finding):
    finding = make_finding()

    class Null(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            return len(data)

    sink = SarifSink(Null())
    tracemalloc.start()
    for _ in range(3000):
        sink.write(finding)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 256 * 1024
