"""Arrow IPC files and streams, Feather, and ORC.

An Arrow file is mapped, so that a batch may be of any size: what is not compressed is read where
it lies. A file that is cut short while it is read takes the process with it, as with any mapping.
ORC is read a column at a time. Nothing in an ORC file says what its rows unpack to; Arrow stops at
2 GiB of strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from detector.columns import ipc
from detector.columns.arrays import Columns
from detector.columns.types import Also, Item, Limits, Meter, Spent, TableInfo, Unreadable, shown
from detector.types import Skipped

ROWS = 1 << 16  # rows looked at at once
ORC_ROWS = 1 << 13  # unpacked at once: the longest value of a dictionary may be in each of them


def read_arrow(buffer: Any, table: str, display: str, limits: Limits, also: Also) -> Iterator[Item]:
    """The chunks of a file or a stream, which is all of ``buffer``."""
    yield from _Arrow(buffer, table, display, limits, also).items()


class _Arrow:
    def __init__(self, buffer: Any, table: str, display: str, limits: Limits, also: Also) -> None:
        self._buffer, self._data = buffer, memoryview(buffer)
        self._table, self._display, self._limits = table, display, limits
        self._columns = Columns(table, limits, Meter(limits), also)
        self._schema: Any = None
        self._packed: Any = None
        self._plain: Any = None
        self._names: tuple[str, ...] = ()
        self._rows = 0

    def items(self) -> Iterator[Item]:
        start = 0
        if self._data[:6] == ipc.MAGIC:
            start = 8
            try:
                dictionaries, batches = ipc.blocks(self._data)
                self._packed = self._open(pa.ipc.open_file, self._buffer)
                self._plain = pa.ipc.open_file(pa.BufferReader(self._buffer))
            except Exception:  # pyarrow raises a dozen types for what is damaged
                yield self._skipped("its footer cannot be read", 0)
            else:
                yield from self._file(dictionaries, batches)
                yield TableInfo(self._table, self._names, self._rows)
                return
        yield from self._stream(start)
        if self._names:
            yield TableInfo(self._table, self._names, self._rows)

    def _open(self, way: Any, buffer: Any) -> Any:
        """A reader of the columns with text, or of the first one where there are none."""
        self._schema = way(pa.BufferReader(buffer)).schema
        self._names = tuple(map(shown, self._schema.names))
        return _reader(way, buffer, _wanted(self._schema, self._columns) or [0])

    def _skipped(self, what: str, nbytes: int) -> Skipped:
        return Skipped(path=self._display, reason=f"Arrow: {what}", nbytes=nbytes)

    def _file(self, dictionaries: list[int], batches: list[int]) -> Iterator[Item]:
        failed: str | None = None
        try:
            sizes = [self._message(at).unpacked for at in dictionaries]
            if sum(sizes) > self._limits.unit_bytes:
                failed = _too_large(self._limits)
        except ipc.Broken:
            failed = "a dictionary cannot be read"
        for number, at in enumerate(batches):
            try:
                message = self._message(at)
            except ipc.Broken:
                yield self._skipped(f"record batch {number} cannot be read", 0)
                continue
            nbytes = message.end - at
            if failed is None and message.unpacked > self._limits.unit_bytes:
                yield self._skipped(f"record batch {number}: {_too_large(self._limits)}", nbytes)
            elif failed is not None:
                yield self._skipped(f"record batch {number}: {failed}", nbytes)
            else:
                yield from self._batch(number, nbytes, packed=message.unpacked > 0)
            self._rows += max(0, message.rows)

    def _message(self, at: int) -> ipc.Message:
        message = ipc.message_at(self._data, at) if at >= 0 else None
        if message is None:
            raise ValueError
        return message

    def _batch(self, number: int, nbytes: int, *, packed: bool) -> Iterator[Item]:
        """A batch of a file. One that cannot be read is read again by its columns.

        Asked for some columns, pyarrow copies the batch. That is worth it where it is compressed.
        """
        what = f"record batch {number}"
        try:
            batch = self._packed.get_batch(number) if packed else self._plain.get_batch(number)
        except Exception:  # as above
            wanted = _wanted(self._schema, self._columns)
            for index in wanted:
                try:
                    one = _reader(pa.ipc.open_file, self._buffer, [index]).get_batch(number)
                except Exception:  # as above
                    name = shown(self._schema.names[index])
                    reason = f"{what}, column {name} cannot be read"
                    yield self._skipped(reason, nbytes // len(wanted))
                else:
                    yield from self._given(one, what, nbytes)
            return
        yield from self._given(batch, what, nbytes)

    def _stream(self, start: int) -> Iterator[Item]:
        """Batches one behind the other, until a message cannot be read."""
        number, at = 0, start
        try:
            reader = self._open(pa.ipc.open_stream, self._buffer[start:])
            unpacked = 0
            for message in ipc.messages(self._data, start):
                unpacked += message.unpacked
                if message.kind == ipc.BATCH:
                    what = f"record batch {number}"
                    if unpacked > self._limits.unit_bytes:
                        raise Unreadable(_too_large(self._limits))
                    try:
                        batch = reader.read_next_batch()
                    except StopIteration:
                        break
                    except Exception:  # as above; the next one may be whole
                        yield self._skipped(f"{what} cannot be read", message.end - at)
                    else:
                        yield from self._given(batch, what, message.end - at)
                    self._rows += max(0, message.rows)
                    number, unpacked = number + 1, 0
                at = message.end
        except Spent:
            raise
        except Exception as error:  # as above
            why = f": {error.reason}" if isinstance(error, Unreadable) else ""
            where = f"record batch {number} on" if self._names else "its schema on"
            yield self._skipped(f"cannot be read from {where}{why}", len(self._data) - at)

    def _given(self, batch: Any, what: str, nbytes: int) -> Iterator[Item]:
        for field, column in zip(batch.schema, batch.columns, strict=True):
            if self._columns.wants(field):
                name = field.name
                give = _slices(self._columns, name, column, self._rows + 1)
                error = f"{what}, column {shown(name)} cannot be read"
                share = nbytes // max(1, batch.num_columns)
                yield from _guarded(give, self._skipped(error, share))


def _slices(columns: Columns, name: str, column: Any, first: int) -> Iterator[Item]:
    for start in range(0, len(column), ROWS):
        yield from columns.chunks(name, column.slice(start, ROWS), first + start)


def _guarded(items: Iterator[Item], lost: Skipped) -> Iterator[Item]:
    """Some items, and what to say if they end in an error."""
    try:
        yield from items
    except Spent:
        raise
    except Exception as error:  # as above
        why = f": {error.reason}" if isinstance(error, Unreadable) else ""
        yield Skipped(path=lost.path, reason=lost.reason + why, nbytes=lost.nbytes)


def _wanted(schema: Any, columns: Columns) -> list[int]:
    return [i for i, field in enumerate(schema) if columns.wants(field)]


def _reader(way: Any, buffer: Any, fields: list[int]) -> Any:
    options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
    return way(pa.BufferReader(buffer), options=options)


def _too_large(limits: Limits) -> str:
    return f"unpacks to more than {limits.unit_bytes} bytes"


def read_orc(
    source: Any, nbytes: int, table: str, display: str, limits: Limits, also: Also
) -> Iterator[Item]:
    """The chunks of a file that `pyarrow` has opened."""
    from pyarrow import orc

    columns = Columns(table, limits, Meter(limits), also)
    try:
        file = orc.ORCFile(source)
        names, wanted = tuple(file.schema.names), _wanted(file.schema, columns)
        rows, stripes = int(file.nrows), int(file.nstripes)
    except Exception:  # as above
        yield Skipped(path=display, reason="ORC: its footer cannot be read", nbytes=nbytes)
        return
    for index in wanted:
        name = names[index]
        done = 0
        try:
            for array in _orc_column(source, name):
                yield from columns.chunks(name, array, done + 1)
                done += len(array)
        except Spent:
            raise
        except Exception:  # as above; stripes behind the damaged one may be whole
            share = nbytes // max(1, stripes * len(names))
            for item in _orc_stripes(file, name, done, columns):
                yield _lost(display, item, share) if isinstance(item, str) else item
    yield TableInfo(table, tuple(map(shown, names)), rows)


def _lost(display: str, what: str, nbytes: int) -> Skipped:
    return Skipped(path=display, reason=f"ORC: {what} cannot be read", nbytes=nbytes)


def _orc_column(source: Any, name: str) -> Iterator[Any]:
    """A column in batches: 53 MB of memory for a stripe of which `read_stripe` makes 405."""
    from pyarrow import dataset

    source.seek(0)
    fragment = dataset.OrcFileFormat().make_fragment(source)
    scanner = fragment.scanner(
        columns={"column": dataset.field(name)},
        batch_size=ORC_ROWS,
        batch_readahead=1,
        fragment_readahead=1,
        use_threads=False,
    )
    for batch in scanner.to_batches():
        yield batch.column(0)


def _orc_stripes(file: Any, name: str, done: int, columns: Columns) -> Iterator[Item | str]:
    """The values of a column behind so many rows, stripe by stripe, or what cannot be read.

    The rows of a stripe are only known from one of its columns that can be read.
    """
    row = 0
    for stripe in range(file.nstripes):
        error = f"stripe {stripe}, column {shown(name)}"
        try:
            column = file.read_stripe(stripe, columns=[name]).column(0)
        except Exception:  # as above
            yield error
            row += _orc_rows(file, stripe)
            continue
        given, first = column[max(0, done - row) :], max(done, row) + 1
        try:
            if len(given):
                yield from _slices(columns, name, given, first)
        except Spent:
            raise
        except Exception:  # as above
            yield error
        row += len(column)


def _orc_rows(file: Any, stripe: int) -> int:
    for name in file.schema.names:
        try:
            return int(file.read_stripe(stripe, columns=[name]).num_rows)
        except Exception:  # noqa: S112  (another column may tell)
            continue
    return 0
