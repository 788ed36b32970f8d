"""``CARD.md`` of a bundle: what it was made of, how good it is, and what it is not for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.classifier import Classifier
from models.fit import TREES

_TEXT = """# The classifier

Decides which named values without a known format are secrets: `password = "…"`, `<token>…`, a
password in a URL. It sees a value of up to 512 bytes, the 96 bytes before and the 24 behind it, as
far as the value's line goes (and 40 above it), and the path. It gives a probability. It is not for
values without a name, and not for the tokens whose format a rule knows: those have checks.

Written by `python -m models.train`; figures of a whole scan, beside other programs, are in the
README under Quality.

## Data

| | examples | secrets |
| --- | ---: | ---: |
{sources}

*Labelled repositories* are those of role `train` of CredData (Samsung; scripts and labels under
Apache-2.0), permissively licensed ones only, each in two forms: as published, where letters of
true values are random ones, and with common and worded passwords put back by a draw. *Made up* are
documents of `models/generate.py`: settings, dumps, logs, chat, interface texts, lock files. No text
of the data is in the bundle: weights of hashed n-grams, trees over counted features, hashes of the
{passwords:,} commonest passwords and {words:,} commonest words in zxcvbn's lists (MIT).

Common repositories do not drown rare ones: one with a hundred times the values counts ten times as
much, and a line that stands in a file twice counts once.

## Model

Eight bags of hashed n-grams, a weight each (logistic regression); {columns} columns over value,
surroundings and path; {trees} trees of up to eight leaves over both. {size} kB. Calibrated by a
line on the log odds, fitted to predictions for repositories that the model had not seen.

## Reliability

Predictions for labelled repositories by models that had not seen them, in both forms; weighted as
in training. A perfectly calibrated model has the same number in the last two columns.

| said | examples | mean of what was said | share that is secret |
| --- | ---: | ---: | ---: |
{reliability}

| mode | least confidence | precision | recall |
| --- | ---: | ---: | ---: |
{modes}

These are shares of candidates, weighted by repository: a mode's precision in a scan depends on how
many values of the scanned files have a name that makes them candidates.

## Limits

- Labels were given by people who looked at a line, not at the system behind it. Test passwords of
  open source count as secrets there if they look chosen, and as none if they look like `test`.
- A weak password and a placeholder can be the same word. Path, file kind and the names around
  decide, and can be wrong: `admin123` in a README that documents a real default is taken for an
  example.
- Names are English, but for a few (`passwort`). Text around may be in any language; interface
  texts of a dozen were among the negatives.
- UUIDs are judged only under names that speak of credentials.
- Salts and nonces are reported at low severity where they look random: the labels hold them true.
"""


class _Bin(NamedTuple):
    low: float
    high: float


_BINS = [_Bin(low / 10, (low + 1) / 10) for low in range(10)]


def write(
    folder: Path,
    classifier: Classifier,
    sources: list[tuple[str, NDArray[np.int64]]],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    probabilities: NDArray[np.float64],
) -> None:
    """From a training run: ``sources`` with the labels of each; and of all examples ``labels``,
    ``weights`` and ``probabilities``, these by models that had not seen the example's
    repository, NaN where there is none."""
    known = ~np.isnan(probabilities)
    shown = labels[known], weights[known], probabilities[known]
    text = _TEXT.format(
        sources="\n".join(f"| {name} | {len(of):,} | {int(of.sum()):,} |" for name, of in sources),
        passwords=len(classifier.lookups.passwords),
        words=int(classifier.lookups.words.sum()),
        columns=len(classifier.config.medians),
        trees=TREES,
        size=round((folder / "weights.npz").stat().st_size / 1000),
        reliability="\n".join(filter(None, (_reliability(one, *shown) for one in _BINS))),
        modes="\n".join(
            _mode(name, least, *shown) for name, least in classifier.config.thresholds.items()
        ),
    )
    (folder / "CARD.md").write_text(text, "utf-8")


def _reliability(
    one: _Bin, labels: NDArray[np.int64], weights: NDArray[np.float64], said: NDArray[np.float64]
) -> str:
    inside = (said >= one.low) & ((said < one.high) | (one.high == 1))
    if not inside.any():
        return ""
    mean = np.average(said[inside], weights=weights[inside])
    true = np.average(labels[inside], weights=weights[inside])
    return f"| {one.low:.1f} to {one.high:.1f} | {int(inside.sum()):,} | {mean:.2f} | {true:.2f} |"


def _mode(
    name: str,
    least: float,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    said: NDArray[np.float64],
) -> str:
    flagged = said >= least
    true = (weights * labels)[flagged].sum()
    precision = true / max(weights[flagged].sum(), 1e-9)
    recall = true / (weights * labels).sum()
    return f"| `{name}` | {least} | {precision:.2f} | {recall:.2f} |"
