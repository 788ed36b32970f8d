"""Heads: the prefilter may lie by saying yes, never by saying no."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from material import builtin_rules, rule_of, sample_of

from detector.errors import RuleError
from detector.rules import Heads, Rule
from detector.rules.heads import MAX_HEAD, MAX_HEADS, MAX_LEAD, derive
from detector.rules.syntax import PatternError, first, flatten, parse, secret_part
from patterns import drawn, rule_patterns


def holds(heads: Heads, text: bytes) -> bool:
    """Whether one of the heads stands in this match, where it must."""
    for head in heads.heads:
        # As an engine does, which tells hits that overlap, too.
        for found in regex.finditer(head.regex.encode(), text, regex.DOTALL, overlapped=True):
            # What an engine tells of a hit: where it begins, or ends if its length varies.
            told = found.start() if head.length else found.end()
            if heads.lead_lo <= told <= heads.lead_hi:
                return True
    return False


@settings(max_examples=300)
@given(rule_patterns, st.integers(0, 1 << 16))
def test_every_match_holds_a_head_at_its_place(pattern: str, seed: int) -> None:
    try:
        heads = derive(parse(pattern))
    except PatternError:
        assume(False)
    assert holds(heads, drawn(pattern, seed))


@pytest.mark.parametrize("text", [b"mariadb -pabcdefgh", b"mariadb-dump -pabcdefgh"])
def test_what_may_stand_within_an_alternative_is_not_skipped(text: bytes) -> None:
    assert holds(derive(parse("(?:mariadb(?:-dump)?|mongo) -p(?P<secret>[a-z]{8})")), text)


@settings(max_examples=150)
@given(rule_patterns)
def test_heads_begin_with_a_literal_and_are_bounded(pattern: str) -> None:
    try:
        heads = derive(parse(pattern))
    except PatternError:
        assume(False)
    assert 1 <= len(heads.heads) <= MAX_HEADS
    assert 0 <= heads.lead_lo <= heads.lead_hi <= MAX_LEAD
    for head in heads.heads:
        assert 0 < head.length == head.most <= MAX_HEAD
        assert all(len(word) >= 2 for word in head.literals)


def literal_rules() -> list[Rule]:
    return [rule for rule in builtin_rules() if not (rule.spec.keywords or rule.spec.names)]


def test_every_built_in_rule_s_samples_hold_their_heads() -> None:
    without = [
        (rule.id, seed)
        for rule in literal_rules()
        for seed in range(4)
        if not holds(rule.heads, sample_of(rule.id, seed).text)
    ]
    assert not without


def test_every_built_in_rule_s_samples_match_it() -> None:
    for rule in builtin_rules():
        sample = sample_of(rule.id, 3)
        found = re.fullmatch(rule.spec.pattern.encode(), sample.text)
        assert found, rule.id
        assert found.span("secret") == (sample.start, sample.end)
        assert rule.spec.keywords or rule.shortest <= len(sample.text) <= rule.longest


def test_public_prefixes_are_no_secrets() -> None:
    """What a mask shows is the same in every secret of the rule."""
    for rule in builtin_rules():
        for seed in range(3):
            public = sample_of(rule.id, seed).secret[: rule.public(sample_of(rule.id, seed).secret)]
            assert public in (b"", *rule.prefixes), rule.id


def test_a_drawn_byte_is_never_public() -> None:
    """A secret that begins with a class of ten bytes or more begins with a secret byte: no
    part of it may be shown in a mask."""
    shown = []
    for rule in builtin_rules():
        secret, _ = secret_part(parse(rule.spec.pattern))
        begin, _ = first(flatten(secret)[:1])
        if begin.bit_count() >= 10 and rule.prefixes:
            shown.append((rule.id, rule.prefixes[0]))
    assert not shown, f"{len(shown)} rules, for example {shown[:5]}"


@pytest.mark.parametrize(
    ("pattern", "prefixes"),
    [
        ("(?P<secret>SK[0-9a-f]{32})", {b"SK"}),
        ("(?P<secret>[0-9a-f]{8}-[0-9a-f]{4})", set()),
        ("(?P<secret>ghp_[0-9A-Za-z]{36})", {b"ghp_"}),
        ("(?P<secret>(?:abc|abd)_[0-9]{9})", {b"abc_", b"abd_"}),
        ("(?P<secret>[rs]k_test_[0-9A-Za-z]{24})", {b"rk_test_", b"sk_test_"}),
        ("token=(?P<secret>[0-9]{9})", set()),
        ("token=(?P<secret>[0-9A-Za-z]{9})", set()),
    ],
)
def test_prefixes_that_everybody_may_see(pattern: str, prefixes: set[bytes]) -> None:
    assert set(rule_of(pattern, keywords=("acmecloud",)).prefixes) == prefixes


@pytest.mark.parametrize(
    "pattern",
    ["(?P<secret>[0-9a-f]{32})", "(?P<secret>[a-z]{200}abcd)", "(?P<secret>a[0-9A-Za-z]{30})"],
)
def test_a_pattern_without_a_literal_needs_keywords(pattern: str) -> None:
    with pytest.raises(RuleError, match="literal"):
        rule_of(pattern)
    assert rule_of(pattern, keywords=("acmecloud",)).spec.keywords
