"""The rows of a sheet, and the strings that sheets share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from detector.columns.sheets.parts import Broken, Part, local_name
from detector.columns.types import Limits, Unreadable

_LAST_ROW, _LAST_COLUMN = 1 << 20, 1 << 14  # what a sheet may have; others are no addresses
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


Cells = list[tuple[int, bytes | None]]
"""Column from 0, and the text; None for a number, a date, a truth value."""


def _unescaped(text: str) -> bytes:
    if "_x" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text)
    return text.encode("utf-8", "surrogatepass")


class Strings:
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

    def read(self, part: Part) -> None:
        """Raises what damage raises; what stands before it is kept."""
        pieces: list[str] = []
        inside = phonetic = False

        def start(name: str, _: Any) -> None:
            nonlocal inside, phonetic
            name = local_name(name)
            inside = name == "t" and not phonetic
            phonetic |= name == "rPh"

        def end(name: str) -> None:
            nonlocal inside, phonetic
            name = local_name(name)
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


class Rows:
    """The rows of a sheet that hold anything, ascending."""

    def __init__(self, part: Part, strings: Strings, limits: Limits) -> None:
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
            except Broken:
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
        self[name] = local = local_name(name)
        return local


def _column(letters: str) -> int:
    """The column of an address, from 0; -1 for what is none."""
    if not (0 < len(letters) <= 3 and letters.isascii() and letters.isupper()):
        return -1
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1
