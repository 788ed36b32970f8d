"""Source maps as what they are: the sources in them are scanned as files of their own.

Their bytes are JSON with escapes, and most of them are mappings, in which there is nothing to find.
What else stands in a map is scanned where it stands, but for the names of variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import msgspec

from detector.bundles.script import MARK, inline_map, is_script, unpacked, utf16_length
from detector.bundles.sourcemap import LONGEST, SourceMap, kept_apart, read_map
from detector.cluster import Group
from detector.run.docket import Waiting
from detector.run.unit import READ, Counts, Result, Unit
from detector.scanner import Scanner
from detector.sources import Entry, FileRef, RangeReader, open_range, printable
from detector.stream import Window
from detector.tracker import Tracker
from detector.types import Finding, Skipped

_BEGIN = re.compile(rb"\s*(?:\{|\)\]\}')")
_URL_END = re.compile(rb"[\s'\"*`\\]")
_INLINE = MARK + b"data:"
_TAIL = 4096
BATCH = 256  # sources that the engine is shown together
_PACKAGES = "/node_modules/"
"""In the sources of packages that everybody can have, comments are full of examples: only what has
a format counts there."""
_ENDS_INLINE = re.compile(rb"[A-Za-z0-9+/=%_-]{256}\s*(?:\*/)?\s*$")


def may_be_map(path: str, head: bytes) -> bool:
    """Whether a file is named like a source map, and begins like one."""
    return unpacked(path.lower()).endswith(".map") and _BEGIN.match(head) is not None


def must_be_whole(file: FileRef, path: str, head: bytes) -> bool:
    """Whether a plain file cannot be cut in pieces: a map, or a script that ends with its map."""
    if may_be_map(path, head):
        return (file.size or 0) <= LONGEST
    if not is_script(path) or (file.size or 0) > 2 * LONGEST:
        return False
    reader = open_range(file, max(0, (file.size or 0) - _TAIL))
    if not isinstance(reader, RangeReader):
        return False
    with reader:
        buffer = bytearray(_TAIL)
        count = reader.readinto(memoryview(buffer))
    return _INLINE in buffer or _ENDS_INLINE.search(buffer[:count]) is not None


def in_map(
    scanner: Scanner, unit: Unit, entry: Entry, begun: bytes
) -> Iterator[Result | Waiting] | None:
    """The results of an entry that begins with ``begun``; None, with all bytes given back to it,
    where it is no map, or too long a one."""
    data, buffer = bytearray(begun), memoryview(bytearray(READ))
    while len(data) <= LONGEST and (count := entry.readinto(buffer)):
        data += buffer[:count]
    source_map = read_map(data) if len(data) <= LONGEST else None
    if source_map is None:
        entry.give_back(data)
        return None
    return _in_map(scanner, unit, entry, data, source_map)


def _in_map(
    scanner: Scanner, unit: Unit, entry: Entry, data: bytearray, source_map: SourceMap
) -> Iterator[Result | Waiting]:
    yield from in_sources(scanner, unit, entry.path, source_map)
    for begin, end in [*kept_apart(data, source_map)]:
        data[begin:end] = b" " * (end - begin)
    del source_map  # its parts are looked at in what is blank by now
    path, rest = entry.path, bytes(data)
    yield Counts(bytes_scanned=len(rest))
    yield from _in_text(scanner, unit, path, rest, partial(scanner.findings, path=path))
    if entry.skipped is not None:
        yield entry.skipped


def in_sources(
    scanner: Scanner, unit: Unit, path: str, source_map: SourceMap
) -> Iterator[Result | Waiting]:
    """What is found in the sources that a map at ``path`` holds."""
    sources: list[str] = []
    texts: list[bytes] = []
    size = 0
    for part in source_map.parts:
        for number in range(len(part.contents)):
            if text := part.content(number):
                sources.append(printable(part.source(number)))
                texts.append(text)
                size += len(text)
            if len(texts) >= BATCH or size >= READ:
                yield from _in_texts(scanner, unit, path, sources, texts)
                sources, texts, size = [], [], 0
    yield from _in_texts(scanner, unit, path, sources, texts)


def _in_texts(
    scanner: Scanner, unit: Unit, path: str, sources: Sequence[str], texts: Sequence[bytes]
) -> Iterator[Result | Waiting]:
    """Most sources hold nothing: the engine is asked for all at once, and each costs 20 times as
    much alone."""
    yield Counts(bytes_scanned=sum(map(len, texts)))
    for number in scanner.hit_items(texts):
        source, text = sources[number], texts[number]
        found = partial(_from_source, scanner, path, source, text)
        yield from _in_text(scanner, unit, f"{path}!{source}", text, found)


def _in_text(
    scanner: Scanner,
    unit: Unit,
    path: str,
    text: bytes,
    found: Callable[[Sequence[Group]], Iterable[Finding]],
) -> Iterator[Result | Waiting]:
    tracker = Tracker(scanner.machinery, path=path, prompt=False)
    if groups := tracker.advance(text, len(text), final=True):
        yield Waiting(unit, groups, found)
    for rule, position in tracker.timeouts:
        yield Skipped(path=path, reason=f"rule {rule} took too long at byte {position}")
    yield Counts(timings=tracker.timings)


def _from_source(
    scanner: Scanner, path: str, source: str, text: bytes, groups: Sequence[Group]
) -> Iterator[Finding]:
    name = scanner.safe_name(source)
    for one in scanner.findings(groups, path):
        if one.provider == "generic" and _PACKAGES in f"/{source}":
            continue
        begin = one.start - one.column + 1
        column = utf16_length(text[begin : one.start]) + 1
        origin = {"path": name, "line": one.line, "column": column}
        yield msgspec.structs.replace(one, path=f"{path}!{name}", origin=origin)


class InlineMap:
    """Watches a script go by, and keeps the map that it carries in its last comment."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._url = bytearray()
        self._open = False

    def look(self, window: Window, count: int) -> None:
        """``count`` bytes were put into the window's space, and not committed yet."""
        begin, end = window.size, window.size + count
        buffer = window.buffer
        if self._open:
            begin = self._take(buffer, begin, end)
        begin = max(0, begin - len(_INLINE) + 1)  # a window keeps the last kilobyte
        while not self._open and (at := buffer.find(_INLINE, begin, end)) >= 0:
            self._url, self._open = bytearray(), True
            begin = self._take(buffer, at + len(MARK), end)

    def sources(self, scanner: Scanner, unit: Unit) -> Iterator[Result | Waiting]:
        """What is found in the sources of the map, when all has gone by."""
        data = inline_map(bytes(self._url))
        self._url = bytearray()
        source_map = None if data is None or len(data) > LONGEST else read_map(data)
        if source_map is not None:
            yield from in_sources(scanner, unit, self._path, source_map)

    def _take(self, buffer: bytearray, begin: int, end: int) -> int:
        stop = _URL_END.search(buffer, begin, end)
        self._open = stop is None
        until = end if stop is None else stop.start()
        if len(self._url) + until - begin > 2 * LONGEST:
            self._url, self._open = bytearray(), False
        else:
            self._url += memoryview(buffer)[begin:until]
        return until
