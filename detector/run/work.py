"""One unit of work: files, or a piece of a large one, from bytes to results.

The same functions serve the main process and the workers. Results are yielded as they
come, so a unit needs constant memory however much it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

import msgspec

from detector.addresses import Addresses
from detector.bundles.script import is_script
from detector.chats.layout import ChatLayout
from detector.chats.mail import Mails, mail_kind
from detector.cluster import Group
from detector.columns import Chunk, Item, TableInfo, kind_of, none, open_columns
from detector.errors import UsageError
from detector.live import Relation, address_of, open_database
from detector.run.chunks import in_values, scan_chunk
from detector.run.docket import Waiting, in_turn
from detector.run.hexes import Hexes
from detector.run.layouts import HEAD, defined_ahead, kind_of_file, layout_of, opened, told
from detector.run.mails import in_mails
from detector.run.maps import InlineMap, in_map, may_be_map
from detector.run.messages import in_messages
from detector.run.owners import Owned, OwnerColumns
from detector.run.tables import Tables, seen
from detector.run.unit import READ, Counts, Result, Unit, guarded
from detector.scanner import Scanner
from detector.site import Known, SiteOptions, open_site, shown
from detector.sources import (
    Entry,
    FileRef,
    Limits,
    RangeReader,
    entry_of,
    open_entries,
    open_range,
    printable,
)
from detector.stream import Window
from detector.tables.census import Census
from detector.tables.layout import Layout
from detector.tables.spans import Spans
from detector.tables.sql import Sql, block
from detector.types import Finding, Skipped

PIECE = 4 << 20  # bytes: a dump with a key in every row gives 25,000 findings in them
PACKED = 256 << 20  # bytes of columns that are unpacked into memory at most
SAMPLED = 64  # values sampled of a chunk
OVERLAP = 1 << 16  # bytes read before a piece: four times the longest match and its context


def scan_unit(
    scanner: Scanner,
    unit: Unit,
    limits: Limits,
    owners: OwnerColumns | None = None,
    site: SiteOptions | None = None,
) -> Iterator[Result]:
    """Findings and skips of a unit; Counts now and then, their sums being the totals. ``site``: how
    sites are visited."""
    parts = [unit] if unit.stop is not None else [Unit((item,)) for item in unit.files]
    results = (guarded(_scan(scanner, part, limits, owners, site), part) for part in parts)
    return in_turn(scanner, chain.from_iterable(results))


def _scan(
    scanner: Scanner,
    unit: Unit,
    limits: Limits,
    owners: OwnerColumns | None,
    site: SiteOptions | None,
) -> Iterator[Result | Waiting]:
    (item,) = unit.files
    if isinstance(item, Skipped):
        yield item
    elif item.kind == "database":
        yield from _scan_database(scanner, unit, owners)
    elif item.kind == "site":
        yield from _scan_site(scanner, unit, site or SiteOptions(), owners)
    elif unit.stop is None:
        yield from _scan_file(scanner, unit, limits, owners)
    else:
        yield from _scan_piece(scanner, unit)


def _scan_file(
    scanner: Scanner, unit: Unit, limits: Limits, owners: OwnerColumns | None
) -> Iterator[Result | Waiting]:
    file = unit.file
    if file.kind == "file" and (kind := kind_of_file(file.path)) is not None:
        also = none if owners is None else owners.wanted
        items = open_columns(file.path, file.name, kind=kind, also=also)
        yield from _scan_columns(scanner, unit, file.name, items, owners)
        yield Counts(bytes_read=file.size or 0)
        return
    read = 0
    with open_entries(file, limits) as entries:
        for entry in entries:
            if isinstance(entry, Skipped):
                yield entry
            else:
                yield from _scan_entry(scanner, unit, entry, owners)
            yield Counts(bytes_read=entries.bytes_read - read)
            read = entries.bytes_read


def _scan_entry(
    scanner: Scanner, unit: Unit, entry: Entry, owners: OwnerColumns | None
) -> Iterator[Result | Waiting]:
    # Of a pipe, what is certain is given at once; spans of UTF-16 are known for a while only.
    prompt = unit.file.kind == "stream" or entry.encoding is not None
    window = Window(scanner, path=entry.path, prompt=prompt)
    count = entry.readinto(window.space()[:READ])
    head = bytes(window.buffer[: min(count, HEAD)])
    if entry.encoding is None and (kind := kind_of(head)) is not None:
        begun = bytes(window.buffer[:count])
        yield from _scan_packed_columns(scanner, unit, entry, begun, kind, owners)
        return
    if entry.encoding is None and may_be_map(entry.path, head):
        found = in_map(scanner, unit, entry, bytes(window.buffer[:count]))
        if found is not None:
            yield from found
            return
        count = entry.readinto(window.space()[:READ])
    if entry.encoding is None and (mail := mail_kind(entry.path, head)) is not None:
        window.tracker.layout = mails = Mails(mail)
        results = _scan_text(scanner, unit, entry, window, count)
        yield from in_mails(results, scanner, window, mails, entry.path)
        yield from _timed(window, entry.path)
        return
    census = Census()
    spans = None if owners is None else owners.spans()
    window.tracker.layout = layout = layout_of(scanner, unit.file, entry, head, census, spans)
    if entry.plain and layout is not None:
        yield from defined_ahead(unit.file, layout.dialect)
    owned = partial(_owned, owners, entry.path, spans)
    results = _scan_text(scanner, unit, entry, window, count, owned)
    yield from in_messages(results, window, layout) if isinstance(layout, ChatLayout) else results
    yield from owned()
    yield from told(entry.path, census)
    yield from _timed(window, entry.path)


def _timed(window: Window, path: str) -> Iterator[Result]:
    yield from window.timed_out(path)
    yield Counts(timings=window.tracker.timings)


def _nobody() -> Iterator[Owned]:
    return iter(())


def _scan_text(
    scanner: Scanner,
    unit: Unit,
    entry: Entry,
    window: Window,
    count: int,
    owned: Callable[[], Iterator[Owned]] = _nobody,
) -> Iterator[Result | Waiting]:
    """``count`` bytes of it are in the window's space already. ``owned``: the owners met since."""
    layout, scanned = window.tracker.layout, count
    tables = layout is not None and not isinstance(layout, Mails)
    hexes = Hexes(scanner, entry.path) if tables else None
    if hexes is not None:
        window.tracker.leave_hexes()
    addresses = Addresses(scanner.fingerprinter.key) if tables else None
    inline = InlineMap(entry.path) if not entry.encoding and is_script(entry.path) else None
    while count:
        if inline is not None:
            inline.look(window, count)
        if addresses is not None:
            addresses.look(window.buffer[window.size : window.size + count])
            yield from seen(entry.path, addresses, last=False)
        if hexes is not None:
            yield from _in_source(entry, hexes.look(window, count))
        yield from _found(scanner, unit, entry, window.commit(count))
        yield from owned()
        if entry.encoding:
            entry.forget(window.base)
        yield Counts(bytes_scanned=count)
        count = entry.readinto(window.space()[:READ])
        scanned += count
    yield from _found(scanner, unit, entry, window.finish())
    if inline is not None:
        yield from inline.sources(scanner, unit)
    if layout is not None and hexes is not None:
        yield from _in_source(entry, hexes.finish())
        layout.pass_to(window.buffer, window.base, window.end)
        if isinstance(layout, Layout):
            layout.finish()
    if addresses is not None:
        yield from seen(entry.path, addresses, last=True)
    if entry.skipped is not None:
        yield entry.skipped
    elif entry.size is not None and scanned < entry.size and entry.plain:
        yield _shorter(entry.path, entry.size - scanned)


