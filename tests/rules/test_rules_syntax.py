"""What is derived from a pattern holds for whatever the pattern matches."""

from __future__ import annotations

import re

import hyperscan
import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detector.rules.syntax import (
    ANY,
    Group,
    One,
    PatternError,
    alphabet,
    class_regex,
    first,
    flatten,
    is_deterministic,
    last_byte,
    mask_of,
    parse,
    secret_part,
    tail,
    width,
)
from patterns import drawn, parts, patterns

seeds = st.integers(0, 1 << 16)


def tree_of(pattern: str) -> object:
    try:
        return parse(pattern)
    except PatternError:
        assume(False)  # a repeat of what may be empty
        raise


@settings(max_examples=200)
@given(patterns, seeds)
def test_samples_match_and_keep_within_the_bounds(pattern: str, seed: int) -> None:
    tree = tree_of(pattern)
    text = drawn(pattern, seed)
    assert re.fullmatch(pattern.encode(), text)
    lo, hi = width(tree)
    assert lo <= len(text) <= hi
    union = alphabet(tree)
    assert all(union >> byte & 1 for byte in text)


@settings(max_examples=200)
@given(parts, seeds)
def test_how_a_match_begins_and_ends(pattern: str, seed: int) -> None:
    tree = tree_of(pattern)
    text = drawn(pattern, seed)
    starts, may_be_empty = first(flatten(tree))
    assert text or may_be_empty
    if text:
        assert starts >> text[0] & 1
        assert last_byte(tree) >> text[-1] & 1
        assert tail(tree) >> text[-1] & 1 or not last_byte(tree) & tail(tree) >> text[-1]


@settings(max_examples=300)
@given(patterns, seeds, st.binary(max_size=6))
def test_where_one_byte_decides_there_is_one_way_to_match(
    pattern: str, seed: int, more: bytes
) -> None:
    """A greedy and a lazy reading agree, so nothing depends on how alternatives are ordered."""
    tree = tree_of(pattern)
    # What follows may be anything: then no open end is allowed either.
    assume(is_deterministic(flatten(tree), ANY))
    text = drawn(pattern, seed)
    ends = [
        end
        for end in range(len(text + more) + 1)
        if re.fullmatch(pattern.encode(), (text + more)[:end])
    ]
    assert ends == [len(text)]


@settings(max_examples=100)
@given(st.sets(st.integers(0, 255), min_size=1))
def test_a_class_means_the_same_to_every_engine(members: set[int]) -> None:
    mask = mask_of(bytes(members))
    written = class_regex(mask).encode("ascii")
    everything = bytes(range(256))
    for engine in (re, regex):
        assert set(b"".join(engine.findall(written, everything, engine.DOTALL))) == members
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[written], flags=hyperscan.HS_FLAG_DOTALL)
    hits: list[int] = []
    database.scan(everything, lambda _i, _s, end, _f, _c: hits.append(end - 1))
    assert set(hits) == members
    assert parse(class_regex(mask)) == One(mask)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a*", "unbounded"),
        ("a+", "unbounded"),
        ("a{3,}", "unbounded"),
        ("a+?", "unbounded"),
        ("a++", "not allowed"),
        ("a.b", "not allowed"),
        ("^a", "not allowed"),
        ("a$", "not allowed"),
        (r"\ba", "not allowed"),
        ("(?=a)b", "not allowed"),
        ("(?<!a)b", "not allowed"),
        (r"(?P<secret>a)(?P=secret)", "not allowed"),
        ("(a)", "only capturing group"),
        ("(?P<token>a)", "only capturing group"),
        ("(?:a?){2,3}", "empty string"),
        ("[z-a]", "not a valid"),
        ("(a", "not a valid"),
        ("schlüssel", "not a valid ASCII"),
    ],
)
def test_what_a_pattern_may_not_use(pattern: str, says: str) -> None:
    with pytest.raises(PatternError, match=re.escape(says)):
        parse(pattern)


def test_case_folding_reaches_where_it_is_asked_for_and_no_further() -> None:
    node = parse("(?i:aB)c[^A]")
    masks = [item.mask for item in flatten(node) if isinstance(item, One)]
    assert masks == [mask_of(b"aA"), mask_of(b"bB"), mask_of(b"c"), ANY & ~mask_of(b"A")]
    assert parse("(?i:[^a])") == One(ANY & ~mask_of(b"aA"))
    assert parse("(?i:a(?-i:b))") == parse("[aA]b")


def test_the_secret_s_part() -> None:
    node, is_last = secret_part(parse("key=(?P<secret>[a-z]{8})"))
    assert is_last
    assert width(node) == (8, 8)
    _, is_last = secret_part(parse("key=(?P<secret>[a-z]{8});"))
    assert not is_last
    for pattern in ("abc", "(?P<secret>a)|b(?:c)"):
        groups = [n for n in flatten(parse(pattern)) if isinstance(n, Group)]
        assert groups == []
    with pytest.raises(PatternError, match="exactly one"):
        secret_part(parse("abc"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ab[0-9]{4}", b"0123456789"),
        ("ab[0-9]{4}={0,2}", b"0123456789="),
        ("ab[0-9]{4}(?:xy)?", b"0123456789xy"),
        ("ab(?:[0-9]{4}|[xyz]{3})", b"0123456789xyz"),
        ("ab[0-9]{4}-end", b"0123456789-end"),
    ],
)
def test_the_alphabet_at_the_end(pattern: str, expected: bytes) -> None:
    assert tail(parse(pattern)) == mask_of(expected)
