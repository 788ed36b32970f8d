"""Delimited text: CSV, TSV and their kin.

What a quote means depends on all quotes before it, which numpy answers for a whole stride: as a
rule each one toggles, and where one stands that opens nothing (``5" pipe``), runs of quotes are
looked at as functions of "inside" and "outside", of which there are three kinds.

Formats: https://www.rfc-editor.org/rfc/rfc4180; lenient where Python's csv module is: a quote that
does not begin a field is data, and so is what follows a closing one. Backslashes as in
https://dev.mysql.com/doc/refman/8.4/en/load-data.html.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.tables.bits import PIECE, Flags, parity, pieces
from detector.tables.census import Census
from detector.tables.layout import Cell
from detector.tables.spans import Inner, Spans, numbered
from detector.types import Bytes

MANY = 32  # places from which on a list of all delimiters pays
SAMPLES = 12  # rows sampled of what is walked over at once, about
LONGEST = 1 << 16  # bytes of a row that is sampled
BEFORE = 4  # bytes that say whether a quote begins a field: a newline and a BOM, at most

Ints = NDArray[np.int64]


class State(NamedTuple):
    """What is known at one byte. ``tail``: the bytes before it, with one or two for the ``run`` of
    quotes at its end; ``row``: rows ended, -1 before a header's end; ``field``: which one of the
    row's the byte is in, from 0; ``inside``: quotes, before the run."""

    tail: bytes = b"\n\n"
    run: int = 0
    row: int = 0
    field: int = 0
    inside: bool = False


class Csv(NamedTuple):
    """A table as text, one row a line but for newlines in quotes. Blank lines are no rows.

    ``header``: the names in the first line; None: it has none. ``quote``: b"" for none.
    ``backslashes``: they escape, and ``\\N`` is NULL. ``spaced``: a quote may follow a delimiter
    and a space. ``newline``: what ends a row; a CR before it belongs to it.
    """

    name: str
    delimiter: bytes = b","
    quote: bytes = b'"'
    header: tuple[str, ...] | None = None
    backslashes: bool = False
    spaced: bool = False
    newline: bytes = b"\n"

    def begin(self) -> State:
        """Before the first byte."""
        return State(tail=self.newline * 2, row=0 if self.header is None else -1)

    def walk(
        self,
        state: State,
        data: Bytes,
        positions: Sequence[int],
        census: Census | None = None,
        spans: Spans | None = None,
    ) -> tuple[State, list[Cell]]:
        """See :class:`~detector.tables.layout.Dialect`."""
        places: list[Cell] = []
        samples = SAMPLES * PIECE // max(len(data), PIECE) + 1
        for part, offsets in pieces(memoryview(data), positions):
            piece = _Piece(self, state, part)
            if offsets:
                places += piece.places(offsets)
            after = piece.after()
            if census is not None:
                piece.tell(census, after, samples)
            if spans is not None:
                spans.begin(part, 0)
                piece.tell_spans(spans)
            state = after
        return state, places

    def end(self, state: State, spans: Spans) -> None:
        """Nothing is held."""

    def inner(self, raw: bytes, last: bool) -> Inner:
        """What a field's text holds: without quotes, but with what is doubled or escaped. What
        follows a closing quote belongs to the value, and so do the quotes then."""
        begin, end = 3 * raw.startswith(b"\xef\xbb\xbf"), len(raw)
        if last and raw.endswith(b"\r"):
            end -= 1
        if self.spaced and raw.startswith(b" ", begin):
            begin += 1
        if begin >= end or (self.backslashes and raw[begin:end] == b"\\N"):
            return None
        if self.quote and raw.startswith(self.quote, begin):
            closing = raw.rfind(self.quote, begin + 1, end)
            if closing == end - 1 or closing < 0:
                return begin + 1, max(closing, begin + 1) if closing >= 0 else end
        return begin, end


