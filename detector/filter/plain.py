"""The short way for a text that is no JSON: one view, no parts, no names.

Most messages with a secret are such texts. The long way takes three times as long for the same
verdict, and is gone where this one cannot be sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from detector.cluster import Settled
from detector.filter.policy import Action, Policy, strongest
from detector.filter.verdict import Verdict
from detector.mask import Mask, characters, replacement
from detector.scanner import Scanner
from detector.types import Finding

Decided = tuple[Action, str]


def plain_verdict(
    scanner: Scanner,
    policy: Policy,
    mask: Mask,
    message: str | bytes,
    raw: bytes,
    hits: Sequence[int],
    origin: tuple[str | None, str | None],
) -> Verdict | None:
    """The verdict on a text whose bytes are ``raw``, in which the engine has found ``hits``.

    None where the long way has to be gone: the model is to be asked, or the copy holds something.
    """
    clusters = scanner.short(raw, hits)
    if clusters is None:
        return None
    if not clusters:
        return Verdict(Action.allow, message)
    is_text = isinstance(message, str)
    findings: list[Finding] = []
    decided: list[Decided] = []
    parts, position = [], 0
    for cluster in clusters:
        found = [scanner.finding(one) for one in cluster.best()]
        said = [policy.decide(finding, *origin) for finding in found]
        findings += found
        decided += said
        if strongest([action for action, _ in said]).strength >= Action.redact.strength:
            parts += [raw[position : cluster.start], _masked(scanner, mask, raw, cluster, is_text)]
            position = cluster.end
    action, reason = max(decided, key=_strength)
    told = tuple(_in_characters(findings, raw) if is_text else findings)
    if action.strength >= Action.quarantine.strength:
        return Verdict(action, None, told, reason)
    if not parts:
        return Verdict(action, message, told, reason)
    copy = b"".join([*parts, raw[position:]])
    if scanner.may_hold(copy):
        return None
    content: Any = copy.decode("utf-8", "surrogatepass") if is_text else copy
    return Verdict(action, content, told, reason)


def _masked(scanner: Scanner, mask: Mask, raw: bytes, cluster: Settled, is_text: bool) -> bytes:
    width = characters(raw[cluster.start : cluster.end]) if is_text else None
    return replacement(cluster, mask, scanner.fingerprinter, width=width)


def _strength(decided: Decided) -> int:
    return decided[0].strength


def _in_characters(findings: Sequence[Finding], raw: bytes) -> Sequence[Finding]:
    if raw.isascii():
        return findings
    return [
        msgspec.structs.replace(
            one, start=characters(raw[: one.start]), end=characters(raw[: one.end])
        )
        for one in findings
    ]
