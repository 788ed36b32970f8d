"""Options that several commands share, and the scanner made of them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from detector.classifier import Classifier
from detector.errors import ModelError, UsageError
from detector.rules import RuleSet
from detector.scanner import Scanner

BALANCED = 0.5  # what the library takes by default, too


class Precision(enum.StrEnum):
    """How sure a finding must be. What each means as a number stands in the model's bundle."""

    high = "high"
    balanced = "balanced"
    recall = "recall"


Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH]...", help="Files and folders; '-' is standard input."),
]
Rules = Annotated[
    str,
    typer.Option(
        metavar="SELECTION",
        help="Only these rules or providers ('openai,supabase'), or all but some ('-generic').",
    ),
]
Patterns = Annotated[
    list[Path] | None,
    typer.Option(metavar="PATH", help="Further rule files, or a folder of them. Repeatable."),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, metavar="FLOAT", help="Leave out findings below, 0 to 1.", show_default="0.5"
    ),
]
Precisely = Annotated[
    Precision | None,
    typer.Option(
        "--precision",
        help="In place of a number: high has few false alarms, recall misses few secrets.",
        show_default="balanced",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="A classifier of your own instead of ours."),
]
Engine = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, hyperscan or aho-corasick (slow, no wheel needed)."),
]
Decode = Annotated[
    bool,
    typer.Option("--decode", help="Also look at what is escaped, encoded or in pieces; slower."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Where to write; standard output by default."),
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Worker processes; as many as cores by default."),
]


def make_rules(selection: str, patterns: list[Path] | None) -> RuleSet:
    """The rules that these options name."""
    rules = RuleSet.builtin()
    if patterns:
        rules += RuleSet.load(*patterns)
    return rules.select(selection) if selection else rules


def make_scanner(
    rules: RuleSet,
    *,
    min_confidence: float | None = None,
    precision: Precision | None = None,
    model: Path | None = None,
    engine: str = "auto",
    explain: bool = False,
    decode: bool = False,
) -> Scanner:
    """The scanner that these options describe. Raises :class:`UsageError`, :class:`ModelError`."""
    own = Classifier.load(model) if model else None
    return Scanner(
        rules,
        min_confidence=_least(min_confidence, precision, own),
        engine=engine,
        model=own,
        explain=explain,
        decode=decode,
    )


def _least(given: float | None, precision: Precision | None, own: Classifier | None) -> float:
    if given is not None and precision:
        raise UsageError("--precision and --min-confidence say the same; give one of them")
    if given is not None:
        return given
    if precision is None and own is None:
        return BALANCED
    thresholds = (own or Classifier.builtin()).config.thresholds
    name = precision or Precision.balanced
    if not 0 <= thresholds.get(name, -1) <= 1:
        raise ModelError(f"the model's config.json has no threshold '{name}'")
    return thresholds[name]
