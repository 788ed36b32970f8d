"""JSON Lines: a value a line (https://jsonlines.org)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from detector.tables.bits import pieces
from detector.tables.census import Census
from detector.tables.jsons.samples import sampled, samples_in, tell
from detector.tables.jsons.structure import NONE, Frame, Ints, State, Structure, path_of
from detector.tables.layout import Cell
from detector.tables.spans import Spans
from detector.types import Bytes


class JsonLines(NamedTuple):
    """A value a line; the row is its number, blank lines are none. A broken line ends, too."""

    name: str

    def begin(self) -> State:
        """Before the first line."""
        return State()

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
        for part, offsets in pieces(memoryview(data), positions):
            state, found = self._piece(state, part, offsets, census, samples_in(data), spans)
            places += found
        return state, places

    def end(self, state: State, spans: Spans) -> None:
        """See :class:`~detector.tables.layout.Dialect`."""
        spans.begin(state.held, len(state.held))
        structure = Structure(state.held, state)
        structure.tell(spans, len(state.held), self._placed(_begun(state)), ended=True)

    def _placed(self, row: int, ended: Ints = NONE) -> Callable[[list[Frame], int], Cell]:
        ends = ended.tolist()

        def place(frames: list[Frame], position: int) -> Cell:
            return Cell(self.name, path_of(frames), row + bisect_left(ends, position))

        return place

    def _piece(
        self,
        state: State,
        data: bytes,
        positions: Sequence[int],
        census: Census | None,
        most: int,
        spans: Spans | None,
    ) -> tuple[State, list[Cell]]:
        lead = b"\n" if state.blank else b"x"  # what stands before says whether a line is blank
        text = lead + state.held + data
        newlines, ended = lines_in(text)
        places: list[Cell] = []
        if positions:
            wanted = np.asarray(positions, np.int64) + (1 + len(state.held))
            places = self._places(state, text, newlines, ended, wanted)
        last = int(newlines[-1]) + 1 if newlines.size else 1
        kept = State() if newlines.size else state
        blank = kept.blank and not text[last:].strip(b" \t\r")
        line = Structure(text[last:], kept)
        after = line.after()
        if spans is not None:
            spans.begin(text[1:], len(state.held))
            structure = Structure(text[1:], state, newlines - 1)
            place = self._placed(state.row + 1, ended - 1)
            structure.tell(spans, last - 1 + line.stop, place, ended=False)
        after = after._replace(row=state.row + ended.size, blank=blank)
        if census is not None and (begun := _begun(after) - _begun(state)):
            tell(census, self.name, begun, self._objects(state, text, newlines, most))
        return after, places

    def _places(
        self, state: State, text: bytes, newlines: Ints, ended: Ints, wanted: Ints
    ) -> list[Cell]:
        first = int(np.searchsorted(newlines, wanted[0]))
        begin = int(newlines[first - 1]) + 1 if first else 1
        end = int(wanted[-1])
        breaks = newlines[first : np.searchsorted(newlines, end)] - begin
        structure = Structure(text[begin:end], State() if first else state, breaks)
        rows = np.searchsorted(ended, wanted) + (state.row + 1)
        return [
            Cell(self.name, path_of(frames), row)
            for frames, row in zip(structure.frames(wanted - begin), rows.tolist(), strict=True)
        ]

    def _objects(
        self, state: State, text: bytes, newlines: Ints, most: int
    ) -> list[dict[str, Any]]:
        """Some whole lines."""
        starts = newlines if state.held or not state.blank else np.append(0, newlines)
        ends = newlines[newlines.size + 1 - starts.size :]
        return sampled(text, starts[: ends.size] + 1, ends, most) if starts.size else []


def _begun(state: State) -> int:
    """How many lines have begun."""
    return state.row + (not state.blank)


def lines_in(text: bytes) -> tuple[Ints, Ints]:
    """Where lines end, and of those where one ends that is not blank; not the first byte."""
    column = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(column[1:] == 10) + 1
    last = column[newlines - 1]
    if (last > 32).all():
        return newlines, newlines
    last = np.where(last == 13, column[newlines - 2], last)
    blank = last == 10
    if ((last == 32) | (last == 9) | (last == 13)).any():  # all but spaces, then
        kept = column[(column != 32) & (column != 9) & (column != 13)]
        ends = np.flatnonzero(kept[1:] == 10) + 1
        blank = kept[ends - 1] == 10
    return newlines, newlines[~blank]
