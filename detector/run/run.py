"""A whole run: which files, cut how, by how many workers; and the sums at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import chain, groupby
from typing import TYPE_CHECKING

import msgspec

from detector.chats.mail import mail_kind
from detector.matcher import Timings
from detector.run.folded import Folded
from detector.run.layouts import HEAD, Beside, Walker, defined_ahead, dialect_of, kind_of_file
from detector.run.maps import must_be_whole
from detector.run.origins import Origins
from detector.run.owners import Owned, OwnerColumns, OwnerTally
from detector.run.projects import Projects
from detector.run.tables import Seen, Tables, TableTally
from detector.run.unit import Counts, Result, Unit
from detector.run.verdicts import Exposures, column_findings, profiles
from detector.run.work import PIECE, scan_unit
from detector.scanner import Scanner
from detector.site import SiteOptions
from detector.sources import Entry, FileRef, Limits, open_entries, walk
from detector.tables.layout import Dialect
from detector.types import Finding, Skipped, Summary, Sums

if TYPE_CHECKING:
    from detector.profile import ColumnProfile
    from detector.run.workers import Pool

# Seconds that this process scans alone: most runs are over by then (a core does a gigabyte
# and more in them, or 100,000 findings), and starting a worker takes half of that.
HEAD_START = 0.7
GROUP_BYTES, GROUP_FILES = 16 << 20, 256  # small files travel together and share model calls


class Options(msgspec.Struct, frozen=True):
    """How to run. ``jobs``: worker processes at most; 1 keeps all in this one."""

    jobs: int = 1
    limits: Limits = Limits()
    exclude: Callable[[str], bool] | None = None
    owner_columns: tuple[str, ...] = ()
    """Columns that name whose a row is: ``field``, ``table.field``, ``schema.table.field``."""
    site: SiteOptions = SiteOptions()


class Run:
    """Iterate over it for findings and skips, in the order of the paths; then ``summary``.

    ``total`` grows as files are found; ``summary.bytes_read`` follows it.
    """

    def __init__(
        self, scanner: Scanner, paths: Iterable[str], options: Options | None = None
    ) -> None:
        self._scanner = scanner
        self.paths = list(paths)
        self._options = options or Options()
        self.summary = Summary()
        self.timings = Timings()
        self.total = 0
        self.rows = self.rows_expected = 0
        """Of live databases: read so far, and about how many there are in the tables begun. Of
        live sites: resources."""
        self._begun = 0.0
        self.watch: Callable[[], None] | None = None
        """Called whenever the counts have grown, about once a megabyte."""
        self._lines = _Lines()
        names = self._options.owner_columns
        self._owners = OwnerColumns(names, scanner.fingerprinter) if names else None
        self.tables = TableTally(OwnerTally(self._owners) if self._owners else None)
        """What was reported by table, and what the sources say of theirs."""
        self.exposures = Exposures()
        self._projects = Projects()
        self._folded = Folded({rule.id for rule in scanner.rules if rule.spec.names})
        self._origins = Origins(self.paths, self._options.limits, scanner.safe_name)
        self.profiles: list[tuple[str, ColumnProfile]] = []
        """Of columns of unknown tokens and plaintext passwords, with their source's path."""

    def __iter__(self) -> Iterator[Finding | Skipped]:
        begun = self._begun = time.perf_counter()
        try:
            for unit, result in self._results():
                for finding in self._origins.passed(unit):
                    yield from self._told(finding)
                yield from self._take(unit, result)
                self.summary.seconds = time.perf_counter() - begun
            yield from self.rest()
        finally:
            self.summary.seconds = time.perf_counter() - begun

    def rest(self) -> Iterator[Finding]:
        """What has waited for its origin, and what is said of whole columns. The iteration ends
        with it; one that was interrupted has it still to give."""
        for finding in self._origins.rest():
            yield from self._told(finding)
        self._judge()
        least = self._scanner.min_confidence
        fingerprinter = self._scanner.fingerprinter
        told: set[tuple[str, str, str]] = set()
        for one in column_findings(self.profiles, fingerprinter, least):
            told.add((one.path, one.table or "", one.field or ""))
            yield self.exposures.raised(one)
        for one in self._folded.rest(told, fingerprinter):
            yield self.exposures.raised(one)

    def _judge(self) -> None:
        """The columns that were sampled since."""
        for path, census in self.tables.sampled():
            self.profiles += profiles(path, census, self.tables.share)

    def sums(self) -> Sums:
        """What was reported by source, table and column; who else may read the tables; and which
        keys belong to the same project."""
        tables = [self.exposures.summed(table) for table in self.tables.tables()]
        projects = [*self._projects.joined(tables)]
        sources = [*self.tables.sources(tables)]
        self.summary.in_tables = self.tables.in_all(sources, tables)
        return Sums(sources, tables, [*self.tables.columns()], projects)

    def _results(self) -> Iterator[tuple[Unit, Result]]:
        """Workers read the files. Pipes are read here, in their turn: standard input belongs
        to this process, and what comes out of a pipe goes on at once."""
        with ExitStack() as stack:
            pool = cache(lambda: stack.enter_context(self._pool()))
            for is_stream, items in groupby(self._walk(), _is_stream):
                if is_stream:
                    for item in items:
                        yield from self._scan(Unit((item,)))
                else:
                    units = _units(items, self._walker, self._note, cut=self._options.jobs > 1)
                    yield from self._spread(pool, units)

    def _walk(self) -> Iterator[FileRef | Skipped]:
        beside = Beside(self._options.limits)
        for item in walk(self.paths, exclude=self._options.exclude):
            self.total += _size(item)
            for said in beside.defined(item):
                self._note(said)
            yield item

    def _walker(self, file: FileRef, dialect: Dialect) -> Walker:
        return Walker(file, dialect, self._scanner.fingerprinter.key, self._owners)

    def _pool(self) -> Pool:
        from detector.run.workers import Pool  # most runs need none

        return Pool(self._scanner, self._options.jobs, self._options.limits, self._owners)

    def _spread(
        self, pool: Callable[[], Pool], units: Iterator[Unit]
    ) -> Iterator[tuple[Unit, Result]]:
        """This process begins; workers come when it turns out to be worth it."""
        for unit in units:
            if self._options.jobs > 1 and time.perf_counter() - self._begun >= HEAD_START:
                yield from pool().map(chain([unit], units))
                return
            yield from self._scan(unit)

    def _scan(self, unit: Unit) -> Iterator[tuple[Unit, Result]]:
        options = self._options
        for result in scan_unit(self._scanner, unit, options.limits, self._owners, options.site):
            yield unit, result

    def _take(self, unit: Unit, result: Result) -> Iterator[Finding | Skipped]:
        if isinstance(result, Counts):
            self.summary.bytes_read += result.bytes_read
            self.summary.bytes_scanned += result.bytes_scanned
            self.rows += result.rows
            self.rows_expected += result.rows_expected
            for field in Timings.__struct_fields__:
                both = getattr(self.timings, field) + getattr(result.timings, field)
                setattr(self.timings, field, both)
            if unit.stop is not None:
                self._lines.passed(unit, result)
            if self.watch is not None:
                self.watch()
        elif isinstance(result, Tables):
            self._note(result)
            self._judge()  # all its findings were given: the samples need not be kept
        elif isinstance(result, Seen | Owned):
            self._note(result)
        elif isinstance(result, Skipped):
            self.summary.bytes_skipped += result.nbytes
            yield result
        else:
            finding = self._lines.absolute(unit, result) if unit.stop else result
            for one in self._origins.add(unit, finding):
                yield from self._told(one)

    def _told(self, finding: Finding) -> Iterator[Finding]:
        self._projects.add(finding)
        if finding.table is None:
            yield finding
        elif not self._folded.takes(finding):
            yield self.exposures.raised(finding)

    def _note(self, said: Tables | Seen | Owned) -> None:
        if isinstance(said, Seen):
            self.tables.see(said)
            return
        if isinstance(said, Owned):
            self.tables.own(said)
            return
        self.tables.note(said)
        if said.exposure is not None:
            self.exposures.learn(said.path, said.exposure)
        elif said.ddl:
            self.exposures.define(said.path, said.ddl, complete=said.complete)

    def count(self, finding: Finding) -> None:
        """A finding was reported: the summary counts those, not what a baseline leaves out."""
        self.summary.findings += 1
        by_rule = self.summary.by_rule
        by_rule[finding.rule] = by_rule.get(finding.rule, 0) + 1
        self.tables.add(finding)


