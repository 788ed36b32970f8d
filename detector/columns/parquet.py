"""Parquet: a column of a row group at a time, in batches whose size is known before.

What can make memory grow is looked at first (:mod:`detector.columns.pages`). A column chunk whose
values all refer to a dictionary is read as indices, ten times as fast as its values; others are
read as values, in so few rows that even the longest value in each is no more than
`Limits.batch_bytes`. One bound is weaker: values in lists that begin as those before them do
(DELTA_BYTE_ARRAY) may be long together if all of them stand in one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from detector.columns.arrays import Columns, castable, children, holds_text, leaves, sizes, storage
from detector.columns.pages import Group, Pages, row_groups, survey
from detector.columns.types import Also, Item, Limits, Meter, Spent, TableInfo, Unreadable, shown
from detector.types import Skipped

ROWS = 1 << 16  # of a batch, at most
FEW = 64  # of a batch, where a page is damaged

_BUFFER = 1 << 20  # bytes read at once of a column; without one a whole column chunk is
_CODED = (
    pa.types.is_binary,
    pa.types.is_string,
    pa.types.is_large_binary,
    pa.types.is_large_string,
)


class _Root(NamedTuple):
    """A column and the numbers of its leaves that hold text."""

    name: str
    leaves: list[int]
    repeated: bool


def read(
    source: Any, nbytes: int, table: str, display: str, limits: Limits, also: Also
) -> Iterator[Item]:
    """The chunks of a file that `pyarrow` has opened; see :func:`detector.columns.open_columns`."""
    try:
        reader = _Reader(source, table, display, limits, also)
    except Unreadable as error:
        yield Skipped(path=display, reason=f"Parquet: {error.reason}", nbytes=nbytes)
        return
    except Exception:  # pyarrow raises a dozen types for what is damaged
        reason = "its schema cannot be read"
        yield Skipped(path=display, reason=f"Parquet: {reason}", nbytes=nbytes)
        return
    yield from reader.items()


def _footer(source: Any) -> bytes:
    """The footer's bytes: its size and a mark stand behind it."""
    end = source.size() - 8
    if end < 0:
        raise Unreadable("its footer cannot be read")
    tail = source.read_at(8, end)
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] == b"PARE":
        raise Unreadable("encrypted")
    if tail[4:] != b"PAR1" or size > end:
        raise Unreadable("its footer cannot be read")
    return bytes(source.read_at(size, end - size))


def _roots(schema: Any, columns: Any, also: Callable[[str], bool]) -> list[_Root]:
    """The columns with text, and others that are asked for. Leaves are counted, since a name may
    have dots."""
    roots, at = [], 0
    for field in schema:
        types = list(_leaf_types(field.type))
        numbers = range(at, at + len(types))
        at += len(types)
        whole = _has_map(field.type)  # without its keys a map cannot be made
        whole = whole or (castable(field.type) and also(shown(field.name)))
        wanted = [n for n, leaf in zip(numbers, types, strict=True) if whole or holds_text(leaf)]
        if wanted and (holds_text(field.type) or castable(field.type)):
            repeated = any(columns.column(n).max_repetition_level for n in wanted)
            roots.append(_Root(field.name, wanted, repeated))
    if at != len(columns):
        raise Unreadable("columns that are not those of its schema")
    return roots


def _leaf_types(dtype: Any) -> Iterator[Any]:
    if str(getattr(dtype, "extension_name", "")) == "arrow.uuid":
        yield dtype
        return
    dtype = storage(dtype)
    inside = children(dtype)
    if not inside:
        yield dtype
    for child in inside:
        yield from _leaf_types(child)


def _has_map(dtype: Any) -> bool:
    dtype = storage(dtype)
    return bool(pa.types.is_map(dtype)) or any(map(_has_map, children(dtype)))


