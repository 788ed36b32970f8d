from __future__ import annotations

import io
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from detector.sinks import tally
from detector.sinks.output import printable
from detector.sinks.tally import Distinct, Tally
from detector.sinks.text import TextSink
from detector.sinks.words import claim, many, size
from detector.types import Skipped, Summary

SUMMARY = Summary(bytes_read=2_000_000, bytes_scanned=2_000_000, seconds=0.5)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def report(findings=(), skipped=(), *, width=80, summary=SUMMARY, **options) -> str:
    stream = io.BytesIO()
    sink = TextSink(stream, width=width, **options)
    for finding in findings:
        sink.write(finding)
    for record in skipped:
        sink.skip(record)
    sink.close(summary)
    return stream.getvalue().decode("utf-8")


def test_a_message_is_told_by_channel_author_and_time(make_finding):
    origin = {"channel": "ops\x1b[2J", "author": "Ada", "message": "1", "time": "2024-05-01"}
    text = report([make_finding(table="ops", field="text", row=7, origin=origin)])
    assert "#ops\\x1b[2J, Ada, 2024-05-01, text, row 7" in text
    nameless = dict.fromkeys(origin) | {"author": "user"}
    text = report([make_finding(table="log", field="content", row=1, origin=nameless)])
    assert "user, log.content, row 1" in text


def test_nothing_found_says_so_and_what_was_scanned_in_one_line():
    assert report() == "No secrets found · 2 MB in 0.5 s, 4 MB/s\n"


def test_nothing_found_but_not_all_scanned():
    text = report(skipped=[Skipped(path="a.zip", reason="encrypted archive", nbytes=3000)])
    assert "encrypted archive: 1 input, 3 kB\n    a.zip\n" in text
    assert text.splitlines()[-1].endswith("1 input not scanned (3 kB)")


def test_a_whole_report(make_finding):
    findings = [
        make_finding(1, line=3, column=9, table="public.m", field="content", row=7),
        make_finding(1, line=4, decoded=("gzip", "base64")),
        make_finding(2, confidence=0.6, check="failed"),
        make_finding(
            3,
            rule="boss",
            name="Boss key",
            severity="critical",
            privilege="admin",
            claims={"project": "abc", "role": "root", "exp": 2051222400},
            check="passed",
        ),
        make_finding(4, rule="anon", name="Anon key", severity="info", privilege="public"),
    ]
    marks = ["#" + finding.fingerprint[:8] for finding in findings]
    assert (
        report(findings)
        == f"""\
 CRITICAL  Boss key  acme                                               1 secret
  Reads and writes everything the account holds. Whoever holds it acts as the
  owner of the whole account.

  tk_****(43) {marks[3]}
      1 place · check passed · project abc · role root · exp 2035-01-01
    dump.sql:12:40

  Turn it off: https://acme.example/keys

 HIGH  Acme API token  acme                                            2 secrets
  Reads and writes everything the account holds. Whoever holds it acts as its
  owner.

  tk_****(43) {marks[0]}  2 places
    dump.sql:3:9  public.m.content, row 7
    dump.sql:4:40  in base64 in gzip
  tk_****(43) {marks[2]}  1 place · 60% sure · check failed
    dump.sql:12:40

  Turn it off: https://acme.example/keys

Publishable by design
  Nothing to turn off, as long as what they open is meant for everybody.

  Anon key  1 key in 1 place
    dump.sql:12:40

3 secrets in 4 places (1 critical, 2 high) · 1 publishable key · 2 MB in 0.5 s,
4 MB/s
"""
    )


def test_many_places_and_secrets_are_counted_not_listed(make_finding):
    places = [make_finding(1, line=line) for line in range(1, 1238)]
    text = report([*places, *(make_finding(seed) for seed in range(2, 12))])
    assert "… and 1,234 more places" in text
    assert "… and 8 more secrets in 8 places" in text
    assert "11 secrets in 1,247 places (11 high)" in text
    assert text.count("\n") < 25


@pytest.mark.parametrize("width", [40, 80, 120])
def test_prose_stays_inside_the_width_and_paths_stay_whole(make_finding, width):
    path = "a/very/long/way/" * 12 + "dump.sql"
    findings = [
        make_finding(why="Many words. " * 30, claims={c: c * 30 for c in "abcd"}, path=path)
    ]
    skipped = [Skipped(path=path, reason="no way to read it, " * 8)]
    lines = report(findings, skipped, width=width).splitlines()
    assert f"    {path}:12:40" in lines
    wide = [line for line in lines if cell_len(line) > width]
    assert all(path in line for line in wide)


def test_escape_sequences_markup_and_forged_lines_are_shown_not_obeyed(make_finding, terminal):
    evil = "\x1b[2J[red]x[/red]\r\nNo secrets found\x9b1m\u202egpj\udce9"
    shown = r"\x1b[2J[red]x[/red]\r\nNo secrets found\x9b1m\u202egpj\xe9"
    finding = make_finding(
        path=evil,
        table=evil,
        field=evil,
        name=evil,
        why=evil,
        provider=evil,
        revoke=evil,
        claims={evil: evil},
        decoded=(evil,),
    )
    sink = TextSink(terminal, width=300)
    sink.write(finding)
    sink.skip(Skipped(path=evil, reason=evil))
    sink.close(SUMMARY)
    text = terminal.getvalue().decode("utf-8")
    assert text.count(shown) >= 6
    unstyled = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in unstyled and "\x9b" not in unstyled and "\u202e" not in unstyled
    assert "\r" not in unstyled
    assert not any(line.startswith("No secrets") for line in unstyled.splitlines())


