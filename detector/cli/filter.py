"""``detector filter``."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from detector.cli import options
from detector.cli.report import COMPLETE, FAILED, FOUND, complain
from detector.errors import UsageError
from detector.filter import Action, Filter, Policy, Verdict
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
    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
        engine=engine,
    )
    guard = Filter(scanner, Policy.load(policy) if policy else None, mask=mask)
    with _kept(quarantine) as kept:
        gate = _Gate(guard, kept, channel_key, sender_key)
        try:
            for number, line in enumerate(sys.stdin.buffer, 1):
                gate.take(number, line, sys.stdout.buffer)
        finally:
            complain(gate.summary())
    return gate.status


class _Gate:
    """What single messages go through, and how many came to what end."""

    def __init__(
        self, guard: Filter, kept: IO[bytes] | None, channel_key: str, sender_key: str
    ) -> None:
        self._guard, self._kept = guard, kept
        self._keys = channel_key, sender_key
        self._ends: Counter[str] = Counter()
        self._found: Counter[str] = Counter()
        self.status = COMPLETE

    def take(self, number: int, line: bytes, out: IO[bytes]) -> None:
        """The next message, with its line end."""
        text = line.rstrip(b"\r\n")
        channel, sender = self._origin(text)
        verdict = self._guard.check(text, channel=channel, sender=sender)
        self._ends[verdict.action] += 1
        self._found.update(finding.rule for finding in verdict.findings)
        if verdict.error:
            self.status = FAILED
        elif verdict.action is not Action.allow:
            self.status = max(self.status, FOUND)
        if verdict.content is not None:
            out.write(verdict.content + line[len(text) :])
            out.flush()
        if verdict.action in _TOLD or verdict.error:
            self._tell(number, text, verdict)

    def summary(self) -> str:
        """For the end: how many messages, and what became of them."""
        ends = [f"{self._ends[action]} {said}" for action, said in _SAID.items()]
        found = ", ".join(f"{rule} {count}" for rule, count in self._found.most_common())
        return f"{self._ends.total()} messages: {', '.join(ends)}" + (f"; {found}" if found else "")

    def _tell(self, number: int, text: bytes, verdict: Verdict) -> None:
        why = verdict.error or verdict.reason
        if verdict.action is not Action.quarantine:
            complain(f"message {number}: {_SAID[verdict.action]}: {why}")
        elif self._kept is None:
            complain(f"message {number}: dropped, there is no --quarantine: {why}")
        else:
            self._kept.write(json.dumps(_record(number, text, verdict)).encode() + b"\n")
            self._kept.flush()
            complain(f"message {number}: set apart: {why}")

    def _origin(self, text: bytes) -> tuple[str | None, str | None]:
        """The channel and the sender that a message names."""
        if not any(self._keys):
            return None, None
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return None, None
        channel, sender = (_at(message, key) if key else None for key in self._keys)
        return channel, sender


_TOLD = frozenset({Action.alert, Action.quarantine, Action.block})
_SAID = {
    Action.allow: "let through",
    Action.alert: "to be looked at",
    Action.redact: "redacted",
    Action.quarantine: "set apart",
    Action.block: "blocked",
}


def _at(message: Any, key: str) -> str | None:
    """What stands under a name like ``user.id``."""
    for name in key.split("."):
        message = message.get(name) if isinstance(message, dict) else None
    return None if message is None or isinstance(message, dict | list) else str(message)


def _record(number: int, text: bytes, verdict: Verdict) -> dict[str, Any]:
    """A message that is set apart, whole: ``base64`` is what is no UTF-8."""
    made = {"type": "quarantined", "number": number, **verdict.to_dict()}
    try:
        return made | {"message": text.decode()}
    except UnicodeDecodeError:
        return made | {"base64": base64.b64encode(text).decode()}


@contextmanager
def _kept(path: Path | None) -> Iterator[IO[bytes] | None]:
    """The file for what is set apart, added to. Only its owner may read it: it holds secrets."""
    if path is None:
        yield None
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "ab") as file:
        yield file
