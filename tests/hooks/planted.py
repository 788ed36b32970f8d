"""Secrets for the hooks' tests, and whether any of one is left."""

from __future__ import annotations

from material import sample_of

from detector import Filter, Policy
from detector.filter import Action, PolicyRule

GITHUB, OPENAI = "github-pat", "openai-project-key"
LABEL = f"[redacted:{GITHUB}]"


def token(rule: str = GITHUB, seed: int = 0) -> str:
    """A made-up secret."""
    return sample_of(rule, seed).text.decode()


def remains(secret: str, text: str | bytes, prefix: int = 8) -> list[str]:
    """Runs of four characters of a secret, behind its public prefix, that stand in a text."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return [part for n in range(prefix, len(secret) - 3) if (part := secret[n : n + 4]) in text]


def strict(action: Action, on_error: str = "quarantine") -> Filter:
    """A filter that does this about GitHub's tokens."""
    from material import builtin_scanner

    rules = (PolicyRule(name="test", action=action, rule=GITHUB),)
    return Filter(builtin_scanner(), Policy(rules=rules, on_error=on_error))  # type: ignore[arg-type]
