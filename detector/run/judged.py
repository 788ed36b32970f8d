"""Which columns of one file are reported as a whole: the pass in front of their redaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from detector.run.run import Run
from detector.run.verdicts import profiles
from detector.scanner import Scanner
from detector.tables.census import TableCensus
from detector.types import Finding

if TYPE_CHECKING:
    from detector.profile import ColumnProfile


def judged_columns(scanner: Scanner, path: str) -> dict[tuple[str, str], str]:
    """By table and field the rule that reports the column: those that a scan of the file reports
    as a whole, and those that it would report when the rules' findings are replaced."""
    run = _Run(scanner, [path])
    columns: dict[tuple[str, str], str] = {}
    for one in run:
        if not isinstance(one, Finding):
            continue
        run.count(one)
        if one.table is not None and one.field is not None and _is_whole(one):
            columns[one.table, one.field] = one.rule
    return columns


def _is_whole(one: Finding) -> bool:
    """Whether it is said of a column: it stands nowhere, and counts rows."""
    return one.row is None and one.start == one.end == 0 and "rows" in one.claims


class _Run(Run):
    """Looks at each column a second time without the values in which rules find something."""

    def _judge(self) -> None:
        for path, census in self.tables.sampled():
            known = list(profiles(path, census, self.tables.share))
            told = {profile.name for _, profile in known}
            self.profiles += known
            self.profiles += [
                one for one in self._of_the_rest(path, census) if one[1].name not in told
            ]

    def _of_the_rest(self, path: str, census: TableCensus) -> Iterator[tuple[str, ColumnProfile]]:
        values = {
            field: self._unknown(given)
            for field, given in census.sampled().items()
            if self.tables.share(path, census.name, field)
        }
        if values:
            rest = TableCensus(census.name, census.columns, rows=census.rows, values=values)
            yield from profiles(path, rest, lambda *_: 0.0)

    def _unknown(self, values: Sequence[bytes | None]) -> list[bytes | None]:
        found = self._scanner.scan_many([value or b"" for value in values])
        return [None if one else value for value, one in zip(values, found, strict=True)]
