"""A workbook: its directory, its sheets, and the chunks of each."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from detector.columns.sheets.parts import Broken, Part, local_name, why
from detector.columns.sheets.rows import Rows, Strings
from detector.columns.sheets.table import Columns
from detector.columns.types import (
    MIB,
    Also,
    Chunk,
    Item,
    Limits,
    Meter,
    Spent,
    TableInfo,
    Unreadable,
    shown,
)
from detector.types import Skipped

_DIRECTORY = 16 * MIB  # bytes of a zip's directory: 200,000 members


def read_sheets(
    path: str, data: bytes | memoryview | None, display: str, limits: Limits, _also: Also
) -> Iterator[Item]:
    """The chunks of all sheets of a file, or of its bytes. Of numbers it has none."""
    with BytesIO(data) if data is not None else Path(path).open("rb") as file:
        size = file.seek(0, 2)
        try:
            _check_directory(file, size)
            book = _Book(zipfile.ZipFile(file), display, limits)
        except Broken as error:
            yield Skipped(path=display, reason=f"workbook: {why(error)}", nbytes=size)
            return
        yield from book.items()


def _check_directory(file: BinaryIO, size: int) -> None:
    """`zipfile` keeps a record of 500 bytes for each 46 of the directory."""
    file.seek(max(0, size - 65_577))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or b"PK\6\7" in tail[max(0, at - 20) : at]:
        raise Unreadable("its directory cannot be read")
    if struct.unpack_from("<I", tail.ljust(at + 22, b"\0"), at + 12)[0] > _DIRECTORY:
        raise Unreadable("its directory is too large")
    file.seek(0)


class _Sheet(NamedTuple):
    name: str
    part: str


class _Book:
    def __init__(self, file: zipfile.ZipFile, display: str, limits: Limits) -> None:
        self._file, self._display, self._limits = file, display, limits
        self._meter = Meter(limits)
        self._parts = set(file.namelist())

    def items(self) -> Iterator[Item]:
        strings = Strings(self._limits)
        if (name := self._found("sharedstrings.xml")) is not None:
            try:
                strings.read(Part(self._file, name, self._limits))
            except Broken as error:
                yield self._skipped(f"shared strings from {len(strings)} on: {why(error)}")
        sheets = self._sheets()
        if not sheets:
            yield self._skipped("no sheet found")
        for sheet in sheets:
            try:
                part = Part(self._file, sheet.part, self._limits)
            except Broken as error:
                yield self._skipped(f"sheet {shown(sheet.name)}: {why(error)}")
                continue
            yield from self._sheet(sheet, part, strings)

    def _skipped(self, what: str, nbytes: int = 0) -> Skipped:
        return Skipped(path=self._display, reason=f"workbook: {what}", nbytes=nbytes)

    def _found(self, name: str) -> str | None:
        return next((p for p in sorted(self._parts) if PurePosixPath(p).name.lower() == name), None)

    def _sheets(self) -> list[_Sheet]:
        """Sheets by the workbook's list, and parts that are not in it by their own names."""
        named: list[tuple[str, str]] = []
        targets: dict[str, str] = {}

        def sheet(name: str, attributes: dict[str, str]) -> None:
            if local_name(name) == "sheet":
                key = next(
                    (v for k, v in attributes.items() if local_name(k) == "id" and ":" in k), ""
                )
                named.append((attributes.get("name", ""), key))

        def relation(name: str, attributes: dict[str, str]) -> None:
            if local_name(name) == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        self._try("workbook.xml", sheet)
        self._try("workbook.xml.rels", relation)
        sheets = []
        for name, key in named:
            target = targets.get(key, "")
            part = target[1:] if target.startswith("/") else f"xl/{target}"
            if part in self._parts and "worksheets/" in part:
                sheets.append(_Sheet(name, part))
        known = {sheet.part for sheet in sheets}
        rest = sorted(p for p in self._parts - known if re.search(r"worksheets/[^/]+\.xml$", p))
        return sheets + [_Sheet(PurePosixPath(part).stem, part) for part in rest]

    def _try(self, name: str, start: Callable[[str, dict[str, str]], None]) -> None:
        part = self._found(name)
        try:
            if part is not None:
                for _ in Part(self._file, part, self._limits).parse(start, None, None):
                    pass
        except Broken:
            return  # sheets are then called as their parts are

    def _sheet(self, sheet: _Sheet, part: Part, strings: Strings) -> Iterator[Item]:
        table = Columns(shown(sheet.name), self._limits)
        error: BaseException | None = None
        rows = Rows(part, strings, self._limits)
        try:
            for number, cells in rows:
                if not cells:
                    continue
                table.add(number, cells)
                if table.full:
                    yield from self._charged(table.flush())
        except Spent:
            raise
        except Broken as caught:
            error = caught
        yield from self._charged(table.flush())
        if error is not None:
            where = f" from row {table.last + 1} on" if table.last else ""
            what = f"sheet {shown(sheet.name)}{where}: {why(error)}"
            yield self._skipped(what, part.left)
        if rows.lost:
            what = f"sheet {shown(sheet.name)}: {rows.lost} cells whose shared strings are missing"
            yield self._skipped(what)
        yield TableInfo(shown(sheet.name), table.names(), table.rows)

    def _charged(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            self._meter.charge(len(chunk.data))
            yield chunk
