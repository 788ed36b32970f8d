"""How random a token looks: columns in, columns out.

Shannon entropy of a short token depends on its length and its alphabet more than on its
randomness, so it is given relative to what a random token of that length and alphabet
has. Measured on 10^5 random tokens a cell, lengths 16 to 100: the mean is 1.00, and fewer
than one in 10^5 falls below 0.80 (hex, length 32) or 0.86 (base 62, length 20 and more).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WORTH = 8  # tokens: below that plain Python is faster than the arrays (5 against 25 us)
_BLOCK = 512  # rows of 256 counters: 512 KiB of them stay in the second-level cache
_COUNT_LOG = (np.arange(4097) * np.log2(np.maximum(np.arange(4097), 1))).astype(np.float32)
_LONGEST = 4096  # bytes of a token that are looked at


def _alphabets() -> NDArray[np.uint8]:
    """A bit for every class of bytes: digit, a-f, g-z, A-F, G-Z, other."""
    classes = np.full(256, 32, np.uint8)
    for bit, chars in enumerate(
        (b"0123456789", b"abcdef", bytes(range(103, 123)), b"ABCDEF", bytes(range(71, 91)))
    ):
        classes[list(chars)] = 1 << bit
    return classes


_CLASS = _alphabets()
_CLASS_BYTES = _CLASS.tobytes()
_SIZES = np.array([10, 6, 20, 6, 20, 2], np.float32)  # other: '-_', '+/' and the like
_SIZE_OF_SET = np.array(
    [
        max(2.0, sum(size for bit, size in enumerate(_SIZES) if members >> bit & 1))
        for members in range(64)
    ],
    np.float32,
)


DIGIT, LOWER, UPPER, OTHER = 1, 2 | 4, 8 | 16, 32
"""Bits of the classes of bytes that a token holds."""


def profile(tokens: Sequence[bytes]) -> tuple[Floats, NDArray[np.uint8]]:
    """For each token its entropy relative to a random one's, about 0 to 1, and the classes
    of bytes that it holds; both of shape ``(n,)``."""
    if len(tokens) < WORTH:
        pairs = [profile_of(token) for token in tokens]
        return np.array([p for p, _ in pairs], np.float32), np.array(
            [c for _, c in pairs], np.uint8
        )
    return in_columns(tokens)


def in_columns(tokens: Sequence[bytes]) -> tuple[Floats, NDArray[np.uint8]]:
    """The same, in arrays however few there are: to the last bit what a larger batch gives."""
    relative = np.ones(len(tokens), np.float32)
    members = np.zeros(len(tokens), np.uint8)
    for begin in range(0, len(tokens), _BLOCK):
        block = [token[:_LONGEST] for token in tokens[begin : begin + _BLOCK]]
        end = begin + len(block)
        relative[begin:end], members[begin:end] = _block(block)
    return relative, members


def _block(tokens: list[bytes]) -> tuple[Floats, NDArray[np.uint8]]:
    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    flat = np.frombuffer(b"".join(tokens), np.uint8)
    if not flat.size:
        return np.zeros(len(tokens), np.float32), np.zeros(len(tokens), np.uint8)
    rows = np.repeat(np.arange(len(tokens)), lengths)
    counts = np.bincount(rows * 256 + flat)
    size = np.maximum(lengths, 1).astype(np.float32)
    repeated = np.flatnonzero(counts > 1)  # one of a kind adds nothing, and most are
    logs = np.bincount(repeated >> 8, _COUNT_LOG[counts[repeated]], minlength=len(tokens))
    entropy = np.log2(size) - logs / size
    starts = np.cumsum(lengths) - lengths
    # One byte more without a class: where an empty last token begins.
    members = np.bitwise_or.reduceat(np.append(_CLASS[flat], np.uint8(0)), starts)
    expected = _expected(size, _SIZE_OF_SET[members])
    relative = np.where(lengths > 1, entropy / expected, 0).astype(np.float32)
    return relative, np.where(lengths > 0, members, 0).astype(np.uint8)


def _expected(length: Floats, alphabet: Floats) -> Floats:
    """Entropy of a random token: the alphabet's, less the bias of counting few draws.

    The Miller-Madow term ``(k - 1) / 2n`` in bits holds for n > k; for shorter tokens
    nearly all bytes differ and ``log2 n`` less the birthday repeats is closer.
    """
    long = np.log2(alphabet) - (alphabet - 1) / (2 * length * np.log(2))
    short = np.log2(length) - (length - 1) / alphabet * 0.72
    expected: Floats = np.maximum(np.where(length > alphabet, long, short), 0.5)
    return expected


def profile_of(token: bytes) -> tuple[float, int]:
    """The same for one token, in plain Python."""
    token = token[:_LONGEST]
    size = len(token)
    if size == 0:
        return 0.0, 0
    # Counting each byte of the set takes half of what a Counter does.
    counts = map(token.count, set(token))
    repeats = sum([n * math.log2(n) for n in counts if n > 1])
    members = reduce(or_, set(token.translate(_CLASS_BYTES)))
    if size == 1:
        return 0.0, members
    alphabet = float(_SIZE_OF_SET[members])
    if size > alphabet:
        expected = math.log2(alphabet) - (alphabet - 1) / (2 * size * math.log(2))
    else:
        expected = math.log2(size) - (size - 1) / alphabet * 0.72
    return (math.log2(size) - repeats / size) / max(expected, 0.5), members
