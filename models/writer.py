"""Text with marked values, and how values are escaped in it."""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import quote

_NEWLINE = re.compile(r"\n(?!\n)")


class Mark(NamedTuple):
    """A value: the half-open byte span in the text, whether it is a secret, and of what kind."""

    start: int
    end: int
    secret: bool
    kind: str


def escaped(value: str, way: str, quotes: str = "") -> str:
    """``value`` as it stands in text of some kind."""
    match way:
        case "c" | "copy":
            value = value.replace("\\", "\\\\")
            return value.replace(quotes, "\\" + quotes) if quotes else value
        case "double" | "sql" | "csv":
            mark = quotes or {"sql": "'", "csv": '"'}.get(way, "")
            return value.replace(mark, mark * 2) if mark else value
        case "xml":
            return html.escape(value)
        case "url":
            return quote(value, safe="!*~")
        case "yaml":
            return value.replace("'", "''") if quotes == "'" else escaped(value, "c", quotes)
        case "shell":
            if quotes == "'":
                return value.replace("'", "'\\''")
            return re.sub(r'([\\"$`])', r"\\\1", value)
    return value


class Writer:
    """Text and marks of one document. ``indent`` is put in front of each further line."""

    def __init__(self) -> None:
        self.indent = ""
        self.marks: list[Mark] = []
        self._parts: list[str] = []
        self._size = 0
        self._column = ""

    def put(self, text: str) -> None:
        """Append text, its lines indented."""
        if "\n" in text:
            text = _NEWLINE.sub("\n" + self.indent, text)
        self._parts.append(text)
        self._size += len(text.encode())
        last = text.rpartition("\n")[2]
        self._column = last if "\n" in text else self._column + last

    def mark(self, text: str, secret: bool, kind: str) -> None:
        """Append a value and remember it."""
        start = self._size
        self.put(text)
        if text:
            self.marks.append(Mark(start, self._size, secret, kind))

    def column(self) -> str:
        """The blanks in front of the line at the end, if it has nothing else."""
        return self._column if self._column.isspace() else ""

    def text(self) -> bytes:
        """All of it."""
        return "".join(self._parts).encode()
