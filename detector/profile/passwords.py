"""Whether people have chosen the values: what a column of plaintext passwords shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detector.bytetables import LOWER, WIDTH, pad, whole_hashes
from detector.features import Lookups

SOME = 512

_WORDS = frozenset(
    b"""none null nil n/a na empty undefined hidden redacted masked removed deleted filtered locked
    disabled unset todo tbd string x""".split()
) | {b"not set", b"secret hidden"}
_PLACEHOLDER = re.compile(
    rb"[*xX.\-_?#]{1,128}|![*!]?|![0-9A-Za-z]{40}|\*+LK\*+|\((?:none|null|empty|not set|redacted"
    rb"|hidden)\)|[\[<({](?:redacted|masked|removed|filtered|hidden|password|secret|encrypted|null"
    rb"|deleted|protected)[^\]>)}]{0,64}[\]>)}]|\[(?:[a-z0-9]+(?:-[a-z0-9]+)*:)?[0-9a-f]{4,32}\]"
    rb"|0{8}-0{4}-4000-8[0-9a-f]{3}-[0-9a-f]{12}"
    rb"|.{0,16}\*{4}\(\d+\)|.{0,12}\*{3,}.{0,6}|(?:\xe2\x80\xa2)+",
    re.IGNORECASE | re.DOTALL,
)
_STARTS = frozenset(b"[<({!*xX.-_?#0\xe2")


class Chosen(NamedTuple):
    """Shares of the values, 0 to 1: ``common``: known as passwords; ``mixed``: letters with
    digits or marks; ``texts``: with blanks. ``lengths``: how many different ones there are."""

    common: float
    mixed: float
    texts: float
    median: int
    longest: int
    lengths: int


def without_placeholders(values: Sequence[bytes]) -> list[bytes]:
    """Those that do not stand where a secret was: stars, ``[redacted]``, an account's lock, our
    own masks. None of them is empty."""
    # Few values need the regex: it took 4 ms of 4,096.
    return [
        value
        for value in values
        if not (
            _PLACEHOLDER.fullmatch(value)
            if value[0] in _STARTS or b"*" in value
            else len(value) < 14 and value.lower() in _WORDS
        )
    ]


def look(values: Sequence[bytes], lookups: Lookups) -> Chosen:
    """What is seen of some values; at least one."""
    sizes = [len(value) for value in values]
    lower = np.take(LOWER, pad(values, WIDTH))
    hashes = whole_hashes(lower)
    place = np.minimum(np.searchsorted(lookups.passwords, hashes), len(lookups.passwords) - 1)
    known = (lookups.passwords[place] == hashes) & (np.array(sizes) <= WIDTH)
    letters = (lower - np.uint8(97) < 26).any(axis=0)
    others = ((lower > 32) & ~(lower - np.uint8(97) < 26)).any(axis=0)
    return Chosen(
        common=float(known.mean()),
        mixed=float((letters & others).mean()),
        texts=float((lower == 32).any(axis=0).mean()),
        median=int(np.median(sizes)),
        longest=max(sizes),
        lengths=len(set(sizes)),
    )
