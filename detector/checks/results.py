"""The answers that checks give most often, made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detector.types import CheckResult, CheckStatus

PASSED = CheckResult(CheckStatus.passed)
FAILED = CheckResult(CheckStatus.failed)
NONE = CheckResult()


def passed(claims: Mapping[str, Any], *, placeholder: bool = False) -> CheckResult:
    """A token that holds, with what can be read from it."""
    return CheckResult(CheckStatus.passed, claims, placeholder=placeholder)


def verdict(holds: bool, claims: Mapping[str, Any] | None = None) -> CheckResult:
    """Passed or failed, with the same claims either way."""
    if not claims:
        return PASSED if holds else FAILED
    return CheckResult(CheckStatus.passed if holds else CheckStatus.failed, claims)
