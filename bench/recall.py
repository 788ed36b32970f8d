"""How much of what was planted a program reported: by value, not by place, because every
program counts lines, columns and offsets in its own way."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from bench.planting import Truth


class Recall(NamedTuple):
    """Distinct planted values, how many of them were reported, and the distinct reported
    values that hold nothing planted."""

    planted: int
    found: int
    extra: int
    by_kind: dict[str, str]  # "found/planted"


def accepted(kind: str, value: str) -> tuple[str, ...]:
    """What counts as the planted value: itself, and of a database URL the password alone."""
    if kind == "postgres-url":
        password = re.search(r"//[^:]+:([^@]+)@", value)
        assert password is not None
        return value, password[1]
    return (value,)


def recall(
    truth: Iterable[tuple[Truth, bytes]], reported: Iterable[str], *, hashed: bool = False
) -> Recall:
    """A reported value that contains a planted one counts too (a whole line, a header); a
    mere piece of a planted one doesn't. With ``hashed``, the report holds SHA-1 digests."""
    kinds = {value.decode(): item.kind for item, value in truth}
    owner = {name: value for value, kind in kinds.items() for name in accepted(kind, value)}
    said = set(reported)
    if hashed:
        known = {hashlib.sha1(n.encode(), usedforsecurity=False).hexdigest(): n for n in owner}
        said = {known.get(digest, digest) for digest in said}
    found = {owner[name] for name in said & owner.keys()}
    extra = 0
    for inside in map(_Inside(owner), said - owner.keys()):
        found |= inside
        extra += not inside
    return Recall(len(kinds), len(found), extra, _by_kind(kinds, found))


class _Inside:
    """Finds the planted values within a longer text: by their first bytes, so that a
    hundred thousand of them cost one pass."""

    def __init__(self, owner: dict[str, str]) -> None:
        self._owner = owner
        self._width = min(map(len, owner), default=0)
        self._heads: dict[str, list[str]] = defaultdict(list)
        for name in owner:
            self._heads[name[: self._width]].append(name)

    def __call__(self, text: str) -> set[str]:
        if not self._width:
            return set()
        places = range(len(text) - self._width + 1)
        heads = (self._heads.get(text[i : i + self._width], ()) for i in places)
        return {self._owner[name] for names in heads for name in names if name in text}


def _by_kind(kinds: dict[str, str], found: set[str]) -> dict[str, str]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for value, kind in kinds.items():
        counts[kind][0] += value in found
        counts[kind][1] += 1
    return {kind: f"{got}/{of}" for kind, (got, of) in sorted(counts.items())}
