"""Which columns of one file are reported as a whole: the pass in front of their redaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from detector.run.run import Run
from detector.run.verdicts import profiles
from detector.scanner import Scanner
from detector.tables.census import TableCensus
from detector.types import Finding

if TYPE_CHECKING:
    from detector.profile import ColumnProfile


Columns = dict[tuple[str, str], str]
"""By table and field, the rule that reports a column."""


class Judged(NamedTuple):
    """``whole``: columns that a scan reports as a whole. ``rest``: those that it would report as
    soon as what rules find in them is replaced."""

    whole: Columns
    rest: Columns


def judged_columns(scanner: Scanner, path: str) -> Judged:
    """Scans a file for them."""
    run = _Run(scanner, [path])
    judged = Judged({}, {})
    for one in run:
        if not isinstance(one, Finding):
            continue
        run.count(one)
        if one.table is not None and one.field is not None and _is_whole(one):
            key = one.table, one.field
            (judged.rest if key in run.of_the_rest else judged.whole)[key] = one.rule
    return judged


def _is_whole(one: Finding) -> bool:
    """Whether it is said of a column: it stands nowhere, and counts rows."""
    return one.row is None and one.start == one.end == 0 and "rows" in one.claims


class _Run(Run):
    """Looks at each column a second time without the values in which rules find something."""

    def __init__(self, scanner: Scanner, paths: Sequence[str]) -> None:
        super().__init__(scanner, paths)
        self.of_the_rest: set[tuple[str, str]] = set()

    def _judge(self) -> None:
        for path, census in self.tables.sampled():
            known = list(profiles(path, census, self.tables.share))
            told = {profile.name for _, profile in known}
            self.profiles += known
            for one in self._of_the_rest(path, census):
                if one[1].name not in told:
                    self.profiles.append(one)
                    self.of_the_rest.add((census.name, one[1].name))

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
