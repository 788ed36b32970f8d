"""The matching rule: flagged lines held against labelled units, and how sure the figures are.

A positive unit is found if a flagged line lies inside it. A negative one is a false alarm if a
flagged line lies inside it and in no positive unit. Flagged lines outside all units are counted
apart: nobody has said what they are. Intervals come from drawing whole repositories again and
again, since the lines of one repository are no independent witnesses.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.creddata import SEED, Unit

CONVENTIONS = frozenset({"UUID", "Salt", "Nonce"})  # true by agreement more than by harm
DRAWS = 1000

Flagged = Mapping[str, Sequence[tuple[int, float]]]
"""Path to flagged lines, from 1, each with a score from 0 to 1. A line may come repeatedly."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Estimate(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class Category(NamedTuple):
    """Units of one category at the operating point: true ones, those of them that were found,
    the others, and those of them that were flagged."""

    positive: int
    found: int
    negative: int
    false: int


class Report(NamedTuple):
    """What one program is worth on one form of the files. ``at`` is the least score that was
    counted, ``outside`` the distinct flagged lines outside all units. ``average_precision`` is
    None for a program that gives every line the same score. ``curve`` has recall and precision
    at each score, the highest first."""

    at: float
    positive: int
    negative: int
    found: int
    false: int
    outside: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    average_precision: Estimate | None
    categories: dict[str, Category]
    curve: list[tuple[float, float]]

    def precision_at(self, recall: float) -> float | None:
        """The best precision with at least this recall. None if it is never reached."""
        return max((p for r, p in self.curve if r >= recall), default=None)


def evaluate(
    flagged: Flagged,
    units: Sequence[Unit],
    *,
    at: float = 0.5,
    without: frozenset[str] = frozenset(),
    draws: int = DRAWS,
    seed: int = SEED,
) -> Report:
    """Judge flagged lines by units: of a scan, of a peer, or of a model's out-of-fold predictions.

    Only files with units in ``units`` should be in ``flagged``, or ``outside`` counts the rest.
    Units whose categories are all in ``without`` are not counted, but still cover their lines.

    :raises ValueError: when no unit is left."""
    score, outside = scores(flagged, units, at)
    counted = np.array([not (unit.cats and unit.cats <= without) for unit in units], bool)
    kept = [unit for unit, keep in zip(units, counted, strict=True) if keep]
    if not kept:
        raise ValueError("no units to judge by")
    score = score[counted]
    true = np.array([unit.positive for unit in kept], bool)
    names, repo = np.unique([unit.repo for unit in kept], return_inverse=True)
    weights = drawn(len(names), draws, seed)
    said = score >= at
    figures = _figures(true, said, repo, weights)
    ranked = len({one for lines in flagged.values() for _, one in lines}) > 1
    area = average_precision(score, true, repo, weights) if ranked else None
    return Report(
        at, int(true.sum()), int((~true).sum()), int((said & true).sum()),
        int((said & ~true).sum()), outside, *figures, area, _categories(kept, said),
        curve(score, true),
    )  # fmt: skip


def scores(flagged: Flagged, units: Iterable[Unit], at: float) -> tuple[Floats, int]:
    """The highest score inside each unit, minus infinity if no line of it is flagged; and how many
    lines with a score of at least ``at`` lie outside all units."""
    by_file: dict[str, list[tuple[int, Unit]]] = defaultdict(list)
    for i, unit in enumerate(units):
        by_file[unit.file].append((i, unit))
    found = np.full(sum(map(len, by_file.values())), -np.inf)
    outside = 0
    for path, lines in flagged.items():
        best: dict[int, float] = {}
        for line, score in lines:
            best[line] = max(score, best.get(line, -np.inf))
        order = sorted(best)
        left, covered = set(order), set[int]()
        for i, unit in sorted(by_file.get(path, ()), key=lambda one: not one[1].positive):
            inside = order[bisect_left(order, unit.l0) : bisect_right(order, unit.l1)]
            left.difference_update(inside)
            if unit.positive:
                covered.update(inside)
            else:
                inside = [line for line in inside if line not in covered]
            found[i] = max((best[line] for line in inside), default=-np.inf)
        outside += sum(best[line] >= at for line in left)
    return found, outside


def drawn(repos: int, draws: int, seed: int) -> Ints:
    """How often each repository is drawn, draws by repositories; in the first row each once, which
    is the sample itself. The same for every program, so that they can be compared."""
    rows = np.random.default_rng(seed).multinomial(repos, np.full(repos, 1 / repos), draws)
    return np.vstack([np.ones((1, repos), np.int64), rows])


def _figures(
    true: Bools, said: Bools, repo: Ints, weights: Ints
) -> tuple[Estimate, Estimate, Estimate]:
    hit, alarm, all_ = (
        weights @ np.bincount(repo[mask], minlength=weights.shape[1])
        for mask in (said & true, said, true)
    )
    precision, recall = _share(hit, alarm), _share(hit, all_)
    f1 = _share(2 * hit, alarm + all_)
    return _estimate(precision), _estimate(recall), _estimate(f1)


def average_precision(score: Floats, true: Bools, repo: Ints, weights: Ints) -> Estimate:
    """The area under the steps of the curve, where what is never flagged adds nothing."""
    order = np.argsort(-score, kind="stable")[: int(np.isfinite(score).sum())]
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))  # of those with the same score

    def area(times: Ints) -> float:
        each = times[repo]
        hit = np.cumsum(each[order] * true[order])[last]
        precision = _share(hit, np.cumsum(each[order])[last])
        return float(_share(np.diff(hit, prepend=0) @ precision, each @ true))

    return _estimate(np.array([area(row) for row in weights]))


def curve(score: Floats, true: Bools) -> list[tuple[float, float]]:
    """Recall and precision at each score, the highest first."""
    points = []
    for one in np.unique(score[np.isfinite(score)])[::-1]:
        said = score >= one
        hit = float((said & true).sum())
        points.append((hit / max(float(true.sum()), 1.0), hit / float(said.sum())))
    return points


def _share(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """``part / whole``, and 0 of nothing."""
    return np.asarray(part / np.maximum(whole, 1), float)


def _estimate(values: Floats) -> Estimate:
    """The first value is the figure, the others are its draws."""
    low, high = np.quantile(values[1:], [0.025, 0.975]) if len(values) > 1 else (values[0],) * 2
    return Estimate(float(values[0]), float(low), float(high))


def _categories(units: Sequence[Unit], said: Bools) -> dict[str, Category]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for unit, flag in zip(units, said.tolist(), strict=True):
        for name in unit.cats:
            counts[name][0 if unit.positive else 2] += 1
            counts[name][1 if unit.positive else 3] += flag
    return {name: Category(*counts[name]) for name in sorted(counts)}
