"""A bundle on disk: weights without pickle, what they mean, and cases that must not change."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from detector.classifier import FORMAT, LEAVES, Arrays, Classifier, Config, layout
from detector.features import Lookups
from models import dataset
from models.dataset import Spotter
from models.fit import Columns, Fitted, sums_of

THRESHOLDS = {"high": 0.8, "balanced": 0.5, "recall": 0.2}
GOLDEN_SEED, GOLDEN_DOCUMENTS = 71, 60


def write(
    folder: Path, model: Fitted, tables: Lookups, none: Columns, slope: float, offset: float
) -> None:
    """``weights.npz`` and ``config.json``. ``none`` are examples that are no secrets: what an
    explanation compares with."""
    arrays, base = arrays_of(model, tables)
    raw = _npz(arrays)
    stacked = np.concatenate([none.dense.T, sums_of(none, model.bags)])
    config = Config(
        format=FORMAT,
        layout=layout(),
        sha256=hashlib.sha256(raw).hexdigest(),
        base=base,
        slope=slope,
        offset=offset,
        thresholds=THRESHOLDS,
        medians=tuple(float(one) for one in np.median(stacked, axis=1).astype(np.float32)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.npz").write_bytes(raw)
    (folder / "config.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n"
    )


def _npz(arrays: Arrays) -> bytes:
    """As ``numpy.savez_compressed``, with one date, so that equal arrays are equal bytes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays._asdict().items():
            member = BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return out.getvalue()


def arrays_of(model: Fitted, tables: Lookups) -> tuple[Arrays, float]:
    """The arrays of a bundle and the trees' common beginning."""
    trees = [predictor.nodes for (predictor,) in model.trees._predictors]
    shape = (LEAVES - 1, len(trees))
    feature, mask = np.zeros(shape, np.int16), np.full(shape, 255, np.uint8)
    threshold = np.full(shape, np.inf, np.float32)
    leaf = np.zeros((len(trees), LEAVES), np.float32)
    for number, nodes in enumerate(trees):
        leaves: list[float] = []
        inner: list[tuple[int, float, int]] = []
        _walk(nodes, 0, leaves, inner)
        leaf[number, : len(leaves)] = leaves
        for place, (column, value, struck) in enumerate(inner):
            feature[place, number], threshold[place, number] = column, _down(value)
            mask[place, number] = 255 & ~struck
    base = float(model.trees._baseline_prediction[0, 0])
    half = np.float16
    words = np.flatnonzero(tables.words).astype(np.uint32) << np.uint32(12)
    arrays = Arrays(
        feature, threshold, mask, leaf, model.bags.astype(half),
        tables.passwords, tables.ranks.astype(half), words, tables.bigrams.astype(half),
    )  # fmt: skip
    return arrays, base


def _walk(nodes: Any, at: int, leaves: list[float], inner: list[tuple[int, float, int]]) -> None:
    """Leaves from left to right; of each inner node its column, its threshold and the leaves on
    its left, which are out of reach when the column is above."""
    node = nodes[at]
    if node["is_leaf"]:
        leaves.append(float(node["value"]))
        return
    first = len(leaves)
    _walk(nodes, node["left"], leaves, inner)
    left = sum(1 << leaf for leaf in range(first, len(leaves)))
    inner.append((int(node["feature_idx"]), float(node["num_threshold"]), left))
    _walk(nodes, node["right"], leaves, inner)


def _down(value: float) -> np.float32:
    """The largest float32 that is not above: columns compare to it as to ``value``."""
    near = np.float32(value)
    return near if near <= value else np.nextafter(near, np.float32(-np.inf))


def golden_cases(classifier: Classifier) -> list[dict[str, Any]]:
    """What a model says of candidates in made-up documents. The documents come from a seed, so
    no value stands in the file: a case is a document's number, a span in it and a confidence."""
    spotter = Spotter()
    cases = []
    examples = dataset.of_documents(GOLDEN_SEED, GOLDEN_DOCUMENTS, spotter)
    confidences = classifier(dataset.candidates_of(examples)).tolist()
    for example, confidence in zip(examples, confidences, strict=True):
        cases.append(
            {
                "path": example.path,
                "line": example.line,
                "length": len(example.value),
                "secret": bool(example.label),
                "confidence": round(confidence, 4),
            }
        )
    return cases


def write_golden(folder: Path, classifier: Classifier) -> None:
    """``golden.jsonl``."""
    lines = [json.dumps(case) + "\n" for case in golden_cases(classifier)]
    (folder / "golden.jsonl").write_text("".join(lines))