def test_secrets_are_shown_only_when_asked_for_and_stay_one_line(make_finding):
    finding = make_finding(raw=b"first line\nsecond \x1b[1m line\xff")
    assert "second" not in report([finding])
    assert r"first line\nsecond \x1b[1m line\xff" in report([finding], show_secrets=True)


def test_colour_on_a_terminal_only(make_finding, terminal):
    assert "\x1b" not in report([make_finding()])
    sink = TextSink(terminal)
    sink.write(make_finding())
    sink.close(SUMMARY)
    assert b"\x1b[1;31m" in terminal.getvalue()


def test_no_color_is_honoured(make_finding, terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    sink = TextSink(terminal)
    sink.write(make_finding())
    sink.close(SUMMARY)
    codes = re.findall(rb"\x1b\[([0-9;]*)m", terminal.getvalue())
    assert not any(int(code) >= 30 for group in codes for code in group.split(b";") if code)


def test_a_terminal_that_knows_only_ascii(make_finding):
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii")
    sink = TextSink(stream)
    sink.write(make_finding(path="caf\u00e9.sql", confidence=0.5))
    sink.close(SUMMARY)
    text = buffer.getvalue().decode("ascii")
    assert "1 place - 50% sure" in text and r"caf\xe9.sql:12:40" in text


def test_a_stream_of_text_takes_it_too(make_finding):
    stream = io.StringIO()
    sink = TextSink(stream)
    sink.write(make_finding())
    sink.close(SUMMARY)
    assert stream.getvalue() == report([make_finding()])


def test_the_worst_come_first(make_finding):
    ranks = [
        ("a", "low", "limited"),
        ("b", "critical", "full"),
        ("c", "critical", "admin"),
        ("d", "info", "limited"),
        ("e", "medium", "full"),
    ]
    findings = [
        make_finding(rule=rule, name=f"Key {rule}", severity=severity, privilege=privilege)
        for rule, severity, privilege in ranks
    ]
    text = report(findings)
    order = [text.index(f"Key {rule}") for rule in "cbead"]
    assert all(first < second for first, second in pairwise(order))


def test_skips_are_bounded_by_reason_and_path():
    skipped = [Skipped(path=f"p{n}", reason=f"reason {n % 200}", nbytes=1) for n in range(1000)]
    text = report(skipped=skipped)
    assert "1,000 inputs not scanned (1 kB)" in text
    assert "other reasons: 750 inputs" in text
    assert text.count("\n") < 60 * 6


def test_counts_of_secrets_stay_exact_below_the_limit_and_close_above(make_finding):
    finding = make_finding()
    tallied = Tally(kept_hashes=4096)

    def add(rule: str, number: int) -> None:
        tallied.add(
            type(finding)(
                **{name: getattr(finding, name) for name in finding.__struct_fields__}
                | {"rule": rule, "fingerprint": f"{rule}-{number}"}
            )
        )

    for number in range(50):
        add("small", number)
    for number in range(40_000):
        add("large", number)
        add("large", number // 2)
    large, small = tallied.groups(public=False)
    assert small.distinct.exact and small.distinct.count == 50
    assert not large.distinct.exact
    assert abs(large.distinct.count - 40_000) < 40_000 * 0.15
    assert large.distinct.kept <= 4096
    assert large.places == 80_000


@given(st.lists(st.text(), max_size=300))
def test_distinct_counts_exactly_until_halved(texts):
    distinct = Distinct()
    kept = sum(distinct.add(text) for text in texts)
    assert distinct.count == kept == distinct.kept == len(set(texts))
    assert distinct.halve() == kept - distinct.kept
    assert not any(distinct.add(text) for text in texts)


def test_what_is_kept_of_a_secret_is_bounded(make_finding):
    tallied = Tally()
    for line in range(100):
        for seed in range(10):
            tallied.add(make_finding(seed, line=line))
    (group,) = tallied.groups(public=False)
    assert len(group.examples) == tally.EXAMPLES
    assert all(len(e.findings) == tally.EXAMPLES for e in group.examples.values())


@given(st.text())
def test_printable_is_printable_and_leaves_the_rest(text):
    assert printable(text).isprintable()
    assert (printable(text) == text) == text.isprintable()


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_600, "1 MB"),
        (1_234_567_890, "1.23 GB"),
        (10**15, "1 PB"),
    ],
)
def test_sizes(nbytes, text):
    assert size(nbytes) == text


def test_numbers_in_words():
    assert many(1, "key") == "1 key" and many(1234, "key") == "1,234 keys" and many(0, "") == "0"
    assert many(1_234_567, "key", exact=False) == "about 1,230,000 keys"


def test_claims_in_words():
    assert claim("exp", 0) == "exp 0" and claim("exp", float("nan")) == "exp nan"
    assert claim("exp", (1 << 37) - 1).startswith("exp 6325-")
    assert len(claim("role", "x" * 1000)) < 80
