"""Files that are one array of objects, or an object of such arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detector.tables.bits import pieces
from detector.tables.census import Census
from detector.tables.jsons.samples import samples_in, tell
from detector.tables.jsons.structure import UNKNOWN, Frame, State, Structure, path_of
from detector.tables.layout import NOWHERE, Cell
from detector.tables.spans import Spans
from detector.types import Bytes

TABLES = 64  # of which objects are sampled in one piece


class JsonArray(NamedTuple):
    """One array: the row is an element's number. Or an object: each of its keys that holds an
    array is a table; of all else the field is the whole path, and there is no row."""

    name: str

    def begin(self) -> State:
        """Before the array."""
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
            structure = Structure(state.held + part, state)
            if offsets:
                wanted = np.asarray(offsets, np.int64) + len(state.held)
                places += [self._place(frames) for frames in structure.frames(wanted)]
            if census is not None:
                self._tell(census, structure, samples_in(data))
            if spans is not None:
                spans.begin(state.held + part, len(state.held))
                structure.tell(spans, structure.stop, self._place, ended=False)
            state = structure.after()
        return state, places

    def end(self, state: State, spans: Spans) -> None:
        """See :class:`~detector.tables.layout.Dialect`."""
        spans.begin(state.held, len(state.held))
        Structure(state.held, state).tell(spans, len(state.held), self._place, ended=True)

    def _place(self, frames: Sequence[Frame], _position: int = 0) -> Cell:
        match frames:
            case [int(row), *path]:
                return Cell(self.name, path_of(path), row + 1)
            case [str(table), int(row), *path] if table != UNKNOWN:
                return Cell(table, path_of(path), row + 1)
            case []:
                return NOWHERE
        return Cell(self.name, path_of(frames))

    def _tell(self, census: Census, structure: Structure, most: int) -> None:
        """Of objects (and arrays) that are elements: those that begin here, and some of them."""
        for _, begins in structure.elements(1):
            tell(census, self.name, begins.size, structure.sampled(begins, 2, most))
        for n, (frames, begins) in enumerate(structure.elements(2)):
            table = frames[0]
            if isinstance(table, str) and table != UNKNOWN:
                samples = structure.sampled(begins, 3, most) if n < TABLES else []
                tell(census, table, begins.size, samples)


def holds_tables(head: bytes) -> bool:
    """Whether an object that begins so has an array of objects or arrays under a key."""
    return bool(Structure(head, State()).elements(2))
