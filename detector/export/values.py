"""Redacting single values of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from detector.export.columns import ColumnMask
from detector.mask import Mask
from detector.scanner import Scanner


class Cleaner(NamedTuple):
    """What replaces secrets in values. ``whole``: in columns of which every value goes; ``rest``:
    in those of which that goes that rules leave. ``found`` counts what rules found."""

    scanner: Scanner
    mask: Mask
    whole: ColumnMask
    rest: ColumnMask
    found: Counter[str]

    def clean(
        self, table: str, field: str, values: Sequence[bytes | str]
    ) -> dict[int, bytes | str]:
        """The values of one column that change, by their number."""
        if self.whole.wanted(table, field):
            return dict(enumerate(_masked(self.whole, table, field, value) for value in values))
        out = self._by_rules(values)
        if self.rest.wanted(table, field):
            for number, value in enumerate(values):
                out[number] = _masked(self.rest, table, field, out.get(number, value))
        return out

    def _by_rules(self, values: Sequence[bytes | str]) -> dict[int, bytes | str]:
        """Most hold no secret: all are shown to the engine at once."""
        out: dict[int, bytes | str] = {}
        for number, findings in enumerate(self.scanner.scan_many(values)):
            if findings:
                out[number] = self.scanner.redact(values[number], mask=self.mask, fit=True).text
                self.found.update(finding.rule for finding in findings)
        return out


def _masked(masks: ColumnMask, table: str, field: str, value: bytes | str) -> bytes | str:
    if isinstance(value, bytes):
        return masks(table, field, value)
    raw = value.encode("utf-8", "surrogatepass")
    return masks(table, field, raw).decode("utf-8", "surrogatepass")
