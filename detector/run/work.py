"""One unit of work: files, or a piece of a large one, from bytes to results.

The same functions serve the main process and the workers. Results are yielded as they
come, so a unit needs constant memory however much it finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

import msgspec

from detector.cluster import Group
from detector.run.docket import Waiting, in_turn
from detector.run.unit import READ, Counts, Result, Unit, guarded
from detector.scanner import Scanner
from detector.sources import Entry, Limits, open_entries, open_range
from detector.stream import Window
from detector.types import Finding, Skipped

PIECE = 4 << 20  # bytes: a dump with a key in every row gives 25,000 findings in them
OVERLAP = 1 << 16  # bytes read before a piece: four times the longest match and its context


def scan_unit(scanner: Scanner, unit: Unit, limits: Limits) -> Iterator[Result]:
    """Findings and skips of a unit; Counts now and then, their sums being the totals."""
    parts = [unit] if unit.stop is not None else [Unit((item,)) for item in unit.files]
    results = (guarded(_scan(scanner, part, limits), part) for part in parts)
    return in_turn(scanner, chain.from_iterable(results))


def _scan(scanner: Scanner, unit: Unit, limits: Limits) -> Iterator[Result | Waiting]:
    (item,) = unit.files
    if isinstance(item, Skipped):
        yield item
    elif unit.stop is None:
        yield from _scan_file(scanner, unit, limits)
    else:
        yield from _scan_piece(scanner, unit, unit.start, unit.stop)


def _scan_file(scanner: Scanner, unit: Unit, limits: Limits) -> Iterator[Result | Waiting]:
    read = 0
    file = unit.file
    with open_entries(file, limits) as entries:
        for entry in entries:
            if isinstance(entry, Skipped):
                yield entry
            else:
                yield from _scan_entry(scanner, unit, entry)
            yield Counts(bytes_read=entries.bytes_read - read)
            read = entries.bytes_read


def _scan_entry(scanner: Scanner, unit: Unit, entry: Entry) -> Iterator[Result | Waiting]:
    # Of a pipe, what is certain is given at once; spans of UTF-16 are known for a while only.
    prompt = unit.file.kind == "stream" or entry.encoding is not None
    window = Window(scanner, path=entry.path, prompt=prompt)
    scanned = 0
    while count := entry.readinto(window.space()[:READ]):
        scanned += count
        yield from _found(scanner, unit, entry, window.commit(count))
        if entry.encoding:
            entry.forget(window.base)
        yield Counts(bytes_scanned=count)
    yield from _found(scanner, unit, entry, window.finish())
    if entry.skipped is not None:
        yield entry.skipped
    elif entry.size is not None and scanned < entry.size and entry.plain:
        yield _shorter(entry.path, entry.size - scanned)
    yield from window.timed_out(entry.path)
    yield Counts(timings=window.tracker.timings)


def _found(
    scanner: Scanner, unit: Unit, entry: Entry, groups: list[Group]
) -> Iterator[Finding | Waiting]:
    if entry.encoding is None:
        if groups:
            yield Waiting(unit, groups, partial(scanner.findings, path=entry.path))
        return
    for finding in scanner.findings(groups, entry.path):
        start, end = entry.source_span(finding.start, finding.end)
        yield msgspec.structs.replace(finding, start=start, end=end)


def _scan_piece(scanner: Scanner, unit: Unit, start: int, stop: int) -> Iterator[Result | Waiting]:
    """Findings that begin in ``[start, stop)``; lines count from 0 at ``start``."""
    file = unit.file
    begin = max(0, start - OVERLAP)
    reader = open_range(file, begin)
    if isinstance(reader, Skipped):
        yield msgspec.structs.replace(reader, nbytes=stop - start)
        return
    window = Window(scanner, base=begin, path=file.name, prompt=False)
    lines = window.tracker.lines

    def findings(groups: Sequence[Group]) -> Iterator[Finding]:
        (clusters,) = scanner.settled([groups])
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
            yield Waiting(unit, window.commit(n), findings)
            yield Counts(bytes_read=n, bytes_scanned=n)
        missing = stop - max(start, window.end)
        # Now: once the window goes on, these lines are behind it.
        newlines, line_start = lines.count(window.buffer, window.end)
        while window.unsettled_before(stop) and (n := reader.readinto(window.space()[:OVERLAP])):
            yield Waiting(unit, window.commit(n), findings)
        yield Waiting(unit, window.finish(), findings)
    if reader.skipped is not None:
        yield msgspec.structs.replace(reader.skipped, nbytes=missing)
    elif missing:
        yield _shorter(file.name, missing)
    yield from window.timed_out(file.name)
    yield Counts(newlines=newlines - before, line_start=line_start, timings=window.tracker.timings)


def _shorter(path: str, missing: int) -> Skipped:
    return Skipped(path=path, reason="became shorter while it was read", nbytes=missing)
