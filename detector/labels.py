"""Labels on findings: which of them are secrets, said by somebody who has looked.

The file is what ``detector scan --format jsonl`` writes, with ``"label":true`` or ``false``
added to the findings that have been looked at. Every other byte of it stays as it is. It holds
places and no values: whoever needs those reads the scanned files again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from detector._replace import replace
from detector.errors import UsageError
from detector.fingerprint import Fingerprinter
from detector.sources import STDIN, Entry, FileRef, open_entries, walk
from detector.types import Skipped

_PIECE = 1 << 20


class Found(msgspec.Struct, frozen=True, tag_field="type", tag="finding"):
    """What is needed of a finding, as a line of JSON has it."""

    rule: str
    path: str
    start: int
    end: int
    line: int
    column: int
    secret: str
    fingerprint: str
    confidence: float
    reasons: tuple[str, ...] = ()
    label: bool | None = None


class Place(NamedTuple):
    """A finding's bytes, and those on both sides of it."""

    before: bytes
    value: bytes
    after: bytes

    def __repr__(self) -> str:
        return "Place()"  # never the secret


class _Line(msgspec.Struct):
    type: str


class Labels:
    """The lines of one scan, by their number from 1."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read a file. Raises :class:`UsageError` if it is none of a scan's."""
        self._lines = _read(path)
        self.found: dict[int, Found] = {}
        for number, line in enumerate(self._lines, 1):
            if (found := _decoded(line, f"{path}:{number}")) is not None:
                self.found[number] = found

    def put(self, number: int, label: bool | None) -> None:
        """Label one finding that has none in its file, or take that back with None."""
        old = self.found[number]
        line = self._lines[number - 1]
        if old.label is not None:
            line = line[: line.rindex(b',"label":')] + b"}"
        if label is not None:
            line = line[:-1] + (b',"label":true}' if label else b',"label":false}')
        self._lines[number - 1] = line
        self.found[number] = msgspec.structs.replace(old, label=label)

    def take(self, other: Labels) -> bool:
        """The labels of a copy; False, and none taken, if it is a copy of something else."""
        places = [
            [(f.path, f.start, f.fingerprint) for f in one.found.values()] for one in (self, other)
        ]
        if self.found.keys() != other.found.keys() or places[0] != places[1]:
            return False
        for number, found in other.found.items():
            if self.found[number].label is None and found.label is not None:
                self.put(number, found.label)
        return True

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all lines, whole or not at all. Raises :class:`UsageError`."""
        try:
            replace(path, b"".join(line + b"\n" for line in self._lines))
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None


def _read(path: str | os.PathLike[str]) -> list[bytes]:
    try:
        return Path(path).read_bytes().rstrip().splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None


def _decoded(line: bytes, where: str) -> Found | None:
    """A finding; None for another record."""
    try:
        if msgspec.json.decode(line, type=_Line).type == "finding":
            return msgspec.json.decode(line, type=Found)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UsageError(f"{where}: no line of 'detector scan --format jsonl'") from None
    return None


def read_place(found: Found, folder: Path, before: int, after: int) -> Place | None:
    """The bytes of a finding with so many on each side; None if they are not there any more.

    Paths count from where the program runs or, if that is not it, from ``folder``. What is read
    must have the finding's fingerprint, so it is the value that was found and no other."""
    fingerprint = Fingerprinter.from_environment()
    for path in (found.path, str(folder / found.path)):
        for entry, file in _entries(path):
            begin = max(0, found.start - before)
            text = _cut(entry, file, begin, found.end + after)
            start, end = found.start - begin, found.end - begin
            place = Place(text[:start], text[start:end], text[end:])
            if fingerprint(found.rule, place.value) == found.fingerprint:
                return place
    return None


def _entries(path: str) -> Iterator[tuple[Entry, FileRef]]:
    """What a path of a report may mean: a file, or a member of an archive."""
    parts = path.split("!")
    for count in range(len(parts), 0, -1):
        outer = "!".join(parts[:count])
        if outer == STDIN or not Path(outer).is_file():
            continue
        for file in walk([outer]):
            if isinstance(file, Skipped):
                continue
            with open_entries(file) as entries:
                for entry in entries:
                    if isinstance(entry, Entry) and entry.path == file.name + path[len(outer) :]:
                        yield entry, file


def _cut(entry: Entry, file: FileRef, begin: int, end: int) -> bytes:
    if entry.plain:
        with Path(file.path).open("rb") as stream:
            stream.seek(begin)
            return stream.read(end - begin)
    at, kept = 0, b""
    for piece in entry.chunks(_PIECE):
        if isinstance(piece, Skipped) or at >= end:
            break
        kept += piece[max(0, begin - at) : max(0, end - at)]
        at += len(piece)
    return kept
