"""Findings in bundles wait for the end of their file: then its map says where they come from.

Nothing is known of a map while its bundle is scanned: it may follow in the archive, or lie beside.
So files with findings, and those only, are read once more, and then their maps. What stands in a
map's sources waits for the end of the run, and is left out where the bundle has told it.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from detector.bundles.script import (
    inline_map,
    is_script,
    map_url,
    maps_beside,
    positions,
    utf16_length,
)
from detector.bundles.shipped import is_shipped, raised
from detector.bundles.sourcemap import LONGEST, Place, SourceMap, read_map
from detector.run.unit import READ, Unit
from detector.sources import Entry, FileRef, Limits, open_entries, printable
from detector.types import Finding

HELD = 4096  # findings of a file that wait at most; those behind them go on without an origin
KNOWN = 1 << 16  # secrets with their sources that are remembered
ABOVE = 8  # folders looked through for the page that a file belongs to
LINES = 16  # of a source behind the place that the map gives: a call may have long arguments

_MAY_BE_SHIPPED = re.compile(
    r"(?:\.(?:js|mjs|cjs|css|html?|json|webmanifest|txt|svg)(?:\.gz|\.br|\.zst)?|"
    r"(?:^|[/\\!])\.env[^/\\!]*)$",
    re.IGNORECASE,
)
_LINE_END = re.compile(rb"\r\n|[\n\r]|\xe2\x80[\xa8\xa9]")

Safe = Callable[[str | None], str | None]


class Origins:
    """``add`` findings and get back what need not wait; ``rest`` at the end of the run."""

    def __init__(self, roots: Iterable[str], limits: Limits, safe: Safe) -> None:
        """``roots``: what the user wants to be scanned. ``safe``: a source's name as it may be
        shown."""
        self._roots = [os.path.realpath(root) for root in roots]
        self._limits, self._safe = limits, safe
        self._file: FileRef | None = None
        self._held: list[Finding] = []
        self._spent = False
        self._known: set[tuple[str, str]] = set()
        self._shipped: set[str] = set()
        self._in_maps: deque[Finding] = deque()

    def add(self, unit: Unit, finding: Finding) -> Iterator[Finding]:
        """One finding, in its turn."""
        file = self._file_of(unit, finding.path)
        if file != self._file:
            yield from self._ended()
            self._file, self._spent = file, False
        if file is None or file.kind != "file" or finding.table is not None:
            yield finding
        elif stands_in_map(finding):
            self._in_maps.append(finding)
            if len(self._in_maps) > HELD:
                yield from self._unless_known(self._in_maps.popleft())
        elif self._spent or not (self._held or _MAY_BE_SHIPPED.search(finding.path)):
            yield finding
        else:
            self._held.append(finding)
            if len(self._held) >= HELD:
                yield from self._ended()
                self._spent = True

    def passed(self, unit: Unit) -> Iterator[Finding]:
        """What has waited, if its file is not among those of a unit."""
        if self._held and self._file not in unit.files:
            yield from self._ended()

    def rest(self) -> Iterator[Finding]:
        """All that waits, at the end."""
        yield from self._ended()
        while self._in_maps:
            yield from self._unless_known(self._in_maps.popleft())

    def _file_of(self, unit: Unit, path: str) -> FileRef | None:
        last = self._file
        for file in (last, *unit.files) if last in unit.files else unit.files:
            if isinstance(file, FileRef) and _holds(file.name, path):
                return file
        return None

    def _ended(self) -> Iterator[Finding]:
        held, self._held = self._held, []
        if self._file is None or not held:
            return
        for finding in _Reading(self._file, held, self._roots, self._limits, self._safe).told():
            if finding.origin is not None and len(self._known) < KNOWN:
                self._known.add((finding.fingerprint, finding.origin["path"]))
            if finding.claims.get("shipped") and len(self._shipped) < KNOWN:
                self._shipped.add(finding.path)
            yield finding

    def _unless_known(self, finding: Finding) -> Iterator[Finding]:
        source = (finding.origin or {})["path"]
        if (finding.fingerprint, source) in self._known:
            return
        path = finding.path[: -len(source) - 1]
        yield raised(finding) if self._is_shipped(path) else finding

    def _is_shipped(self, path: str) -> bool:
        """Of a map, or of a script that carries one: with its script, or for where it lies."""
        if path in self._shipped or path.removesuffix(".map") in self._shipped:
            return True
        below = "!" not in path and _below_page(path, self._roots)
        return is_shipped(_slashed(path), b"", below_page=below)


def stands_in_map(finding: Finding) -> bool:
    """Whether a finding is of a source that a map holds."""
    source = (finding.origin or {}).get("path")
    return source is not None and finding.path.endswith(f"!{source}")


def placed(
    findings: Sequence[Finding], bundle: bytes, source_map: SourceMap, safe: Safe
) -> list[Finding]:
    """Findings of a bundle with their origins, as far as the map knows them."""
    ordered = sorted(range(len(findings)), key=lambda n: findings[n].start)
    asked = positions(bundle, [findings[n].start for n in ordered])
    out = list(findings)
    by_source: dict[tuple[int, int], list[tuple[int, Place]]] = {}
    for n, place in zip(ordered, source_map.places(asked), strict=True):
        if place is not None:
            by_source.setdefault((place.part, place.number), []).append((n, place))
    for found in by_source.values():
        text = source_map.content(found[0][1])
        lines = [] if text is None else _LINE_END.split(text)
        for n, place in found:
            line, column = _exactly(lines, place, findings[n].secret.reveal())
            source = safe(printable(place.source))
            origin = {"path": source, "line": line, "column": column}
            out[n] = msgspec.structs.replace(findings[n], origin=origin)
    return out


def _exactly(lines: Sequence[bytes], place: Place, secret: bytes) -> tuple[int, int]:
    """Where the secret itself begins: a map leads to the expression that it stands in. As the map
    says where it does not stand there, since the bundler has put it in."""
    for number in range(place.line - 1, min(place.line - 1 + LINES, len(lines))):
        line = lines[number]
        at = line.find(secret)
        while at >= 0 and number == place.line - 1 and utf16_length(line[:at]) + 1 < place.column:
            at = line.find(secret, at + 1)
        if at >= 0:
            return number + 1, utf16_length(line[:at]) + 1
    return place.line, place.column


class _Script:
    """A file with findings: what its bytes say."""

    def __init__(self, path: str, findings: Sequence[Finding], data: bytes, safe: Safe) -> None:
        self.findings = findings
        self.shipped = {below: is_shipped(path, data, below_page=below) for below in (False, True)}
        self.maps: list[str] = []
        self._safe = safe
        if is_script(path):
            url = map_url(data)
            if not self._try(data, inline_map(url) if url is not None else None):
                self.maps = maps_beside(path, url)

    def _try(self, data: bytes, found: bytes | None) -> bool:
        source_map = None if found is None else read_map(found)
        if source_map is not None:
            self.findings = placed(self.findings, data, source_map, self._safe)
        return source_map is not None

    def place(self, data: bytes, found: bytes) -> bool:
        """Whether ``found`` is a map. ``data``: the script again."""
        return self._try(data, found)


class _Reading:
    """A file, read once more for what was found in it."""

    def __init__(
        self,
        file: FileRef,
        held: Sequence[Finding],
        roots: Sequence[str],
        limits: Limits,
        safe: Safe,
    ) -> None:
        self._file, self._held, self._roots, self._limits = file, held, roots, limits
        self._safe = safe
        self._pages: set[str] = set()

    def told(self) -> Iterator[Finding]:
        """The findings in their order, with origins and with what being shipped means."""
        by_path: dict[str, list[Finding]] = {}
        for finding in self._held:
            by_path.setdefault(finding.path, []).append(finding)
        scripts = {
            path: _Script(_slashed(path), by_path[path], data, self._safe)
            for path, data in self._members(self._file, by_path)
        }
        self._find_maps(scripts)
        each = {
            path: iter(self._judged(path, scripts.get(path), found))
            for path, found in by_path.items()
        }
        for finding in self._held:
            yield next(each[finding.path])

    def _judged(
        self, path: str, script: _Script | None, found: Sequence[Finding]
    ) -> Sequence[Finding]:
        if script is None:
            return found
        below = (
            _below_page(self._file.path, self._roots)
            if path == self._file.name
            else any(_slashed(path).startswith(page) for page in self._pages)
        )
        return [*map(raised, script.findings)] if script.shipped[below] else script.findings

    def _find_maps(self, scripts: Mapping[str, _Script]) -> None:
        for path, script in scripts.items():
            if path == self._file.name:
                self._find_on_disk(path, script)
        wanted = {
            one: (path, rank)
            for path, script in scripts.items()
            if path != self._file.name
            for rank, one in enumerate(script.maps)
        }
        if wanted:
            self._find_in_archive(wanted, scripts)

    def _find_on_disk(self, path: str, script: _Script) -> None:
        for one in script.maps:
            name = os.path.normpath(one)
            if not self._is_allowed(name):
                continue
            ref = FileRef(name, "file", Path(name).stat().st_size)
            for _, found in self._members(ref, (ref.name,)):
                for _, data in self._members(self._file, (path,)):
                    if script.place(data, found):
                        return

    def _is_allowed(self, name: str) -> bool:
        """Whether it is there, beside the file or in what the user wants to be scanned."""
        try:
            if not Path(name).is_file():
                return False
        except (OSError, ValueError):
            return False
        real = os.path.realpath(name)
        folder = os.path.realpath(Path(self._file.path).parent)
        return any(_is_below(real, root) for root in (folder, *self._roots))

    def _find_in_archive(
        self, wanted: Mapping[str, tuple[str, int]], scripts: Mapping[str, _Script]
    ) -> None:
        found: dict[str, tuple[int, bytes]] = {}
        kept = 0
        for name, data in self._members(self._file, wanted):
            path, rank = wanted[name]
            if (path not in found or rank < found[path][0]) and kept + len(data) <= 2 * LONGEST:
                found[path] = rank, data
                kept += len(data)
        for path, data in self._members(self._file, tuple(found)) if found else ():
            if path in found:
                scripts[path].place(data, found.pop(path)[1])

    def _members(self, file: FileRef, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of some entries of a file, of those that are not too long."""
        with open_entries(file, self._limits) as entries:
            for entry in entries:
                if not isinstance(entry, Entry):
                    continue
                path = entry.path
                if path.endswith(("/index.html", "!index.html")):
                    self._pages.add(path.removesuffix("index.html"))
                if path in wanted and not entry.encoding and (data := _read(entry)) is not None:
                    yield path, data


def _read(entry: Entry) -> bytes | None:
    data, buffer = bytearray(), memoryview(bytearray(READ))
    while len(data) <= LONGEST and (count := entry.readinto(buffer)):
        data += buffer[:count]
    return bytes(data) if len(data) <= LONGEST else None


def _holds(name: str, path: str) -> bool:
    return path.startswith(name) and path[len(name) : len(name) + 1] in ("", "!")


def _below_page(path: str, roots: Sequence[str]) -> bool:
    """Whether a page lies in the folder of a file, or in one above it that is to be scanned."""
    folder = Path(os.path.realpath(path)).parent
    for _ in range(ABOVE):
        if (folder / "index.html").is_file():
            return True
        if not any(_is_below(str(folder.parent), root) for root in roots):
            return False
        folder = folder.parent
    return False


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")
