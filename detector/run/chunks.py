"""Scanning chunks of columns: the values of one field, one after the other.

Positions are those in the value: a Parquet file has no line and no byte that its user could
look at. A match never reaches over a value's end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from detector.cluster import Group
from detector.columns import Chunk
from detector.scanner import Scanner
from detector.tables.layout import Cell
from detector.tracker import Tracker
from detector.types import Bytes, Finding


class ChunkLayout:
    """The cells of one chunk."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk

    def pass_to(self, window: Bytes, base: int, position: int) -> None:
        """Nothing to remember: the offsets are at hand."""

    def locate(self, window: Bytes, base: int, positions: Sequence[int]) -> list[Cell]:
        """Of ascending positions."""
        table, field, first, _, offsets, _, rows, _ = self._chunk
        values = np.searchsorted(offsets, positions, side="right") - 1
        numbers = values + first if rows is None else rows[values]
        return [Cell(table, field, row or None) for row in numbers.tolist()]


def scan_chunk(scanner: Scanner, path: str, chunk: Chunk) -> tuple[Tracker, list[Group]]:
    """The groups in a chunk, each within one value; positions count from its first byte."""
    tracker = Tracker(scanner.machinery, path=path, prompt=False, layout=ChunkLayout(chunk))
    groups = tracker.advance(chunk.data, len(chunk.data), final=True)
    if not groups:
        return tracker, groups
    starts = [group.start for group in groups]
    ends = np.array([group.end for group in groups])
    bounds = chunk.offsets[np.searchsorted(chunk.offsets, starts, side="right")]
    within = (ends < bounds).tolist()
    return tracker, [group for group, whole in zip(groups, within, strict=True) if whole]


def in_values(chunk: Chunk, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Positions within the value instead of the chunk."""
    if not findings:
        return
    offsets = chunk.offsets
    starts = [finding.start for finding in findings]
    begins = offsets[np.searchsorted(offsets, starts, side="right") - 1].tolist()
    replace = msgspec.structs.replace
    for finding, begin in zip(findings, begins, strict=True):
        start = finding.start - begin
        yield replace(finding, start=start, end=finding.end - begin, line=1, column=start + 1)