class _Piece:
    """Rows in one piece of text, as positions of what separates them."""

    def __init__(self, dialect: Csv, state: State, data: bytes) -> None:
        self._dialect, self._state = dialect, state
        self._at = len(state.tail)
        self._text = state.tail + data
        self._clean = _without_escapes(self._text, dialect) if dialect.backslashes else self._text
        self._column = np.frombuffer(self._clean, np.uint8)
        self._inside = self._quoted()
        end = dialect.newline[0]
        self._newlines = self._outside(np.flatnonzero(self._column[self._at :] == end) + self._at)
        last = self._column[self._newlines - 1]
        blank = last == end
        if (returns := last == 13).any() and end != 13:
            blank |= returns & (self._column[self._newlines - 2] == end)
        self._ends = self._newlines[~blank] if blank.any() else self._newlines

    def _quoted(self) -> Flags | None:
        """Which bytes other than quotes stand in quotes; None: no byte's quotes say that."""
        if not self._dialect.quote:
            return None
        column, inside = self._column, self._state.inside
        quotes = column == self._dialect.quote[0]
        quotes[: self._at - self._state.run] = False
        if not quotes.any():
            return None
        quoted = parity(quotes, inside)
        # One that opens stands where a field begins, or is the second of a doubled one.
        delimiter, end = self._dialect.delimiter[0], self._dialect.newline[0]
        known = (column == delimiter) | (column == end) | quotes
        odd = np.flatnonzero((quotes & quoted)[1:] & ~known[:-1]) + 1
        if not odd.size or self._begins(odd).all():
            return quoted
        positions = self._by_runs(np.flatnonzero(quotes))
        quotes[:] = False
        quotes[positions] = True
        return parity(quotes, inside)

    def _begins(self, positions: Ints) -> Flags:
        """Whether a field begins at each, should it stand outside of quotes."""
        dialect, column = self._dialect, self._column
        last = column[positions - 1]
        begins: Flags = (last == dialect.delimiter[0]) | (last == dialect.newline[0])
        if dialect.spaced:
            begins |= (last == 32) & (column[positions - 2] == dialect.delimiter[0])
        for n in np.flatnonzero(last == 0xBF).tolist():  # a byte order mark
            begins[n] = self._clean.endswith(
                dialect.newline + b"\xef\xbb\xbf", 0, int(positions[n])
            )
        return begins

    def _by_runs(self, quotes: Ints) -> Ints:
        """The first quotes of those runs behind which it is not as before.

        An odd run toggles where a field begins, else it leaves outside what is outside; an even
        one changes nothing.
        """
        starts = np.flatnonzero(np.diff(quotes, prepend=-2) != 1)
        odd = np.diff(starts, append=quotes.size) & 1 == 1
        firsts = quotes[starts]
        begins = self._begins(firsts)
        toggled = np.cumsum(odd & begins) + int(self._state.inside)
        # Behind a reset all depends on the toggles since.
        resets = np.maximum.accumulate(np.where(odd & ~begins, np.arange(starts.size), -1))
        after = (toggled - np.where(resets >= 0, toggled[resets], 0)) & 1
        before = np.concatenate((np.array([int(self._state.inside)]), after[:-1]))
        toggles: Ints = firsts[after != before]
        return toggles

    def _outside(self, positions: Ints) -> Ints:
        """Those that are in no quotes."""
        if self._inside is None:
            return positions[:0] if self._state.inside else positions
        outside: Ints = positions[~self._inside[positions]]
        return outside

    def _delimiters(self, begin: int, end: int) -> Ints:
        found = np.flatnonzero(self._column[begin:end] == self._dialect.delimiter[0])
        return self._outside(found + begin)

    def places(self, positions: Sequence[int]) -> list[Cell]:
        """Of ascending positions in the data."""
        offsets = np.asarray(positions, np.int64) + self._at
        lines = np.searchsorted(self._newlines, offsets)
        starts = np.concatenate((np.array([self._at - 1]), self._newlines))[lines] + 1
        if len(positions) < MANY:
            fields = np.array(
                [
                    self._delimiters(begin, end).size
                    for begin, end in zip(starts.tolist(), offsets.tolist(), strict=True)
                ],
                np.int64,
            )
        else:
            delimiters = self._delimiters(int(starts[0]), int(offsets[-1]))
            fields = np.searchsorted(delimiters, offsets) - np.searchsorted(delimiters, starts)
        fields[lines == 0] += self._state.field
        rows = np.searchsorted(self._ends, offsets) + (self._state.row + 1)
        name, header = self._dialect.name, self._dialect.header or ()
        return [
            Cell(name, _field(header, field), row or None)
            for field, row in zip(fields.tolist(), rows.tolist(), strict=True)
        ]

    def after(self) -> State:
        """The state behind the data."""
        clean, quote = self._clean, self._dialect.quote
        begun = len(clean.rstrip(quote)) if quote else len(clean)
        begun = max(begun, self._at - self._state.run)
        run = len(clean) - begun
        kept = 2 - (run & 1) if run else 0
        inside = self._state.inside if self._inside is None else bool(self._inside[begun - 1])
        last = int(self._newlines[-1]) + 1 if self._newlines.size else self._at
        field = self._delimiters(last, len(clean)).size
        return State(
            tail=clean[max(0, begun - BEFORE) : begun] + quote * kept,
            run=kept,
            row=self._state.row + self._ends.size,
            field=field + (0 if self._newlines.size else self._state.field),
            inside=inside,
        )

    def tell(self, census: Census, after: State, most: int) -> None:
        """Rows that begin in the data, and some that also end in it."""
        dialect = self._dialect
        samples = self._samples(most)
        columns = dialect.header
        if columns is None:
            columns = tuple(_field((), n) for n in range(len(samples[0]) if samples else 0))
        begun = _begun(after, dialect) - _begun(self._state, dialect)
        if begun or samples or dialect.header:
            census.count(dialect.name, columns, begun)
            census.sample(dialect.name, columns, samples)
        if (table := census.tables.get(dialect.name)) and not table.columns:
            table.columns = columns

    def tell_spans(self, spans: Spans) -> None:
        """What stands in these rows."""
        dialect, size = self._dialect, len(self._clean)
        names = dialect.header or ()
        if spans.chosen(dialect.name, names) is None:
            return
        delimiters = self._delimiters(self._at, size)
        edges = np.concatenate((delimiters, self._newlines))
        order = np.argsort(edges, kind="stable")
        lasts = order >= delimiters.size
        part = numbered(edges[order], lasts, self._at, size, self._state.field)
        rows = np.searchsorted(self._ends, part.starts) + (self._state.row + 1)
        starts, ends = part.starts - self._at, part.ends - self._at
        part = part._replace(starts=starts, ends=ends, rows=rows)
        spans.add(dialect.name, names, part, dialect.inner)

    def _samples(self, most: int) -> list[list[bytes | None]]:
        """Some whole rows, from all over."""
        starts, ends = self._ends[:-1] + 1, self._ends[1:]
        state = self._state
        if self._ends.size and state.row == 0 == _begun(state, self._dialect):  # the very first
            starts, ends = np.append(self._at, starts), self._ends
        chosen = np.linspace(0, ends.size - 1, min(most, ends.size)).astype(np.int64)
        return [
            self._values(begin, end)
            for begin, end in zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)
            if end - begin <= LONGEST
        ]

    def _values(self, begin: int, end: int) -> list[bytes | None]:
        while self._text[begin] in b"\r\n":  # blank lines before the row
            begin += 1
        end -= self._text[end - 1] == 13
        edges = [*self._delimiters(begin, end).tolist(), end]
        out = []
        for edge in edges:
            out.append(value(self._text[begin:edge], self._dialect))
            begin = edge + 1
        return out


