"""What the tests of all readers need: their items as plain Python values."""

from __future__ import annotations

import pytest

from detector.columns import Chunk, TableInfo, open_columns
from detector.types import Skipped


class Given:
    """Everything a file gave. ``values``: (table, field) to a list of (row, bytes)."""

    def __init__(self, items):
        self.values, self.tables, self.skipped, self.nulls = {}, {}, [], {}
        self.largest = 0
        for item in items:
            if isinstance(item, Chunk):
                self._chunk(item)
            elif isinstance(item, TableInfo):
                assert item.table not in self.tables
                self.tables[item.table] = item
            else:
                assert isinstance(item, Skipped)
                self.skipped.append(item)

    def _chunk(self, chunk):
        data, offsets = bytes(chunk.data), chunk.offsets.tolist()
        n = len(offsets) - 1
        assert n > 0
        assert offsets[0] == 0 and offsets[-1] == len(data)
        assert all(data[end - 1 : end] == b"\n" for end in offsets[1:])
        rows = range(chunk.first_row, chunk.first_row + n)
        if chunk.rows is not None:
            rows = chunk.rows.tolist()
            assert len(rows) == n and rows[0] == chunk.first_row and rows == sorted(rows)
        values = [data[offsets[i] : offsets[i + 1] - 1] for i in range(n)]
        key = chunk.table, chunk.field
        self.values.setdefault(key, []).extend(zip(rows, values, strict=True))
        self.nulls[key] = self.nulls.get(key, 0) + chunk.nulls
        self.largest = max(self.largest, len(data))
        assert repr(chunk.data) not in repr(chunk)

    def column(self, field, table="t"):
        return [value for _, value in self.values[table, field]]


@pytest.fixture
def given():
    """Reads a path or bytes to the end."""

    def read(source, display="t.parquet", **options):
        if isinstance(source, bytes):
            return Given(open_columns("", display, data=source, **options))
        return Given(open_columns(str(source), display, **options))

    return read
