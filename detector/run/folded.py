"""Columns whose name alone speaks for their values: one finding instead of one a row.

In JSON a field's name stands beside each of its values, in a CSV only at the top. A million values
of `acme_key` are one column in either; some few are told one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator

import msgspec

from detector.fingerprint import Fingerprinter
from detector.types import Finding

FEW = 8  # values of a column that are told one by one

Key = tuple[str, str, str]
"""A path, a table and a field."""


class _Column:
    def __init__(self) -> None:
        self.first: list[Finding] = []
        self.count = 0


class Folded:
    """Takes such findings out of a run and gives them back at its end."""

    def __init__(self, by_name: Collection[str]) -> None:
        """``by_name``: the rules that have no format, only names."""
        self._rules = by_name
        self._columns: dict[Key, _Column] = {}
        self._speaks: dict[tuple[str, str], bool] = {}

    def takes(self, finding: Finding) -> bool:
        """Whether it is kept back: it is only its column's name that makes it a finding."""
        table, field = finding.table, finding.field
        if finding.rule not in self._rules or table is None or field is None or finding.decoded:
            return False
        if finding.origin is not None and finding.origin.get("channel") is not None:
            return False  # its table is a channel, in which people write
        if (table, field) not in self._speaks:
            from detector.profile import names_a_credential  # only who has tables needs it

            self._speaks[table, field] = names_a_credential(table, field)
        if not self._speaks[table, field]:
            return False
        column = self._columns.setdefault((finding.path, table, field), _Column())
        column.count += 1
        if column.count <= FEW:
            column.first.append(finding)
        return True

    def rest(self, told: Container[Key], fingerprinter: Fingerprinter) -> Iterator[Finding]:
        """Those of small columns, and one for each other, but where the column is ``told``."""
        for key, column in self._columns.items():
            if key in told:
                continue
            if column.count <= FEW:
                yield from column.first
                continue
            first = column.first[0]
            place = "\0".join(key[1:]).encode("utf-8", "surrogatepass")
            yield msgspec.structs.replace(
                first,
                start=0,
                end=0,
                line=1,
                column=1,
                row=None,
                origin=None,
                fingerprint=fingerprinter(first.rule, place),
                claims={**first.claims, "rows": column.count},
            )
