"""The parts of a workbook's package, through an XML parser."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from detector.columns.types import MIB, Limits, Unreadable

BLOCK = 1 << 18


Broken = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    OSError,
    EOFError,
    LookupError,  # an encoding that nobody knows, too
    ValueError,
    OverflowError,
    RuntimeError,  # a member with a password
    NotImplementedError,  # a compression that Python does not have
    struct.error,
    Unreadable,
)


def why(error: BaseException) -> str:
    """What to say of an error."""
    return error.reason if isinstance(error, Unreadable) else "damaged"


class Part:
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


def local_name(name: str) -> str:
    """An element's name without its prefix."""
    return name[name.find(":") + 1 :]
