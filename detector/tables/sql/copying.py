"""Blocks of COPY: lines and tabs.

Format: https://www.postgresql.org/docs/current/sql-copy.html (text format).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from detector.tables.census import Census
from detector.tables.layout import Cell
from detector.tables.spans import Inner, Spans, numbered
from detector.tables.sql.state import State, field_of

MANY = 32  # places from which on a list of all separators pays
SAMPLES = 12  # rows sampled of a piece


def copy(
    state: State, text: bytes, at: int, wanted: Sequence[int],
    census: Census | None, spans: Spans | None,
) -> tuple[State, int, list[Cell]]:  # fmt: skip
    """Lines of a COPY block, up to its end or that of the text."""
    size = len(text)
    fresh = state.field == 0 and not state.inside  # a line begins here
    if fresh and text.startswith(b"\\.", at):
        ended = at
    else:
        ended = text.find(b"\n\\.", at)
        ended = ended + 1 if ended >= 0 else -1
    if ended >= 0 and text[ended + 2 : ended + 3] not in (b"\n", b"\r", b""):  # `\.x` is data
        ended = -1
    if ended >= 0:
        stop = ended
        if len(text) - ended < 3:  # what follows decides
            ended = -1
    else:
        marks = text.endswith(b"\n\\") or (fresh and text[at:] == b"\\")
        stop = max(at, size - marks)
    count = bisect_left(wanted, stop)
    places = _copy_places(state, text, at, wanted[:count]) if count else []
    lines = text.count(b"\n", at, stop)
    if census is not None:
        census.count(state.table, state.columns, lines)
        if lines:
            census.sample(state.table, state.columns, _copy_samples(text, at, stop, fresh))
    if spans is not None:
        _tell(state, text, at, stop, spans)
    last = text.rfind(b"\n", at, stop) + 1
    row = state.row + lines
    if ended >= 0:
        line = text.find(b"\n", ended)
        rows = {**state.rows, state.table: row}
        after = State(rows=rows, defined=state.defined, database=state.database)
        return after, line + 1 if line >= 0 else size, places
    field = text.count(b"\t", max(last, at), stop) + (0 if last else state.field)
    # ``inside``: bytes of a line's first field have been seen.
    inside = (stop > last) if last else state.inside or stop > at
    return state._replace(row=row, field=field, inside=inside), stop, places


def _copy_places(state: State, text: bytes, at: int, wanted: Sequence[int]) -> list[Cell]:
    table, columns = state.table, state.columns
    if len(wanted) < MANY:
        return [_copy_place(state, text, at, position) for position in wanted]
    column = np.frombuffer(text, np.uint8, wanted[-1] - at, at)
    newlines = np.flatnonzero(column == 10)
    tabs = np.flatnonzero(column == 9)
    offsets = np.asarray(wanted, np.int64) - at
    line = np.searchsorted(newlines, offsets)
    starts = np.concatenate((np.zeros(1, np.int64), newlines + 1))[line]
    field = np.searchsorted(tabs, offsets) - np.searchsorted(tabs, starts)
    field[line == 0] += state.field
    rows = (line + state.row + 1).tolist()
    return [
        Cell(table, field_of(columns, number), row)
        for number, row in zip(field.tolist(), rows, strict=True)
    ]


def _copy_place(state: State, text: bytes, at: int, position: int) -> Cell:
    line = text.rfind(b"\n", at, position) + 1
    field = text.count(b"\t", max(line, at), position) + (0 if line else state.field)
    row = state.row + text.count(b"\n", at, position) + 1
    return Cell(state.table, field_of(state.columns, field), row)


def _tell(state: State, text: bytes, at: int, stop: int, spans: Spans) -> None:
    """What stands in these lines."""
    if stop <= at or spans.chosen(state.table, state.columns) is None:
        return
    column = np.frombuffer(text, np.uint8, stop - at, at)
    edges = np.flatnonzero((column == 9) | (column == 10))
    part = numbered(edges + at, column[edges] == 10, at, stop, state.field)
    part = part._replace(rows=part.rows + (state.row + 1))
    spans.add(state.table, state.columns, part, _inner)


def _inner(raw: bytes, last: bool) -> Inner:
    size = len(raw) - (last and raw.endswith(b"\r"))
    return None if raw[:size] == b"\\N" else (0, size)


def _copy_samples(text: bytes, at: int, stop: int, fresh: bool) -> list[list[bytes | None]]:
    """Some whole lines, from all over."""
    out: list[list[bytes | None]] = []
    step = max(1, (stop - at) // SAMPLES)
    begin = at if fresh else text.find(b"\n", at, stop) + 1
    while begin and begin < stop and len(out) < SAMPLES:
        end = text.find(b"\n", begin, stop)
        if end < 0:
            break
        out.append([None if v == b"\\N" else copied(v) for v in text[begin:end].split(b"\t")])
        begin = (
            end + 1
            if end + 1 - at >= len(out) * step
            else text.find(b"\n", at + len(out) * step, stop) + 1
        )
    return out


_COPIED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def copied(value: bytes) -> bytes:
    """The value that a field of a COPY block's text stands for."""
    return _COPIED.sub(_unescaped, value) if b"\\" in value else value


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    if found[2]:
        return bytes([int(found[2], 16)])
    return _CONTROLS.get(found[3], found[3])
