"""One table of a live database as COPY text: lines of fields with tabs between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from detector.types import Skipped

PIECE = 1 << 20  # bytes that are handed on together: rows come one by one, and are small


class Relation(NamedTuple):
    """``rows``: about how many, for a progress bar; ``data``: pieces of COPY text, and a
    :class:`Skipped` at the end if not all could be read."""

    name: str
    columns: tuple[str, ...]
    rows: int
    data: Iterator[bytes | Skipped]

    def __repr__(self) -> str:
        return f"Relation({self.name!r})"


def gathered(lines: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Lines in pieces of about a megabyte. Raises what the lines do, behind those that came."""
    parts: list[bytes | memoryview] = []
    size = 0
    try:
        for line in lines:
            parts.append(line)
            size += len(line)
            if size >= PIECE:
                yield b"".join(parts)
                parts, size = [], 0
    except Exception:
        yield b"".join(parts)
        raise
    if parts:
        yield b"".join(parts)


def line_of(values: Iterable[object]) -> bytes:
    """A row as COPY writes it; https://www.postgresql.org/docs/current/sql-copy.html."""
    return b"\t".join(map(_field, values)) + b"\n"


def _field(value: object) -> bytes:
    if value is None:
        return b"\\N"
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    if b"\\" in raw:
        raw = raw.replace(b"\\", b"\\\\")
    for char, escape in ((b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r")):
        if char in raw:
            raw = raw.replace(char, escape)
    return raw
