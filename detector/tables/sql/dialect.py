"""Dumps as text."""

from __future__ import annotations

from collections.abc import Sequence

from detector.tables.census import Census
from detector.tables.layout import Cell
from detector.tables.spans import Spans
from detector.tables.sql.copying import copy
from detector.tables.sql.state import COPY, VALUES, State, here
from detector.tables.sql.statements import statement
from detector.tables.sql.values import Values
from detector.types import Bytes


class Sql:
    """A dump as text. ``backslashes``: they escape in every string, as in MySQL."""

    def __init__(self, *, backslashes: bool = False) -> None:
        self.backslashes = backslashes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sql) and other.backslashes == self.backslashes

    def __hash__(self) -> int:
        return hash(self.backslashes)

    def begin(self) -> State:
        """Before the first statement."""
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
        held = len(state.held)
        text = state.held + bytes(data)
        state = state._replace(held=b"")
        wanted = [position + held for position in positions]
        if spans is not None:
            spans.begin(text, held)
        places: list[Cell] = []
        at, size = 0, len(text)
        while True:
            begun = at
            rest = wanted[len(places) :]
            if state.mode == COPY:
                state, at, found = copy(state, text, at, rest, census, spans)
            elif state.mode == VALUES:
                state, at, found = self._values(state, text, at, rest, census, spans)
            else:
                state, at, found = statement(
                    state, text, at, rest, census, backslashes=self.backslashes
                )
            places += found
            if at >= size or at <= begun:
                break
        places += [here(state)] * (len(wanted) - len(places))
        return state._replace(held=text[at:]), places

    def _values(
        self, state: State, text: bytes, at: int, wanted: Sequence[int],
        census: Census | None, spans: Spans | None,
    ) -> tuple[State, int, list[Cell]]:  # fmt: skip
        part = Values(state, text, at, backslashes=self.backslashes)
        places = part.places(wanted)
        if census is not None:
            census.count(state.table, state.columns, len(part.opens))
            census.sample(state.table, state.columns, part.samples())
        if spans is not None:
            part.tell(spans)
        return part.after(), part.end, places

    def end(self, state: State, spans: Spans) -> None:
        """See :class:`~detector.tables.layout.Dialect`."""
        if state.mode == COPY and state.held:  # the begin of a mark, but none has come
            self.walk(state, b"\n", (), None, spans)
