"""What a worker is given, and what it gives back, also where it could not do its work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from detector.errors import UsageError
from detector.matcher import Timings
from detector.run.owners import Owned
from detector.run.tables import Seen, Tables
from detector.sources import FileRef, open_range
from detector.tables.layout import Dialect
from detector.types import Finding, Skipped

READ = 1 << 20  # bytes at a time: the engine's stride, and it fits the second-level cache

T = TypeVar("T")


class Unit(msgspec.Struct, frozen=True):
    """Files to scan whole, or the bytes ``[start, stop)`` of one. What the walk has skipped
    stands where it was met, and is given back there."""

    files: tuple[FileRef | Skipped, ...]
    start: int = 0
    stop: int | None = None
    layout: tuple[Dialect, Any] | None = None
    """How the bytes from ``start`` on hold tables: a dialect, and its state there."""

    @property
    def file(self) -> FileRef:
        """The first one."""
        return next(item for item in self.files if isinstance(item, FileRef))


class Counts(msgspec.Struct):
    """What a unit did. The lines of the piece after this one count on from ``newlines``;
    its last line begins at ``line_start``, or earlier if the piece has no newline."""

    bytes_read: int = 0
    bytes_scanned: int = 0
    rows: int = 0
    rows_expected: int = 0
    newlines: int = 0
    line_start: int = 0
    timings: Timings = msgspec.field(default_factory=Timings)


Result = Finding | Skipped | Counts | Tables | Seen | Owned


def lost(unit: Unit, reason: str) -> Iterator[Skipped | Counts]:
    """What there is to say of a unit that could not be scanned to its end."""
    for item in unit.files:
        if isinstance(item, Skipped):
            yield item
        else:
            nbytes = (item.size or 0) if unit.stop is None else unit.stop - unit.start
            yield Skipped(path=item.name, reason=reason, nbytes=nbytes)
    if unit.stop is not None:
        yield _count_lines(unit)


def guarded(results: Iterator[T], unit: Unit) -> Iterator[T | Skipped | Counts]:
    """A mistake of this program costs one unit, not the run and what it found so far."""
    try:
        yield from results
    except UsageError as error:  # such as a package that is not installed
        yield from lost(unit, str(error))
    except Exception as error:
        if os.environ.get("DETECTOR_DEBUG"):
            raise
        # Its message may quote data: only its kind is said.
        yield from lost(unit, f"internal error: {type(error).__name__}")


def _count_lines(unit: Unit) -> Counts:
    """For the pieces behind one that was not scanned."""
    counts, buffer = Counts(), memoryview(bytearray(READ))
    start, stop = unit.start, unit.stop or 0
    reader = open_range(unit.file, start)
    if isinstance(reader, Skipped):
        return counts
    with reader:
        while start < stop and (n := reader.readinto(buffer[: stop - start])):
            data = bytes(buffer[:n])
            counts.newlines += data.count(b"\n")
            if (last := data.rfind(b"\n")) >= 0:
                counts.line_start = start + last + 1
            start += n
    return counts
