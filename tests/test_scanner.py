"""One scanner for any number of scans: any input, many at once, many threads, no leaks."""

from __future__ import annotations

import json
import mmap
import pickle
import random
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, example_of, found, rule_of, sample_of

from detector.errors import RuleError, UsageError
from detector.rules import RuleSet
from detector.scanner import Scanner
from detector.types import Finding, Secret

IDS = [rule.id for rule in builtin_rules()]
TOKEN = sample_of("github-pat", 1).text


def test_what_a_finding_says() -> None:
    (finding,) = builtin_scanner().scan(b"one\ntwo: " + TOKEN + b"\n", path="a.txt")
    rule = builtin_rules().by_id["github-pat"]
    assert (finding.rule, finding.provider, finding.name) == (rule.id, "github", rule.spec.name)
    assert (finding.start, finding.end) == (9, 9 + len(TOKEN))
    assert (finding.line, finding.column, finding.path) == (2, 6, "a.txt")
    assert (finding.severity, finding.privilege) == (rule.spec.severity, rule.spec.privilege)
    assert (finding.why, finding.revoke) == (rule.spec.why, rule.spec.revoke)
    assert (finding.table, finding.field, finding.row, finding.decoded) == (None, None, None, ())
    assert finding.secret.reveal() == TOKEN
    assert len(finding.fingerprint) == 32


def test_the_same_secret_has_the_same_fingerprint_wherever_it_stands() -> None:
    scanner = builtin_scanner()
    (one,) = scanner.scan(TOKEN)
    (other,) = scanner.scan(b"\n\nkey = '" + TOKEN + b"'", path="else")
    assert one.fingerprint == other.fingerprint
    (keyed,) = Scanner(builtin_rules(), key=b"mine").scan(TOKEN)
    assert keyed.fingerprint != one.fingerprint


# Characters and bytes

CHARACTERS = "aZ0 \n|\"'é密\u00a0\u0301\u200b🔑👩\u200d🚀\ud800\udfff\x00\x7f\x80\xff"


@settings(max_examples=80)
@given(
    before=st.text(alphabet=CHARACTERS, max_size=20),
    between=st.text(alphabet=CHARACTERS, max_size=20),
    seeds=st.tuples(st.integers(0, 50), st.integers(0, 50)),
)
def test_offsets_of_text_count_characters(
    before: str, between: str, seeds: tuple[int, int]
) -> None:
    """Letters of one to four bytes, combining marks, lone surrogates: slices are secrets."""
    one, two = (sample_of("github-pat", seed).text.decode() for seed in seeds)
    text = f"{before} {one} {between} {two}\n{before}"
    findings = builtin_scanner().scan(text)
    assert [text[f.start : f.end] for f in findings] == [one, two]
    raw = text.encode("utf-8", "surrogatepass")
    of_bytes = builtin_scanner().scan(raw)
    assert [raw[f.start : f.end].decode() for f in of_bytes] == [one, two]
    assert [f.secret for f in findings] == [f.secret for f in of_bytes]


def test_line_and_column_agree_for_text_and_bytes() -> None:
    """Columns count bytes, so that they are the same however the text came in."""
    text = f"é\nüü {TOKEN.decode()}"
    (of_text,), (of_bytes,) = builtin_scanner().scan(text), builtin_scanner().scan(text.encode())
    assert (of_text.line, of_text.column) == (of_bytes.line, of_bytes.column) == (2, 6)


# Many at once


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.text(alphabet=CHARACTERS, max_size=20),
            st.tuples(st.sampled_from(IDS), st.integers(0, 20)).map(lambda t: example_of(*t)[0]),
            st.tuples(st.sampled_from(IDS), st.integers(0, 20)).map(
                lambda t: "é🔑 " + example_of(*t)[0].decode("latin-1")
            ),
        ),
        max_size=12,
    )
)
def test_many_at_once_are_each_on_its_own(items: list[bytes | str]) -> None:
    assert builtin_scanner().scan_many(items) == [builtin_scanner().scan(i) for i in items]


