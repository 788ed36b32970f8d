from __future__ import annotations

import io
import json
import types

import pytest

from detector.sinks.jsonl import JsonLinesSink
from detector.types import Skipped, Summary

FIELDS = [
    *("type", "rule", "provider", "name", "severity", "privilege", "confidence", "path"),
    *("start", "end", "line", "column", "table", "field", "row", "decoded"),
    *("secret", "fingerprint", "check", "claims"),
]


def lines(stream: io.BytesIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().decode("utf-8").splitlines()]


def test_a_finding_has_the_documented_fields_in_their_order(make_finding):
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    finding = make_finding(
        table="public.messages", field="content", row=7, decoded=("base64",), claims={"role": "x"}
    )
    sink.write(finding)
    sink.close(Summary())
    record = lines(stream)[0]
    assert list(record)[: len(FIELDS)] == FIELDS
    assert record["type"] == "finding"
    assert record["secret"] == "tk_****(43)"
    assert (record["start"], record["end"]) == (1234, 1277)
    assert record["decoded"] == ["base64"]
    assert record["claims"] == {"role": "x"}


def test_what_is_not_known_is_null_or_empty(make_finding):
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    sink.write(make_finding())
    sink.close(Summary())
    record = lines(stream)[0]
    assert record["table"] is record["field"] is record["row"] is None
    assert record["decoded"] == [] and record["claims"] == {} and record["check"] == "none"


def test_an_origin_stands_at_the_end_or_not_at_all(make_finding):
    origin = {"channel": "c", "author": 'x,"origin":null}', "message": "1", "time": None}
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    sink.write(make_finding(origin=origin))
    sink.write(make_finding(path='x,"origin":null}'))
    sink.write(make_finding(path="\udce9", origin=origin))
    sink.close(Summary())
    with_it, without, plain, _ = lines(stream)
    assert with_it["origin"] == plain["origin"] == origin
    assert list(with_it)[-1] == "origin"
    assert "origin" not in without
    assert without["path"] == 'x,"origin":null}'


def test_skipped_and_summary(make_finding):
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    sink.skip(Skipped(path="a.zip!b", reason="encrypted", nbytes=5))
    sink.close(Summary(bytes_read=9, bytes_scanned=4, bytes_skipped=5, by_rule={}, seconds=0.5))
    assert lines(stream) == [
        {"type": "skipped", "path": "a.zip!b", "reason": "encrypted", "nbytes": 5},
        {
            "type": "summary",
            "bytes_read": 9,
            "bytes_scanned": 4,
            "bytes_skipped": 5,
            "findings": 0,
            "by_rule": {},
            "seconds": 0.5,
            "in_tables": None,
        },
    ]


def test_secrets_are_shown_only_when_asked_for(make_finding):
    finding = make_finding(raw=b"p\xe9ss\nw\xc3\xb6rd" * 3)
    stream = io.BytesIO()
    sink = JsonLinesSink(stream, show_secrets=True)
    sink.write(finding)
    # The way of text that needs escaping elsewhere must reveal just as much.
    sink.write(make_finding(1, path="\udce9"))
    sink.close(Summary())
    assert lines(stream)[0]["secret"] == "p\\xe9ss\nwörd" * 3
    assert lines(stream)[1]["secret"] == make_finding(1).secret.reveal().decode()


@pytest.mark.parametrize("field", ["path", "table", "field"])
def test_text_that_is_not_unicode_is_escaped(make_finding, field):
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    sink.write(make_finding(**{field: "caf\udce9\ud800.sql"}))
    sink.skip(Skipped(path="caf\udce9.sql", reason="unreadable"))
    sink.close(Summary())
    assert lines(stream)[0][field] == "caf\\xe9\\ud800.sql"
    assert list(lines(stream)[0])[: len(FIELDS)] == FIELDS
    assert lines(stream)[1]["path"] == "caf\\xe9.sql"


def test_claims_of_any_shape_do_not_stop_the_run(make_finding):
    deep: dict = {}
    for _ in range(5000):
        deep = {"a": deep}
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    claims = {
        "deep": deep,
        "big": 2**200,
        "nan": float("nan"),
        "view": types.MappingProxyType({"k": ("v", None)}),
        "odd": "\udcff",
    }
    sink.write(make_finding(claims=claims))
    sink.write(make_finding(claims={"view": types.MappingProxyType({"k": 1}), "other": 1j}))
    sink.close(Summary())
    first, second, _ = lines(stream)
    assert first["claims"]["view"] == {"k": ["v", None]} and first["claims"]["odd"] == "\\xff"
    assert first["claims"]["big"] == 2**200 and first["claims"]["nan"] is None
    assert second["claims"] == {"view": {"k": 1}, "other": "1j"}


def test_a_secret_inside_claims_is_masked(make_finding):
    secret = make_finding(5).secret
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    sink.write(make_finding(claims={"companion": secret}))
    sink.write(make_finding(claims={"companion": secret, "odd": "\udcff"}))
    sink.close(Summary())
    assert [line["claims"]["companion"] for line in lines(stream)[:2]] == [secret.masked] * 2


def test_live_shows_every_line_at_once_and_otherwise_they_are_gathered(make_finding):
    class Pipe(io.BytesIO):
        flushes = 0

        def flush(self):
            self.flushes += 1

    for live in (True, False):
        stream = Pipe()
        sink = JsonLinesSink(stream, live=live)
        for count in range(1, 4):
            sink.write(make_finding(count))
            assert stream.getvalue().count(b"\n") == (count if live else 0)
            assert stream.flushes == (count if live else 0)
        for count in range(200):
            sink.write(make_finding(count))
        assert stream.getvalue().count(b"\n") > 100
        sink.close(Summary())
        assert stream.getvalue().count(b"\n") == 204


def test_a_terminal_is_live(make_finding, terminal):
    JsonLinesSink(terminal).write(make_finding())
    assert terminal.getvalue().endswith(b"}\n")
