"""Two engines, one truth: the fast one and the obviously right one see the same."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from material import builtin_rules, example_of, rule_of

from detector.errors import RuleError
from detector.prefilter import ID_BITS, ID_MASK, HeadTable, make_engine
from detector.rules import Rule, RuleSet
from detector.scanner import Scanner
from patterns import drawn, rule_patterns

IDS = [rule.id for rule in builtin_rules()]


def rules_of(patterns: list[str]) -> RuleSet:
    rules: list[Rule] = []
    for number, pattern in enumerate(patterns):
        try:
            rules.append(rule_of(pattern, id=f"rule-{number}"))
        except RuleError:
            continue
    assume(rules)
    return RuleSet(rules)


def haystack(rules: RuleSet, seed: int) -> bytes:
    """Samples, near-misses (cut, one byte changed, other case), and what stands between."""
    rng = random.Random(seed)
    out = bytearray()
    for _ in range(12):
        text = bytearray(drawn(rng.choice(rules).spec.pattern, rng.randrange(1 << 20)))
        match rng.randrange(6):
            case 0:
                del text[rng.randrange(len(text)) :]
            case 1:
                text[rng.randrange(len(text))] = rng.randrange(256)
            case 2:
                text = text.swapcase()
            case 3:
                text = text[: rng.randrange(1, len(text) + 1)] * 3
        out += text + rng.choice([b"", b" ", b"\n", b"a", b"=", b"\0", b"\xff", b"key="])
    return bytes(out)


def hits(engine: str, table: HeadTable, data: bytes) -> set[int]:
    return set(make_engine(engine, table.heads).find(data))


@settings(max_examples=40)
@given(st.lists(rule_patterns, min_size=1, max_size=5), st.integers(0, 1 << 16))
def test_random_rules_on_random_haystacks(patterns: list[str], seed: int) -> None:
    rules = rules_of(patterns)
    data = haystack(rules, seed)
    table = HeadTable(rules)
    fast, sure = (hits(engine, table, data) for engine in ("hyperscan", "aho-corasick"))
    assert fast == sure
    for hit in fast:
        head, end = table.heads[hit & ID_MASK], hit >> ID_BITS
        assert re.fullmatch(head.regex.encode(), data[end - head.length : end], re.DOTALL)
    by_fast, by_sure = (
        Scanner(rules, engine=engine, min_confidence=0).scan(data)
        for engine in ("hyperscan", "aho-corasick")
    )
    assert by_fast == by_sure


@pytest.fixture(scope="module")
def both() -> tuple[Scanner, Scanner]:
    return Scanner(builtin_rules(), engine="hyperscan"), Scanner(
        builtin_rules(), engine="aho-corasick"
    )


def test_every_built_in_rule(both: tuple[Scanner, Scanner]) -> None:
    texts = [example_of(rule_id, seed)[0] for rule_id in IDS for seed in (0, 1)]
    fast, sure = (scanner.scan_many(texts) for scanner in both)
    assert fast == sure


def test_built_in_rules_on_a_mixture(both: tuple[Scanner, Scanner]) -> None:
    """Findings among noise that begins like heads, and hits of every head alike."""
    rng = random.Random(77)
    words = [word for rule in builtin_rules() for h in rule.heads.heads for word in h.literals]
    out = bytearray()
    for _ in range(4000):
        match rng.randrange(5):
            case 0:
                out += example_of(rng.choice(IDS), rng.randrange(8))[0][:300]
            case 1:
                out += rng.choice(words).encode("latin-1")
            case 2:
                out += bytes(rng.choices(b"abcdef0123456789ABCDEFxyz-_", k=rng.randrange(60)))
            case 3:
                out += rng.randbytes(rng.randrange(30))
            case _:
                out += rng.choice([b"\n", b" = '", b'","', b"key=", b"TOKEN: ", b"\xc3\xa9"])
    data = bytes(out)
    fast, sure = both
    assert fast.scan(data) == sure.scan(data)
    seen = [set(scanner.machinery.engine.find(data)) for scanner in both]
    fixed = [
        {hit for hit in one if fast.machinery.table.heads[hit & ID_MASK].length} for one in seen
    ]
    assert fixed[0] == fixed[1]
    assert len(fixed[0]) > 500


def test_an_engine_reads_any_buffer_and_gives_ends() -> None:
    table = HeadTable([rule_of("(?P<secret>abc_[0-9]{4})")])
    data = b"..abc_1234.."
    for name in ("hyperscan", "aho-corasick"):
        engine = make_engine(name, table.heads)
        for buffer in (data, bytearray(data), memoryview(b"x" + data)[1:]):
            assert engine.find(buffer) == [10 << ID_BITS | 0]
        assert engine.find(b"") == []
        assert engine.name == name
