"""Bytes in tables of shape ``(width, n)``: one text a column, and what can be counted in them.

numpy works along rows of ``n`` bytes, which is ten times as fast as along a text's own few.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WIDTH = 48  # bytes of a text that are looked at one by one

Bytes8 = NDArray[np.uint8]


def table(members: bytes) -> NDArray[np.bool_]:
    """Of all 256 bytes, which are ``members``."""
    table = np.zeros(256, np.bool_)
    table[list(members)] = True
    return table


LOWER = np.arange(256, dtype=np.uint8)
LOWER[65:91] += 32
TEXT = LOWER.copy()
TEXT[48:58] = 48  # one digit is as good as another in what stands around a value
LETTER = np.zeros(256, np.uint8)
LETTER[97:123] = LETTER[65:91] = np.arange(1, 27)
HEX = table(b"0123456789abcdefABCDEF")
VOWEL = table(b"aeiouAEIOU")
SEXTET = np.full(256, 64, np.uint8)
SEXTET[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = range(64)
SEXTET[list(b"-_")] = 62, 63
# Lower, upper, digit, beyond ASCII, blank; others by kind: what joins words, ends sentences,
# belongs to base64, opens and closes, quotes.
KIND = np.full(256, 11, np.uint8)
KIND[0] = 0
KIND[97:123], KIND[65:91], KIND[48:58], KIND[128:], KIND[32] = 1, 2, 3, 4, 5
for _number, _members in enumerate((b"_-", b".,;:!?", b"+/=", b"()[]{}<>", b"\"'`"), 6):
    KIND[list(_members)] = _number

FACTOR = 0x01000193
POWERS = np.array([pow(FACTOR, place, 1 << 32) for place in range(WIDTH)], np.uint32)
INVERSES = np.array([pow(FACTOR, -place, 1 << 32) for place in range(WIDTH + 1)], np.uint32)


def pad(texts: Sequence[bytes], size: int) -> Bytes8:
    """Of shape ``(size, n)``, the texts' beginnings, filled up with NULs."""
    joined = b"".join([text[:size].ljust(size, b"\0") for text in texts])
    return np.frombuffer(joined, np.uint8).reshape(len(texts), size).T.copy()


def pad_left(texts: Sequence[bytes], size: int) -> Bytes8:
    """The same for the texts' ends: their last bytes share a row."""
    joined = b"".join([text[-size:].rjust(size, b"\0") for text in texts])
    return np.frombuffer(joined, np.uint8).reshape(len(texts), size).T.copy()


def count(rows: NDArray[np.bool_]) -> Bytes8:
    """How many are true in each column; at most 255."""
    counted: Bytes8 = np.add.reduce(rows.view(np.uint8), axis=0, dtype=np.uint8)
    return counted


@lru_cache(maxsize=8)
def column(chars: bytes) -> Bytes8:
    """The chars below each other, of shape ``(len(chars), 1)``."""
    return np.frombuffer(chars, np.uint8)[:, None]


def count_each(table: Bytes8, chars: bytes) -> Bytes8:
    """How often each of ``chars`` stands in each column, of shape ``(len(chars), n)``."""
    same = table == column(chars)[:, :, None]
    counted: Bytes8 = np.add.reduce(same.view(np.uint8), axis=1, dtype=np.uint8)
    return counted


def word_bits(hashes: Sequence[int] | NDArray[np.uint32]) -> NDArray[np.bool_]:
    """One bit for each of 2^20 hashes: one run of letters in 80 that is no word counts as one,
    and a look-up takes a twentieth of a binary search."""
    bits = np.zeros(1 << 20, np.bool_)
    bits[np.asarray(hashes, np.uint32) >> 12] = True
    return bits


def whole_hashes(lower: Bytes8) -> NDArray[np.uint32]:
    """A hash of each column of a padded table, for tables of whole values."""
    hashes: NDArray[np.uint32] = (lower * POWERS[: len(lower), None]).sum(axis=0, dtype=np.uint32)
    return hashes


def word_hash(word: str) -> int:
    """The hash of a run of the letters ``a`` to ``z``: the sum of the letters times powers of
    an odd number."""
    return sum((ord(char) - 96) * int(POWERS[i]) for i, char in enumerate(word)) & 0xFFFFFFFF


def quads(table: Bytes8) -> NDArray[np.uint32]:
    """Four bytes from each place on, as one number."""
    wide = table.astype(np.uint32)
    shifts = [(wide[:-3], 24), (wide[1:-2], 16), (wide[2:-1], 8)]
    quads = wide[3:]
    for part, bits in shifts:
        quads = quads | part << np.uint32(bits)
    return quads
