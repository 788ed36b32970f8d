"""The lists behind VALUES, looked at with numpy: where quotes are, what parentheses and commas
stand outside of them. Statements with the same head follow each other without leaving them, since
dumps with one row a statement have nothing else."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from detector.tables.layout import NOWHERE, Cell
from detector.tables.spans import Inner, Part, Spans
from detector.tables.sql.escapes import without_escapes
from detector.tables.sql.state import Ints, State, field_of

SAMPLES = 12  # rows sampled of a piece


class Values:
    """The rows behind VALUES in one piece of text, in columns."""

    def __init__(self, state: State, text: bytes, at: int, *, backslashes: bool) -> None:
        self._state, self._text, self._at = state, text, at
        clean, cut = without_escapes(state, text[at:], backslashes=backslashes)
        self._escapes = cut.open_escaped
        column = np.frombuffer(clean, np.uint8)
        self._column = column
        self._quotes = np.flatnonzero(column == 39)
        same = b";\n" + state.head
        semicolons = self._outside(np.flatnonzero(column == 59))
        repeats = np.fromiter((m.start() for m in re.finditer(re.escape(same), clean)), np.int64)
        again = np.isin(semicolons, repeats)
        other = np.flatnonzero(~again)
        end, self._ended = len(clean), False
        if other.size:
            first = int(semicolons[other[0]])
            rest = clean[first : first + len(same)]
            # The head of the next statement may go on behind the text.
            if first + len(rest) == len(clean) and same.startswith(rest):
                end = first
            else:
                end, self._ended = first + 1, True
        if not self._ended and end == len(clean):
            end -= cut.size
        self._stop = end
        repeats = semicolons[again & (semicolons < end)]
        self.end = at + end
        self.opens, self._closes, self._depths, self._marks = self._rows(repeats, len(same))

    def _outside(self, positions: Ints) -> Ints:
        """Those that are in no string."""
        before = np.searchsorted(self._quotes, positions) + self._state.inside
        outside: Ints = positions[before & 1 == 0]
        return outside

    def _rows(self, repeats: Ints, width: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Where rows begin and end; the depth behind each parenthesis, and where those are."""
        column = self._column[: self._stop]
        opening = self._outside(np.flatnonzero(column == 40))
        closing = self._outside(np.flatnonzero(column == 41))
        if repeats.size:  # those of the list of columns are none
            opening = _not_within(opening, repeats, width)
            closing = _not_within(closing, repeats, width)
        marks = np.concatenate((opening, closing))
        steps = np.concatenate((np.ones(opening.size, np.int64), -np.ones(closing.size, np.int64)))
        order = np.argsort(marks, kind="stable")
        marks, steps = marks[order], steps[order]
        depths = np.cumsum(steps) + self._state.depth
        return (
            marks[(depths == 1) & (steps == 1)],
            marks[(depths == 0) & (steps == -1)],
            depths,
            marks,
        )

    def places(self, wanted: Sequence[int]) -> list[Cell]:
        """Of the ascending positions in the text that lie here."""
        count = bisect_left(wanted, self.end)
        if not count:
            return []
        offsets = np.asarray(wanted[:count], np.int64) - self._at
        state = self._state
        begun = np.searchsorted(self.opens, offsets, side="right")
        fields = self._fields(offsets, begun)
        depth = self._depth_at(offsets)
        return [
            Cell(state.table, field_of(state.columns, field), state.row + row)
            if inside
            else NOWHERE
            for row, field, inside in zip(
                begun.tolist(), fields.tolist(), (depth > 0).tolist(), strict=True
            )
        ]

    def _depth_at(self, offsets: Ints) -> Ints:
        before = np.searchsorted(self._marks, offsets)
        return np.concatenate((np.array([self._state.depth]), self._depths))[before]

    def _fields(self, offsets: Ints, begun: Ints) -> Ints:
        """Which field of its row each offset is in."""
        commas = self._outside(np.flatnonzero(self._column[: int(offsets[-1])] == 44))
        commas = commas[self._depth_at(commas) == 1]
        starts = np.concatenate((np.zeros(1, np.int64), self.opens))[begun]
        fields = np.searchsorted(commas, offsets) - np.searchsorted(commas, starts)
        fields[begun == 0] += self._state.field
        return fields

    def samples(self) -> list[list[bytes | None]]:
        """Some rows, from all over."""
        begins = self.opens
        if not begins.size:
            return []
        ends = self._closes[np.searchsorted(self._closes, int(begins[0])) :]
        whole = min(begins.size, ends.size)
        chosen = np.linspace(0, whole - 1, min(SAMPLES, whole)).astype(np.int64).tolist()
        return [
            row_of(self._text[self._at + int(begins[n]) + 1 : self._at + int(ends[n])])
            for n in chosen
        ]

    def tell(self, spans: Spans) -> None:
        """What stands in these rows."""
        state = self._state
        if spans.chosen(state.table, state.columns) is None:
            return
        commas = self._outside(np.flatnonzero(self._column[: self._stop] == 44))
        edges = np.concatenate((self.opens, self._closes, commas[self._depth_at(commas) == 1]))
        edges.sort()
        starts = np.concatenate((np.zeros(1, np.int64), edges + 1))
        ends = np.append(edges, self._stop)
        inside = self._depth_at(starts) > 0
        lasts = np.append(np.isin(edges, self._closes), False)
        is_open = bool(inside[-1]) and not self._ended
        starts, ends, lasts = starts[inside], ends[inside], lasts[inside]
        if not starts.size:
            return
        begun = np.searchsorted(self.opens, starts)
        fields = self._fields(starts, begun)
        part = Part(starts + self._at, ends + self._at, fields, begun + state.row, lasts, is_open)
        spans.add(state.table, state.columns, part, _inner)

    def after(self) -> State:
        """The state behind these."""
        state = self._state
        row = state.row + self.opens.size
        if self._ended:
            rows = {**state.rows, state.table: row}
            return State(rows=rows, defined=state.defined, database=state.database)
        end = np.array([self._stop], np.int64)
        inside = bool((np.searchsorted(self._quotes, self._stop) + state.inside) & 1)
        begun = np.searchsorted(self.opens, end, side="right")
        return state._replace(
            row=row,
            field=int(self._fields(end, begun)[0]),
            depth=int(self._depth_at(end)[0]),
            inside=inside,
            escapes=inside and self._escapes,
        )


