"""From matches to survivors: confidences, in columns.

What the classifier judges is set apart as cases: alone, a candidate costs it as much as a
hundred do, so they wait until there are enough of them, whatever source each stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple, cast

import msgspec
import numpy as np

from detector.checks.logins import DEFAULTS
from detector.cluster import Case, Group, Match, Settled, Survivor, clusters_of
from detector.entropy import Floats
from detector.machinery import Machinery
from detector.score import Around, Judge, Survivors
from detector.tables.layout import Cell
from detector.types import CheckResult

JUDGED = 128  # cases that are worth a call of the model
FEW = 8  # survivors that are scored one by one: numpy takes as long for one as for these
MOST = 1024  # cases in one call: from there on they only take memory


class Batch(NamedTuple):
    """Columns of matches. ``near`` and ``around`` are those of :class:`~detector.score.Survivors`;
    ``lines``, ``columns`` and ``cells`` are where they begin."""

    starts: list[int]
    ends: list[int]
    indices: list[int]
    secrets: list[bytes]
    results: list[CheckResult]
    lines: list[int]
    columns: list[int]
    cells: Sequence[Cell | None]
    near: dict[int, bytes]
    around: dict[int, Around]

    def __repr__(self) -> str:
        return f"Batch({len(self.starts)})"  # never the secrets


def survivors_of(machinery: Machinery, batch: Batch) -> list[Match]:
    """Those that are sure enough, and the cases, which somebody else may yet make sure."""
    cases = _cases(machinery, batch)
    rest = _without_cases(batch) if cases else batch
    return [*cases, *filter(None, _scored(machinery, rest))]


def judged(machinery: Machinery, sources: Sequence[Sequence[Group]]) -> Sequence[Sequence[Settled]]:
    """What is left of each source's groups when the model has judged all their cases."""
    cases = [case for groups in sources for case in cases_in(groups)]
    if not cases:
        return cast("Sequence[Sequence[Settled]]", sources)
    parts = (cases[at : at + MOST] for at in range(0, len(cases), MOST))
    said = chain.from_iterable(_scored(machinery, _batch_of(part)) for part in parts)
    return [[left for group in groups for left in _left(group, said)] for groups in sources]


def cases_in(groups: Sequence[Group]) -> list[Case]:
    """In their order."""
    open_ones = [group for group in groups if not isinstance(group, Survivor)]
    return [match for one in open_ones for match in one.members if isinstance(match, Case)]


def _left(group: Group, said: Iterator[Survivor | None]) -> Sequence[Settled]:
    """``said``: what the cases have become, in their order."""
    if isinstance(group, Survivor):
        return [group]
    members = (next(said) if isinstance(one, Case) else one for one in group.members)
    return clusters_of([one for one in members if isinstance(one, Survivor)])


def _cases(machinery: Machinery, batch: Batch) -> list[Case]:
    starts, ends, indices, secrets, results, lines, columns, cells, _, around = batch
    return [
        Case(
            starts[number],
            ends[number],
            machinery.rules[indices[number]],
            secrets[number],
            results[number],
            lines[number],
            columns[number],
            cells[number],
            indices[number],
            sides,
        )
        for number, sides in around.items()
    ]


def _batch_of(cases: Sequence[Case]) -> Batch:
    return Batch(
        [case.start for case in cases],
        [case.end for case in cases],
        [case.number for case in cases],
        [case.secret for case in cases],
        [case.result for case in cases],
        [case.line for case in cases],
        [case.column for case in cases],
        [case.cell for case in cases],
        {},
        {number: case.around for number, case in enumerate(cases)},
    )


def _without_cases(batch: Batch) -> Batch:
    kept = [number for number in range(len(batch.starts)) if number not in batch.around]
    return Batch(
        [batch.starts[number] for number in kept],
        [batch.ends[number] for number in kept],
        [batch.indices[number] for number in kept],
        [batch.secrets[number] for number in kept],
        [batch.results[number] for number in kept],
        [batch.lines[number] for number in kept],
        [batch.columns[number] for number in kept],
        [batch.cells[number] for number in kept],
        {new: batch.near[number] for new, number in enumerate(kept) if number in batch.near},
        {},
    )


def _scored(machinery: Machinery, batch: Batch) -> list[Survivor | None]:
    """A survivor for each that is sure enough."""
    starts, ends, indices, secrets, results, lines, columns, cells, near, around = batch
    if not starts:
        return []
    rules = [machinery.rules[index] for index in indices]
    scorer = machinery.scorer
    few = len(starts) <= FEW and not (around or machinery.explain)
    if few and isinstance(scorer, Judge):
        given = zip(rules, secrets, results, map(near.get, range(len(starts))), strict=True)
        scores = [rounded(scorer.one(*one)) for one in given]
    else:
        column = np.array(indices, np.int64)
        survivors = Survivors(machinery.rules, column, secrets, results, near, around, starts)
        scores = _rounded(scorer(survivors))
    least = machinery.min_confidence
    for number, sides in around.items():
        if scores[number] >= least:
            results[number] = _claimed(machinery, results[number], secrets[number], sides)
    made = map(Survivor, starts, ends, rules, secrets, results, lines, columns, cells, scores)
    out = [one if one.confidence >= least else None for one in made]
    if machinery.explain and isinstance(scorer, Judge):
        return [
            one and msgspec.structs.replace(one, reasons=scorer.explain(survivors, number))
            for number, one in enumerate(out)
        ]
    return out


def _claimed(
    machinery: Machinery, result: CheckResult, secret: bytes, sides: Around
) -> CheckResult:
    """With what a value's name and the value itself tell."""
    claims = dict(result.claims)
    if service := machinery.services.of(sides.before):
        claims["service"] = service
    if secret.lower() in DEFAULTS:
        claims["default_password"] = True
    return result._replace(claims=claims) if claims else result


def rounded(score: float) -> float:
    """To three digits, as numpy does it."""
    return round(score * 1000) / 1000


def _rounded(scores: Floats) -> list[float]:
    rounded: list[float] = np.round(scores.astype(np.float64), 3).tolist()
    return rounded
