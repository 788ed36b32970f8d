"""Counts of different things: those of a set, however few fit into memory."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.distinct import Distinct, count_of

numbers = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 30), max_size=60)


@given(st.lists(numbers, max_size=8), st.integers(1, 20), st.integers(1, 9))
def test_counts_as_a_set_does(parts, in_memory, gathered):
    distinct, seen = Distinct(in_memory, gathered), set()
    for part in parts:
        distinct.add(np.array(part, np.uint64))
        seen.update(part)
        assert distinct.count == len(seen)


@given(st.lists(numbers, max_size=5), st.integers(1, 20))
def test_several_are_counted_as_their_union(parts, in_memory):
    several = []
    for part in parts:
        several.append(Distinct(in_memory, 4))
        several[-1].add(np.array(part, np.uint64))
    assert count_of(several) == len(set().union(*parts))


def test_what_is_on_disk_is_counted_too():
    draw = Random(5)
    numbers = [draw.randrange(300_000) << 20 for _ in range(600_000)]
    distinct = Distinct(in_memory=50_000, gathered=1000)
    for begin in range(0, len(numbers), 1000):
        distinct.add(np.array(numbers[begin : begin + 1000], np.uint64))
    assert len(distinct.runs()) > 2
    assert distinct.count == len(set(numbers))