def _not_within(positions: Ints, begins: Ints, width: int) -> Ints:
    """Those that lie in none of the stretches of one width."""
    before = np.searchsorted(begins, positions, side="right") - 1
    within = (before >= 0) & (positions < begins[np.maximum(before, 0)] + width)
    return positions[~within]


_VALUE = re.compile(
    rb"\s*(?:(?:_binary\s*|[EeNn])?'((?:[^'\\]|''|\\.)*+)'|((?:[^,'()]|\([^()]*\)|'(?:[^']|'')*+')*+))\s*(?:,|\Z)",
    re.DOTALL,
)


_OPENING = re.compile(rb"\s*(?:(?:_\w+\s*|[EeNnXxBb])?')?")
_CLOSING = re.compile(rb"'\s*(?:::[^']*)?\Z")


def _inner(raw: bytes, _last: bool) -> Inner:
    """Of a value with or without quotes, a cast behind them or a character set before them."""
    found = _OPENING.match(raw)
    begin, end = found.end() if found else 0, len(raw.rstrip())
    if raw[begin - 1 : begin] == b"'":
        closing = raw.rfind(b"'", begin)
        if closing < 0:  # the text ends in it
            return begin, len(raw)
        if _CLOSING.match(raw, closing):
            return begin, closing
        begin = len(raw) - len(raw.lstrip())
    return None if begin >= end or raw[begin:end].upper() == b"NULL" else (begin, end)


def row_of(text: bytes) -> list[bytes | None]:
    """The values of one row; as they stand, but for doubled quotes."""
    out: list[bytes | None] = []
    at = 0
    while at <= len(text) and len(out) < 4096:
        found = _VALUE.match(text, at)
        if found is None or (found.end() == at and at < len(text)):
            break
        if found[1] is not None:
            out.append(found[1].replace(b"''", b"'"))
        else:
            bare = found[2].strip()
            out.append(None if bare.upper() == b"NULL" else bare)
        if found.end() == len(text) and not text.endswith(b",", at):
            break
        at = found.end()
    return out
