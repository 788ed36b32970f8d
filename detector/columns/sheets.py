"""Workbooks (XLSX, XLSM): each sheet a table, row by row.

The parts are read as they stream out of the zip, so a sheet of any size costs the strings that
the sheets share and no more, and one that is damaged gives what stands before the damage. The
reader of `calamine`, five times as fast, makes a whole rectangle of cells in memory: 98 MB for a
million cells, 3.1 GB for a workbook of 5 kB with two cells far apart; and it gives all of a sheet
or nothing.

ECMA-376 part 1, 18.3.1 (sheets), 18.4 (shared strings), 22.9.2.19 (`_x000D_`).
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat

import numpy as np

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
    joined,
    shown,
    unless_consecutive,
)
from detector.types import Skipped

BLOCK = 1 << 18

_DIRECTORY = 16 * MIB  # bytes of a zip's directory: 200,000 members
_CELLS = 200_000  # that wait for a chunk
_LOOKED = 50  # rows that say whether the first one is a heading
_LAST_ROW, _LAST_COLUMN = 1 << 20, 1 << 14  # what a sheet may have; others are no addresses
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_HEADING = re.compile(r"[^\W\d][\w .:/()#&%-]{0,39}")
_KNOWN = re.compile(
    r"(?:^|[\W_])(?:id|name|names|user|username|login|account|e-?mail|mail|pass|password|passwd|pwd"
    r"|secret|token|key|api|value|url|host|date|time|created|updated|status|type|note|notes"
    r"|comment|comments|description|title|phone|address|role|group|owner|service|code|number"
    r"|amount|price|count|total|city|country|company|department|product|order"
    r"|body|text|content|subject|message|from|to|at|by|read|sent)(?:[\W_]|$)",
    re.IGNORECASE,
)

_Broken = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    OSError,
    EOFError,
    KeyError,
    ValueError,
    IndexError,
    OverflowError,
    RuntimeError,  # a member with a password
    NotImplementedError,  # a compression that Python does not have
    struct.error,
    Unreadable,
)

Cells = list[tuple[int, bytes | None]]
"""Column from 0, and the text; None for a number, a date, a truth value."""


def read_sheets(
    path: str, data: bytes | memoryview | None, display: str, limits: Limits, _also: Also
) -> Iterator[Item]:
    """The chunks of all sheets of a file, or of its bytes. Of numbers it has none."""
    with BytesIO(data) if data is not None else Path(path).open("rb") as file:
        size = file.seek(0, 2)
        try:
            _check_directory(file, size)
            book = _Book(zipfile.ZipFile(file), display, limits)
        except _Broken as error:
            yield Skipped(path=display, reason=f"workbook: {_why(error)}", nbytes=size)
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


def _why(error: BaseException) -> str:
    return error.reason if isinstance(error, Unreadable) else "damaged"


class _Part:
    """One part of the package, through an XML parser, with bounds on what it unfolds into."""

    def __init__(self, file: zipfile.ZipFile, name: str, limits: Limits) -> None:
        self._file, self._info, self._limits = file, file.getinfo(name), limits
        self.taken = 0
        """Bytes out so far."""

    @property
    def left(self) -> int:
        """About how many packed bytes are left."""
        full = max(1, self._info.file_size)
        return self._info.compress_size * max(0, full - self.taken) // full

    def parse(self, start: Any, end: Any, text: Any) -> Iterator[None]:
        """Call the handlers; pauses after each block."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse  # entities, which no workbook has
        with self._file.open(self._info) as stream:
            while block := stream.read(BLOCK):
                self.taken += len(block)
                packed = max(self._info.compress_size, 1)
                if self.taken > max(16 * MIB, self._limits.ratio * packed):
                    raise Unreadable(f"expands more than {self._limits.ratio} times")
                parser.Parse(block)
                if self.taken - parser.CurrentByteIndex > 64 * MIB:
                    raise Unreadable("a tag without an end")
                yield
        parser.Parse(b"", True)


def _refuse(*_: Any) -> None:
    raise Unreadable("a document type")


def _local(name: str) -> str:
    return name[name.find(":") + 1 :]


class _Sheet(NamedTuple):
    name: str
    part: str


