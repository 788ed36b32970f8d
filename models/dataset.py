"""What the classifier learns from: candidates as the scanner sees them, each with a label.

Two sources. Labelled rows of real repositories, in both forms, so that a value of letters
without meaning is no surer a secret than a word; and made-up documents, for what no repository
shows: dumps, deployed settings, chat, and the places where scanners raise false alarms.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.entropy import Floats
from detector.features import AFTER, BEFORE, Candidates
from detector.rules import RuleSet
from detector.scanner import Scanner
from detector.score import Judge, Survivors
from models import creddata
from models.generate import documents
from models.tables import lookups

CAPPED = 200  # true rows of the repository of test vectors, which has almost half of all


class Example(NamedTuple):
    """One candidate. ``label``: 1 a secret, 0 none, -1 not known. ``group`` is its repository,
    or the batch of made-up documents that it stands in."""

    group: str
    path: str
    line: int
    value: bytes
    before: bytes
    after: bytes
    label: int

    def __repr__(self) -> str:
        return f"Example({self.path}:{self.line})"


class Seen(NamedTuple):
    """What a scan of one file saw: candidates of the rules whose matches are judged, as spans,
    and the lines of what other rules found, with their confidence."""

    spans: list[tuple[int, int]]
    found: list[tuple[int, float]]


class Spotter:
    """Scans like the program and keeps what the classifier would be asked."""

    def __init__(self, rules: RuleSet | None = None) -> None:
        self._rules = RuleSet.builtin() if rules is None else rules
        model = Untrained()
        self._judge = Judge(self._rules, model=model)
        self._spans: list[tuple[int, int]] = []
        self._scanner = Scanner(self._rules, scorer=self._score, model=model)

    def __call__(self, data: bytes, path: str) -> Seen:
        """Scan one file."""
        self._spans = []
        findings = self._scanner.scan(data, path=path)
        found = [
            (line, finding.confidence)
            for finding in findings
            for line in range(finding.line, finding.line + finding.secret.reveal().count(b"\n") + 1)
        ]
        return Seen(sorted(set(self._spans)), found)

    def _score(self, survivors: Survivors) -> Floats:
        scores = self._judge(survivors)
        for number in survivors.around:
            if survivors.results[number].placeholder:
                continue  # nothing is left to judge
            start = survivors.starts[number]
            self._spans.append((start, start + len(survivors.secrets[number])))
        return scores


class Untrained:
    """Stands where a model will: it has the tables, and thinks nothing of any candidate."""

    def __init__(self) -> None:
        self.lookups = lookups()

    def __call__(self, candidates: Candidates) -> Floats:
        """Zeros."""
        return np.zeros(len(candidates.values), np.float32)


def of_repositories(
    data: creddata.Data, form: creddata.Form, spotter: Spotter
) -> tuple[list[Example], dict[str, list[tuple[int, float]]]]:
    """Candidates in all labelled files, and what other rules found in each."""
    rows = defaultdict(list)
    for row in data.rows:
        rows[row.file].append(row)
    contents = creddata.files(data, form)
    examples: list[Example] = []
    found = {}
    for path in sorted(rows):
        content = contents[path]
        seen = spotter(content, path)
        found[path] = seen.found
        examples += _labelled(path, content, seen.spans, rows[path])
    return examples, found


def _labelled(
    path: str, content: bytes, spans: Sequence[tuple[int, int]], rows: Sequence[creddata.Row]
) -> list[Example]:
    breaks = [-1, *(i for i, byte in enumerate(content) if byte == 10)]
    true, vague, false = _places(content, breaks, rows)
    out = []
    for start, end in spans:
        line = bisect_left(breaks, start)
        if any(a < end and start < b for a, b in true.get(line, ())):
            label = 1
        elif line in true:
            label = -1  # the value beside a secret may be one that nobody labelled
        elif line in vague:
            label = 1
        else:
            label = 0 if line in false else -1
        out.append(_example(rows[0].repo, path, line, content, start, end, label))
    return out


def _places(
    content: bytes, breaks: Sequence[int], rows: Sequence[creddata.Row]
) -> tuple[dict[int, list[tuple[int, int]]], set[int], set[int]]:
    """Lines with the spans of true values; lines with a true value somewhere; false lines."""
    true: dict[int, list[tuple[int, int]]] = defaultdict(list)
    vague: set[int] = set()
    false: set[int] = set()
    for row in rows:
        lines = range(row.l0, row.l1 + 1)
        if row.label != "T":
            false.update(lines)
        elif row.value is None:
            vague.update(lines)
        else:
            begin = breaks[row.l0 - 1] + 1
            text = content[begin : begin + 4 * (row.line_off + row.ve)].decode(errors="replace")
            start = len(text[: row.line_off + row.vs].encode())
            length = len(text[row.line_off + row.vs : row.line_off + row.ve].encode())
            true[row.l0].append((begin + start, begin + start + length))
    return true, vague, false


def _example(
    group: str, path: str, line: int, text: bytes, start: int, end: int, label: int
) -> Example:
    before, after = text[max(0, start - BEFORE) : start], text[end : end + AFTER]
    return Example(group, path, line, text[start:end], before, after, label)


def of_documents(seed: int, count: int, spotter: Spotter) -> list[Example]:
    """Candidates in made-up documents. What no mark covers is no secret."""
    examples = []
    for number, document in enumerate(documents(seed, count)):
        marks = [(mark.start, mark.end) for mark in document.marks if mark.secret]
        for start, end in spotter(document.text, document.name).spans:
            label = int(any(a < end and start < b for a, b in marks))
            line = document.text.count(b"\n", 0, start) + 1
            group = f"made-up {number % 50}"
            examples.append(_example(group, document.name, line, document.text, start, end, label))
    return examples


def capped(examples: Iterable[Example], roles: dict[str, str], seed: int) -> list[Example]:
    """Without most of the repository that has too many of a kind, and without the unlabelled."""
    known = [example for example in examples if example.label >= 0]
    many = [example for example in known if roles.get(example.group) == "train-cap"]
    kept = set(Random(seed).sample(range(len(many)), min(CAPPED, len(many))))
    few = [example for number, example in enumerate(many) if number in kept]
    return [example for example in known if roles.get(example.group) != "train-cap"] + few


def candidates_of(examples: Sequence[Example]) -> Candidates:
    """The columns that the features are made of."""
    return Candidates(
        [example.value for example in examples],
        [example.before for example in examples],
        [example.after for example in examples],
        [example.path for example in examples],
    )


def weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Of each example, 1 in the mean: a repository with a hundred times the values of another
    counts ten times as much, and the same line again counts as one."""
    lines = [(e.group, e.label, e.before[-48:], e.value) for e in examples]
    copies = Counter(lines)
    distinct = Counter((group, label) for group, label, *_ in copies)
    weight: NDArray[np.float64] = np.array(
        [1 / copies[line] / distinct[line[0], line[1]] ** 0.5 for line in lines]
    )
    weight /= weight.mean()
    return weight
