"""``detector filter``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from detector.cli import options
from detector.cli.report import complain
from detector.mask import Mask


def filter_(
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to do about a finding (TOML); redact by default."),
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where messages that are set apart are added, as JSON Lines."
        ),
    ] = None,
    channel_key: Annotated[
        str, typer.Option(metavar="NAME", help="The field that names a message's channel.")
    ] = "",
    sender_key: Annotated[
        str, typer.Option(metavar="NAME", help="The field that names a message's sender.")
    ] = "",
    mask: Annotated[
        Mask,
        typer.Option(
            help="label: the rule's name; stars: as many stars; pseudonym: equal secrets alike."
        ),
    ] = Mask.label,
    rules: options.Rules = "",
    patterns: options.Patterns = None,
    min_confidence: options.MinConfidence = None,
    precision: options.Precisely = None,
    model: options.Model = None,
    engine: options.Engine = "auto",
) -> int:
    """Let messages through from standard input to standard output, one a line, JSON or text.

    Each goes on as it is, without its secrets, or not at all, as the policy says. JSON stays
    JSON. Secrets of several lines are no matter of single messages: see `detector redact`.
    Exit status: 0 all went on as it was, 1 something was found, 2 failed, or a message could
    not be looked at.
    """
    from detector.cli.gate import Gate, kept_in  # what scans nothing needs no filter
    from detector.filter import Filter, Policy

    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
        engine=engine,
    )
    guard = Filter(scanner, Policy.load(policy) if policy else None, mask=mask)
    with kept_in(quarantine) as kept:
        gate = Gate(guard, kept, channel_key, sender_key)
        try:
            for number, line in enumerate(sys.stdin.buffer, 1):
                gate.take(number, line, sys.stdout.buffer)
        finally:
            complain(gate.summary())
    return gate.status