class _Book:
    def __init__(self, file: zipfile.ZipFile, display: str, limits: Limits) -> None:
        self._file, self._display, self._limits = file, display, limits
        self._meter = Meter(limits)
        self._parts = set(file.namelist())

    def items(self) -> Iterator[Item]:
        strings = _Strings(self._limits)
        if (name := self._found("sharedstrings.xml")) is not None:
            try:
                strings.read(_Part(self._file, name, self._limits))
            except _Broken as error:
                yield self._skipped(f"shared strings from {len(strings)} on: {_why(error)}")
        sheets = self._sheets()
        if not sheets:
            yield self._skipped("no sheet found")
        for sheet in sheets:
            try:
                part = _Part(self._file, sheet.part, self._limits)
            except _Broken as error:
                yield self._skipped(f"sheet {shown(sheet.name)}: {_why(error)}")
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
            if _local(name) == "sheet":
                key = next((v for k, v in attributes.items() if _local(k) == "id" and ":" in k), "")
                named.append((attributes.get("name", ""), key))

        def relation(name: str, attributes: dict[str, str]) -> None:
            if _local(name) == "Relationship":
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
                for _ in _Part(self._file, part, self._limits).parse(start, None, None):
                    pass
        except _Broken:
            return  # sheets are then called as their parts are

    def _sheet(self, sheet: _Sheet, part: _Part, strings: _Strings) -> Iterator[Item]:
        table = _Columns(shown(sheet.name), self._limits)
        error: BaseException | None = None
        rows = _Rows(part, strings, self._limits)
        try:
            for number, cells in rows:
                if not cells:
                    continue
                table.add(number, cells)
                if table.full:
                    yield from self._charged(table.flush())
        except Spent:
            raise
        except _Broken as caught:
            error = caught
        yield from self._charged(table.flush())
        if error is not None:
            where = f" from row {table.last + 1} on" if table.last else ""
            what = f"sheet {shown(sheet.name)}{where}: {_why(error)}"
            yield self._skipped(what, part.left)
        if rows.lost:
            what = f"sheet {shown(sheet.name)}: {rows.lost} cells whose shared strings are missing"
            yield self._skipped(what)
        yield TableInfo(shown(sheet.name), table.names(), table.rows)

    def _charged(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            self._meter.charge(len(chunk.data))
            yield chunk


def _unescaped(text: str) -> bytes:
    if "_x" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text)
    return text.encode("utf-8", "surrogatepass")