class _Reader:
    def __init__(self, source: Any, table: str, display: str, limits: Limits, also: Also) -> None:
        self._source, self._table, self._display, self._limits = source, table, display, limits
        self._groups = row_groups(_footer(source))
        self._values = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
        schema = self._values.schema_arrow
        self._names = tuple(map(shown, schema.names))
        self._roots = _roots(schema, self._values.schema, partial(also, table))
        self._columns = Columns(table, limits, Meter(limits), also)
        self._indices: Any = None

    def items(self) -> Iterator[Item]:
        rows = 0
        for number, group in enumerate(self._groups):
            for root in self._roots:
                yield from self._column(group, number, root, rows + 1)
            rows += group.rows
        yield TableInfo(self._table, self._names, rows)

    def _skipped(self, what: str, nbytes: int) -> Skipped:
        return Skipped(path=self._display, reason=f"Parquet: {what}", nbytes=nbytes)

    def _column(self, group: Group, number: int, root: _Root, first: int) -> Iterator[Item]:
        """One column of one row group."""
        done, error, size, n = 0, None, 0, group.rows
        try:
            places = [group.columns[leaf] for leaf in root.leaves]
            size = sum(place.size for place in places)
            pages = [survey(self._source.read_at, place, self._limits) for place in places]
            known = _known(pages, root, n)
            for array in self._arrays(number, root, pages, known):
                yield from self._columns.chunks(root.name, array, first + done)
                done += len(array)
        except Spent:
            raise
        except Exception as caught:  # as above
            error = caught
        if done < n:
            what = f"row group {number}, column {shown(root.name)} cannot be read"
            where = f" from row {first + done} on" if done else ""
            lost = size * (n - done) // n
            yield self._skipped(what + where + _why(error), lost)

    def _arrays(self, group: int, root: _Root, pages: list[Pages], known: int) -> Iterator[Any]:
        """Consecutive values, each array worth a chunk where there are as many."""
        longest = self._longest(group, root, pages)
        rows, as_indices = _plan(pages, longest, root, self._limits)
        reader = self._with_indices().reader if as_indices else self._values.reader
        held: list[Any] = []
        size = done = 0
        try:
            for column in _batches(reader, group, root, rows, known):
                done += len(column)
                size += column.nbytes
                held.append(column)
                if size >= self._limits.chunk_bytes or sum(map(len, held)) >= ROWS:
                    yield from _together(held)
                    held, size = [], 0
        except Exception:  # a batch has some pages, and those before the damaged one are good
            yield from _together(held)
            yield from _rest(_batches(reader, group, root, min(rows, FEW), known), done)
            return
        yield from _together(held)

    def _longest(self, group: int, root: _Root, pages: list[Pages]) -> int:
        """The longest value of a dictionary that some pages refer to and others do not, in bytes.

        Asked for one row as an index, pyarrow gives the whole dictionary with it, in 5 ms.
        """
        longest = max(one.dictionary for one in pages)
        one = pages[0]
        if len(pages) > 1 or not (one.coded and one.plain and one.first_coded):
            return longest
        _limit_levels(root, pages, self._limits)
        reader = self._with_indices().reader
        for array in _batches(reader, group, root, 1, 1):
            for leaf in leaves(array, root.name):
                if pa.types.is_dictionary(leaf.array.type):
                    values = leaf.array.dictionary
                    if len(values) >= one.entries:
                        return int(np.diff(sizes(values)).max(initial=0))
        return longest

    def _with_indices(self) -> Any:
        if self._indices is None:
            schema = self._values.schema
            paths = [schema.column(n).path for root in self._roots for n in root.leaves]
            self._indices = pq.ParquetFile(
                self._source, buffer_size=_BUFFER, pre_buffer=False, read_dictionary=paths
            )
        return self._indices


def _batches(reader: Any, group: int, root: _Root, rows: int, known: int) -> Iterator[Any]:
    """The arrays of one column up to a row."""
    done = 0
    rows = max(1, min(rows, known))
    for one in reader.iter_batches(rows, [group], column_indices=root.leaves, use_threads=False):
        if done >= known:
            return
        column = one.column(0)[: known - done]
        done += len(column)
        yield column


def _rest(arrays: Iterator[Any], done: int) -> Iterator[Any]:
    """What stands behind so many rows."""
    for array in arrays:
        if len(array) > done:
            yield array[done:]
        done = max(0, done - len(array))


def _together(held: list[Any]) -> Iterator[Any]:
    if held:
        yield pa.concat_arrays(held) if len(held) > 1 else held[0]


def _known(pages: list[Pages], root: _Root, rows: int) -> int:
    """Rows whose pages have headers that can be read; of values in lists all or none."""
    if all(one.complete for one in pages):
        return rows
    if root.repeated:
        raise Unreadable("the header of a page")
    return min(rows, *(one.values for one in pages))


def _limit_levels(root: _Root, pages: list[Pages], limits: Limits) -> None:
    if root.repeated and max(one.most_values for one in pages) > limits.page_values:
        raise Unreadable(f"a page of more than {limits.page_values} values")


def _plan(pages: list[Pages], dictionary: int, root: _Root, limits: Limits) -> tuple[int, bool]:
    """Rows to decode at once, and whether to ask for indices.

    Batches of 256 rows cost little more than those of 65,536 when they are values. When they are
    indices each begins with the whole dictionary, and values that are in none have to be hashed:
    5.6 s for a million rows by 512, 0.5 by 65,536, where values take 0.12. ``dictionary`` is the
    longest value of one.
    """
    _limit_levels(root, pages, limits)
    coded = sum(one.coded for one in pages)
    many = root.repeated and coded * dictionary > limits.batch_bytes
    if coded and (many or not any(one.plain for one in pages)):
        dense = max(one.density for one in pages)
        return min(ROWS, max(1, int(limits.batch_bytes / max(dense, 1)))), True
    rows = ROWS
    for one in pages:
        mean = one.unpacked / max(one.plain, 1)
        rows = min(rows, max(1, int(limits.chunk_bytes / max(mean, 1))))
        longest = max(one.density, one.largest if one.prefixed else 0, 1)
        longest = max(longest, dictionary if one.coded else 0)
        rows = min(rows, max(1, int(limits.batch_bytes / longest)))
    return rows, False


def _why(error: Exception | None) -> str:
    """A reason without data: pyarrow's own texts may quote what they met."""
    return f": {error.reason}" if isinstance(error, Unreadable) else ""
