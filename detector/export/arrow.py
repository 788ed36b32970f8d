"""Parquet and Arrow files, copied a batch at a time with pyarrow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from detector.errors import UsageError
from detector.export.values import redacted
from detector.mask import Mask
from detector.scanner import Scanner

ROWS = 1 << 16  # of a batch


def copy(kind: str, source: Path, target: Path, scanner: Scanner, mask: Mask) -> Counter[str]:
    """See :func:`detector.export.export`."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet and Arrow need pyarrow: pip install 'secrets-leak-detector[arrow]'"
        ) from None
    found: Counter[str] = Counter()
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
                        writer.write_batch(_clean(pyarrow, batch, scanner, mask, found))
        else:
            with (
                pyarrow.ipc.open_file(source) as file,
                pyarrow.ipc.new_file(target, file.schema) as writer,
            ):
                for number in range(file.num_record_batches):
                    batch = file.get_batch(number)
                    writer.write_batch(_clean(pyarrow, batch, scanner, mask, found))
    except (pyarrow.ArrowException, OSError):
        raise UsageError(f"{source}: cannot be read to its end, so there is no copy") from None
    return found


def _clean(pyarrow: Any, batch: Any, scanner: Scanner, mask: Mask, found: Counter[str]) -> Any:
    columns = [_clean_column(pyarrow, column, scanner, mask, found) for column in batch.columns]
    return pyarrow.RecordBatch.from_arrays(columns, schema=batch.schema)


def _clean_column(
    pyarrow: Any, column: Any, scanner: Scanner, mask: Mask, found: Counter[str]
) -> Any:
    kind = column.type
    types = pyarrow.types
    if types.is_dictionary(kind):
        clean = _clean_column(pyarrow, column.dictionary, scanner, mask, found)
        return pyarrow.DictionaryArray.from_arrays(column.indices, clean)
    if not _may_hold_text(types, kind):
        return column
    values = column.to_pylist()
    changed = (
        [_clean_value(value, scanner, mask, found) for value in values]
        if (types.is_nested(kind))
        else _clean_flat(values, scanner, mask, found)
    )
    return column if changed == values else pyarrow.array(changed, kind)


def _may_hold_text(types: Any, kind: Any) -> bool:
    if types.is_nested(kind):
        return True
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)
        or types.is_large_binary(kind) or types.is_string_view(kind) or types.is_binary_view(kind)
    )  # fmt: skip


def _clean_flat(values: list[Any], scanner: Scanner, mask: Mask, found: Counter[str]) -> list[Any]:
    given = [value for value in values if value is not None]
    clean = redacted(scanner, given, mask, found)
    if not clean:
        return values
    numbers = (number for number, value in enumerate(values) if value is not None)
    out = list(values)
    for place, number in enumerate(numbers):
        if place in clean:
            out[number] = clean[place]
    return out


def _clean_value(value: Any, scanner: Scanner, mask: Mask, found: Counter[str]) -> Any:
    """Of a list, a struct or a map."""
    if isinstance(value, str | bytes):
        return _clean_flat([value], scanner, mask, found)[0]
    if isinstance(value, dict):
        return {k: _clean_value(v, scanner, mask, found) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean_value(one, scanner, mask, found) for one in value]
    if isinstance(value, tuple):
        return tuple(_clean_value(one, scanner, mask, found) for one in value)
    return value
