"""The cases of a unit, before the model together.

A call of the model costs as much for one case as for a hundred. So those of many small files wait
for each other, and the results behind the first of them wait too: their order stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from time import perf_counter
from typing import NamedTuple

from detector.batch import JUDGED, cases_in
from detector.cluster import Group
from detector.matcher import Timings
from detector.run.unit import Counts, Result, Unit, guarded
from detector.scanner import Scanner
from detector.types import Finding

MATCHES = 2048  # that wait at most: 32 MB if each were of the longest
BYTES = 32 << 20  # that are scanned meanwhile at most: some 30 ms


class Waiting(NamedTuple):
    """Groups of one file, and what makes findings of them."""

    unit: Unit
    groups: Sequence[Group]
    findings: Callable[[Sequence[Group]], Iterable[Finding]]

    def __repr__(self) -> str:
        return f"Waiting({len(self.groups)})"  # never the secrets


def in_turn(scanner: Scanner, results: Iterable[Result | Waiting]) -> Iterator[Result]:
    """All results in their order, but for counts of bytes, which show how far we are."""
    held: list[Result | Waiting] = []
    cases = matches = nbytes = 0
    for result in results:
        if isinstance(result, Counts) and not result.newlines:
            yield result
            nbytes += result.bytes_scanned
        else:
            held.append(result)
            if isinstance(result, Waiting):
                matches += len(result.groups)
                cases += len(cases_in(result.groups))
        if not cases or cases >= JUDGED or matches >= MATCHES or nbytes >= BYTES:
            yield from _decided(scanner, held)
            held, cases, matches, nbytes = [], 0, 0, 0
    yield from _decided(scanner, held)


def _decided(scanner: Scanner, held: list[Result | Waiting]) -> Iterator[Result]:
    begun = perf_counter()
    given: list[Sequence[Group]] = [one.groups for one in held if isinstance(one, Waiting)]
    # What is wrong comes again with the findings of the file at fault, and costs that one only.
    with suppress(Exception):
        given = [*scanner.settled(given)]
    each = iter(given)
    if given:
        yield Counts(timings=Timings(score=perf_counter() - begun))
    for one in held:
        if isinstance(one, Waiting):
            yield from guarded(_made(one, next(each)), one.unit)
        else:
            yield one


def _made(one: Waiting, groups: Sequence[Group]) -> Iterator[Finding]:
    yield from one.findings(groups)