class _Lines:
    """Lines of a file that was scanned in pieces: each counts on from the one before."""

    def __init__(self) -> None:
        self._newlines = 0
        self._line_start = 0

    def absolute(self, unit: Unit, finding: Finding) -> Finding:
        if unit.start == 0:
            self._newlines = self._line_start = 0
        if finding.line == 1:  # the line that the piece begins in
            column = finding.start - self._line_start + 1
            return msgspec.structs.replace(finding, line=self._newlines + 1, column=column)
        return msgspec.structs.replace(finding, line=finding.line + self._newlines)

    def passed(self, unit: Unit, counts: Counts) -> None:
        if unit.start == 0:
            self._newlines = self._line_start = 0
        if counts.newlines:
            self._newlines += counts.newlines
            self._line_start = counts.line_start


def _is_stream(item: FileRef | Skipped) -> bool:
    return isinstance(item, FileRef) and item.kind != "file"


def _size(item: FileRef | Skipped) -> int:
    return item.nbytes if isinstance(item, Skipped) else item.size or 0


def _units(
    found: Iterable[FileRef | Skipped],
    walker: Callable[[FileRef, Dialect], Walker],
    note: Callable[[Tables | Seen | Owned], None],
    *,
    cut: bool,
) -> Iterator[Unit]:
    """Files and skips in groups, in the order of the walk. ``cut``: several workers share them,
    so groups are small, and large plain files are cut in pieces; ``note`` is told what they say
    of their tables; ``key``: of the hashes of e-mail addresses."""
    group: list[FileRef | Skipped] = []
    size = 0
    for item in found:
        file = item if cut and isinstance(item, FileRef) else None
        large = file is not None and _is_large(file)
        nbytes = 0 if file is None else _size(file)
        if group and (large or size + nbytes > GROUP_BYTES or len(group) >= GROUP_FILES):
            yield Unit(tuple(group))
            group, size = [], 0
        if file is not None and large:
            yield from _pieces(file, walker, note)
        else:
            group.append(item)
            size += nbytes
    if group:
        yield Unit(tuple(group))


