"""Random patterns of the language that rules may use, and samples of them."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from detector.rules.samples import _draw
from detector.rules.syntax import Node, parse

ATOMS = [
    "[0-9a-f]", "[0-9A-Za-z]", "[0-9A-Za-z_-]", "[a-z]", "[A-Z2-7]", r"\d", r"\w", "[ab]",
    "[^x]", r"[^\s\"']", "[=+/]", "[xy]", r"\s", r"\-", r"\.", r"\|",
]  # fmt: skip
literals = st.text("abcxyzAB09_-", min_size=1, max_size=5)
prefixes = st.text("abcdefghijkXYZ09_", min_size=3, max_size=6)
atoms = st.one_of(literals, st.sampled_from(ATOMS))


def _group(items: list[str]) -> str:
    return "".join(items)


def _extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda p: f"(?:{p})")
    counts = st.tuples(st.integers(1, 4), st.integers(0, 4)).map(lambda t: (t[0], t[0] + t[1]))
    lazy = st.sampled_from(["", "?"])
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: f"(?:{'|'.join(p)})"),
        st.tuples(group, counts, lazy).map(lambda t: f"{t[0]}{{{t[1][0]},{t[1][1]}}}{t[2]}"),
        st.tuples(group, counts).map(lambda t: f"{t[0]}{{{t[1][0]}}}"),
        group.map(lambda p: f"{p}?"),
        inner.map(lambda p: f"(?i:{p})"),
    )


parts = st.recursive(atoms, _extend, max_leaves=6)
"""Any pattern without its ``secret`` group; it may match the empty string."""

patterns = st.tuples(st.one_of(st.just(""), parts), parts, st.one_of(st.just(""), parts)).map(
    lambda t: f"{t[0]}(?P<secret>{t[1]}){t[2]}"
)
"""Any pattern with its group; many have no literal that a head could begin with."""

rule_patterns = st.tuples(
    st.one_of(st.just(""), st.sampled_from(["[0-9]{1,4}", "[a-z]{2,6}:", "key=", r"[\w.]{1,8}@"])),
    prefixes,
    st.lists(parts, min_size=1, max_size=3).map("".join),
    st.one_of(st.just(""), st.sampled_from([";", "={0,2}", "-end", "[!?]"])),
).map(lambda t: f"{t[0]}(?P<secret>{t[1]}{t[2]}){t[3]}")
"""Patterns as rules have them: with a literal of three bytes or more near the front."""


def drawn(pattern: str, seed: int) -> bytes:
    """A random match of the pattern."""
    return drawn_of(parse(pattern), seed)


def drawn_of(tree: Node, seed: int) -> bytes:
    out = bytearray()
    _draw(tree, random.Random(seed), out, [0, 0])
    return bytes(out)
