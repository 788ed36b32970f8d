"""Trains the classifier: ``python -m models.train [--extra FILE]... [--out DIR]``.

One command, seeded: the same data gives the same bytes. scikit-learn is needed here and nowhere
else. Only repositories of the role ``train`` are learnt from; those of ``val`` are what the card's
figures and the choice of everything else rest on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from detector.classifier import Classifier
from models import bundle, card, creddata, dataset
from models.dataset import Example, Spotter
from models.extra import of_findings
from models.fit import SEED, Columns, Weights, columns_of, fit, joined
from models.tables import lookups

DOCUMENTS = 12_000
SHARE = 0.5  # of the made-up documents' weight, to that of the repositories'
FOLDS = 5
MADE_UP = "made up"
SOURCES = (
    "labelled repositories, as published",
    "labelled repositories, passwords put back",
    MADE_UP,
    "own findings (`--extra`)",
)


class Data(NamedTuple):
    """Labelled examples with their columns, weights and folds; a fold of -1 is never held out."""

    examples: list[Example]
    columns: Columns
    labels: NDArray[np.int64]
    weights: Weights
    folds: NDArray[np.int64]
    sources: list[tuple[str, NDArray[np.int64]]]

    @property
    def groups(self) -> list[str]:
        return [example.group for example in self.examples]


def gathered(extra: Sequence[Path] = (), documents: int = DOCUMENTS) -> Data:
    """Everything that is learnt from. Who has not got the labelled repositories learns from
    made-up documents and own findings alone."""
    spotter = Spotter()
    real, fold = _repositories(spotter)
    made_up = dataset.of_documents(SEED, documents, spotter)
    own = [example for path in extra for example in of_findings(path)]
    parts = dict(zip(SOURCES, [*real, made_up, own], strict=True))
    parts = {name: part for name, part in parts.items() if part}
    weights = {name: dataset.weights(part) for name, part in parts.items()}
    if any(real):
        weights[MADE_UP] *= SHARE * sum(map(len, real)) / len(made_up)
    else:
        fold = {e.group: number % FOLDS for number, e in enumerate(made_up)}
    tables = lookups()
    examples = [example for part in parts.values() for example in part]
    return Data(
        examples,
        joined([columns_of(dataset.candidates_of(part), tables) for part in parts.values()]),
        np.array([example.label for example in examples]),
        np.concatenate(list(weights.values())),
        np.array([fold.get(example.group, -1) for example in examples]),
        [(name, np.array([e.label for e in part])) for name, part in parts.items()],
    )


def _repositories(spotter: Spotter) -> tuple[list[list[Example]], dict[str, int]]:
    """The labelled ones in each form, if they are there, and the fold of each."""
    try:
        labelled = creddata.load(roles=("train", "train-cap"))
    except FileNotFoundError as error:
        _say(f"{error}; learning from made-up documents and own findings only")
        return [[] for _ in creddata.FORMS], {}
    found = []
    for form in creddata.FORMS:
        examples, _ = dataset.of_repositories(labelled, form, spotter)
        found.append(dataset.capped(examples, labelled.roles, SEED))
    return found, creddata.folds(creddata.units(labelled.rows), FOLDS)


def calibration(data: Data) -> tuple[float, float, NDArray[np.float64]]:
    """Slope and offset of the log odds, and the probabilities of the repositories' examples,
    each by a model that has not seen its repository. Others have NaN."""
    votes = np.full(len(data.labels), np.nan)
    for number in range(FOLDS):
        held, learnt = np.flatnonzero(data.folds == number), np.flatnonzero(data.folds != number)
        groups = [data.examples[row].group for row in learnt]
        model = fit(data.columns.take(learnt), data.labels[learnt], data.weights[learnt], groups)
        votes[held] = model.votes(data.columns.take(held))
    known = np.flatnonzero(~np.isnan(votes))
    line = LogisticRegression(C=1e6)
    line.fit(votes[known, None], data.labels[known], sample_weight=data.weights[known])
    slope, offset = float(line.coef_[0, 0]), float(line.intercept_[0])
    return slope, offset, 1 / (1 + np.exp(-(slope * votes + offset)))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("--extra", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "classifier")
    options = parser.parse_args(arguments)
    with threadpool_limits(1):  # sums depend on how many threads divide them
        return _train(options.extra, options.out)


def _train(extra: Sequence[Path], out: Path) -> int:
    data = gathered(extra)
    _say(f"{len(data.labels):,} examples, {int(data.labels.sum()):,} of them secrets")
    slope, offset, probabilities = calibration(data)
    _say(f"calibrated: slope {slope:.3f}, offset {offset:.3f}")
    model = fit(data.columns, data.labels, data.weights, data.groups)
    none = data.columns.take(np.flatnonzero(data.labels == 0))
    bundle.write(out, model, lookups(), none, slope, offset)
    classifier = Classifier.load(out)
    bundle.write_golden(out, classifier)
    card.write(out, classifier, data.sources, data.labels, data.weights, probabilities)
    _say(f"written to {out}")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"models.train: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