def _owned(owners: OwnerColumns | None, path: str, spans: Spans | None) -> Iterator[Owned]:
    """The owners that were met since."""
    if owners is not None and spans is not None:
        yield from owners.of_values(path, spans.take())


def _scan_database(
    scanner: Scanner, unit: Unit, owners: OwnerColumns | None
) -> Iterator[Result | Waiting]:
    address = address_of(unit.file.path)
    if address is None:
        raise UsageError("no URL of a database")
    census = Census()
    for relation in open_database(address):
        if isinstance(relation, Skipped):
            yield relation
        elif isinstance(relation, Relation):
            yield Counts(rows_expected=relation.rows)
            yield from _scan_relation(scanner, unit, relation, census, owners)
        else:
            yield Tables(address.shown, [], [], exposure=relation)
    yield from told(address.shown, census)


def _scan_site(
    scanner: Scanner, unit: Unit, options: SiteOptions, owners: OwnerColumns | None
) -> Iterator[Result | Waiting]:
    """Each resource is an entry with its URL as its path."""
    safe = scanner.safe_name
    for item in open_site(unit.file.path, options):
        if isinstance(item, Skipped):
            yield msgspec.structs.replace(item, path=safe(printable(item.path)) or "")
        elif isinstance(item, Known):
            yield Counts(rows_expected=item.number)
        else:
            yield Counts(bytes_read=len(item.data), rows=1)
            path = safe(printable(shown(item.url))) or ""
            yield from _scan_entry(scanner, unit, entry_of(path, item.data), owners)


