"""The tables that travel with a model: common passwords, words, and how likely letters follow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from detector.bytetables import WIDTH, whole_hashes, word_bits, word_hash
from detector.entropy import Floats
from detector.features import Lookups

PASSWORDS, WORDS, SPOKEN = 12_000, 12_000, 4_000


def lookups() -> Lookups:
    """From the frequency lists that zxcvbn carries."""
    passwords: dict[int, int] = {}
    for rank, word in enumerate(FREQUENCY_LISTS["passwords"][:PASSWORDS], 1):
        passwords.setdefault(_whole(word), rank)
    order = sorted(passwords)
    ranks = [1 - np.log(passwords[one]) / np.log(2 * PASSWORDS) for one in order]
    # Each list leaves out what ranks higher in another.
    lists = [FREQUENCY_LISTS[name] for name in ("english_wikipedia", "us_tv_and_film")]
    english, spoken = ([w for w in words if w.isalpha() and w.isascii()] for words in lists)
    words = {word_hash(w) for w in english[:WORDS] + spoken[:SPOKEN] if len(w) >= 3}
    tables = [_bigrams(english[:20_000]), _bigrams(FREQUENCY_LISTS["passwords"][:PASSWORDS])]
    return Lookups(
        np.array(order, np.uint32),
        np.array(ranks, np.float16).astype(np.float32),
        word_bits(sorted(words)),
        np.array(tables, np.float16).astype(np.float32),
    )


def _whole(word: str) -> int:
    padded = word.lower().encode()[:WIDTH].ljust(WIDTH, b"\0")
    return int(whole_hashes(np.frombuffer(padded, np.uint8).reshape(-1, 1))[0])


def _bigrams(words: Sequence[str]) -> Floats:
    """Log ratio of each pair of letters to chance, of shape (27, 27)."""
    table = np.full((27, 27), 0.5)
    for word in words:
        letters = [ord(char) - 96 for char in word if "a" <= char <= "z"]
        for pair in pairwise(letters):
            table[pair] += 1
    inner = table[1:, 1:]
    table[1:, 1:] = np.log2(inner / inner.sum(axis=1, keepdims=True) * 26)
    table[0] = table[:, 0] = 0
    ratios: Floats = table.astype(np.float32)
    return ratios
