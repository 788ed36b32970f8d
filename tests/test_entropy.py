"""Randomness of tokens: near 1 for random ones of any length and alphabet, low for others."""

from __future__ import annotations

import math
import random
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.entropy import DIGIT, LOWER, OTHER, UPPER, Floats, profile
from detector.score import NOT_RANDOM


def randomness(tokens: list[bytes]) -> Floats:
    return profile(tokens)[0]


ALPHABETS = {
    "hex": b"0123456789abcdef",
    "HEX": b"0123456789ABCDEF",
    "base 32": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "lower": b"abcdefghijklmnopqrstuvwxyz",
    "base 36": b"0123456789abcdefghijklmnopqrstuvwxyz",
    "base 62": b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "base 64": b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_",
    "digits": b"0123456789",
}


@pytest.mark.parametrize("name", ALPHABETS)
@pytest.mark.parametrize("length", [16, 20, 32, 40, 64, 100])
def test_random_tokens_are_near_one(name: str, length: int) -> None:
    """2,000 tokens a cell, mean within 5 % of 1 and none near the threshold."""
    rng = random.Random(f"{name}/{length}")
    found = randomness([bytes(rng.choices(ALPHABETS[name], k=length)) for _ in range(2000)])
    assert found.dtype == np.float32
    assert found.shape == (2000,)
    assert abs(float(found.mean()) - 1) < 0.05
    assert float(found.min()) > NOT_RANDOM + 0.1


@pytest.mark.parametrize(
    "token", [b"x" * 40, b"0" * 16, b"ab" * 20, b"1212121212121212", b"x", b"", b"aaaaaaaaaaaaaaab"]
)
def test_what_nobody_drew_is_low(token: bytes) -> None:
    for batch in ([token], [token] * 100):
        assert float(randomness(batch)[-1]) < NOT_RANDOM


tokens = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.text("abcdef0123456789", max_size=80).map(str.encode),
        st.just(b"q" * 4200),
    ),
    max_size=70,
)


@settings(max_examples=150)
@given(tokens)
def test_a_batch_says_of_each_what_it_says_of_it_alone(batch: list[bytes]) -> None:
    """Whatever way is taken for few and for many: a finding must not hang on its neighbours."""
    together = randomness(batch)
    alone = [float(randomness([token])[0]) for token in batch]
    assert together.shape == (len(batch),)
    np.testing.assert_allclose(together, alone, rtol=0, atol=2e-5)


@settings(max_examples=100)
@given(st.binary(min_size=2, max_size=60))
def test_it_is_shannon_s_entropy_relative_to_a_constant(token: bytes) -> None:
    """Of two tokens of one length and one set of kinds, the ratio is that of entropies."""
    other = bytes(sorted(token))  # same counts: the same entropy, by definition
    assert randomness([token])[0] == pytest.approx(float(randomness([other])[0]), abs=1e-6)
    size = len(token)
    entropy = -sum(n / size * math.log2(n / size) for n in Counter(token).values())
    assert (float(randomness([token])[0]) == 0) == (entropy == 0)


def test_an_empty_token_takes_nothing_from_the_one_before_it() -> None:
    batch = [b""] * 6 + [b"\0A", b""]
    assert profile(batch)[0].tolist() == pytest.approx([0.0] * 6 + [1.098901, 0.0])
    assert profile(batch)[1][6] == OTHER | profile([b"A"])[1][0]


def test_more_tokens_than_a_block() -> None:
    rng = random.Random(5)
    batch = [rng.randbytes(rng.randrange(1, 50)).hex().encode() for _ in range(1500)]
    batch[700] = b""
    np.testing.assert_allclose(
        randomness(batch), [float(randomness([t])[0]) for t in batch], atol=2e-5
    )
    assert randomness([]).shape == (0,)


@settings(max_examples=100)
@given(tokens)
def test_the_classes_that_a_token_holds(batch: list[bytes]) -> None:
    """Digits, small letters, capitals, anything else; for few tokens as for many."""
    kinds = {
        DIGIT: rb"[0-9]",
        LOWER: rb"[a-z]",
        UPPER: rb"[A-Z]",
        OTHER: rb"[^0-9A-Za-z]",
    }
    for some in (batch, batch[:3]):
        _, classes = profile(some)
        for token, found in zip(some, classes.tolist(), strict=True):
            if len(token) > 1:
                for bits, pattern in kinds.items():
                    assert bool(found & bits) == bool(re.search(pattern, token))
