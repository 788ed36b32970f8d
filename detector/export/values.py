"""Redacting single values of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from detector.mask import Mask
from detector.scanner import Scanner


def redacted(
    scanner: Scanner, values: Sequence[bytes | str], mask: Mask, found: Counter[str]
) -> dict[int, bytes | str]:
    """The values that hold a secret, by their number, without it. Most hold none: all are shown to
    the engine at once."""
    out: dict[int, bytes | str] = {}
    for number, findings in enumerate(scanner.scan_many(values)):
        if findings:
            clean = scanner.redact(values[number], mask=mask, fit=True)
            out[number] = clean.text
            found.update(finding.rule for finding in findings)
    return out
