"""Bytes that dumps write as hexadecimal digits: ``\\x48656c6c6f``, ``0x48656c6c6f``, ``X'4865'``.

https://www.postgresql.org/docs/current/datatype-binary.html (bytea), mysqldump's --hex-blob,
https://www.sqlite.org/lang_expr.html (BLOB literals). What they stand for is scanned as well; a
finding in it has the span of its digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from detector.scanner import Scanner
from detector.stream import Window
from detector.tables.layout import NOWHERE, Cell
from detector.types import Finding

SHORTEST = 32  # digits: nothing shorter than 16 bytes is looked at
LONGEST = 16 << 20  # digits that are decoded together; a longer value is looked at in parts
_PREFIXES = (b"\\x", b"0x", b"X'", b"x'")
_DIGITS = re.compile(rb"[0-9a-fA-F]*")
_PREFIX = re.compile(rb"(?:\\x|0x|[xX]'|[\\0xX])\Z")  # or what may become one


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
        prefix = _PREFIX.search(before)
        self._tail = prefix[0] if prefix else b""

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
        found = _DIGITS.match(text)
        at = found.end() if found else 0
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
        found = _digits_in(text, at)
        if not found or found[-1][0] + len(found[-1][1]) < len(text):
            prefix = _PREFIX.search(text, max(at, len(text) - 2))
            self._tail = prefix[0] if prefix else b""
        if not found:
            return []
        positions = [window.base + begin + start for start, _ in found]
        lines, columns = window.tracker.lines.locate(window.buffer, positions)
        layout = window.tracker.layout
        cells = [NOWHERE] * len(found)
        if layout is not None:
            cells = layout.locate(window.buffer, window.base, positions)
        runs = [
            _Run(position, digits, line, column, cell)
            for position, (_, digits), line, column, cell in zip(
                positions, found, lines, columns, cells, strict=True
            )
        ]
        if found[-1][0] + len(found[-1][1]) == len(text):
            self._open = runs.pop()
        return runs

    def _scanned(self, runs: list[_Run]) -> Iterator[Finding]:
        runs = [run for run in runs if len(run.digits) >= SHORTEST]
        values = [bytes.fromhex(run.digits[: len(run.digits) & ~1].decode()) for run in runs]
        for run, findings in zip(runs, self._scanner.scan_many(values), strict=True):
            table, field, row = run.cell
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
                    decoded=("hex",),
                )


def _digits_in(text: bytes, at: int) -> list[tuple[int, bytes]]:
    """Runs behind a prefix that are long enough, or that go on behind the text. One regex for all
    prefixes takes ten times as long as looking for each."""
    found = []
    for prefix in _PREFIXES:
        begin = text.find(prefix, at)
        while begin >= 0:
            begin += len(prefix)
            run = _DIGITS.match(text, begin)
            if run is not None and run[0]:
                end = run.end()
                if end - begin >= SHORTEST or end == len(text):
                    found.append((begin, run[0]))
                begin = end
            begin = text.find(prefix, begin)
    return sorted(found)