_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_CONTROLS = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}


def value(field: bytes, dialect: Csv) -> bytes | None:
    """What a field of a row's text stands for."""
    quote = dialect.quote
    field = field.removeprefix(b"\xef\xbb\xbf")
    if dialect.spaced:
        field = field.removeprefix(b" ")
    if dialect.backslashes and field == b"\\N":
        return None
    if quote and field.startswith(quote):
        end = field.rfind(quote)
        field = field[1:end].replace(quote * 2, quote) + field[end + 1 :]
    if dialect.backslashes and b"\\" in field:
        field = _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), field)
    return field


def _without_escapes(text: bytes, dialect: Csv) -> bytes:
    """The text with what backslashes escape replaced, byte for byte."""
    if b"\\" not in text:
        return text
    text = text.replace(b"\\\\", b"\0\0")
    for special in (dialect.quote, dialect.delimiter, dialect.newline):
        if special:
            text = text.replace(b"\\" + special, b"\0\0")
    return text


def _begun(state: State, dialect: Csv) -> int:
    """How many rows have begun."""
    end = dialect.newline
    between = not (state.inside or state.run) and state.tail.endswith((end, end + b"\r"))
    return max(0, state.row + (not between))


def _field(names: Sequence[str], number: int) -> str:
    return names[number] if number < len(names) else f"column {number + 1}"
