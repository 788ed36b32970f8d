"""One unit of work: a file, or a piece of a large one, from bytes to results.

The same functions serve the main process and the workers. Results are yielded as they
come, so a unit needs constant memory however much it finds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from detector.cluster import Settled
from detector.scanner import Scanner
from detector.sources import Entry, FileRef, Limits, open_entries, open_range
from detector.stream import Window
from detector.tracker import Timings
from detector.types import Finding, Skipped

PIECE = 4 << 20  # bytes: a dump with a key in every row gives 25,000 findings in them
OVERLAP = 1 << 16  # bytes read before a piece: four times the longest match and its context
READ = 1 << 20  # bytes at a time: the engine's stride, and it fits the second-level cache


class Unit(msgspec.Struct, frozen=True):
    """Files to scan whole, or the bytes ``[start, stop)`` of one."""

    files: tuple[FileRef, ...]
    start: int = 0
    stop: int | None = None


class Counts(msgspec.Struct):
    """What a unit did. The lines of the piece after this one count on from ``newlines``;
    its last line begins at ``line_start``, or earlier if the piece has no newline."""

    bytes_read: int = 0
    bytes_scanned: int = 0
    newlines: int = 0
    line_start: int = 0
    timings: Timings = msgspec.field(default_factory=Timings)


Result = Finding | Skipped | Counts


def scan_unit(scanner: Scanner, unit: Unit, limits: Limits) -> Iterator[Result]:
    """Findings and skips of a unit; Counts now and then, their sums being the totals."""
    if unit.stop is not None:
        piece = _scan_piece(scanner, unit.files[0], unit.start, unit.stop)
        yield from _guarded(piece, unit)
        return
    for file in unit.files:
        yield from _guarded(_scan_file(scanner, file, limits), Unit((file,)))


def lost(unit: Unit, reason: str) -> Iterator[Skipped | Counts]:
    """What there is to say of a unit that could not be scanned to its end."""
    for file in unit.files:
        nbytes = (file.size or 0) if unit.stop is None else unit.stop - unit.start
        yield Skipped(path=file.name, reason=reason, nbytes=nbytes)
    if unit.stop is not None:
        yield _count_lines(unit.files[0], unit.start, unit.stop)


def _guarded(results: Iterator[Result], unit: Unit) -> Iterator[Result]:
    """A mistake of this program costs one file, not the run and what it found so far."""
    try:
        yield from results
    except Exception as error:
        if os.environ.get("DETECTOR_DEBUG"):
            raise
        # Its message may quote data: only its kind is said.
        yield from lost(unit, f"internal error: {type(error).__name__}")


def _count_lines(file: FileRef, start: int, stop: int) -> Counts:
    """For the pieces behind one that was not scanned."""
    counts, buffer = Counts(), memoryview(bytearray(READ))
    reader = open_range(file, start)
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


def _scan_file(scanner: Scanner, file: FileRef, limits: Limits) -> Iterator[Result]:
    read = 0
    with open_entries(file, limits) as entries:
        for entry in entries:
            if isinstance(entry, Skipped):
                yield entry
            else:
                yield from _scan_entry(scanner, entry)
            yield Counts(bytes_read=entries.bytes_read - read)
            read = entries.bytes_read


def _scan_entry(scanner: Scanner, entry: Entry) -> Iterator[Result]:
    window = Window(scanner, path=entry.path, prompt=entry.size is None)
    scanned = 0
    while count := entry.readinto(window.space()[:READ]):
        scanned += count
        yield from _findings(scanner, window, window.commit(count), entry)
        if entry.encoding:
            entry.forget(window.base)
        yield Counts(bytes_scanned=count)
    yield from _findings(scanner, window, window.finish(), entry)
    if entry.skipped is not None:
        yield entry.skipped
    elif entry.size is not None and scanned < entry.size and entry.plain:
        yield _shorter(entry.path, entry.size - scanned)
    yield from window.timed_out(entry.path)
    yield Counts(timings=window.tracker.timings)


def _findings(
    scanner: Scanner, window: Window, clusters: list[Settled], entry: Entry
) -> Iterator[Finding]:
    for finding in scanner.findings(clusters, entry.path):
        if entry.encoding is None:
            yield finding
        else:
            start, end = entry.source_span(finding.start, finding.end)
            yield msgspec.structs.replace(finding, start=start, end=end)


def _scan_piece(scanner: Scanner, file: FileRef, start: int, stop: int) -> Iterator[Result]:
    """Findings that begin in ``[start, stop)``; lines count from 0 at ``start``."""
    begin = max(0, start - OVERLAP)
    reader = open_range(file, begin)
    if isinstance(reader, Skipped):
        yield msgspec.structs.replace(reader, nbytes=stop - start)
        return
    window = Window(scanner, base=begin, path=file.name, prompt=False)
    lines = window.tracker.lines

    def findings(clusters: list[Settled]) -> Iterator[Finding]:
        own = [cluster for cluster in clusters if start <= cluster.start < stop]
        for finding in scanner.findings(own, file.name):
            yield msgspec.structs.replace(finding, line=finding.line - before)

    with reader:
        while window.end < start and (n := reader.readinto(window.space()[: start - window.end])):
            window.commit(n)
        before = lines.count(window.buffer, min(start, window.end))[0]
        while window.end < stop and (
            n := reader.readinto(window.space()[: min(READ, stop - window.end)])
        ):
            yield from findings(window.commit(n))
            yield Counts(bytes_read=n, bytes_scanned=n)
        missing = stop - max(start, window.end)
        # Now: once the window goes on, these lines are behind it.
        newlines, line_start = lines.count(window.buffer, window.end)
        while window.unsettled_before(stop) and (n := reader.readinto(window.space()[:OVERLAP])):
            yield from findings(window.commit(n))
        yield from findings(window.finish())
    if reader.skipped is not None:
        yield msgspec.structs.replace(reader.skipped, nbytes=missing)
    elif missing:
        yield _shorter(file.name, missing)
    yield from window.timed_out(file.name)
    yield Counts(newlines=newlines - before, line_start=line_start, timings=window.tracker.timings)


def _shorter(path: str, missing: int) -> Skipped:
    return Skipped(path=path, reason="became shorter while it was read", nbytes=missing)
