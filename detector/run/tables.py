"""What was found by table and column, beside what the sources say of their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from detector.addresses import Addresses
from detector.distinct import Distinct, count_of
from detector.run.owners import Owned, OwnerTally
from detector.run.verdicts import source_of
from detector.tables.census import TableCensus
from detector.types import (
    ColumnSummary,
    Finding,
    InTables,
    Severity,
    SourceSummary,
    TableSummary,
)

if TYPE_CHECKING:
    from detector.exposure import Exposure

TOGETHER = 8192  # findings that are sorted into their columns at once: a fifth of one by one

Key = tuple[str, str]
"""A path and a table's name."""


class Tables(msgspec.Struct):
    """What one source says of its tables. ``complete``: nothing was left out for its size."""

    path: str
    tables: list[TableCensus]
    ddl: list[str]
    complete: bool = True
    exposure: Exposure | None = None
    """Of a live database: what its catalogue says."""

    def __repr__(self) -> str:
        return f"Tables({self.path!r}, {len(self.tables)})"  # never the samples


class Seen(msgspec.Struct):
    """Hashes of e-mail addresses that stand in the tables of one source."""

    path: str
    addresses: bytes

    def __repr__(self) -> str:
        return f"Seen({self.path!r}, {len(self.addresses) // 8})"


def seen(path: str, addresses: Addresses, *, last: bool) -> Iterator[Seen]:
    """What there is to tell of the addresses of a source: now and then, and at its end."""
    if last:
        addresses.finish()
    if (last or addresses.many) and (hashes := addresses.take()).size:
        yield Seen(path, hashes.tobytes())


class _Column:
    """What one rule has found in one column."""

    def __init__(self, first: Finding) -> None:
        self.first = first
        self.occurrences = 0
        self.severity = Severity[first.severity]
        self.rows, self.secrets = Distinct(), Distinct()
        self.whole = 0
        """Rows of a finding that is about the whole column."""

    def add(self, findings: Sequence[Finding]) -> None:
        self.occurrences += len(findings)
        worst = max(Severity[name] for name in {finding.severity for finding in findings})
        self.severity = max(self.severity, worst)
        digits = "".join([finding.fingerprint[:16] for finding in findings])
        self.secrets.add(np.frombuffer(bytes.fromhex(digits), np.uint64))
        rows = [finding.row for finding in findings if finding.row is not None]
        self.rows.add(np.array(rows, np.uint64))
        if not rows:  # a column as a whole
            self.whole += sum(finding.claims.get("rows", 0) for finding in findings)


class _Table:
    def __init__(self) -> None:
        self.columns: dict[tuple[str | None, str], _Column] = {}
        self.census: TableCensus | None = None

    @property
    def rows_found(self) -> int:
        return count_of([column.rows for column in self.columns.values()])


