"""What a column's values look like: bytes in a table of shape ``(width, n)``, a value a column.

Collisions tell how random a place is: two drawn values share a byte there once in ``k``, if the
alphabet has ``k``. That estimate is not biased however few values there are; Shannon's entropy
of 20 values never exceeds 4.3 bits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.bytetables import Bytes8, pad
from detector.profile.types import TokenFormat

WIDTH = 96  # bytes of a value that are looked at place by place
SEPARATORS = b"_-.:/|~"
MOST_PREFIX = 32  # bytes of a constant beginning
MOST_PREFIXES = 4
_OUTLIERS = 0.02  # a byte that fewer of the values have is no part of the alphabet
_VISIBLE = np.zeros(256, np.bool_)
_VISIBLE[33:127] = True
_SOME = 1024  # values that are looked at place by place
_MOST_BYTES = 1 << 18  # of these together
_FIXED = 4  # times the chance of a collision from which on a place says nothing

_D, _L, _U = b"0123456789", bytes(range(97, 123)), bytes(range(65, 91))
_ALPHABETS: tuple[tuple[str, str, bytes], ...] = (
    ("digits", "0-9", _D),
    ("hex", "0-9a-f", _D + b"abcdef"),
    ("hex", "0-9A-F", _D + b"ABCDEF"),
    ("letters", "a-z", _L),
    ("letters", "A-Z", _U),
    ("base32", "A-Z2-7", _U + b"234567"),
    ("base32", "a-z2-7", _L + b"234567"),
    ("base32 (Crockford)", "0-9A-HJKMNP-TV-Z", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
    ("base32 (Crockford)", "0-9a-hjkmnp-tv-z", b"0123456789abcdefghjkmnpqrstvwxyz"),
    ("base36", "0-9a-z", _D + _L),
    ("base36", "0-9A-Z", _D + _U),
    ("letters", "A-Za-z", _L + _U),
    ("base58", "1-9A-HJ-NP-Za-km-z", bytes(sorted(set(_D + _L + _U) - set(b"0OIl")))),
    ("base62", "0-9A-Za-z", _D + _L + _U),
    ("base64url", "0-9A-Za-z_-", _D + _L + _U + b"-_"),
    ("base64", "0-9A-Za-z+/", _D + _L + _U + b"+/="),
    ("letters, digits and marks", "0-9A-Za-z_.~+/=-", _D + _L + _U + b"-_.~+/="),
    ("printable", "!-~", bytes(range(33, 127))),
)  # each before those that hold it


class Shape(NamedTuple):
    """Of tokens of one format: ``format``, and ``uniform``: how much likelier than chance two
    values share a byte (1: drawn; 1.7: letters of words)."""

    format: TokenFormat
    uniform: float


def shape(values: Sequence[bytes]) -> Shape | None:
    """The format of distinct values, or None if they share none or are no tokens."""
    some = values[:: max(1, -(-len(values) // _SOME))]
    total = sum(map(len, some))
    kept = _without_outliers(some[:: -(-total // _MOST_BYTES)] if total else [])
    if not kept:
        return None
    prefixes = _prefixes(kept)
    bodies = _bodies(kept, prefixes)
    lengths = np.fromiter(map(len, bodies), np.int64, len(bodies))
    if int(lengths.min()) < 4:
        return None
    table = pad(bodies, WIDTH)
    steady = min(int(np.quantile(lengths, 0.1)), WIDTH)
    places = _counts(table[:steady])
    fixed = places.max(axis=1) == len(bodies) if len(bodies) > 1 else np.zeros(steady, np.bool_)
    least = int(lengths.min())
    marks = tuple(
        (place, chr(int(table[place, 0])))
        for place in np.flatnonzero(fixed).tolist()
        if place < least and int(table[place, 0]) in SEPARATORS
    )
    name, members, known = _alphabet(bodies, "".join(mark for _, mark in marks))
    if not members:
        return None
    bits, uniform = _randomness(places, fixed, len(bodies), len(known))
    own = known + b"".join(prefixes) + "".join(mark for _, mark in marks).encode()
    lengths_seen = _lengths(values, prefixes, own, least if marks else least - 2)
    form = TokenFormat(
        prefixes=tuple(prefix.decode("ascii") for prefix in prefixes),
        alphabet=name,
        members=members,
        shortest=lengths_seen[0],
        longest=lengths_seen[1],
        body=lengths_seen[2:],
        separators=marks,
        bits=int(bits),
    )
    return Shape(form, uniform)


def _lengths(
    values: Sequence[bytes], prefixes: tuple[bytes, ...], own: bytes, least: int
) -> tuple[int, int, int, int]:
    """The least and most bytes of all that are of one format, whole and behind the prefix;
    ``least``: there."""
    fitting = [v for v in values if v.startswith(prefixes) and not v.translate(None, own)]
    if len(prefixes) == 1:
        sizes = {(size - len(prefixes[0]), size) for size in set(map(len, fitting))}
    else:
        bodies = map(len, _bodies(fitting, prefixes))
        sizes = set(zip(bodies, map(len, fitting), strict=True))
    sizes = {(body, size) for body, size in sizes if body >= least}
    whole = [size for _, size in sizes]
    return min(whole), max(whole), min(sizes)[0], max(sizes)[0]


def _without_outliers(values: Sequence[bytes]) -> list[bytes]:
    """Those whose bytes all stand in many; empty if a tenth would go, or a byte is no ASCII."""
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    flat = np.frombuffer(b"".join(values), np.uint8)
    has = np.zeros((len(values), 256), np.bool_)
    has[np.repeat(np.arange(len(values)), lengths), flat] = True
    seen = has.sum(axis=0)
    rare = (seen < _OUTLIERS * len(values)) & (seen > 0) | ~_VISIBLE
    bad = (has & rare).any(axis=1)
    if int(bad.sum()) > 0.1 * len(values):
        return []
    if not bad.any():
        return list(values)
    return [value for value, is_bad in zip(values, bad.tolist(), strict=True) if not is_bad]


def _prefixes(values: Sequence[bytes]) -> tuple[bytes, ...]:
    """Constant beginnings: one up to its last separator, or a few that part the values."""
    if len(values) < 3:
        return (b"",)
    common = _common(min(values), max(values))
    if len(common) == min(map(len, values)):
        return (b"",)
    last = max((common.rfind(mark) for mark in SEPARATORS), default=-1) + 1
    several = _several(values, last)
    if several:
        return several
    if last:
        return (common[:last],) if re.search(rb"[A-Za-z]", common[:last]) else (b"",)
    return (common,) if len(common) >= 3 and common.isalpha() else (b"",)


def _common(first: bytes, last: bytes) -> bytes:
    """What both begin with; of the least and the greatest of many, what all do."""
    pairs = enumerate(zip(first[:MOST_PREFIX], last, strict=False))
    size = next((place for place, (one, other) in pairs if one != other), MOST_PREFIX)
    return first[: min(size, len(first), len(last))]


_PARTED = re.compile(rb"(?:[A-Za-z][0-9A-Za-z]{0,15}[_.:-]){1,4}")


def _several(values: Sequence[bytes], least: int) -> tuple[bytes, ...]:
    """``acme_live_`` and ``acme_test_``: few heads that go further than the common one."""
    some = values[:: max(1, len(values) // 128)]
    fewest = max(3, len(some) // 50)
    for depth in (3, 2, 1):
        counts: dict[bytes, int] = {}
        for value in some:
            head = _head(value, depth)
            counts[head] = counts.get(head, 0) + 1
            if len(counts) > MOST_PREFIXES:
                break
        if (
            1 < len(counts) <= MOST_PREFIXES
            and min(counts.values()) >= fewest
            and min(map(len, counts)) > least
        ):
            found = tuple(sorted(counts))
            return found if all(value.startswith(found) for value in values) else ()
    return ()


def _head(value: bytes, depth: int) -> bytes:
    """The first parts that end in a separator, as many as ``depth`` where there are."""
    found = _PARTED.match(value[:MOST_PREFIX])
    if found is None:
        return b""
    ends = [n + 1 for n, byte in enumerate(found[0]) if byte in b"_.:-"]
    return value[: ends[min(depth, len(ends)) - 1]]


def _bodies(values: Sequence[bytes], prefixes: tuple[bytes, ...]) -> list[bytes]:
    if len(prefixes) == 1:
        size = len(prefixes[0])
        return [value[size:] for value in values] if size else list(values)
    longest_first = sorted(prefixes, key=len, reverse=True)
    return [
        value[next(len(prefix) for prefix in longest_first if value.startswith(prefix)) :]
        for value in values
    ]


def _counts(table: Bytes8) -> NDArray[np.int64]:
    """How often each byte stands at each place, of shape ``(places, 256)``."""
    places, _ = table.shape
    flat = table.astype(np.int64) + (np.arange(places, dtype=np.int64) << 8)[:, None]
    return np.bincount(flat.ravel(), minlength=places << 8).reshape(places, 256)


def _alphabet(bodies: Sequence[bytes], marks: str) -> tuple[str, str, bytes]:
    """The smallest alphabet that holds all bytes but those at the fixed separators: its name,
    its class and its bytes."""
    seen = np.bincount(np.frombuffer(b"".join(bodies), np.uint8), minlength=256)
    for mark in set(marks):
        seen[ord(mark)] -= marks.count(mark) * len(bodies)
    left = set(np.flatnonzero(seen).tolist())
    for name, members, known in _ALPHABETS:
        if left <= set(known):
            return name, members, known
    return "", "", b""


def _randomness(
    places: NDArray[np.int64], fixed: NDArray[np.bool_], count: int, size: int
) -> tuple[float, float]:
    """Bits of all places, and the mean ratio of collisions to chance at those that vary."""
    pairs = count * (count - 1)
    if not pairs or not len(places):
        return 0.0, 99.0
    collisions = (places * (places - 1)).sum(axis=1) / pairs
    most = np.log2(size)
    bits = np.minimum(-np.log2(np.maximum(collisions, 1e-9)), most)[~fixed]
    ratios = (collisions * size)[~fixed]
    varying = ratios[ratios < _FIXED + 4 * np.sqrt(2 * size / pairs)]
    if varying.size < max(4, 0.5 * ratios.size):
        return float(bits.sum()), 99.0
    noise = 2 * np.sqrt(2 * size / (pairs * varying.size))
    return float(bits.sum()), max(0.0, float(varying.mean() - noise))
