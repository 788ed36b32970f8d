"""Redacting single values of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from detector.export.columns import ColumnMask
from detector.mask import Mask
from detector.scanner import Scanner

T = TypeVar("T", bytes, str)


class Cleaner(NamedTuple):
    """What replaces secrets in values. ``found`` counts them by rule, but those of ``columns``."""

    scanner: Scanner
    mask: Mask
    columns: ColumnMask
    found: Counter[str]

    def clean(
        self, table: str, field: str, values: Sequence[bytes | str]
    ) -> dict[int, bytes | str]:
        """The values of one column that change, by their number: what rules find first, then the
        whole of each value where the whole column goes."""
        out = self._by_rules(values)
        if self.columns.wanted(table, field):
            for number, value in enumerate(values):
                now = out.get(number, value)
                if (whole := self._whole(table, field, now)) != now:
                    out[number] = whole
        return out

    def _by_rules(self, values: Sequence[bytes | str]) -> dict[int, bytes | str]:
        """Most hold no secret: all are shown to the engine at once."""
        out: dict[int, bytes | str] = {}
        for number, findings in enumerate(self.scanner.scan_many(values)):
            if findings:
                out[number] = self.scanner.redact(values[number], mask=self.mask, fit=True).text
                self.found.update(finding.rule for finding in findings)
        return out

    def _whole(self, table: str, field: str, value: bytes | str) -> bytes | str:
        if isinstance(value, bytes):
            return self.columns(table, field, value)
        raw = value.encode("utf-8", "surrogatepass")
        return self.columns(table, field, raw).decode("utf-8", "surrogatepass")
