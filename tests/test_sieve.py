"""The sieve: what is plainly no secret goes, and what may be one stays."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import builtin_scanner

from detector.sieve import REACH

NAMED = [n for n, rule in enumerate(builtin_scanner().rules) if rule.spec.names]
DRAWN = [n for n in NAMED if not builtin_scanner().rules[n].spec.worded]
WORDED = [n for n in NAMED if n not in DRAWN]
QUOTES = ['"', "'", "`", "&quot;"]


def drops(value: str | bytes, rule: int, before: str = '"', after: str = "") -> bool:
    raw = value.encode() if isinstance(value, str) else value
    sieve = builtin_scanner().machinery.sieve
    assert sieve is not None
    return sieve.drops(before.encode() + raw + after.encode(), len(before.encode()), rule)


def test_both_kinds_are_there() -> None:
    assert {builtin_scanner().rules[n].id for n in DRAWN} >= {"generic-token", "generic-key"}
    assert {builtin_scanner().rules[n].id for n in WORDED} >= {"generic-password"}


@given(st.binary(max_size=60), st.integers(0, 60), st.sampled_from(NAMED), st.binary(max_size=40))
def test_any_bytes_and_only_those_within_reach(
    data: bytes, start: int, rule: int, more: bytes
) -> None:
    """The same for any buffer, and whatever stands further on: a stream need not wait for it."""
    sieve = builtin_scanner().machinery.sieve
    assert sieve is not None
    start = min(start, len(data))
    data = data[: start + REACH].ljust(start + REACH, b".")
    said = sieve.drops(data, start, rule)
    assert sieve.drops(memoryview(bytearray(data + more)), start, rule) == said
    assert sieve.drops(data[max(0, start - 1) :], min(start, 1), rule) == said


PRINTED = string.ascii_letters + string.digits + string.punctuation

inside = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ", min_size=1, max_size=8)


@given(inside, st.integers(0, 9), inside, st.sampled_from(NAMED), st.sampled_from(QUOTES))
def test_a_digit_in_its_middle_saves_a_value(
    left: str, digit: int, right: str, rule: int, quote: str
) -> None:
    assert not drops(f"{left}{digit}{right}", rule, quote, quote)


@given(st.text(PRINTED, max_size=30), st.sampled_from(WORDED), st.sampled_from(QUOTES))
def test_a_quoted_password_may_be_any_word(value: str, rule: int, quote: str) -> None:
    assert not drops(value, rule, quote, quote)


@pytest.mark.parametrize("rule", DRAWN)
def test_words_are_no_tokens(rule: int) -> None:
    for value in (
        "delimiter.square", "authorization_code", "iterationTypesOfAsync", "required",
        "string", "your-token-here", "selection.foreground", "customer_id", "token2", "container",
    ):  # fmt: skip
        assert drops(value, rule, '"', '"'), value
        assert drops(value, rule, "=", "\n"), value


@pytest.mark.parametrize("rule", DRAWN)
@pytest.mark.parametrize("chars", [string.ascii_letters, string.ascii_letters + string.digits])
def test_drawn_tokens_stay(rule: int, chars: str) -> None:
    """One in fifty at most looks like words: of letters alone, as English happens to have them."""
    rng = random.Random(f"{rule}/{chars}")
    values = ["".join(rng.choices(chars, k=24)) for _ in range(1000)]
    assert sum(drops(value, rule, '"', '"') for value in values) <= 20


@pytest.mark.parametrize("rule", NAMED)
def test_calls_and_constants_stand_without_quotes(rule: int) -> None:
    for value in ("getKey(user)", "os_environ[", "None", "true,", "undefined", "null\n", "0x1f;"):
        assert drops(value, rule, "= "), value
        if rule in WORDED:
            assert not drops(value, rule), value


@pytest.mark.parametrize("rule", WORDED)
def test_what_only_begins_like_a_constant_stays(rule: int) -> None:
    for value in (
        "true-story",
        "none_of_it",
        "newYork1",
        "null0",
        "thisIsIt",
        "not.so",
        "self-made",
    ):
        assert not drops(value, rule, "= ", "\n"), value


@pytest.mark.parametrize("rule", DRAWN)
@pytest.mark.parametrize("value", ["ABC-1234", "trac-14549", "SEC-7"])
def test_an_issue_of_a_tracker_is_no_token(rule: int, value: str) -> None:
    assert drops(value, rule, " ", " ")
    assert not drops(f"{value}a7f9", rule, " ", " ")
