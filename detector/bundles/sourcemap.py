"""Source maps, version 3: their sources, and where in them a position of the bundle comes from.

Read as far as is needed: contents stay the JSON that they are until somebody asks for one.

https://tc39.es/ecma426/
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from detector.bundles.mappings import Original, originals

LONGEST = 64 << 20  # bytes of a map that is read as one; a longer one is text
DEPTH = 8  # sections in sections
SECTIONS = 1 << 14  # of a map at most: one for each module of a large application
SOURCES = 1 << 18  # with a content, in all sections; what has more is text

_GUARD = re.compile(rb"\)\]\}'[^\n]*\n")  # a line that keeps browsers from running it
_BEFORE = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*/+|/+|(?:\.\.?/+)+", re.IGNORECASE)
_NOTHING = msgspec.Raw(b"null")


class _Json(msgspec.Struct):
    version: int | str = 0
    mappings: msgspec.Raw = _NOTHING
    names: msgspec.Raw = _NOTHING
    sections: msgspec.Raw = _NOTHING
    sources: msgspec.Raw = _NOTHING
    sourcesContent: msgspec.Raw = _NOTHING  # noqa: N815
    sourceRoot: msgspec.Raw = _NOTHING  # noqa: N815


class _Offset(msgspec.Struct):
    line: int
    column: int


class _Section(msgspec.Struct):
    offset: _Offset
    map: msgspec.Raw


T = TypeVar("T")
_MAP = msgspec.json.Decoder(_Json | None)
_SECTION = msgspec.json.Decoder(_Section | None)
_TEXT = msgspec.json.Decoder(str | None)
_NAMES = msgspec.json.Decoder(list[str | None] | None)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw] | None)


class Place(NamedTuple):
    """Where something comes from: a source, its line and its column in UTF-16 units, from 1."""

    source: str
    line: int
    column: int
    part: int
    """The part of the map that has it, and there its number among the sources, from 0."""
    number: int


class Part(NamedTuple):
    """A map without sections. ``begin``: line and column in the bundle where it begins."""

    begin: tuple[int, int]
    root: str
    names: Sequence[str | None]
    contents: Sequence[msgspec.Raw]
    apart: tuple[msgspec.Raw, ...]
    """What of its JSON is no text of its own: mappings, names of variables, contents."""

    def __repr__(self) -> str:
        return f"Part({len(self.names)} sources)"  # never what stands in them

    def source(self, number: int) -> str:
        """The name of one source, as a person reads it."""
        name = self.names[number] if number < len(self.names) else None
        return readable(name, self.root) if name else f"source {number}"

    def content(self, number: int) -> bytes | None:
        """The text of one source, UTF-8; None where the map has it not. What is no text stays the
        JSON that it is."""
        raw = self.contents[number] if number < len(self.contents) else _NOTHING
        text: str | None = _decoded(_TEXT, raw)
        if text is not None:
            return text.encode("utf-8", "surrogatepass")
        as_is = bytes(raw)
        return None if as_is == b"null" else as_is

    @property
    def mappings(self) -> bytes:
        """The list of segments."""
        return (_decoded(_TEXT, self.apart[0]) or "").encode("ascii", "replace")


class SourceMap(NamedTuple):
    """A map with its sections side by side, in order."""

    parts: Sequence[Part]

    def places(self, asked: Sequence[tuple[int, int]]) -> list[Place | None]:
        """Where positions of the bundle come from; ``asked``: lines and columns in UTF-16 units,
        from 0."""
        found: list[Place | None] = [None] * len(asked)
        by_part: dict[int, list[int]] = {}
        begins = [part.begin for part in self.parts]
        for n, one in enumerate(asked):
            by_part.setdefault(bisect_right(begins, one) - 1, []).append(n)
        for index, numbers in by_part.items():
            if index >= 0:
                part = self.parts[index]
                given = originals(part.mappings, [_within(part, asked[n]) for n in numbers])
                for n, original in zip(numbers, given, strict=True):
                    found[n] = _place(index, part, original)
        return found

    def content(self, place: Place) -> bytes | None:
        """The text of a place's source, UTF-8; None where the map has it not."""
        return self.parts[place.part].content(place.number)


def read_map(data: bytes | bytearray) -> SourceMap | None:
    """The map that these bytes are; None where they are none."""
    begin = guard.end() if (guard := _GUARD.match(data)) else 0
    parts: list[Part] = []
    if not _read(memoryview(data)[begin:], (0, 0), 0, parts):
        return None
    if sum(len(part.contents) for part in parts) > SOURCES:
        return None
    return SourceMap(sorted(parts, key=lambda part: part.begin))


def _read(
    data: memoryview | msgspec.Raw, begin: tuple[int, int], depth: int, out: list[Part]
) -> bool:
    json = _decoded(_MAP, data)
    if json is None or str(json.version) != "3" or depth > DEPTH or len(out) >= SECTIONS:
        return False
    sections = _decoded(_RAWS, json.sections)
    if sections is None:
        out.append(_part(json, begin))
        return bytes(memoryview(json.mappings)[:1]) == b'"'
    return all(_read_section(one, begin, depth, out) for one in sections[:SECTIONS])


def _read_section(one: msgspec.Raw, begin: tuple[int, int], depth: int, out: list[Part]) -> bool:
    section = _decoded(_SECTION, one)
    if section is None:
        return False
    line, column = section.offset.line, section.offset.column
    inner = (begin[0] + line, column if line else begin[1] + column)
    return _read(section.map, inner, depth + 1, out)


def _part(json: _Json, begin: tuple[int, int]) -> Part:
    root = _decoded(_TEXT, json.sourceRoot) or ""
    names = _decoded(_NAMES, json.sources) or []
    contents = _decoded(_RAWS, json.sourcesContent) or []
    return Part(begin, root, names, contents, (json.mappings, json.names, json.sourcesContent))


def readable(name: str, root: str = "") -> str:
    """A source's name without what says only where it was built: ``src/a.ts`` for
    ``webpack://shop/./src/a.ts`` and for ``../../src/a.ts``."""
    whole = f"{root.rstrip('/')}/{name}" if root and not _BEFORE.match(name) else name
    path = posixpath.normpath(_stripped(whole.replace("\\", "/")))
    return _stripped(path) or name


def _stripped(path: str) -> str:
    while begin := _BEFORE.match(path):
        path = path[begin.end() :]
    return path


def kept_apart(data: bytes | bytearray, source_map: SourceMap) -> Iterator[tuple[int, int]]:
    """The spans of a map's bytes that are its mappings, its contents and the names of variables: a
    list of those puts ``clientSecret`` beside anything."""
    base = _address(memoryview(data))
    for part in source_map.parts:
        for raw in part.apart:
            if raw is not _NOTHING:
                begin = _address(memoryview(raw)) - base
                yield begin, begin + len(memoryview(raw))


def _address(view: memoryview) -> int:
    import numpy as np

    address: int = np.frombuffer(view, np.uint8).__array_interface__["data"][0]
    return address


def _within(part: Part, asked: tuple[int, int]) -> tuple[int, int]:
    line = asked[0] - part.begin[0]
    return line, asked[1] if line else asked[1] - part.begin[1]


def _place(index: int, part: Part, original: Original | None) -> Place | None:
    if original is None or original.source >= len(part.names):
        return None
    source, line, column = original
    return Place(part.source(source), line + 1, column + 1, index, source)


def _decoded(decoder: msgspec.json.Decoder[T | None], data: memoryview | msgspec.Raw) -> T | None:
    """None for what is no JSON of this type, and for null."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
