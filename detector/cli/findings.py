"""``detector findings``."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from detector.cli.report import COMPLETE, complain
from detector.errors import UsageError
from detector.labels import Found, Labels, read_place
from detector.rules import RuleSet
from detector.sinks.output import printable
from detector.sinks.words import many, masked, reasons

app = typer.Typer(help="What a scan has found.", no_args_is_help=True)

QUESTION = "s(ecret) n(o) k(skip) u(ndo) q(uit)"
SIDE = 200  # bytes of a line that are shown on each side of a secret


@app.command("label")
def label(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What 'scan --format jsonl' has written.")
    ],
    output_file: Annotated[
        Path | None,
        typer.Option("--output", "--out", metavar="FILE", help="Where to write; FILE by default."),
    ] = None,
    show_secrets: Annotated[
        bool, typer.Option(help="The line that each stands in, raw, from the scanned file.")
    ] = False,
) -> int:
    """Say which findings are secrets, for the classifier to learn from.

    Asks about each finding that the classifier judges and that has no label yet, and
    adds "label":true or false to its line. Stop at any time and go on later.
    """
    labels = Labels(file)
    target = output_file or file
    if output_file and output_file.exists() and not labels.take(Labels(output_file)):
        raise UsageError(f"{output_file}: exists, and is of another scan than {file}")
    known = {rule.id for rule in RuleSet.builtin() if not rule.spec.judged}
    open_ = [number for number, found in labels.found.items() if found.label is None]
    asked = [number for number in open_ if labels.found[number].rule not in known]
    if len(open_) > len(asked):
        others = many(len(open_) - len(asked), "finding")
        complain(f"not asked about: {others} of rules whose matches the classifier does not judge")
    try:
        _ask_all(labels, asked, target, file.parent if show_secrets else None)
    finally:
        labels.save(target)
    complain(f"{target}: {_summary(labels, asked)}")
    return COMPLETE


def _ask_all(labels: Labels, asked: list[int], target: Path, folder: Path | None) -> None:
    at, saved = 0, monotonic()
    while at < len(asked):
        typer.echo(f"\n{at + 1} of {len(asked)}  {_described(labels.found[asked[at]], folder)}")
        answer = _answer()
        if answer == "q":
            return
        if answer == "u":
            at = max(0, at - 1)
            labels.put(asked[at], None)
            continue
        if answer != "k":
            labels.put(asked[at], answer == "s")
        at += 1
        # A terminal that is closed should not cost an hour's work.
        if monotonic() - saved > 1:
            labels.save(target)
            saved = monotonic()


def _answer() -> str:
    while True:
        try:
            answer: str = typer.prompt(QUESTION, prompt_suffix=": ").strip().lower()
        except typer.Abort:  # Ctrl-C, or no more input
            return "q"
        if answer[:1] in tuple("snkuq"):
            return answer[0]
        typer.echo("a letter of these: s n k u q")


def _described(found: Found, folder: Path | None) -> str:
    lines = [
        f"{printable(found.path)}:{found.line}:{found.column}  {printable(found.rule)}"
        f"  {masked(found.secret)}  {found.confidence:.0%} sure"
    ]
    if found.reasons:
        lines.append(f"  why: {reasons(found.reasons)}")
    if folder is not None:
        lines.append(f"  {_line_of(found, folder)}")
    return "\n".join(lines)


def _line_of(found: Found, folder: Path) -> str:
    place = read_place(found, folder, SIDE, SIDE)
    if place is None:
        return "(not there any more as it was found, or DETECTOR_KEY is another)"
    before, after = place.before.rpartition(b"\n")[2], place.after.partition(b"\n")[0]
    return printable((before + place.value + after).decode("utf-8", "surrogateescape").strip())


def _summary(labels: Labels, asked: list[int]) -> str:
    given = [found.label for found in labels.found.values() if found.label is not None]
    left = sum(labels.found[number].label is None for number in asked)
    none = len(given) - sum(given)
    return f"{many(len(given), 'label')}: {sum(given):,} secret, {none:,} not; {left:,} left"
