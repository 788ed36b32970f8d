"""Matches that have no confidence yet, in columns.

What the classifier judges waits here until there is enough of it: alone, a candidate costs as
much as a hundred do.
"""

from __future__ import annotations

from typing import NamedTuple

from detector.score import Around
from detector.types import CheckResult


class Batch(NamedTuple):
    """Columns of matches. ``near`` and ``around`` are those of :class:`~detector.score.Survivors`;
    ``lines`` and ``columns`` are where they begin."""

    starts: list[int]
    ends: list[int]
    indices: list[int]
    secrets: list[bytes]
    results: list[CheckResult]
    near: dict[int, bytes]
    around: dict[int, Around]
    lines: list[int]
    columns: list[int]

    def __repr__(self) -> str:
        return f"Batch({len(self.starts)})"  # never the secrets


def split(batch: Batch) -> tuple[Batch, Batch]:
    """What is scored by its rule, and what the model judges."""
    if not batch.around:
        return batch, _picked(batch, [])
    numbers = range(len(batch.starts))
    return (
        _picked(batch, [number for number in numbers if number not in batch.around]),
        _picked(batch, list(batch.around)),
    )


def _picked(batch: Batch, numbers: list[int]) -> Batch:
    near, around = batch.near, batch.around
    return Batch(
        [batch.starts[number] for number in numbers],
        [batch.ends[number] for number in numbers],
        [batch.indices[number] for number in numbers],
        [batch.secrets[number] for number in numbers],
        [batch.results[number] for number in numbers],
        {new: near[number] for new, number in enumerate(numbers) if number in near},
        {new: around[number] for new, number in enumerate(numbers) if number in around},
        [batch.lines[number] for number in numbers],
        [batch.columns[number] for number in numbers],
    )


def joined(batches: list[Batch]) -> Batch:
    """Batches of judged matches as one."""
    first, *others = batches
    for batch in others:
        first.around.update({len(first.starts) + n: a for n, a in batch.around.items()})
        first.starts.extend(batch.starts)
        first.ends.extend(batch.ends)
        first.indices.extend(batch.indices)
        first.secrets.extend(batch.secrets)
        first.results.extend(batch.results)
        first.lines.extend(batch.lines)
        first.columns.extend(batch.columns)
    return first
