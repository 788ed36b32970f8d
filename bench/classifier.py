"""What the classifier costs: ``python -m bench.classifier [--record]``.

Microseconds a candidate, in a batch and alone, on made-up documents that no training has seen.
Then whole scans with and without the rules that know names only, in turns in one process, all
other rules and the engine being the same. Processor time throughout. That the model tells
secrets from others, and that the other rules' findings are the same, is asserted first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.corpora import corpus
from bench.planting import files, planted
from bench.versus import RECORD, machine
from detector import features
from detector.classifier import Classifier
from detector.entropy import Floats
from detector.features import Candidates
from detector.rules import RuleSet
from detector.run import Run
from detector.scanner import Scanner
from detector.types import Finding, Skipped
from models import dataset

BATCH = 1000
ROUNDS = 60
TURNS = 7
SLICE = 24 << 20  # bytes of a corpus
CORPORA = ("js", "chat", "clean", "oneline", "lockfiles")
SEED, DOCUMENTS = 5_000_000, 2500


def batches(count: int) -> list[tuple[Candidates, Floats]]:
    """Batches of what a scan would ask about, with 1 where it is a secret."""
    examples = dataset.of_documents(SEED, DOCUMENTS, dataset.Spotter())
    if len(examples) < count * BATCH:
        sys.exit(f"only {len(examples)} candidates in {DOCUMENTS} documents")
    parts = [examples[n * BATCH : (n + 1) * BATCH] for n in range(count)]
    return [(_of_one_file(part), np.array([e.label for e in part], np.float32)) for part in parts]


def _of_one_file(part: list[dataset.Example]) -> Candidates:
    """As in a scan, where all that waits together stands in one file."""
    return dataset.candidates_of(part)._replace(paths=[part[0].path] * len(part))


def microseconds(work: list[Callable[[], object]], rounds: int = ROUNDS) -> float:
    """The median processor time of one call, the calls taking turns."""
    times = []
    for turn in range(rounds):
        begun = time.process_time()
        work[turn % len(work)]()
        times.append(time.process_time() - begun)
    return statistics.median(times) * 1e6


def a_candidate(model: Classifier) -> dict[str, float]:
    """Microseconds; ends the bench if the model tells nothing apart."""
    made = batches(4)
    for candidates, labels in made:
        right = float(np.mean((model(candidates) >= 0.5) == (labels > 0)))
        if right < 0.85:
            sys.exit(f"the model is right about {right:.0%} of the candidates only")
    given = [candidates for candidates, _ in made]
    columns = [model.columns(candidates) for candidates in given]
    stages: dict[str, list[Callable[[], object]]] = {
        "features": [lambda c=c: features.matrix(c, model.lookups) for c in given],  # type: ignore[misc]
        "ngrams": [lambda c=c: features.ngrams(c) for c in given],  # type: ignore[misc]
        "columns": [lambda c=c: model.columns(c) for c in given],  # type: ignore[misc]
        "trees": [lambda c=c: model.of_columns(c) for c in columns],  # type: ignore[misc]
        "total": [lambda c=c: model(c) for c in given],  # type: ignore[misc]
    }
    figures = {name: microseconds(work) / BATCH for name, work in stages.items()}
    singles = [Candidates([v], [b], [a], [p]) for v, b, a, p in zip(*given[0], strict=True)][:200]
    alone: list[Callable[[], object]] = [lambda c=c: model(c) for c in singles]  # type: ignore[misc]
    return figures | {"alone": microseconds(alone, 400)}


class Counting:
    """A model that counts what it is asked."""

    def __init__(self, model: Classifier) -> None:
        self._model, self.lookups = model, model.lookups
        self.asked = self.calls = 0

    def __call__(self, candidates: Candidates) -> Floats:
        self.asked += len(candidates.values)
        self.calls += 1
        return self._model(candidates)


def first_of(name: str, target: Path) -> int:
    """Copy the first files of a corpus, the last one cut; their bytes."""
    source, size = corpus(name), 0
    for path in files(source):
        if size < SLICE:
            copy = target / path.relative_to(source.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            size += copy.write_bytes(path.read_bytes()[: SLICE - size])
    return size


def scanned(scanner: Scanner, folder: Path) -> list[Finding | Skipped]:
    return list(Run(scanner, [str(folder)]))


def throughput(name: str, plain: Scanner, full: Scanner, model: Classifier) -> dict[str, Any]:
    """One corpus; ends the bench if what is planted or what other rules find gets lost."""
    with TemporaryDirectory() as folder:
        return _throughput(name, Path(folder), plain, full, model)


def _throughput(
    name: str, folder: Path, plain: Scanner, full: Scanner, model: Classifier
) -> dict[str, Any]:
    size = first_of(name, folder) / 1e6
    paths = files(folder)
    before, after = scanned(plain, folder), scanned(full, folder)
    if missing := [one for one in before if one not in after]:
        sys.exit(f"{name}: {len(missing)} findings of other rules are gone, {missing[0]!r}")
    if len(paths) == 1:
        expected = sum(1 for truth, _ in planted(corpus(name)) if truth.end < 1e6 * size)
        if len(after) < 0.999 * expected:
            sys.exit(f"{name}: {len(after)} findings where {expected} are planted")
    counting = Counting(model)
    scanned(Scanner(full.rules, model=counting), folder)
    hits = [
        sum(len(scanner.machinery.engine.find(path.read_bytes())) for path in paths)
        for scanner in (plain, full)
    ]
    times: list[list[float]] = [[], []]
    for turn in range(2 * TURNS):
        begun = time.process_time()
        scanned((plain, full)[turn % 2], folder)
        times[turn % 2].append(time.process_time() - begun)
    return {
        "corpus": name,
        "files": len(paths),
        "mb": round(size, 1),
        "findings_before": len(before),
        "findings": len(after),
        "hits_a_mb": round((hits[1] - hits[0]) / size, 1),
        "judged_a_mb": round(counting.asked / size, 1),
        "calls": counting.calls,
        "mb_s_before": round(size / min(times[0])),
        "mb_s": round(size / min(times[1])),
        "ratio": round(min(times[1]) / min(times[0]), 3),
        "ratio_median": round(statistics.median(b / a for a, b in zip(*times, strict=True)), 3),
    }


def main() -> None:
    """Print the figures; put them on record where asked."""
    parser = argparse.ArgumentParser(description="What the classifier costs.")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--only", default=",".join(CORPORA), help="comma-separated corpora")
    options = parser.parse_args()
    model = Classifier.builtin()
    bundle = RECORD.parent.parent / "models" / "classifier"
    kilobytes = round(sum(path.stat().st_size for path in bundle.iterdir()) / 1000)
    figures = {name: round(value, 2) for name, value in a_candidate(model).items()}
    print(f"bundle {kilobytes} kB; microseconds a candidate, in batches of {BATCH}:")
    print("  " + "  ".join(f"{name} {value}" for name, value in figures.items()))
    rules = RuleSet.builtin()
    plain = Scanner([rule for rule in rules if not rule.spec.names])
    full = Scanner(rules)
    named = len(full.rules) - len(plain.rules)
    print(f"with {named} rules for names, and without; processor time, least of {TURNS} turns")
    rows = []
    for name in options.only.split(","):
        row = throughput(name, plain, full, model)
        rows.append(row)
        print(
            f"  {name:10} {row['files']:3} files {row['mb']:5} MB"
            f"  {row['mb_s_before']:4} -> {row['mb_s']:4} MB/s"
            f"  x{row['ratio']:.3f} (median {row['ratio_median']:.3f})"
            f"  {row['hits_a_mb']:7} hits and {row['judged_a_mb']:6} judged a MB"
            f" in {row['calls']} calls"
            f"  {row['findings_before']} -> {row['findings']} findings"
        )
    if options.record:
        record = {
            "machine": machine(), "bundle_kb": kilobytes, "batch": BATCH,
            "microseconds": figures, "throughput": rows,
        }  # fmt: skip
        (RECORD / "classifier.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
