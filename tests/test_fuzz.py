"""Any bytes at all, and samples with a few bytes changed: nothing raises, and a stream and a
redactor say what a scan of the whole says.

``tests/fuzz_atheris.py`` goes on from here for as long as one lets it.
"""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, cut_at, example_of

from detector.redact import Redactor
from detector.stream import Stream

IDS = [rule.id for rule in builtin_rules()]
LITERALS = sorted({w for rule in builtin_rules() for h in rule.heads.heads for w in h.literals})

atoms = st.one_of(
    st.binary(max_size=24),
    st.sampled_from(LITERALS).map(lambda literal: literal.encode("latin-1")),
    st.sampled_from([b"\n", b" ", b"=", b'"', b"\\n", b"%3D", b"\x1b[0m", b"://", b"-----", b"@"]),
    st.tuples(st.sampled_from(IDS), st.integers(0, 9)).map(lambda t: example_of(*t)[0][:600]),
)
texts = st.lists(atoms, max_size=10).map(b"".join)
cuts = st.lists(st.integers(0, 1 << 12), max_size=6)


def agree(text: bytes, cuts: list[int]) -> None:
    """Whole, stream and redactor; bytes and text."""
    scanner = builtin_scanner()
    whole = scanner.scan(text)
    stream = Stream(scanner)
    streamed = [finding for piece in cut_at(text, cuts) for finding in stream.feed(piece)]
    assert streamed + stream.close() == whole
    redactor: Redactor[bytes] = Redactor(scanner)
    clean = b"".join([redactor.feed(piece) for piece in cut_at(text, cuts)]) + redactor.close()
    assert clean == scanner.redact(text).text
    assert redactor.findings == whole
    for finding in whole:
        assert 0 <= finding.start < finding.end <= len(text)
        assert text[finding.start : finding.end] == finding.secret.reveal()
        assert text.count(b"\n", 0, finding.start) == finding.line - 1
        assert scanner.machinery.min_confidence <= finding.confidence <= 1
    ends = [(finding.start, finding.end) for finding in whole]
    assert all(a[1] <= b[0] for a, b in pairwise(ends))


@settings(max_examples=250)
@given(texts, cuts)
@example(b"", [0])
@example(b"\0" * 5000, [1, 4097])
def test_any_bytes(text: bytes, cuts: list[int]) -> None:
    agree(text, cuts)


@settings(max_examples=250)
@given(
    st.sampled_from(IDS),
    st.integers(0, 30),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 5), st.binary(max_size=3)), max_size=4),
    cuts,
)
def test_samples_with_a_few_bytes_changed(
    rule_id: str, seed: int, changes: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    text = bytearray(example_of(rule_id, seed)[0][:700] * 2)
    for place, length, new in changes:
        text[place % (len(text) + 1) : place % (len(text) + 1) + length] = new
    agree(bytes(text), cuts)


@settings(max_examples=100)
@given(st.text(max_size=200), st.sampled_from(IDS), st.integers(0, 30), st.text(max_size=50))
def test_any_text(before: str, rule_id: str, seed: int, after: str) -> None:
    text = before + example_of(rule_id, seed)[0].decode("latin-1") + after
    result = builtin_scanner().redact(text)
    assert result.findings == builtin_scanner().scan(text)
    for finding in result.findings:
        raw = finding.secret.reveal()
        assert text[finding.start : finding.end].encode("utf-8", "surrogatepass") == raw


def test_samples_cut_short_at_every_byte() -> None:
    """Half a token is found or not found, whole or in pieces alike."""
    for number, rule_id in enumerate(IDS):
        text, start, end = example_of(rule_id, 1)
        rng = random.Random(number)
        cut = rng.randrange(start, min(end, start + 400) + 1)
        agree(text[:cut], [rng.randrange(cut + 1)])
        agree(text[cut:], [rng.randrange(len(text) - cut + 1)])
