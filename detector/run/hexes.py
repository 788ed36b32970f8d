"""Scanning what a dump writes as hexadecimal digits: a finding in it has the span of its digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from detector.scanner import Scanner
from detector.stream import Window
from detector.tables.hexes import SHORTEST, digits_at, prefix_at_end, runs_in
from detector.tables.layout import NOWHERE, Cell
from detector.types import Finding

LONGEST = 16 << 20  # digits that are decoded together; a longer value is looked at in parts


class _Run(NamedTuple):
    """Where its first digit is, and the line, column and cell of that."""

    start: int
    digits: bytes
    line: int
    column: int
    cell: Cell

    def __repr__(self) -> str:
        return f"Run({self.start}, {len(self.digits)})"  # never the digits


class Hexes:
    """Finds such runs in a stream and scans what they stand for."""

    def __init__(self, scanner: Scanner, path: str) -> None:
        self._scanner, self._path = scanner, path
        self._open: _Run | None = None
        self._tail = b""  # what may begin a run

    def look(self, window: Window, count: int) -> Iterator[Finding]:
        """Through the ``count`` bytes that were read into the window and are not committed yet."""
        text = bytes(window.buffer[window.size : window.size + count])
        at, done = self._continued(text)
        if self._open is None:
            done += self._runs(window, text, at)
        yield from self._scanned(done)

    def begin_behind(self, before: bytes) -> None:
        """What follows these bytes is looked at; digits that begin in them are not."""
        self._tail = prefix_at_end(before)

    def go_on(self, text: bytes) -> Iterator[Finding]:
        """Through bytes in which no run of ours begins any more."""
        yield from self._scanned(self._continued(text)[1])

    @property
    def is_open(self) -> bool:
        """Whether the last digits may have more behind them."""
        return self._open is not None

    def finish(self) -> Iterator[Finding]:
        """Nothing follows."""
        if self._open is not None:
            yield from self._scanned([self._open])
            self._open = None

    def _continued(self, text: bytes) -> tuple[int, list[_Run]]:
        """How far the digits that were open go on, and what is complete by that."""
        if self._open is None:
            return 0, []
        at = digits_at(text)
        run = self._open._replace(digits=self._open.digits + text[:at])
        self._open = None
        if at < len(text):
            return at, [run]
        if len(run.digits) < LONGEST:
            self._open = run
            return at, []
        self._open = run._replace(start=run.start + len(run.digits), digits=b"")
        return at, [run]

    def _runs(self, window: Window, text: bytes, at: int) -> list[_Run]:
        begin = window.size - len(self._tail)
        text, at = self._tail + text, at + len(self._tail) if at else 0
        self._tail = b""
        found = runs_in(text, at)
        goes_on = bool(found) and found[-1][1] == len(text)
        if not goes_on:
            self._tail = prefix_at_end(text, at)
        if not found:
            return []
        positions = [window.base + begin + start for start, _ in found]
        lines, columns = window.tracker.lines.locate(window.buffer, positions)
        layout = window.tracker.layout
        cells = [NOWHERE] * len(found)
        if layout is not None:
            cells = layout.locate(window.buffer, window.base, positions)
        runs = [
            _Run(position, text[start:end], line, column, cell)
            for position, (start, end), line, column, cell in zip(
                positions, found, lines, columns, cells, strict=True
            )
        ]
        if goes_on:
            self._open = runs.pop()
        return runs

    def _scanned(self, runs: list[_Run]) -> Iterator[Finding]:
        runs = [run for run in runs if len(run.digits) >= SHORTEST]
        values = [bytes.fromhex(run.digits[: len(run.digits) & ~1].decode()) for run in runs]
        for run, findings in zip(runs, self._scanner.scan_many(values), strict=True):
            table, field, row, origin = run.cell
            for finding in findings:
                yield msgspec.structs.replace(
                    finding,
                    path=self._path,
                    start=run.start + 2 * finding.start,
                    end=run.start + 2 * finding.end,
                    line=run.line,
                    column=run.column + 2 * finding.start,
                    table=table,
                    field=field,
                    row=row,
                    origin=origin,
                    decoded=("hex", *finding.decoded),
                )
