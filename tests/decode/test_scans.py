"""Secrets in disguise are found where they stand, once, whatever the cuts, in bounded time."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import random
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, sample_of

from bench.disguises import CONTEXTS, DISGUISES
from detector import Finding, Redactor, Scanner, Stream
from detector.decoding import DEPTH, FACTOR, FREE
from detector.rules import RuleSet

KEYS = ("github-pat", "openai-project-key", "npm-token")
WEAK = {"base64 twice", "soft line", "'a' +⏎ 'b'"}


@lru_cache(maxsize=1)
def scanner() -> Scanner:
    """A few rules: the engine compiles in no time."""
    return Scanner(RuleSet(rule for rule in builtin_rules() if rule.id in KEYS), decode=True)


def fed(text: bytes, cuts: list[int]) -> list[Finding]:
    stream = Stream(scanner())
    bounds = [0, *sorted(cuts), len(text)]
    found = [f for a, b in itertools.pairwise(bounds) for f in stream.feed(text[a:b])]
    return sorted(found + stream.close(), key=lambda one: one.start)


@pytest.mark.parametrize("name", DISGUISES)
@pytest.mark.parametrize("around", CONTEXTS)
def test_found_at_its_place_and_once(name: str, around: str) -> None:
    secret = sample_of("github-pat", 3).secret
    before, after = CONTEXTS[around]
    hidden = DISGUISES[name](secret)
    (finding,) = scanner().scan(before + hidden + after)
    assert finding.secret.reveal() == secret
    assert len(before) <= finding.start < finding.end <= len(before) + len(hidden)
    assert finding.decoded
    assert (finding.line, finding.row) == (
        1 + (before + hidden)[: finding.start].count(b"\n"),
        None,
    )


def test_the_chain_is_told_from_outside_in() -> None:
    secret = sample_of("github-pat", 4).secret
    inner = base64.b64encode(gzip.compress(b'{"a": "' + secret + b'"}', mtime=0))
    escaped = b"".join(b"%%%02X" % byte for byte in inner)
    (finding,) = scanner().scan(b"?v=" + escaped)
    assert finding.decoded == ("percent", "base64", "gzip")
    assert (finding.start, finding.end) == (3, 3 + len(escaped))


def test_plain_secrets_are_told_once() -> None:
    secret = sample_of("github-pat", 5).secret
    for text in (
        json.dumps({"a\u00e9\n": secret.decode() + "\u0041"[:0], "b": "\x41\x7f"}).encode(),
        b'"\\u0041 ' + secret + b'"',
        b'a = "' + secret + b'" + "' + b"x" * 20 + b'"',
        secret + b"\n" + b"Ab3" * 9,
    ):
        (finding,) = scanner().scan(text)
        assert (finding.decoded, finding.secret.reveal()) == ((), secret)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(sorted(DISGUISES)), min_size=1, max_size=4), st.data())
def test_any_cut_gives_the_same(names: list[str], data: st.DataObject) -> None:
    parts = [
        CONTEXTS["script"][0] + DISGUISES[name](sample_of(KEYS[n % 2], n).secret)
        for n, name in enumerate(names)
    ]
    text = b" ;\n".join(parts) + b" ;"
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    assert fed(text, cuts) == scanner().scan(text)


def test_every_byte_alone_gives_the_same() -> None:
    secret = sample_of("github-pat", 6).secret
    text = b";\n".join(hide(secret) for hide in DISGUISES.values()) + b";"
    assert fed(text, list(range(len(text)))) == scanner().scan(text)
    assert len(scanner().scan(text)) >= len(DISGUISES)


@pytest.mark.parametrize("name", ["base64", "\\x73", '"a"+"b"', "gzip in base64"])
def test_redacted(name: str) -> None:
    secret = sample_of("github-pat", 7).secret
    hidden = DISGUISES[name](secret)
    text = b"x = " + hidden + b" ;\n"
    clean = scanner().redact(text).text
    assert hidden[1:-1] not in clean
    assert not scanner().scan(clean)
    redactor = Redactor[bytes](scanner())
    assert (
        b"".join(redactor.feed(text[n : n + 7]) for n in range(0, len(text), 7))
        + (redactor.close())
        == clean
    )
    plain = Redactor[bytes](Scanner(scanner().rules))
    assert plain.feed(text) + plain.close() == text


class Counting:
    """Counts the bytes that the engine is shown."""

    def __init__(self, engine: object) -> None:
        self.name, self._find, self.nbytes = "counting", engine.find, 0  # type: ignore[attr-defined]

    def find(self, data: bytes) -> list[int]:
        self.nbytes += len(data)
        return self._find(data)  # type: ignore[no-any-return]


def shown(text: bytes) -> int:
    """How many bytes the engine is shown for this text."""
    one = Scanner(scanner().rules, decode=True)
    engine = Counting(one.machinery.engine)
    one.machinery = one.machinery._replace(engine=engine)  # type: ignore[arg-type]
    one.scan(text + b" " * (2 << 20))
    return engine.nbytes - (2 << 20)


def hostile() -> dict[str, bytes]:
    key = sample_of("github-pat", 8).secret
    nested = key
    for _ in range(20):
        nested = base64.b64encode(nested)
    b64 = base64.b64encode(b"ghp_" + b"a" * 60)
    return {
        "escapes": b"\\x41" * 50_000,
        "escaped words": b"\\x41 " * 20_000,
        "concatenations": b'"a"+' * 40_000,
        "long pieces": b'"' + b'ghp_aaaaaaaa"+"' * 10_000,
        "heads in base64": b64 * 2_000,
        "other steps": b"".join(b64 + b"a" * (n % 4) for n in range(2_000)),
        "nested": nested,
        "hex": (b"ghp_" * 40_000).hex().encode(),
        "line ends": b"ghp_aaaaaaaaaaa\n" * 10_000,
        "joins": b'"].join(""' * 10_000,
        "templates": b'`a${"b"}' * 10_000,
        "nul": b"g\0h\0p\0_\0" * 20_000,
    }


@pytest.mark.parametrize("name", hostile())
def test_work_is_linear_in_hostile_input(name: str) -> None:
    text = hostile()[name]
    assert shown(text) <= 12 * len(text) + (1 << 20)


def test_bombs_are_bounded_and_said() -> None:
    bomb = base64.b64encode(gzip.compress(bytes(20 << 20)))
    stream = Stream(scanner(), path="bombs")
    for _ in range(8):
        stream.feed(b'"' + bomb + b'"\n')
    stream.close()
    assert {skipped.path for skipped in stream.skipped} == {"bombs"}
    assert len(stream.skipped) >= 8
    budget = FREE + FACTOR * 8 * (len(bomb) + 3)
    decoding = stream._window.tracker._decoding
    assert decoding is not None
    spent = decoding.budget.spent
    assert spent <= budget


def test_depth_is_bounded() -> None:
    secret = sample_of("github-pat", 9).secret

    def inside(times: int) -> bytes:
        text = secret
        for _ in range(times):
            text = base64.b64encode(gzip.compress(text, mtime=random.Random(times).randrange(9)))
        return text

    assert [len(scanner().scan(inside(n))) for n in range(DEPTH + 2)] == [1] * (DEPTH + 1) + [0]
