"""Mappings in base64 VLQ, against a decoder that goes digit by digit."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.bundles import mappings
from detector.bundles.mappings import Original, originals

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

Segment = tuple[int, ...]
lines_of_segments = st.lists(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 3000)),
            st.tuples(*[st.integers(0, 3000)] * 4),
            st.tuples(*[st.integers(0, 3000)] * 5),
        ),
        max_size=6,
    ),
    max_size=12,
)


def vlq(number: int) -> str:
    rest = (-number << 1) | 1 if number < 0 else number << 1
    out = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        out += DIGITS[digit | (32 if rest else 0)]
        if not rest:
            return out


def encoded(lines: list[list[Segment]]) -> bytes:
    """Absolute segments as a map writes them."""
    before = [0, 0, 0, 0]
    out = []
    for segments in lines:
        begin, written = 0, []
        for segment in segments:
            text = vlq(segment[0] - begin)
            begin = segment[0]
            for n, number in enumerate(segment[1:]):
                text += vlq(number - before[n])
                before[n] = number
            written.append(text)
        out.append(",".join(written))
    return ";".join(out).encode()


def by_hand(lines: list[list[Segment]], line: int, column: int) -> Original | None:
    """What stands in the last segment at or before a position."""
    here = lines[line] if line < len(lines) else []
    before = [(segment[0], n) for n, segment in enumerate(here) if segment[0] <= column]
    if not before:
        return None
    segment = here[max(before)[1]]
    return Original(*segment[1:4]) if len(segment) > 1 else None


@given(lines_of_segments, st.lists(st.tuples(st.integers(0, 13), st.integers(0, 3100)), max_size=9))
def test_like_a_decoder_by_hand(lines, asked):
    expected = [by_hand(lines, *one) for one in asked]
    assert originals(encoded(lines), asked) == expected


@settings(max_examples=20)
@given(lines_of_segments, st.integers(16, 200))
def test_wherever_the_chunks_are_cut(lines, size):
    asked = [(line, column) for line in range(len(lines)) for column in (0, 700, 3000)]
    whole = originals(encoded(lines), asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mappings, "CHUNK", size)
        assert originals(encoded(lines), asked) == whole


def test_a_long_map_is_read_in_chunks():
    rng = random.Random(3)
    lines = [
        [(n * 3, rng.randrange(9), rng.randrange(4000), rng.randrange(90)) for n in range(40)]
        for _ in range(3000)
    ]
    data = encoded(lines)
    assert len(data) > 2 * mappings.CHUNK
    asked = sorted((rng.randrange(3000), rng.randrange(130)) for _ in range(50))
    assert originals(data, asked) == [by_hand(lines, *one) for one in asked]


@pytest.mark.parametrize(
    "bad",
    [b"?", b"g", b"gggggggggggggA", b"AA", b"AAA", b"AAAAAA", b"g,A", b"\xff", b"AAAA!"],
    ids=["alphabet", "cut", "long", "two", "three", "six", "cut by a comma", "bytes", "mark"],
)
def test_nothing_is_told_behind_an_error(bad):
    assert originals(b"AAAA;" + bad + b";AAAA", [(1, 0), (2, 0)]) == [None, None]


def test_a_place_before_the_beginning_is_none():
    assert originals(b"ADAA", [(0, 0)]) == [None]
    assert originals(b"AADA", [(0, 0)]) == [None]


@pytest.mark.parametrize("data", [b"", b";" * 300_000, b"A" * 400_000, b"g" * 400_000])
def test_hostile_ones_are_none(data):
    assert originals(data, [(0, 0), (10**9, 10**12)])[1] is None


def test_what_is_kept_does_not_grow_with_the_map():
    data = b"EAAA," * 2_000_000
    tracemalloc.start()
    assert originals(data, [(0, 3)]) == [Original(0, 0, 0)]
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
