"""Parquet and Arrow files, copied a batch at a time with pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detector.columns.types import shown, table_name
from detector.errors import UsageError
from detector.export.values import Cleaner

ROWS = 1 << 16  # of a batch


def copy(kind: str, source: Path, target: Path, cleaner: Cleaner) -> None:
    """See :func:`detector.export.export`."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet and Arrow need pyarrow: pip install 'secrets-leak-detector[arrow]'"
        ) from None
    clean = _Clean(pyarrow, table_name(str(source)), cleaner)
    try:
        if kind == "parquet":
            with pyarrow.parquet.ParquetFile(source) as file:
                metadata = file.metadata
                compression = (
                    metadata.row_group(0).column(0).compression.lower()
                    if metadata.num_row_groups and metadata.num_columns
                    else "snappy"
                )
                compression = "none" if compression == "uncompressed" else compression
                writer = pyarrow.parquet.ParquetWriter(
                    target, file.schema_arrow, compression=compression
                )
                with writer:
                    for batch in file.iter_batches(ROWS):
                        writer.write_batch(clean.batch(batch))
        else:
            with (
                pyarrow.ipc.open_file(source) as file,
                pyarrow.ipc.new_file(target, file.schema) as writer,
            ):
                for number in range(file.num_record_batches):
                    batch = file.get_batch(number)
                    writer.write_batch(clean.batch(batch))
    except (pyarrow.ArrowException, OSError):
        raise UsageError(f"{source}: cannot be read to its end, so there is no copy") from None


class _Clean:
    """Cleans what one table's batches hold."""

    def __init__(self, pyarrow: Any, table: str, cleaner: Cleaner) -> None:
        self._pyarrow, self._table, self._cleaner = pyarrow, table, cleaner

    def batch(self, batch: Any) -> Any:
        """The same rows."""
        columns = [
            self._column(name, column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return self._pyarrow.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _column(self, field: str, column: Any) -> Any:
        kind = column.type
        types = self._pyarrow.types
        if types.is_dictionary(kind):
            clean = self._column(field, column.dictionary)
            return self._pyarrow.DictionaryArray.from_arrays(column.indices, clean)
        if not _may_hold_text(types, kind):
            return column
        values = column.to_pylist()
        changed = (
            [self._value(field, value, kind) for value in values]
            if types.is_nested(kind)
            else self._flat(field, values)
        )
        return column if changed == values else self._pyarrow.array(changed, kind)

    def _flat(self, field: str, values: list[Any]) -> list[Any]:
        given = [value for value in values if value is not None]
        clean = self._cleaner.clean(self._table, shown(field), given)
        if not clean:
            return values
        numbers = (number for number, value in enumerate(values) if value is not None)
        out = list(values)
        for place, number in enumerate(numbers):
            if place in clean:
                out[number] = clean[place]
        return out

    def _value(self, field: str, value: Any, kind: Any) -> Any:
        """Of a list, a struct or a map; its text has the names that a scan gives it."""
        types = self._pyarrow.types
        if isinstance(value, str | bytes):
            return self._flat(field, [value])[0]
        if value is None or not types.is_nested(kind):
            return value
        if types.is_struct(kind):
            inside = {kind.field(n).name: kind.field(n).type for n in range(kind.num_fields)}
            return {k: self._value(f"{field}.{k}", v, inside[k]) for k, v in value.items()}
        if types.is_map(kind):
            return [
                (
                    self._value(f"{field}[].key", key, kind.key_type),
                    self._value(f"{field}[].value", one, kind.item_type),
                )
                for key, one in value
            ]
        if hasattr(kind, "value_type"):
            return [self._value(f"{field}[]", one, kind.value_type) for one in value]
        return value  # a union: it is of the type of one of its fields


def _may_hold_text(types: Any, kind: Any) -> bool:
    if types.is_nested(kind):
        return True
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)
        or types.is_large_binary(kind) or types.is_string_view(kind) or types.is_binary_view(kind)
    )  # fmt: skip
