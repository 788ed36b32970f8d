"""Some of the objects of a table, and what a census is told of them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.tables.bits import PIECE
from detector.tables.census import Census
from detector.types import Bytes

Ints = NDArray[np.int64]

SAMPLES = 12  # objects sampled of what is walked over at once, about
LONGEST = 1 << 16  # bytes of an object that is sampled
COLUMNS = 1024  # of a table
KEY = 256  # bytes of a key with its quotes and what stands before the colon; longer, no field


def samples_in(data: Bytes) -> int:
    """Objects sampled of a piece."""
    return SAMPLES * PIECE // max(len(data), PIECE) + 1


_DECODER = msgspec.json.Decoder(float_hook=str)  # numbers as they stand


def sampled(text: bytes, begins: Ints, ends: Ints, most: int) -> list[dict[str, Any]]:
    """Some objects out of many, from all over; what is none is left out."""
    chosen = np.linspace(0, begins.size - 1, min(most, begins.size)).astype(np.int64)
    out = []
    for begin, end in zip(begins[chosen].tolist(), ends[chosen].tolist(), strict=True):
        if end - begin <= LONGEST:
            try:
                one = _DECODER.decode(text[begin:end].removeprefix(b"\xef\xbb\xbf"))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
                continue
            if isinstance(one, dict):
                out.append(one)
    return out


def tell(census: Census, table: str, rows: int, objects: list[dict[str, Any]]) -> None:
    """Rows of a table, and samples in the order in which keys have appeared."""
    known = census.tables.get(table)
    names = dict.fromkeys(known.columns if known else ())
    for one in objects:
        names.update(dict.fromkeys(key[:KEY] for key in one))
    columns = tuple(names)[:COLUMNS]
    census.count(table, columns, rows)
    if known := census.tables.get(table):
        known.columns = columns
    census.sample(table, columns, [[_value(one.get(name)) for name in columns] for one in objects])


def _value(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    try:
        return msgspec.json.encode(value)
    except RecursionError:  # it was decoded with a little less on the stack
        return None
