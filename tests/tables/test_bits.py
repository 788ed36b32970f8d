"""Strides taken apart: the truth is a loop."""

from __future__ import annotations

from itertools import accumulate
from operator import xor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.tables import bits


@given(
    toggles=st.lists(st.booleans(), max_size=300),
    at=st.sets(st.integers(0, 999)),
    begun=st.booleans(),
)
def test_parity(toggles, at, begun):
    for flags in (toggles, [n in at for n in range(1000)]):
        expected = list(accumulate(flags, xor, initial=begun))[1:]
        assert bits.parity(np.array(flags, np.bool_), begun).tolist() == expected


@pytest.mark.parametrize("size", [0, 1, 6, 7, 8, 14, 20])
def test_pieces_hold_each_byte_and_position_once(size, monkeypatch):
    monkeypatch.setattr(bits, "PIECE", 7)
    text = bytes(range(size))
    at, seen = 0, []
    for part, positions in bits.pieces(text, range(size + 1)):
        assert text[at : at + len(part)] == part
        seen += [at + position for position in positions]
        at += len(part)
    assert (at, seen) == (size, list(range(size + 1)))