def _scan_relation(
    scanner: Scanner, unit: Unit, relation: Relation, census: Census, owners: OwnerColumns | None
) -> Iterator[Result | Waiting]:
    path = unit.file.name
    spans = None if owners is None else owners.spans()
    state = block(relation.name, relation.columns)
    layout = Layout(Sql(), state=state, census=census, spans=spans)
    window = Window(scanner, path=path, prompt=False, layout=layout)
    hexes = Hexes(scanner, path)
    window.tracker.leave_hexes()
    findings = partial(scanner.findings, path=path)
    addresses = Addresses(scanner.fingerprinter.key)
    census.count(relation.name, relation.columns, 0)
    for piece in relation.data:
        if isinstance(piece, Skipped):
            yield piece
            continue
        addresses.look(piece)
        for begin in range(0, len(piece), OVERLAP):
            part = piece[begin : begin + OVERLAP]
            window.space()[: len(part)] = part
            yield from hexes.look(window, len(part))
            if groups := window.commit(len(part)):
                yield Waiting(unit, groups, findings)
        yield from _owned(owners, path, spans)
        size = len(piece)
        yield Counts(bytes_read=size, bytes_scanned=size, rows=piece.count(b"\n"))
    yield from hexes.finish()
    yield from seen(path, addresses, last=True)
    yield Waiting(unit, window.finish(), findings)
    layout.pass_to(window.buffer, window.base, window.end)
    layout.finish()
    yield from _owned(owners, path, spans)
    yield from window.timed_out(path)
    yield Counts(timings=window.tracker.timings)


def _scan_packed_columns(
    scanner: Scanner,
    unit: Unit,
    entry: Entry,
    begun: bytes,
    kind: str,
    owners: OwnerColumns | None,
) -> Iterator[Result | Waiting]:
    """Columns in an archive or a compression: their readers must jump, so they are unpacked into
    memory, up to a bound. Nothing is ever unpacked to the disk."""
    data, buffer = bytearray(begun), memoryview(bytearray(READ))
    while len(data) <= PACKED and (count := entry.readinto(buffer)):
        data += buffer[:count]
    if len(data) > PACKED:
        reason = f"{kind} of more than {PACKED >> 20} MB inside of another file"
        yield Skipped(path=entry.path, reason=reason, nbytes=len(data))
        return
    also = none if owners is None else owners.wanted
    items = open_columns(entry.path, entry.path, kind=kind, data=bytes(data), also=also)
    yield from _scan_columns(scanner, unit, entry.path, items, owners)
    if entry.skipped is not None:
        yield entry.skipped


def _scan_columns(
    scanner: Scanner, unit: Unit, path: str, items: Iterator[Item], owners: OwnerColumns | None
) -> Iterator[Result | Waiting]:
    census, addresses = Census(), Addresses(scanner.fingerprinter.key)
    try:
        for item in items:
            if isinstance(item, Skipped):
                yield item
                continue
            if isinstance(item, TableInfo):
                census.count(item.table, item.columns, item.rows)
                continue
            if owners is not None:
                yield from owners.of_chunk(path, item)
            if item.is_text:
                tracker, groups = scan_chunk(scanner, path, item)
                addresses.look(item.data)
                yield from seen(path, addresses, last=False)
                census.column(item.table, item.field, _sample(item))
                if groups:
                    yield Waiting(unit, groups, partial(_in_chunk, scanner, path, item))
                yield Counts(bytes_scanned=len(item.data), timings=tracker.timings)
    except UsageError as error:
        yield Skipped(path=path, reason=str(error), nbytes=unit.file.size or 0)
    yield from seen(path, addresses, last=True)
    yield from told(path, census)


def _in_chunk(
    scanner: Scanner, path: str, chunk: Chunk, groups: Sequence[Group]
) -> Iterator[Finding]:
    return in_values(chunk, scanner.findings(groups, path))