class _Strings:
    """The strings that cells refer to: one run of bytes and where each begins."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._data = bytearray()
        self._ends = [0]

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> bytes:
        if index < 0:
            raise IndexError
        return bytes(self._data[self._ends[index] : self._ends[index + 1]])

    def read(self, part: _Part) -> None:
        """Raises what damage raises; what stands before it is kept."""
        pieces: list[str] = []
        inside = phonetic = False

        def start(name: str, _: Any) -> None:
            nonlocal inside, phonetic
            name = _local(name)
            inside = name == "t" and not phonetic
            phonetic |= name == "rPh"

        def end(name: str) -> None:
            nonlocal inside, phonetic
            name = _local(name)
            inside = False
            if name == "rPh":
                phonetic = False
            elif name == "si":
                self._data.extend(_unescaped("".join(pieces)))
                pieces.clear()
                self._ends.append(len(self._data))

        def text(data: str) -> None:
            if inside:
                pieces.append(data)

        for _ in part.parse(start, end, text):
            # A string costs 8 bytes for its end, and 28 for the number itself.
            if len(self._data) + 36 * len(self._ends) > self._limits.shared_bytes:
                raise Unreadable(f"more than {self._limits.shared_bytes} bytes")


class _Rows:
    """The rows of a sheet that hold anything, ascending."""

    def __init__(self, part: _Part, strings: _Strings, limits: Limits) -> None:
        self._part, self._strings, self._limits = part, strings, limits
        self._ready: list[tuple[int, Cells]] = []
        self.lost = 0
        """Cells whose shared string is not there."""

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        """Raises what damage raises, after the rows that stand before it."""
        steps = self._steps()
        ended = False
        while not ended:
            try:
                ended = next(steps, self) is self
            except _Broken:
                yield from self._ready
                raise
            ready, self._ready = self._ready, []
            yield from ready

    def _steps(self) -> Iterator[None]:  # noqa: PLR0915  (a method call more is 0.1 microseconds)
        """Three elements a cell, at a call each: everything they need is a local variable."""
        row = size = 0
        column = -1
        kind: str | None = None
        inside = phonetic = False
        cells: Cells = []
        pieces: list[str] = []
        places: dict[str, int] = {}
        local = _Names()
        most = self._limits.value_bytes

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal row, column, kind, inside, phonetic, cells, size
            name = local[name]
            if name == "c":
                kind = attributes.get("t")
                column += 1
                if address := attributes.get("r"):
                    letters = address.rstrip("0123456789")
                    if letters not in places:
                        places[letters] = _column(letters)
                    column = max(column, places[letters])
                if column >= _LAST_COLUMN:
                    raise Unreadable("more columns than a sheet may have")
                size = 0
            elif name == "v":
                inside = kind != "inlineStr"
            elif name == "t":
                inside = kind == "inlineStr" and not phonetic
            elif name == "row":
                given = attributes.get("r", "")
                row = max(row + 1, int(given) if given.isdecimal() else 0)
                if row > _LAST_ROW:
                    raise Unreadable("more rows than a sheet may have")
                column, cells = -1, []
                self._ready.append((row, cells))
            elif name == "rPh":
                phonetic = True

        def end(name: str) -> None:
            nonlocal inside, phonetic
            name = local[name]
            if name == "c":
                inside = phonetic = False
                if pieces:
                    cells.append((column, self._value(kind, "".join(pieces))))
                    pieces.clear()
            elif name in ("v", "t"):
                inside = False
            elif name == "rPh":
                phonetic = False

        def text(data: str) -> None:
            nonlocal size
            if inside:
                size += len(data)
                if size > most:
                    raise Unreadable("a value is too large")
                pieces.append(data)

        for _ in self._part.parse(start, end, text):
            last = self._ready[-1:]  # it may go on in the next block
            del self._ready[-1:]
            yield
            self._ready = last

    def _value(self, kind: str | None, text: str) -> bytes | None:
        if kind == "s":
            try:
                return self._strings[int(text)]
            except (IndexError, ValueError):
                self.lost += 1
                return None
        return _unescaped(text) if kind in ("inlineStr", "str") else None


class _Names(dict[str, str]):
    """Names of elements without their prefix."""

    def __missing__(self, name: str) -> str:
        if len(self) > 1000:  # a sheet has fifty
            self.clear()
        self[name] = local = _local(name)
        return local


def _column(letters: str) -> int:
    """The column of an address, from 0; -1 for what is none."""
    if not (0 < len(letters) <= 3 and letters.isascii() and letters.isupper()):
        return -1
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1


class _Columns:
    """Cells by column, until they are worth a chunk."""

    def __init__(self, table: str, limits: Limits) -> None:
        self._table, self._most = table, limits.chunk_bytes
        self._values: dict[int, list[bytes]] = {}
        self._rows: dict[int, list[int]] = {}
        self._seen: set[int] = set()
        self._first: list[tuple[int, Cells]] | None = []
        self._heading: dict[int, str] = {}
        self._base = 0
        self._size = self._count = 0
        self.last = 0
        """The last row, as the sheet numbers them."""

    @property
    def full(self) -> bool:
        return self._size >= self._most or self._count >= _CELLS

    @property
    def rows(self) -> int:
        return max(0, self.last - self._base)

    def names(self) -> tuple[str, ...]:
        """Of the columns that hold anything."""
        return tuple(self._name(column) for column in sorted(self._seen))

    def add(self, number: int, cells: Cells) -> None:
        """Take one row."""
        self.last = number
        if self._first is not None:
            self._first.append((number, cells))
            if len(self._first) >= _LOOKED:
                self._decide()
            return
        self._put(number, cells)

    def _decide(self) -> None:
        rows, self._first = self._first or [], None
        if rows and _is_heading([cells for _, cells in rows]):
            self._base = rows[0][0]
            self._heading = {
                column: value.decode("utf-8", "replace")
                for column, value in rows[0][1]
                if value is not None
            }
        for number, cells in rows:
            self._put(number, cells)

    def _put(self, number: int, cells: Cells) -> None:
        for column, value in cells:
            self._seen.add(column)
            if value is not None:
                self._values.setdefault(column, []).append(value)
                self._rows.setdefault(column, []).append(number - self._base)
                self._size += len(value) + 1
                self._count += 1

    def flush(self) -> Iterator[Chunk]:
        """The chunks of the cells at hand. Cells without text are in none."""
        if self._first is not None:
            self._decide()
        for column in sorted(self._values):
            data, offsets = joined(self._values[column])
            rows = np.array(self._rows[column], np.int64)
            name = self._name(column)
            gaps = unless_consecutive(rows)
            yield Chunk(self._table, name, int(rows[0]), data, offsets, 0, gaps)
        self._values, self._rows = {}, {}
        self._size = self._count = 0

    def _name(self, column: int) -> str:
        if column in self._heading:
            return self._heading[column]
        letters = ""
        column += 1
        while column:
            column, rest = divmod(column - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


def _is_heading(rows: list[Cells]) -> bool:
    """Whether the first row names the columns.

    A heading is printed wherever a column is, so a value must not be taken for one: it looks
    like a name, is none of its column's values, and half of its cells are words that name columns.
    """
    texts = [value.decode("utf-8", "replace") for _, value in rows[0] if value is not None]
    if len(rows) < 2 or len(texts) < len(rows[0]) or len(set(texts)) < len(texts):
        return False
    if not all(_HEADING.fullmatch(t) and sum(map(str.isdigit, t)) <= 2 for t in texts):
        return False
    below = {(column, value) for row in rows[1:] for column, value in row}
    if any(cell in below for cell in rows[0]):
        return False
    return 2 * sum(bool(_KNOWN.search(_spaced(text))) for text in texts) >= len(texts)


def _spaced(name: str) -> str:
    """camelCase as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