class TableTally:
    """Adds up. Memory grows with the tables and columns in which something is found; what is
    counted in them lies on disk as hashes beyond a bound."""

    def __init__(self, owners: OwnerTally | None = None) -> None:
        self.owners = owners
        """Whose rows they are; None: a row is its own owner."""
        self._tables: dict[Key, _Table] = {}
        self._waiting: list[Finding] = []
        self._sampled: list[tuple[str, TableCensus]] = []
        self._addresses: dict[str, Distinct] = {}

    def add(self, finding: Finding) -> None:
        """One finding; those outside of tables are left out, and keys that anybody may have."""
        if finding.table is not None and finding.privilege != "public":
            self._waiting.append(finding)
            if len(self._waiting) >= TOGETHER:
                self._sort_in()

    def _sort_in(self) -> None:
        columns: dict[tuple[str, str | None, str | None, str], list[Finding]] = {}
        for one in self._waiting:
            columns.setdefault((one.path, one.table, one.field, one.rule), []).append(one)
        self._waiting.clear()
        for (path, table, field, rule), findings in columns.items():
            known = self._table(path, table or "").columns
            if (field, rule) not in known:
                known[field, rule] = _Column(findings[0])
            known[field, rule].add(findings)

    def note(self, said: Tables) -> None:
        """What a source says of its tables."""
        for census in said.tables:
            if self.owners is not None:
                self.owners.see(census.name, census.columns)
            self._table(said.path, census.name).census = census
        self._sampled += [(said.path, census) for census in said.tables]

    def see(self, seen: Seen) -> None:
        """E-mail addresses of a source."""
        counted = self._addresses.setdefault(source_of(seen.path), Distinct())
        counted.add(np.frombuffer(seen.addresses, np.uint64))

    def own(self, owned: Owned) -> None:
        """Whose some rows are."""
        if self.owners is not None:
            self.owners.add(owned)

    def _owners_of(self, path: str, table: str, columns: Iterable[_Column]) -> int:
        """How many own the rows in which these columns have findings."""
        rows = [column.rows for column in columns]
        known = None if self.owners is None else self.owners.count(path, table, rows)
        return count_of(rows) if known is None else known

    def share(self, path: str, table: str, field: str) -> float:
        """Of a table's rows, how many have a finding in this column; 0 where nobody knows."""
        self._sort_in()
        known = self._tables.get((path, table))
        if known is None or known.census is None or not known.census.rows:
            return 0.0
        columns = [column for (name, _), column in known.columns.items() if name == field]
        return count_of([column.rows for column in columns]) / known.census.rows

    def sampled(self) -> Iterator[tuple[str, TableCensus]]:
        """The tables with samples that nobody has taken yet, each with its path; then they go."""
        waiting, self._sampled = self._sampled, []
        for path, census in waiting:
            yield path, census
            census.forget()

    def tables(self) -> Iterator[TableSummary]:
        """Tables in which something was found, in the order in which they came."""
        self._sort_in()
        for (path, name), table in self._tables.items():
            columns = table.columns.values()
            if columns:
                yield TableSummary(
                    path=path,
                    table=name,
                    rows=table.census.rows if table.census else None,
                    rows_found=table.rows_found,
                    occurrences=sum(column.occurrences for column in columns),
                    distinct=count_of([column.secrets for column in columns]),
                    owners=self._owners_of(path, name, columns),
                    owner_column=self.owners.column(path, name) if self.owners else None,
                )

    def sources(self, tables: Sequence[TableSummary]) -> Iterator[SourceSummary]:
        """Sources in whose tables something was found; ``tables``: what :meth:`tables` has given,
        so that no hashes are sorted again."""
        by_source: dict[str, list[TableSummary]] = {}
        for table in tables:
            by_source.setdefault(source_of(table.path), []).append(table)
        for path, its in by_source.items():
            yield SourceSummary(
                path=path,
                tables=len(its),
                rows_found=sum(table.rows_found for table in its),
                occurrences=sum(table.occurrences for table in its),
                distinct=its[0].distinct if len(its) == 1 else self._distinct(its),
                addresses=count_of([self._addresses[path]] if path in self._addresses else []),
            )

    def in_all(
        self, sources: Sequence[SourceSummary], tables: Sequence[TableSummary]
    ) -> InTables | None:
        """All of them together, None if nothing was found in any."""
        if not sources:
            return None
        return InTables(
            tables=len(tables),
            rows_found=sum(source.rows_found for source in sources),
            occurrences=sum(source.occurrences for source in sources),
            distinct=sources[0].distinct if len(sources) == 1 else self._distinct(tables),
            addresses=count_of([*self._addresses.values()]),
        )

    def _distinct(self, tables: Sequence[TableSummary]) -> int:
        """Different secrets in several tables."""
        known = [self._tables[table.path, table.table] for table in tables]
        return count_of([column.secrets for one in known for column in one.columns.values()])

    def columns(self) -> Iterator[ColumnSummary]:
        """Their columns, a line for each rule, the worst first within a table."""
        self._sort_in()
        for (path, name), table in self._tables.items():
            found = sorted(table.columns.items(), key=lambda item: -item[1].severity)
            for (field, rule), column in found:
                first = column.first
                yield ColumnSummary(
                    path=path,
                    table=name,
                    field=field,
                    rule=rule,
                    name=first.name,
                    severity=column.severity.name,
                    rows=table.census.rows if table.census else None,
                    rows_found=column.whole or column.rows.count,
                    occurrences=column.occurrences,
                    distinct=None if column.whole else column.secrets.count,
                    owners=None if column.whole else self._owners_of(path, name, [column]),
                    example=first.secret,
                    revoke=first.revoke,
                )

    def _table(self, path: str, name: str) -> _Table:
        key = (path, name)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = _Table()
        return table
