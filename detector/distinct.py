"""How many different things there were: exact, in bounded memory.

What is counted is named by 16 bytes of a keyed hash, of which eight are kept: among 100 million
the chance that two share them is 1 in 3,700. What outgrows memory lies in a temporary file, which
has no name: hashes only, and nobody without the key can tell what of.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

GATHERED = 1 << 19  # hashes at least that are sorted in together: 4 MB
IN_MEMORY = 1 << 22  # hashes of one count before they go to disk: 32 MB
_BLOCK = 1 << 16  # hashes of each run that are looked at together when all are counted

Hashes = NDArray[np.uint64]


class Distinct:
    """``add`` numbers of 64 bits, ``count`` at any time."""

    def __init__(self, in_memory: int = IN_MEMORY, gathered: int = GATHERED) -> None:
        self._most, self._gather = in_memory, gathered
        self._gathered: list[Hashes] = []
        self._waiting = 0
        self._sorted: Hashes = np.zeros(0, np.uint64)
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []  # of the file: begin and size, in hashes

    def add(self, numbers: Hashes) -> None:
        """Count some more."""
        self._gathered.append(numbers)
        self._waiting += numbers.size
        # As much again as there is already: each is moved a few times only.
        if self._waiting >= max(self._gather, self._sorted.size):
            self._sort_in()

    @property
    def count(self) -> int:
        """How many different ones there were."""
        return count_of([self])

    def _sort_in(self) -> None:
        if not self._gathered:
            return
        together = np.concatenate((self._sorted, *self._gathered))
        # Rows of a table come in their order: to see that takes a tenth of sorting them.
        ascending = bool((together[1:] > together[:-1]).all())
        self._sorted = together if ascending else np.unique(together)
        self._gathered.clear()
        self._waiting = 0
        if self._sorted.size > self._most:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as this does)
            weakref.finalize(self, self._file.close)
        begin = self._runs[-1][0] + self._runs[-1][1] if self._runs else 0
        self._file.seek(begin * 8)
        self._file.write(self._sorted.tobytes())
        self._runs.append((begin, self._sorted.size))
        self._sorted = np.zeros(0, np.uint64)

    def runs(self) -> list[_Run]:
        """Ascending parts that together are all, in memory and on disk."""
        self._sort_in()
        file = self._file
        on_disk = [_Run(size, begin, file) for begin, size in self._runs]
        return [*on_disk, _Run(self._sorted.size, 0, self._sorted)]


class _Run(NamedTuple):
    """``size`` ascending numbers from ``begin`` on."""

    size: int
    begin: int
    numbers: IO[bytes] | Hashes | None

    def block(self, at: int, most: int) -> Hashes:
        """Some of them."""
        count = min(most, self.size - at)
        if isinstance(self.numbers, np.ndarray):
            return self.numbers[at : at + count]
        if self.numbers is None:
            return np.zeros(0, np.uint64)
        self.numbers.seek((self.begin + at) * 8)
        return np.frombuffer(self.numbers.read(count * 8), np.uint64)


def count_of(several: Sequence[Distinct]) -> int:
    """How many different ones there are in all of them together."""
    runs = _runs_of(several)
    return runs[0].size if len(runs) == 1 else sum(block.size for block in _merged(runs))


def ascending(several: Sequence[Distinct]) -> Iterator[Hashes]:
    """All of them together, each once, in blocks that ascend and are not empty."""
    return (block for block in _merged(_runs_of(several)) if block.size)


def _runs_of(several: Sequence[Distinct]) -> list[_Run]:
    return [run for one in several for run in one.runs() if run.size]


def _merged(runs: Sequence[_Run]) -> Iterator[Hashes]:
    """Block by block: what is not above the least of the blocks' last ones is complete."""
    at = [0] * len(runs)
    while True:
        blocks = [run.block(begin, _BLOCK) for run, begin in zip(runs, at, strict=True)]
        ends = [
            block[-1]
            for block, run, begin in zip(blocks, runs, at, strict=True)
            if begin + block.size < run.size
        ]
        limit = min(ends, default=None)
        kept = [
            b.size if limit is None else int(np.searchsorted(b, limit, "right")) for b in blocks
        ]
        parts = [block[:count] for block, count in zip(blocks, kept, strict=True)]
        yield np.unique(np.concatenate([np.zeros(0, np.uint64), *parts]))
        if limit is None:
            return
        at = [begin + count for begin, count in zip(at, kept, strict=True)]
