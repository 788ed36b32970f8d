"""The peers' reports: the secrets in each, and the places where it says they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Lines ``first`` to ``last`` of a file, from 1. A program without scores is sure of all."""

    path: str
    first: int
    last: int
    score: float = 1.0


def _lines(report: Path) -> Iterable[dict[str, Any]]:
    if report.exists():
        with report.open("rb") as file:
            yield from (json.loads(line) for line in file if line.strip())


def _json(report: Path) -> Any:
    text = report.read_bytes() if report.exists() else b""
    return json.loads(text) if text.strip() else []


def kingfisher_values(report: Path) -> Iterable[str]:
    return (line["finding"]["snippet"] for line in _lines(report) if "finding" in line)


def kingfisher_places(report: Path) -> Iterable[Place]:
    for found in (line["finding"] for line in _lines(report) if "finding" in line):
        first = found["line"]
        yield Place(found["path"], first, first + found["snippet"].count("\n"))


def betterleaks_values(report: Path) -> Iterable[str]:
    lines = _lines(report.with_suffix(".jsonl"))
    return (line["finding"]["match"]["value"] for line in lines if "finding" in line)


def betterleaks_places(report: Path) -> Iterable[Place]:
    for line in _lines(report.with_suffix(".jsonl")):
        if "finding" in line:
            at = line["finding"]["location"]
            yield Place(at["path"], at["start_line"], at["end_line"])


def gitleaks_values(report: Path) -> Iterable[str]:
    return (found["Secret"] for found in _json(report))


def gitleaks_places(report: Path) -> Iterable[Place]:
    return (Place(found["File"], found["StartLine"], found["EndLine"]) for found in _json(report))


def detect_secrets_values(report: Path) -> Iterable[str]:
    found = _json(report)
    return (f["hashed_secret"] for group in found["results"].values() for f in group)


def detect_secrets_places(report: Path) -> Iterable[Place]:
    for line in report.read_text("utf-8").splitlines():
        path, number = json.loads(line)
        yield Place(path, number, number)


def credsweeper_values(report: Path) -> Iterable[str]:
    return (line["value"] for found in _json(report) for line in found["line_data_list"])


def credsweeper_places(report: Path) -> Iterable[Place]:
    for found in _json(report):
        score = found["ml_probability"]  # None: a rule that does not ask the model
        for line in found["line_data_list"]:
            at = line["line_num"]
            yield Place(line["path"], at, at, 1.0 if score is None else float(score))


def redact_secret_values(report: Path) -> Iterable[str]:
    return map(json.loads, report.read_text("utf-8").splitlines())


def detector_values(report: Path) -> Iterable[str]:
    return (line["secret"] for line in _lines(report) if line["type"] == "finding")
