"""The verdict on a message."""

from __future__ import annotations

from typing import Any

import msgspec

from detector.filter.policy import Action, Policy
from detector.types import Finding


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a message.

    ``content`` is what may go on: the very same object if nothing was touched, else a copy
    without the secrets; None for ``quarantine`` and ``block``. In ``findings`` secrets print
    masked; ``field`` is the path inside of a JSON-like message, and ``start`` and ``end`` count
    in that field's text (in the message itself, if that is a text or bytes). ``reason`` says
    which rule of the policy decided, ``error`` what could not be looked at.
    """

    action: Action
    content: Any
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    error: str = ""

    def __repr__(self) -> str:
        found = ", ".join(finding.rule for finding in self.findings)
        return f"Verdict({self.action}, [{found}], reason={self.reason!r}, error={self.error!r})"

    def to_dict(self) -> dict[str, Any]:
        """For logs: everything but the content, the secrets masked."""
        found = [finding.to_dict() for finding in self.findings]
        return {
            "action": str(self.action),
            "reason": self.reason,
            "error": self.error,
            "findings": found,
        }


def failed(policy: Policy, message: Any, error: str) -> Verdict:
    """On a message that could not be looked at."""
    if policy.on_error == "allow":
        return Verdict(Action.allow, message, (), "errors let pass", error)
    return Verdict(Action.quarantine, None, (), "errors set apart", error)
