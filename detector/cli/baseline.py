"""``detector baseline``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli import options
from detector.cli.report import COMPLETE, FAILED, complain
from detector.errors import UsageError
from detector.run import Options, Run
from detector.scanner import Scanner
from detector.types import Skipped

if TYPE_CHECKING:
    from detector.baseline import Baseline

app = typer.Typer(help="Findings that are known already.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The baseline.")]
Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="What to scan.")]


@app.command("create")
def create(
    file: File,
    paths: Paths,
    rules: options.Rules = "",
    patterns: options.Patterns = None,
    min_confidence: options.MinConfidence = None,
    precision: options.Precisely = None,
    model: options.Model = None,
    jobs: options.Jobs = None,
) -> int:
    """Write a new baseline of everything found. Never overwrites one: see update."""
    if file.exists():
        raise UsageError(f"{file}: exists; use: detector baseline update")
    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
    )
    found, complete = _scan(paths, scanner, jobs)
    found.save(file)
    complain(f"{file}: {len(found)} known secrets")
    return COMPLETE if complete else FAILED


@app.command("update")
def update(
    file: File,
    paths: Paths,
    rules: options.Rules = "",
    patterns: options.Patterns = None,
    min_confidence: options.MinConfidence = None,
    precision: options.Precisely = None,
    model: options.Model = None,
    jobs: options.Jobs = None,
) -> int:
    """Add what is new; drop what is gone, unless not everything could be read."""
    from detector.baseline import Baseline

    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
    )
    found, complete = _scan(paths, scanner, jobs)
    known = Baseline.load(file, key_id=found.key_id)
    change = known.absorb(found, keep_gone=not complete)
    known.save(file)
    complain(f"{file}: {change.added} new, {change.dropped} gone, {change.kept} kept")
    return COMPLETE if complete else FAILED


def _scan(paths: list[str], scanner: Scanner, jobs: int | None) -> tuple[Baseline, bool]:
    """A baseline of everything found, and whether all could be read."""
    from detector.baseline import Baseline

    found, complete = Baseline(scanner.fingerprinter.key_id), True
    for item in Run(scanner, paths, Options(jobs=jobs or os.cpu_count() or 1)):
        if isinstance(item, Skipped):
            complete = False
            complain(f"skipped {item.path}: {item.reason}")
        else:
            found.add(item)
    return found, complete