def test_no_match_crosses_two_items() -> None:
    for cut in range(1, len(TOKEN)):
        assert builtin_scanner().scan_many([TOKEN[:cut], TOKEN[cut:]]) == [[], []]
    whole = [b"", TOKEN, b"", b"", TOKEN, b""]
    assert list(map(len, builtin_scanner().scan_many(whole))) == [0, 1, 0, 0, 1, 0]
    assert builtin_scanner().scan_many([]) == []


def test_what_stands_beside_an_item_is_no_boundary_of_it() -> None:
    """Letters at the edge of a neighbour neither hide a token nor lengthen one."""
    items = [b"letters", TOKEN, b"letters", b"9" * 40, TOKEN[4:]]
    assert [len(one) for one in builtin_scanner().scan_many(items)] == [0, 1, 0, 0, 0]


def test_many_large_items() -> None:
    """More than one batch of the engine, with items larger than a batch."""
    big = b"lorem ipsum " * 120_000
    items = [big + TOKEN, big, TOKEN, big[:-3] + TOKEN[:20], TOKEN[20:]]
    findings = builtin_scanner().scan_many(items)
    assert found(findings[0]) == [("github-pat", len(big), len(big) + len(TOKEN))]
    assert list(map(len, findings)) == [1, 0, 1, 0, 0]


# Any buffer


def test_every_kind_of_buffer(tmp_path: Path) -> None:
    text = b"key: " + TOKEN + b"\n" + example_of("jwt", 1)[0]
    whole = builtin_scanner().scan(text)
    assert len(whole) == 2
    inner = memoryview(b"..." + text + b"...")[3:-3]
    for data in (bytearray(text), memoryview(text), inner, memoryview(bytearray(text))):
        assert builtin_scanner().scan(data) == whole
        assert builtin_scanner().scan_many([data, data]) == [whole, whole]
        assert builtin_scanner().redact(data).findings == whole
    file = tmp_path / "dump"
    file.write_bytes(text)
    with file.open("rb") as handle:
        mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        assert builtin_scanner().scan(memoryview(mapped)) == whole
        mapped.close()  # raises if a view of it were kept


def test_the_input_is_not_changed() -> None:
    data = bytearray(b"key: " + TOKEN)
    copy = bytes(data)
    builtin_scanner().scan(data)
    builtin_scanner().redact(data)
    assert data == copy
    data.extend(b"no view of it is kept")


# Made of, shared, sent elsewhere


@pytest.mark.parametrize("engine", ["hyperscan", "aho-corasick"])
def test_a_scanner_pickles(engine: str) -> None:
    scanner = Scanner(
        builtin_rules().select("github,openai"), min_confidence=0.7, engine=engine, key=b"k"
    )
    again = pickle.loads(pickle.dumps(scanner))
    text = b"\n".join(sample_of(i, 1).text for i in ("github-pat", "openai-project-key", "jwt"))
    assert again.scan(text) == scanner.scan(text)
    assert len(scanner.scan(text)) == 2
    assert (again.engine, again.machinery.min_confidence) == (engine, 0.7)


def test_a_pickled_scanner_keeps_the_key_of_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DETECTOR_KEY", "a key of our own")
    scanner = Scanner(builtin_rules().select("github"))
    pickled = pickle.dumps(scanner)
    monkeypatch.delenv("DETECTOR_KEY")
    again = pickle.loads(pickled)
    assert again.scan(TOKEN)[0].fingerprint == scanner.scan(TOKEN)[0].fingerprint
    assert Scanner(builtin_rules()).scan(TOKEN)[0].fingerprint != again.scan(TOKEN)[0].fingerprint


def test_an_empty_key_is_no_key() -> None:
    with pytest.raises(UsageError, match="empty"):
        Scanner(builtin_rules(), key=b"")


def test_a_finding_as_a_dict_is_its_json_line() -> None:
    (finding,) = builtin_scanner().scan(TOKEN)
    fields = finding.to_dict()
    assert next(iter(fields)) == "type"
    assert fields["secret"] == finding.secret.masked
    assert finding.secret.reveal().decode() not in json.dumps(fields)