def _pieces(
    file: FileRef,
    walker_over: Callable[[FileRef, Dialect], Walker],
    note: Callable[[Tables | Seen | Owned], None],
) -> Iterator[Unit]:
    """Of a large plain file, each with what is known of the tables where it begins: this process
    goes over the bytes ahead of the workers, at some 900 MB/s for COPY blocks."""
    size = _size(file)
    dialect = dialect_of(file)
    for ahead in defined_ahead(file, dialect):
        note(ahead)
    walker = None if dialect is None else walker_over(file, dialect)
    try:
        for start in range(0, size, PIECE):
            layout = None
            if dialect is not None and walker is not None:
                layout = dialect, walker.state_at(start)
                for passed in walker.passed():
                    note(passed)
            yield Unit((file,), start, min(start + PIECE, size), layout)
        if walker is not None:
            walker.state_at(size)
            for rest in walker.told():
                note(rest)
    finally:  # also of a run that is interrupted
        if walker is not None:
            walker.close()


def _is_large(file: FileRef) -> bool:
    """Whether it is worth to be cut, and can be."""
    return file.kind == "file" and _size(file) >= 2 * PIECE and _is_plain(file)


def _is_plain(file: FileRef) -> bool:
    if kind_of_file(file.path) is not None:
        return False
    with open_entries(file) as entries:
        first = next(entries, None)
        if not isinstance(first, Entry) or not first.plain or first.table is not None:
            return False
        # Of a mail its reader needs all; one with encoded parts is not scanned in pieces.
        head = first.peek(HEAD)
        return mail_kind(first.path, head) is None and not must_be_whole(file, first.path, head)
