"""The ``mappings`` of a source map: from a position in a bundle to one in a source.

A list of segments, ``,`` between them and ``;`` between lines; each is one, four or five numbers in
base64 VLQ, and all but the column count on from the segment before, through the whole list. So it
must be read from its beginning, whatever is asked for. In arrays that takes 25 ns a segment; a loop
in Python takes 60 times as long.

https://tc39.es/ecma426/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 18  # bytes of mappings decoded at once: some 10 MB of arrays
DIGITS = 7  # of five bits each, for a number of 32 bits

_COMMA, _SEMICOLON, _BAD = 64, 65, 66
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/,;"
_CODES = np.full(256, _BAD, np.uint8)
_CODES[np.frombuffer(_ALPHABET, np.uint8)] = np.arange(len(_ALPHABET))

Ints = NDArray[np.int64]


class Original(NamedTuple):
    """A place in a source: its index among them, line and column in UTF-16 units, from 0."""

    source: int
    line: int
    column: int


class _State(NamedTuple):
    """What the next segment counts on from. ``line`` and ``begun``: in the bundle."""

    line: int = 0
    begun: int = 0
    source: int = 0
    original_line: int = 0
    original_column: int = 0


class _Segments(NamedTuple):
    """Columns, one row for each segment."""

    lines: Ints
    begins: Ints
    mapped: NDArray[np.bool_]
    sources: Ints
    original_lines: Ints
    original_columns: Ints


class _BadVlqError(ValueError):
    """What follows cannot be told any more."""


def originals(mappings: bytes, asked: Sequence[tuple[int, int]]) -> list[Original | None]:
    """For each position asked for, line and column in UTF-16 units from 0, that of the segment it
    stands in: the last that begins on its line at or before it. None where there is none, where it
    has no source, and for all that stands behind an error in the mappings."""
    found: list[Original | None] = [None] * len(asked)
    keys = np.array([_key(line, column) for line, column in asked], np.int64)
    best = [-1] * len(asked)
    state, at = _State(), 0
    last = max((line for line, _ in asked), default=-1)
    while at < len(mappings) and state.line <= last:
        stop = _cut(mappings, at)
        try:
            segments, state = _decoded(mappings[at:stop], state)
        except _BadVlqError:
            break
        _answer(segments, keys, found, best)
        at = stop
    return found


def _key(line: int, column: int) -> int:
    return line << 32 | min(max(column, 0), (1 << 32) - 1)


def _cut(mappings: bytes, at: int) -> int:
    """Behind the last segment that is whole in the next chunk."""
    stop = at + CHUNK
    if stop >= len(mappings):
        return len(mappings)
    last = max(mappings.rfind(b",", at, stop), mappings.rfind(b";", at, stop))
    return last + 1 if last >= at else stop


def _decoded(chunk: bytes, state: _State) -> tuple[_Segments, _State]:
    codes = _CODES[np.frombuffer(chunk, np.uint8)]
    if (codes == _BAD).any():
        raise _BadVlqError
    values, places = _values(codes)
    ends = np.flatnonzero(codes >= _COMMA)
    newlines = np.concatenate(([0], np.cumsum(codes[ends] == _SEMICOLON)))
    bounds = np.searchsorted(places, ends)
    counts = np.diff(bounds, prepend=0, append=len(places))
    if counts.max() > 5 or (counts == 2).any() or (counts == 3).any():
        raise _BadVlqError
    real = np.flatnonzero(counts)
    firsts = (np.cumsum(counts) - counts)[real]
    lines = newlines[real] + state.line
    begins = _begins(values[firsts], lines, state)
    mapped = counts[real] >= 4
    columns = [_summed(values, firsts, mapped, n, state[n + 1]) for n in (1, 2, 3)]
    line = state.line + int(newlines[-1])
    begun = int(begins[-1]) if len(begins) and lines[-1] == line else 0
    if not len(begins) and line == state.line:
        begun = state.begun
    rest = [int(c[-1]) if len(c) else state[n + 2] for n, c in enumerate(columns)]
    return _Segments(lines, begins, mapped, *columns), _State(line, begun, *rest)


def _values(codes: NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """All numbers in order, and where each begins."""
    places = np.flatnonzero(codes < _COMMA)
    digits = codes[places].astype(np.int64)
    lasts = np.flatnonzero(digits < 32)
    if not len(places):
        return places, places
    if not len(lasts) or lasts[-1] != len(digits) - 1:
        raise _BadVlqError
    firsts = np.concatenate(([0], lasts[:-1] + 1))
    lengths = lasts - firsts + 1
    # A number that a separator cuts has its digits further apart.
    if lengths.max() > DIGITS or (places[lasts] - places[firsts] != lengths - 1).any():
        raise _BadVlqError
    shifts = 5 * (np.arange(len(digits)) - np.repeat(firsts, lengths))
    values = np.add.reduceat((digits & 31) << shifts, firsts)
    return np.where(values & 1, -(values >> 1), values >> 1), places[firsts]


def _begins(deltas: Ints, lines: Ints, state: _State) -> Ints:
    """Columns in the bundle, which begin anew on each line."""
    if not len(deltas):
        return deltas
    sums = np.cumsum(deltas)
    fresh = np.flatnonzero(np.concatenate(([True], lines[1:] != lines[:-1])))
    before = sums[fresh] - deltas[fresh]
    if lines[0] == state.line:
        before[0] -= state.begun
    return sums - np.repeat(before, np.diff(np.append(fresh, len(lines))))


def _summed(values: Ints, firsts: Ints, mapped: NDArray[np.bool_], field: int, begin: int) -> Ints:
    deltas = np.zeros(len(firsts), np.int64)
    deltas[mapped] = values[firsts[mapped] + field]
    return np.cumsum(deltas) + begin


def _answer(segments: _Segments, keys: Ints, found: list[Original | None], best: list[int]) -> None:
    """``best``: for each position asked for, the key of the segment that it has by now."""
    if not len(segments.lines):
        return
    held = segments.lines << 32 | np.clip(segments.begins, 0, (1 << 32) - 1)
    order = np.argsort(held, kind="stable")  # nothing says that they are in order
    held = held[order]
    at = np.searchsorted(held, keys, side="right") - 1
    for n, place in enumerate(at.tolist()):
        if place < 0 or held[place] >> 32 != keys[n] >> 32 or held[place] < best[n]:
            continue
        best[n] = int(held[place])
        found[n] = _original(segments, int(order[place]))


def _original(segments: _Segments, one: int) -> Original | None:
    source, line, column = (int(values[one]) for values in segments[3:])
    if not segments.mapped[one] or min(source, line, column) < 0:
        return None
    return Original(source, line, column)
