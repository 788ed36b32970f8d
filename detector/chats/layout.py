"""The places in an export of chats: cells as in any table, and the origin of the message.

The cell of a finding is known when it is found, its origin when its message has ended: until then
the cell holds an empty one, which is filled later. Whoever gives the finding on waits for it.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from detector.chats.shapes import Names, Origin, Shape, recognised, said_by
from detector.chats.spans import NONE, Found, Message
from detector.tables.census import Census
from detector.tables.layout import Cell, Dialect, Layout
from detector.tables.spans import Spans
from detector.types import Bytes


class Chat(NamedTuple):
    """The dialect of an export. Its states are pairs, of the cells' dialect and the splitter."""

    inner: Dialect
    shape: Shape

    def begin(self) -> Any:
        """See :class:`~detector.tables.layout.Dialect`."""
        return self.inner.begin(), self.shape.splitter.begin()

    def walk(
        self,
        state: Any,
        data: Bytes,
        positions: Sequence[int],
        census: Census | None = None,
        spans: Spans | None = None,
    ) -> tuple[Any, list[Cell]]:
        """See :class:`~detector.tables.layout.Dialect`; cells have no origin. Where channels are
        the tables nothing is told of columns."""
        chosen = None if self.shape.named else spans
        inner, cells = self.inner.walk(state[0], data, positions, self.counted(census), chosen)
        messages, _ = self.shape.splitter.walk(state[1], data, ())
        return (inner, messages), cells

    def end(self, state: Any, spans: Spans) -> None:
        """See :class:`~detector.tables.layout.Dialect`."""
        self.inner.end(state[0], spans)

    def counted(self, census: Census | None) -> Census | None:
        """What the cells' dialect tells of itself, if it may."""
        return None if self.shape.named else census


def chat_in(path: str, head: bytes, dialect: Dialect | None) -> Dialect | None:
    """The dialect of an export that begins so, else the one given."""
    known = recognised(path, head, dialect)
    return dialect if known is None else Chat(known[1], known[0])


_NUMBER = re.compile(r"\d[\d.:TZ+-]*")  # an id or a time: to look for secrets in it costs 10 us


class _Waiting(NamedTuple):
    position: int
    number: int
    field: str | None
    origin: Origin


class ChatLayout:
    """The places in one export. ``names`` is asked once, with the first message that has a
    finding; ``safe`` takes secrets out of a name. See :class:`~detector.tables.layout.Layout`."""

    def __init__(
        self,
        dialect: Chat,
        names: Callable[[], Names],
        safe: Callable[[str | None], str | None],
        *,
        base: int = 0,
        state: Any = None,
        census: Census | None = None,
        spans: Spans | None = None,
    ) -> None:
        inner, self._state = dialect.begin() if state is None else state
        counted = dialect.counted(census)
        chosen = None if dialect.shape.named else spans
        self._cells = Layout(dialect.inner, base=base, state=inner, census=counted, spans=chosen)
        self._shape, self._splitter = dialect.shape, dialect.shape.splitter
        self._mark = base
        self._load, self._safe = names, safe
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._last = NONE, said_by(NONE)

    dialect: Dialect | None = None

    @property
    def waits(self) -> bool:
        """Whether some message with a finding has not ended."""
        return bool(self._waiting)

    def pass_to(self, window: Bytes, base: int, position: int) -> None:
        """See :class:`~detector.tables.layout.Cells`."""
        self._cells.pass_to(window, base, position)
        if position > self._mark:
            self._state = self._walked(window, base, position)
            self._mark = position

    def locate(self, window: Bytes, base: int, positions: Sequence[int]) -> list[Cell]:
        """See :class:`~detector.tables.layout.Cells`."""
        cells = self._cells.locate(window, base, positions)
        return [self._placed(at, cell) for at, cell in zip(positions, cells, strict=True)]

    def resolve(self, window: Bytes, base: int, end: int) -> None:
        """Tell the origins of those messages that end before ``end``."""
        if self._waiting and end > self._mark:
            self._walked(window, base, end)

    def go_on(self, data: bytes) -> None:
        """Bytes behind all that was passed, in which nothing is looked for any more."""
        self._state = self._walked(data, self._mark, self._mark + len(data))
        self._mark += len(data)

    def finish(self) -> None:
        """Nothing follows: tell the others as far as they are there."""
        message = self._splitter.rest(self._state)
        for one in self._waiting:
            self._tell(one, message)
        self._waiting = []
        self._cells.finish()

    def _placed(self, position: int, cell: Cell) -> Cell:
        placed = self._shape.placed(cell)
        if placed is None:
            return cell
        origin: Origin = {}
        self._count += 1
        insort(self._waiting, _Waiting(position, self._count, placed.field, origin))
        return placed._replace(origin=origin)

    def _walked(self, window: Bytes, base: int, end: int) -> Any:
        """The state at ``end``; what becomes known on the way is told."""
        mark = self._mark
        data = memoryview(window)[mark - base : end - base]
        before = [one for one in self._waiting if one.position < end]
        offsets = [max(0, one.position - mark) for one in before]
        state, found = self._splitter.walk(self._state, data, offsets)
        told = {one.number for one, it in zip(before, found, strict=True) if self._known(one, it)}
        if told:
            self._waiting = [one for one in self._waiting if one.number not in told]
        return state

    def _known(self, one: _Waiting, found: Found) -> bool:
        if found is not None:
            self._tell(one, found)
        return found is not None

    def _tell(self, one: _Waiting, message: Message) -> None:
        if message != self._last[0]:  # many findings may stand in one long message
            self._last = message, said_by(message)
        told = self._shape.origin(self._last[1], one.field, self._names)
        for key, value in told.items():
            one.origin[key] = value if value and _NUMBER.fullmatch(value) else self._safe(value)

    @cached_property
    def _names(self) -> Names:
        return self._load()