def _sample(chunk: Chunk) -> list[bytes | None]:
    """Some values, from all over the chunk."""
    count = len(chunk.offsets) - 1
    step = max(1, count // SAMPLED)
    data, offsets = chunk.data, chunk.offsets
    return [
        bytes(data[int(offsets[n]) : int(offsets[n + 1]) - 1]) or None
        for n in range(0 if chunk.first_row else 1, count, step)  # not the headings
    ]


def _found(
    scanner: Scanner, unit: Unit, entry: Entry, groups: list[Group]
) -> Iterator[Finding | Waiting]:
    if entry.encoding is None:
        if groups:
            yield Waiting(unit, groups, partial(scanner.findings, path=entry.path))
        return
    yield from _in_source(entry, scanner.findings(groups, entry.path))


def _in_source(entry: Entry, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Where they stand in the source as its user has it."""
    if entry.encoding is None:
        yield from findings
        return
    for finding in findings:
        start, end = entry.source_span(finding.start, finding.end)
        yield msgspec.structs.replace(finding, start=start, end=end)


def _scan_piece(scanner: Scanner, unit: Unit) -> Iterator[Result | Waiting]:
    file, start = unit.file, unit.start
    layout = None
    if unit.layout is not None:
        dialect, state = unit.layout
        layout = opened(scanner, file, file.name, dialect, base=start, state=state)
    begin = max(0, start - OVERLAP)
    window = Window(scanner, base=begin, path=file.name, prompt=False, layout=layout)
    results = _scan_range(scanner, unit, window)
    yield from (
        in_messages(results, window, layout, file) if isinstance(layout, ChatLayout) else results
    )


def _scan_range(scanner: Scanner, unit: Unit, window: Window) -> Iterator[Result | Waiting]:
    """Findings that begin in the unit's range; lines count from 0 where that begins."""
    file, start, stop = unit.file, unit.start, unit.stop or 0
    reader = open_range(file, window.base)
    if isinstance(reader, Skipped):
        yield msgspec.structs.replace(reader, nbytes=stop - start)
        return
    layout, lines = window.tracker.layout, window.tracker.lines
    hexes = None if layout is None else Hexes(scanner, file.name)
    if hexes is not None:
        window.tracker.leave_hexes()

    def findings(groups: Sequence[Group]) -> Iterator[Finding]:
        (clusters,) = scanner.settled([groups])
        own = [cluster for cluster in clusters if start <= cluster.start < stop]
        yield from map(counted, scanner.findings(own, file.name))

    def counted(finding: Finding) -> Finding:
        return msgspec.structs.replace(finding, line=finding.line - before)

    with reader:
        while window.end < start and (n := reader.readinto(window.space()[: start - window.end])):
            window.commit(n)
        before = lines.count(window.buffer, min(start, window.end))[0]
        if hexes is not None:
            hexes.begin_behind(bytes(window.buffer[max(0, window.size - 2) : window.size]))
        while window.end < stop and (
            n := reader.readinto(window.space()[: min(READ, stop - window.end)])
        ):
            if hexes is not None:
                yield from map(counted, hexes.look(window, n))
            yield Waiting(unit, window.commit(n), findings)
            yield Counts(bytes_read=n, bytes_scanned=n)
        missing = stop - max(start, window.end)
        # Now: once the window goes on, these lines are behind it.
        newlines, line_start = lines.count(window.buffer, window.end)
        while window.unsettled_before(stop) and (n := reader.readinto(window.space()[:OVERLAP])):
            yield Waiting(unit, window.commit(n), findings)
        yield Waiting(unit, window.finish(), findings)
        if hexes is not None:
            yield from map(counted, _rest_of(hexes, file, stop))
    if reader.skipped is not None:
        yield msgspec.structs.replace(reader.skipped, nbytes=missing)
    elif missing:
        yield _shorter(file.name, missing)
    yield from window.timed_out(file.name)
    yield Counts(newlines=newlines - before, line_start=line_start, timings=window.tracker.timings)


def _rest_of(hexes: Hexes, file: FileRef, stop: int) -> Iterator[Finding]:
    """Of digits that go on behind a piece."""
    reader = open_range(file, stop) if hexes.is_open else None
    if isinstance(reader, RangeReader):
        with reader:
            buffer = memoryview(bytearray(OVERLAP))
            while hexes.is_open and (n := reader.readinto(buffer)):
                yield from hexes.go_on(bytes(buffer[:n]))
    yield from hexes.finish()


def _shorter(path: str, missing: int) -> Skipped:
    return Skipped(path=path, reason="became shorter while it was read", nbytes=missing)
