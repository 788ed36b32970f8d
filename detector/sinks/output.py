"""Where a sink's bytes go, and text that is safe to put there."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Mapping
from typing import IO, Any

from detector.types import Secret

Stream = IO[bytes] | IO[str]
"""What a sink writes to: binary or text. Whoever opened it closes it."""

_MAX_DEPTH = 32  # of a claim inside claims; a token can nest deeper to do harm, not to say more
_SURROGATE = re.compile("[\ud800-\udfff]")


class Output:
    """A stream of bytes over whatever was given. Errors of the stream (a closed pipe, a full
    disk) come out as they are."""

    def __init__(self, stream: Stream) -> None:
        self.encoding: str = getattr(stream, "encoding", None) or "utf-8"
        self.isatty: bool = stream.isatty()
        binary = getattr(stream, "buffer", None)
        if binary is not None:
            stream.flush()  # what was printed before must stay before
        self._stream: Any = stream if binary is None else binary
        self._is_text = isinstance(self._stream, io.TextIOBase)

    def write(self, data: bytes | bytearray, encoding: str = "utf-8") -> None:
        """Write all of ``data``; ``encoding`` is its own, for a stream that takes only text."""
        if self._is_text:
            self._stream.write(data.decode(encoding))
            return
        rest = memoryview(data)
        while rest:
            # An unbuffered stream may take less than all, or (non-blocking) nothing.
            written = self._stream.write(rest)
            if written is None:
                raise BlockingIOError(errno.EAGAIN, "the output takes no more at the moment")
            rest = rest[written:]

    def flush(self) -> None:
        """Make everything written visible to a reader."""
        self._stream.flush()


def printable(text: str) -> str:
    """``text`` for a terminal: one line, and every control character, escape sequence,
    direction mark and undecodable byte visible as ``\\n``, ``\\x1b``, ``\\u202e``, ``\\xe9``.

    Paths and table names come from whoever wrote the data; printed raw they could clear
    the screen or forge a line of the report.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def encodable(text: str) -> str:
    """``text`` with the bytes of a file name that are not UTF-8 as ``\\xe9``: valid Unicode,
    so that every JSON reader takes it."""
    return _SURROGATE.sub(lambda match: _escape(match[0]), text)


def plain(value: object, depth: int = 0) -> object:
    """``value`` as JSON can carry it: secrets masked, text valid, no deeper than 32 levels."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping | list | tuple) and depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {encodable(str(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return value.masked if isinstance(value, Secret) else encodable(str(value))


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte of a path that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
