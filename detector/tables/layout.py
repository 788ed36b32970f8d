"""Places in a stream of which only a window is at hand.

A :class:`Dialect` walks over bytes from a state to the next; a :class:`Layout` keeps the state at
a mark that only moves forward and asks for places behind it. Like lines, but for tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from detector.tables.census import Census
from detector.tables.spans import Spans
from detector.types import Bytes


class Cell(NamedTuple):
    """Where in a table something stands. ``row`` counts from 1; a header is row None.
    ``origin``: what else is said of the place, see :class:`~detector.types.Finding`."""

    table: str | None = None
    field: str | None = None
    row: int | None = None
    origin: Mapping[str, Any] | None = None


NOWHERE = Cell()


class Dialect(Protocol):
    """One way to write tables as text. Immutable and picklable; states are, too."""

    def begin(self) -> Any:
        """The state before the first byte."""
        ...

    def walk(
        self,
        state: Any,
        data: Bytes,
        positions: Sequence[int],
        census: Census | None = None,
        spans: Spans | None = None,
    ) -> tuple[Any, list[Cell]]:
        """The state behind ``data``, and the places of some ascending offsets in it.

        ``data`` may begin and end anywhere. An offset may equal ``len(data)``: its place is that
        of the byte that follows. ``census`` is told of rows, samples and definitions, ``spans`` of
        what stands in the fields that it wants.
        """
        ...

    def end(self, state: Any, spans: Spans) -> None:
        """Tell what the end of the text makes certain."""
        ...


class Cells(Protocol):
    """Tells the cells in one source."""

    def pass_to(self, window: Bytes, base: int, position: int) -> None:
        """No cell before this absolute position will be asked for any more; ``window`` begins
        at ``base``."""

    def locate(self, window: Bytes, base: int, positions: Sequence[int]) -> list[Cell]:
        """The cells of ascending absolute positions, all behind the mark and in the window."""
        ...


class Layout:
    """The places in one text. Not for several threads at once."""

    def __init__(
        self,
        dialect: Dialect,
        *,
        base: int = 0,
        state: Any = None,
        census: Census | None = None,
        spans: Spans | None = None,
    ) -> None:
        """``state``: that at the absolute position ``base``, the dialect's first by default."""
        self.dialect = dialect
        self._mark = base
        self.state = dialect.begin() if state is None else state
        """What is known at the mark."""
        self._census, self._spans = census, spans

    def pass_to(self, window: Bytes, base: int, position: int) -> None:
        """See :class:`Cells`."""
        if position > self._mark:
            data = memoryview(window)[self._mark - base : position - base]
            self.state, _ = self.dialect.walk(self.state, data, (), self._census, self._spans)
            self._mark = position

    def finish(self) -> None:
        """The text ends at the mark."""
        if self._spans is not None:
            self.dialect.end(self.state, self._spans)
            self._spans.close()

    def locate(self, window: Bytes, base: int, positions: Sequence[int]) -> list[Cell]:
        """See :class:`Cells`."""
        if not positions:
            return []
        start = self._mark
        data = memoryview(window)[start - base : positions[-1] - base]
        offsets = [max(0, position - start) for position in positions]
        return self.dialect.walk(self.state, data, offsets)[1]
