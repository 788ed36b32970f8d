"""``detector rules``."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated

import typer

from detector.cli import options
from detector.cli.report import COMPLETE, FOUND
from detector.errors import UsageError
from detector.rules import Rule, RuleSet

app = typer.Typer(help="What is looked for, and whether the rules hold.", no_args_is_help=True)

_CAN = {
    "public": "is public by design: meant to be seen by every visitor",
    "limited": "can do one narrow thing, or for a short time",
    "full": "acts as its owner",
    "admin": "acts as the owner of the whole account, organisation or project",
}


@app.command("list")
def list_rules(rules: options.Rules = "", patterns: options.Patterns = None) -> int:
    """All rules: id, severity, privilege and name."""
    chosen = options.make_rules(rules, patterns)
    wide = max((len(rule.id) for rule in chosen), default=0)
    for rule in chosen:
        spec = rule.spec
        typer.echo(f"{rule.id:<{wide}}  {spec.severity:<8}  {spec.privilege:<7}  {spec.name}")
    providers = len({rule.provider for rule in chosen})
    typer.echo(f"{len(chosen)} rules of {providers} providers", err=True)
    return COMPLETE


@app.command("show")
def show(
    rule_id: Annotated[str, typer.Argument(metavar="ID")], patterns: options.Patterns = None
) -> int:
    """Explain one rule."""
    from difflib import get_close_matches

    rules = options.make_rules("", patterns)
    if rule_id not in rules.by_id:
        near = get_close_matches(rule_id, rules.by_id, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; see: detector rules list"
        raise UsageError(f"no rule has the id '{rule_id}'{hint}")
    typer.echo(_explain(rules.by_id[rule_id]))
    return COMPLETE


def _explain(rule: Rule) -> str:
    from detector.rules.samples import draw

    spec = rule.spec
    lines = [
        f"{spec.name}  ({rule.id}, {rule.title})",
        "",
        f"  {spec.why}",
        f"  Whoever holds it: {_CAN[spec.privilege]}. Severity: {spec.severity}.",
        f"  Turn it off: {spec.revoke}",
        *([f"  Format: {spec.docs}"] if spec.docs else []),
        "",
        f"  Pattern     {spec.pattern}",
        *(
            [f"  Near        {', '.join(spec.keywords)} (any case, same line)"]
            if spec.keywords
            else []
        ),
        f"  Check       {spec.check or 'none: the shape is all there is'}",
        f"  Confidence  {spec.confidence} before check and randomness",
        f"  Looked for  {', '.join([w for head in rule.heads.heads for w in head.literals][:6])}",
        f"  A made-up one  {_clipped(draw(rule, random.Random(rule.id)).text)}",
    ]
    return "\n".join(lines)


def _clipped(text: bytes) -> str:
    line = text.decode("utf-8", "replace").replace("\n", "\\n")
    return line if len(line) <= 120 else line[:117] + "..."


@app.command("check")
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Rule files; those of the package by default."),
    ] = None,
) -> int:
    """Prove every rule: samples match, counter-examples don't, time grows linearly."""
    from detector.prove import check_rules

    rules = RuleSet.load(*paths) if paths else RuleSet.builtin()
    problems = list(check_rules(rules))
    for problem in problems:
        typer.echo(f"{problem.rule}: {problem.field}: {problem.message}")
    many = len({problem.rule for problem in problems})
    typer.echo(f"{len(rules)} rules checked, {many} with problems", err=True)
    return FOUND if problems else COMPLETE
