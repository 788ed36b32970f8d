"""Lines and columns over a window that moves, against counting from the start."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linemap import LineMap


def by_the_book(text: bytes, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count(b"\n") + 1, position - (before.rfind(b"\n") + 1) + 1


texts = st.lists(
    st.sampled_from([b"\n", b"a", b"\r\n", b"\n\n", b"long line " * 30, b"x" * 5000]), max_size=40
).map(b"".join)


@settings(max_examples=150)
@given(texts, st.data(), st.integers(0, 1 << 40))
def test_lines_and_columns_of_a_moving_window(text: bytes, data: st.DataObject, at: int) -> None:
    """Positions are asked for in any windows, as long as they ascend."""
    lines = LineMap(at)
    begin = 0
    moves = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    for move in [*moves, len(text)]:
        asked = data.draw(st.lists(st.integers(begin, move), max_size=5).map(sorted))
        window = text[begin:]
        if asked:
            places = zip(*lines.locate(window, [at + p for p in asked]), strict=True)
            assert list(places) == [by_the_book(text, p) for p in asked]
        if data.draw(st.booleans()):
            lines.pass_to(window, at + move)
        lines.drop(window, at + move)
        begin = move
        assert lines.base == at + begin


@given(texts, st.integers(0, 200_000))
def test_newlines_before_a_position(text: bytes, position: int) -> None:
    position = min(position, len(text))
    count, start = LineMap().count(text, position)
    line, column = by_the_book(text, position)
    assert (count, start) == (line - 1, position - column + 1)


def test_no_byte_is_counted_twice_and_none_is_missed() -> None:
    text = b"a\n" * 1000
    lines = LineMap()
    for position in range(0, 2000, 7):
        assert lines.count(text, position)[0] == position // 2
        lines.pass_to(text, position)
    lines.pass_to(text, 3)  # going back changes nothing
    assert lines.count(text, 2000) == (1000, 2000)
