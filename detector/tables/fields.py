"""The values of chosen fields in a stream of text, wherever it is cut.

fields = Fields(Sql(), lambda table, field: field == "owner_id")
for piece in pieces:
    for value in fields.feed(piece):    # Value: table, field, row, start, end, raw
        ...
fields.finish()
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from detector.tables.layout import Dialect
from detector.tables.spans import Spans, Value
from detector.types import Bytes

__all__ = ["Fields", "Value"]


class Fields:
    """Values come in their order, each once it has ended. NULLs are left out: ``\\N``, ``NULL``,
    ``null``, and an empty field of a CSV without quotes. Of JSON, strings, numbers and booleans
    are values; what is in an object or array is a field of its own. Memory is bounded: of a value
    longer than 16 MB the begin is given.
    """

    def __init__(
        self,
        dialect: Dialect,
        wanted: Callable[[str, str], bool],
        state: Any = None,
        base: int = 0,
        *,
        keys: Collection[str] | None = None,
    ) -> None:
        """``wanted``: of a table and a field. ``state``: the dialect's at the position ``base``,
        where a row begins; its first by default. ``keys``: see
        :class:`~detector.tables.spans.Spans`."""
        self._dialect = dialect
        self._state = dialect.begin() if state is None else state
        self._spans = Spans(wanted, keys=keys, base=base)

    def feed(self, data: Bytes) -> list[Value]:
        """The next piece; the values that ended in it."""
        self._state, _ = self._dialect.walk(self._state, data, (), None, self._spans)
        return self._spans.take()

    @property
    def settled(self) -> int:
        """Up to which position of the source no value is open any more."""
        held = len(getattr(self._state, "held", b""))  # what says nothing without what follows
        at, begun = self._spans.position - held, self._spans.open_from
        return at if begun is None else min(at, begun)

    def finish(self) -> list[Value]:
        """The value that the end of the text ends."""
        self._dialect.end(self._state, self._spans)
        self._spans.close()
        return self._spans.take()