def test_findings_pickle_and_keep_their_secret() -> None:
    findings = builtin_scanner().scan(TOKEN)
    assert pickle.loads(pickle.dumps(findings)) == findings


def test_one_scanner_for_eight_threads() -> None:
    rng = random.Random(8)
    texts = [
        b" ".join(example_of(rng.choice(IDS), seed)[0] for _ in range(6)) for seed in range(120)
    ]
    alone = [builtin_scanner().scan(text) for text in texts]
    fresh = Scanner(builtin_rules())  # nothing is compiled yet: threads compile at once
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fresh.scan, texts)) == alone
        redacted = list(pool.map(lambda text: fresh.redact(text).findings, texts))
    assert redacted == alone


def test_a_scan_changes_nothing() -> None:
    text = b" ".join(example_of(i, 2)[0] for i in IDS[::7])
    first = builtin_scanner().scan(text)
    builtin_scanner().scan(b"\n".join(example_of(i, 3)[0] for i in IDS))
    assert builtin_scanner().scan(text) == first


def test_fewer_rules_find_what_they_found_among_all() -> None:
    """A provider's rules alone find its samples as well, and nothing of the others."""
    for selection in ("github", "openai", "supabase", "stripe,slack"):
        chosen = builtin_rules().select(selection)
        scanner = Scanner(chosen)
        ids = {rule.id for rule in chosen}
        for rule in builtin_rules():
            hits = {f.rule for f in scanner.scan(example_of(rule.id, 1)[0])}
            assert hits <= ids
            if rule.id in ids:
                assert hits, rule.id


# Wrong use


def test_wrong_arguments_raise_early() -> None:
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="min_confidence"):
            Scanner(builtin_rules(), min_confidence=value)
    with pytest.raises(UsageError, match="engine"):
        Scanner(builtin_rules(), engine="re2")
    with pytest.raises(UsageError, match="no rule or provider"):
        builtin_rules().select("github,githup")
    with pytest.raises(RuleError, match="twice"):
        RuleSet([rule_of("(?P<secret>abc[0-9]{9})")] * 2)


def test_a_scanner_without_rules_finds_nothing() -> None:
    for engine in ("hyperscan", "aho-corasick"):
        scanner = Scanner(RuleSet([]), engine=engine)
        assert scanner.scan(TOKEN) == []
        assert scanner.scan_many([TOKEN, ""]) == [[], []]
        assert scanner.redact("text").text == "text"


# Secrets do not print


def shown(value: Any) -> str:
    return "\n".join([repr(value), str(value), f"{value}", f"{value!r:>40}", ascii(value)])


@pytest.mark.parametrize("rule_id", IDS[::6])
def test_a_secret_never_prints(rule_id: str) -> None:
    """Not by ``repr``, ``str``, ``format`` or JSON, nor in a traceback that shows locals."""
    text, start, end = example_of(rule_id, 5)
    findings = builtin_scanner().scan(text)
    secret = text[start:end].decode("latin-1")
    del text
    body = secret[len(secret) // 3 :]  # the mask shows a third at most
    texts = [shown(findings), traced(findings)]
    texts += [shown(one) + shown(one.secret) for one in findings]
    texts += [msgspec.json.encode(one, enc_hook=str).decode() for one in findings]
    if findings and len(body) >= 6:
        assert not any(body in text for text in texts)


def traced(findings: list[Finding]) -> str:
    """A traceback with the local variables of its frames, as error trackers record them."""
    finding: Finding | None = None
    secrets: list[Secret] = []
    try:
        for finding in findings:
            secrets += [finding.secret]
        raise LookupError(f"about {findings} and {secrets}")
    except LookupError as error:
        stack = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(stack.format())


def test_the_mask_shows_a_third_at_most() -> None:
    for length in range(40):
        raw = bytes(random.Random(length).choices(b"abcdefghijk", k=length))
        for prefix in (0, 3, 100):
            public = str(Secret(raw, prefix)).split("****")[0]
            assert len(public) <= length // 3
            assert raw.decode().startswith(public)
    assert str(Secret(b"sk-proj-" + bytes(156), 8)) == "sk-proj-****(164)"
