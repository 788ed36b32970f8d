"""Whose rows a table's findings are in: how many different owners, by a column that names them.

Of each row with an owner eight bytes of a keyed hash are kept beside its number, in a temporary
file without a name where memory would not do. The rows with findings come at the end: both ascend,
and are gone through together.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import IO

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.columns import Chunk
from detector.distinct import Distinct, ascending
from detector.fingerprint import Fingerprinter
from detector.tables.spans import Spans, Value

IN_MEMORY = 1 << 21  # rows of one column before they go to disk: 32 MB
_BLOCK = 1 << 16  # rows that are looked at together

Pairs = NDArray[np.uint64]
"""Rows and the hashes of their owners, shape (n, 2)."""


class Owned(msgspec.Struct):
    """Owners of some rows of one source's table: ``pairs`` as bytes."""

    path: str
    table: str
    field: str
    pairs: bytes


class OwnerColumns:
    """Which columns name owners. Picklable."""

    def __init__(self, names: Sequence[str], fingerprinter: Fingerprinter) -> None:
        """``names``: ``field``, ``table.field`` or ``schema.table.field``, in any case."""
        self.names = tuple(names)
        self._ranks = {name.casefold(): n for n, name in reversed([*enumerate(names)])}
        self._fingerprinter = fingerprinter
        # Keys of JSON may have dots, or be within others.
        parts = [name.lower().split(".") for name in names]
        self._keys = {".".join(one[n:]) for one in parts for n in range(len(one))}

    def rank(self, table: str, field: str) -> int | None:
        """The number of the name that is this column's."""
        short = table.rpartition(".")[2]
        asked = (field, f"{short}.{field}", f"{table}.{field}")
        ranks = [self._ranks[name] for one in asked if (name := one.casefold()) in self._ranks]
        return min(ranks, default=None)

    def wanted(self, table: str, field: str) -> bool:
        """Whether a column names owners."""
        return self.rank(table, field) is not None

    def spans(self) -> Spans:
        """What gathers the values of these columns of a text."""
        return Spans(self.wanted, keys=self._keys)

    def of_values(self, path: str, values: Sequence[Value]) -> Iterator[Owned]:
        """The owners in what was gathered. An empty text is none."""
        for (table, field), group in groupby(values, lambda one: one[:2]):
            given = [(one.row, one.raw) for one in group if one.raw]
            yield self._owned(path, table, field, given)

    def of_chunk(self, path: str, chunk: Chunk) -> Iterator[Owned]:
        """The owners in a chunk, if its column names any."""
        if self.wanted(chunk.table, chunk.field):
            count = len(chunk.offsets) - 1
            rows = chunk.rows if chunk.rows is not None else np.arange(count) + chunk.first_row
            offsets = chunk.offsets.tolist()
            given = [
                (row, bytes(chunk.data[begin : end - 1]))
                for row, begin, end in zip(rows.tolist(), offsets, offsets[1:], strict=False)
                if row and end - begin > 1
            ]
            yield self._owned(path, chunk.table, chunk.field, given)

    def _owned(
        self, path: str, table: str, field: str, given: Sequence[tuple[int, bytes]]
    ) -> Owned:
        digest = self._fingerprinter.digest
        pairs = np.empty((len(given), 2), np.uint64)
        pairs[:, 0] = [row for row, _ in given]
        hashes = b"".join([digest("owner", raw)[:8] for _, raw in given])
        pairs[:, 1] = np.frombuffer(hashes, np.uint64)
        return Owned(path, table, field, pairs.tobytes())


class _Column:
    """The owners in one column, as runs that ascend by row."""

    def __init__(self, in_memory: int) -> None:
        self._most = in_memory
        self._waiting: list[Pairs] = []
        self._count = 0
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []  # of the file: begin and size, in rows

    def add(self, pairs: Pairs) -> None:
        self._waiting.append(pairs)
        self._count += len(pairs)
        if self._count > self._most:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as this does)
            weakref.finalize(self, self._file.close)
        begin = sum(self._runs[-1]) if self._runs else 0
        self._file.seek(begin * 16)
        self._file.write(self._sorted().tobytes())
        self._runs.append((begin, self._count))
        self._waiting, self._count = [], 0

    def _sorted(self) -> Pairs:
        pairs = np.concatenate([np.zeros((0, 2), np.uint64), *self._waiting])
        rows = pairs[:, 0]
        return pairs if (rows[1:] >= rows[:-1]).all() else pairs[np.argsort(rows, kind="stable")]

    def count(self, rows: Sequence[Distinct]) -> int:
        """How many different owners these rows have."""
        owners = Distinct()
        memory = self._sorted()
        at = [0] * (len(self._runs) + 1)
        for block in ascending(rows):
            for n in range(len(at)):
                while (part := self._block(n, at[n], memory)).size:
                    upto = int(np.searchsorted(part[:, 0], block[-1], "right"))
                    here = part[:upto]
                    places = np.searchsorted(block, here[:, 0])
                    owners.add(here[block[places] == here[:, 0], 1])
                    at[n] += upto
                    if upto < len(part):
                        break
        return owners.count

    def _block(self, run: int, at: int, memory: Pairs) -> Pairs:
        if run == len(self._runs):
            return memory[at : at + _BLOCK]
        begin, size = self._runs[run]
        assert self._file is not None  # noqa: S101  (it has runs)
        self._file.seek((begin + at) * 16)
        count = min(_BLOCK, size - at)
        return np.frombuffer(self._file.read(count * 16), np.uint64).reshape(-1, 2)


class OwnerTally:
    """Adds up. Memory grows with the tables that have owners; their rows lie on disk."""

    def __init__(self, columns: OwnerColumns, in_memory: int = IN_MEMORY) -> None:
        self._names, self._most = columns, in_memory
        self._columns: dict[tuple[str, str], dict[str, _Column]] = {}
        self._seen: set[int] = set()

    def add(self, owned: Owned) -> None:
        """Some rows of one column."""
        columns = self._columns.setdefault((owned.path, owned.table), {})
        column = columns.setdefault(owned.field, _Column(self._most))
        column.add(np.frombuffer(owned.pairs, np.uint64).reshape(-1, 2))
        self.see(owned.table, [owned.field])

    def see(self, table: str, fields: Sequence[str]) -> None:
        """A table has these columns."""
        ranks = (self._names.rank(table, field) for field in fields)
        self._seen.update(rank for rank in ranks if rank is not None)

    def unseen(self) -> list[str]:
        """The names that no column has."""
        return [name for n, name in enumerate(self._names.names) if n not in self._seen]

    def count(self, path: str, table: str, rows: Sequence[Distinct]) -> int | None:
        """How many owners these rows have, None if no column of the table names any. Of several
        columns the one that was named first counts."""
        column = self.column(path, table)
        return None if column is None else self._columns[path, table][column].count(rows)

    def column(self, path: str, table: str) -> str | None:
        """The column that names the owners of a table's rows."""
        columns = self._columns.get((path, table), {})
        return min(columns, key=lambda field: self._names.rank(table, field) or 0, default=None)
