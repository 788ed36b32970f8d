"""Lists of texts, read from ``texts.txt`` and ``families.txt``: a heading ``%% NAME``, then one
entry a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent


class Family(NamedTuple):
    """Names whose values are of one kind, the fillers of :mod:`models.world` that draw them, and
    how often it comes. ``bare``: no quotes in a language that has them."""

    kind: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    weight: int
    bare: bool


def _sections(file: str) -> list[tuple[str, tuple[str, ...]]]:
    content = (_HERE / file).read_text("utf-8")
    parts = [part.splitlines() for part in re.split(r"^%% ", content, flags=re.M)[1:]]
    return [(head, tuple(filter(None, entries))) for head, *entries in parts]


def _families(title: str) -> tuple[Family, ...]:
    found = []
    for head, names in _sections("families.txt"):
        about, _, values = head.partition(" | ")
        group, kind, weight, *bare = about.split()
        if group == title:
            found.append(Family(kind, names, tuple(values.split()), int(weight), bool(bare)))
    return tuple(found)


TEXTS: dict[str, tuple[str, ...]] = dict(_sections("texts.txt"))

HARD = _families("hard")
"""What stands under names that only sound like credentials; names with blanks between words."""

PLAIN = _families("plain")
"""Neighbours that are no credentials."""
