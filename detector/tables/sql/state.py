"""What is known at one byte of a dump, and the names that it is told with."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.tables.layout import NOWHERE, Cell

Ints = NDArray[np.int64]

SQL, COPY, VALUES = 0, 1, 2  # modes


class State(NamedTuple):
    """What is known at one byte. ``row``: rows of ``table`` begun so far; ``field``: which one of
    the row's the byte is in, from 0; ``inside``: a string, and ``escapes``: one with backslashes;
    ``held``: bytes that say nothing without those that follow."""

    mode: int = SQL
    held: bytes = b""
    table: str = ""
    columns: tuple[str, ...] = ()
    head: bytes = b""
    row: int = 0
    field: int = 0
    depth: int = 0
    inside: bool = False
    escapes: bool = False
    database: str = ""
    rows: Mapping[str, int] = {}
    defined: Mapping[str, tuple[str, ...]] = {}


def block(table: str, columns: tuple[str, ...]) -> State:
    """The state in front of the first row of a COPY block that has no header."""
    return State(mode=COPY, table=table, columns=columns)


def here(state: State) -> Cell:
    """The place of the byte that follows."""
    if state.mode == COPY:
        return Cell(state.table, field_of(state.columns, state.field), state.row + 1)
    if state.mode == VALUES and state.depth:
        return Cell(state.table, field_of(state.columns, state.field), state.row)
    return NOWHERE


def nowhere(wanted: Sequence[int], end: int) -> list[Cell]:
    """For each position before ``end``."""
    return [NOWHERE] * bisect_left(wanted, end)


def field_of(columns: Sequence[str], number: int) -> str:
    """A field's name, or its number."""
    return columns[number] if number < len(columns) else f"column {number + 1}"
