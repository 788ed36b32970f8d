"""Fitting: bag weights, then trees over them; and taking both apart into a bundle's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from detector.classifier import LEAVES
from detector.entropy import Floats
from detector.features import (
    BAGS,
    BITS,
    EMPTY,
    Candidates,
    Lookups,
    columns,
)

SEED = 20260131
TREES = 110
STRENGTH = 0.05  # of the n-grams' weights, inverse: more and rare ones decide

Weights = NDArray[np.float64]


class Columns(NamedTuple):
    """Of ``n`` examples: dense features ``(n, k)`` and n-gram counts, a matrix a bag."""

    dense: Floats
    counts: list[Any]

    def take(self, rows: NDArray[np.int64]) -> Columns:
        return Columns(self.dense[rows], [bag[rows] for bag in self.counts])


def columns_of(candidates: Candidates, lookups: Lookups) -> Columns:
    """What a model is fitted to."""
    dense, bags = columns(candidates, lookups)
    return Columns(np.ascontiguousarray(dense.T), [_counts(bag) for bag in bags])


def _counts(hashes: NDArray[np.uint32]) -> Any:
    width, count = hashes.shape
    rows = np.tile(np.arange(count), width)
    shape = (count, 1 << BITS)
    kept = hashes.ravel() != EMPTY
    ones = np.ones(int(kept.sum()), np.float32)
    return scipy.sparse.csr_matrix((ones, (rows[kept], hashes.ravel()[kept])), shape=shape)


def joined(parts: Sequence[Columns]) -> Columns:
    """Several one after the other."""
    bags = zip(*(part.counts for part in parts), strict=True)
    return Columns(
        np.concatenate([part.dense for part in parts]),
        [scipy.sparse.vstack(bag, format="csr") for bag in bags],
    )


class Fitted(NamedTuple):
    """A model's learnt parts: bag weights, and the trees over dense columns and bag sums."""

    bags: Floats
    trees: HistGradientBoostingClassifier

    def votes(self, columns: Columns) -> Weights:
        """Log odds, not yet calibrated."""
        odds: Weights = self.trees.decision_function(_stacked(columns, sums_of(columns, self.bags)))
        return odds


def fit(
    columns: Columns, labels: NDArray[np.int64], weights: Weights, groups: Sequence[str]
) -> Fitted:
    """Bag weights first; the trees learn from sums by weights that had not seen the example's
    own repository, or they would trust them too much."""
    parts = _parts(groups, 4)
    sums = np.zeros((len(BAGS), len(labels)), np.float32)
    for part in range(4):
        inside, outside = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        bags = _bag_weights(columns.take(outside), labels[outside], weights[outside])
        sums[:, inside] = sums_of(columns.take(inside), bags)
    trees = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=0.1, max_leaf_nodes=LEAVES, min_samples_leaf=20,
        l2_regularization=1.0, max_features=0.4, early_stopping=False, random_state=SEED,
    )  # fmt: skip
    trees.fit(_stacked(columns, sums), labels, sample_weight=weights)
    return Fitted(_bag_weights(columns, labels, weights), trees)


def _parts(groups: Sequence[str], count: int) -> NDArray[np.int64]:
    """Groups dealt out evenly, whole ones, the same way each time."""
    order = {group: number for number, group in enumerate(sorted(set(groups)))}
    return np.array([order[group] * 7919 % 104729 % count for group in groups])


def _bag_weights(columns: Columns, labels: NDArray[np.int64], weights: Weights) -> Floats:
    model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=SEED, max_iter=200)
    model.fit(scipy.sparse.hstack(columns.counts, format="csr"), labels, sample_weight=weights)
    found: Floats = model.coef_.reshape(len(BAGS), -1).astype(np.float16).astype(np.float32)
    return found


def sums_of(columns: Columns, bags: Floats) -> Floats:
    pairs = zip(columns.counts, bags, strict=True)
    return np.array([counts @ weights for counts, weights in pairs], np.float32)


def _stacked(columns: Columns, sums: Floats) -> Floats:
    return np.concatenate([columns.dense, sums.T], axis=1)
