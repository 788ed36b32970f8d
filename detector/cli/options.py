"""Options that several commands share, and the scanner made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.rules import RuleSet
from detector.scanner import Scanner

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
    float, typer.Option(min=0, max=1, metavar="FLOAT", help="Leave out findings below, 0 to 1.")
]
Engine = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, hyperscan or aho-corasick (slow, no wheel needed)."),
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
    selection: str, patterns: list[Path] | None, min_confidence: float, engine: str
) -> Scanner:
    """The scanner that these options describe."""
    rules = make_rules(selection, patterns)
    return Scanner(rules, min_confidence=min_confidence, engine=engine)
