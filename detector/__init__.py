"""Finds plaintext credentials in database dumps, chat messages and JS bundles.

    from detector import Scanner
    for finding in Scanner().scan(text):
        print(finding.rule, finding.secret, finding.revoke)

Names are loaded when they are first used: ``import detector`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.baseline import Baseline
    from detector.errors import (
        BaselineError,
        DetectorError,
        EngineError,
        ModelError,
        RuleError,
        UsageError,
    )
    from detector.filter import Action, Filter, Policy, Verdict
    from detector.mask import Mask
    from detector.redact import Redactor
    from detector.rules import Rule, RuleSet
    from detector.scanner import Scanner
    from detector.stream import Stream
    from detector.types import Finding, Privilege, Secret, Severity, Skipped, Summary

__version__ = "0.1.0"

_HOMES = {
    "Action": "filter",
    "Baseline": "baseline",
    "BaselineError": "errors",
    "DetectorError": "errors",
    "EngineError": "errors",
    "Filter": "filter",
    "Finding": "types",
    "Mask": "mask",
    "ModelError": "errors",
    "Policy": "filter",
    "Privilege": "types",
    "Redactor": "redact",
    "Rule": "rules",
    "RuleError": "errors",
    "RuleSet": "rules",
    "Scanner": "scanner",
    "Secret": "types",
    "Severity": "types",
    "Skipped": "types",
    "Stream": "stream",
    "Summary": "types",
    "UsageError": "errors",
    "Verdict": "filter",
}

__all__ = [
    "Action",
    "Baseline",
    "BaselineError",
    "DetectorError",
    "EngineError",
    "Filter",
    "Finding",
    "Mask",
    "ModelError",
    "Policy",
    "Privilege",
    "Redactor",
    "Rule",
    "RuleError",
    "RuleSet",
    "Scanner",
    "Secret",
    "Severity",
    "Skipped",
    "Stream",
    "Summary",
    "UsageError",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'detector' has no attribute '{name}'")
    return getattr(import_module(f"detector.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
