"""One text that grows over the events of a stream: plain, or JSON whose strings are the text."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Protocol

from detector.errors import DetectorError
from detector.mask import Mask
from detector.redact import Part, Redactor
from detector.scanner import Scanner
from detector.types import Finding

_IN_STRING = re.compile(
    r"[^\"\\]+|\"|\\u[0-9A-Fa-f]{4}|\\(?!u)[\s\S]|\\u(?=[0-9A-Fa-f]{0,3}[^0-9A-Fa-f])"
)
_OUTSIDE = re.compile(r"[^\"]+|\"")
_STRUCTURE = b'{}[],: \t\r\n"'


class StreamError(DetectorError):
    """A stream that cannot be redacted, so that it ends here. Says nothing of its data."""


class Channel(Protocol):
    """A text that grows: pieces in, what can be let go of out."""

    @property
    def findings(self) -> list[Finding]:
        """What was found so far; to be drained."""
        ...

    @property
    def held(self) -> int:
        """How much is held back."""
        ...

    def feed(self, data: str) -> str:
        """The next piece."""
        ...

    def close(self) -> str:
        """The rest."""
        ...


class JsonText:
    """A text of JSON that grows, as the arguments of a tool's call do.

    What is looked at is what the strings say: ``\\n`` is a line end there, ``\\u0073`` an s. What
    is no secret goes out as it was written. A mask stands inside of a string's quotes; of a number
    that is a secret each digit becomes a 9. So valid JSON stays valid. Findings count the bytes of
    what is looked at.
    """

    def __init__(self, scanner: Scanner, *, mask: Mask | str = Mask.label, path: str = "") -> None:
        self._redactor: Redactor[bytes] = Redactor(scanner, mask=mask, path=path)
        self._quoted = False
        self._cut = ""  # the beginning of an escape
        # What is written, how many bytes it says, and whether in a string; one character each
        # where the two are not the same.
        self._written: deque[tuple[str, bytes, bool]] = deque()
        self._masked = False  # the mask of the span at hand is out, in the string at hand

    @property
    def findings(self) -> list[Finding]:
        """See :class:`Channel`."""
        return self._redactor.findings

    @property
    def held(self) -> int:
        """In bytes of what the strings say."""
        return self._redactor.held + len(self._cut)

    def feed(self, data: str) -> str:
        """See :class:`Channel`."""
        said = self._read(self._cut + data, final=False)
        return "".join(map(self._write, self._redactor.parts(said)))

    def close(self) -> str:
        """See :class:`Channel`."""
        parts = self._redactor.parts(self._read(self._cut, final=True))
        return "".join(map(self._write, [*parts, *self._redactor.last_parts()]))

    def _read(self, text: str, *, final: bool) -> bytes:
        """What ``text`` says; the beginning of an escape at its end waits."""
        position, self._cut = 0, ""
        out = bytearray()
        while position < len(text):
            found = (_IN_STRING if self._quoted else _OUTSIDE).match(text, position)
            if found is None and not final:
                self._cut = text[position:]
                break
            written = text[position:] if found is None else found.group()
            position += len(written)
            quote = written == '"'
            said = _said(written) if self._quoted else _bytes(written)
            self._written.append((written, said, self._quoted and not quote))
            self._quoted ^= quote
            out += said
        return bytes(out)

    def _write(self, part: Part) -> str:
        """What goes out for so many bytes of what is said."""
        text, replaced = part
        mask = json.dumps(text.decode("utf-8", "surrogatepass"))[1:-1] if replaced else None
        left, out = replaced or len(text), []
        self._masked = False
        while left > 0:
            written, said, quoted = self._written.popleft()
            if len(said) > left:
                if written.startswith("\\"):
                    raise StreamError("a secret ends inside of a character")
                self._written.appendleft((_text(said[left:]), said[left:], quoted))
                written, said = _text(said[:left]), said[:left]
            left -= len(said)
            out.append(written if mask is None else self._instead(said, mask, quoted=quoted))
        return "".join(out)

    def _instead(self, said: bytes, mask: str, *, quoted: bool) -> str:
        if quoted:
            out = "" if self._masked else mask
            self._masked = True
            return out
        self._masked = False
        return "".join(
            "9" if 48 <= byte <= 57 else chr(byte) if byte in _STRUCTURE or byte in b"-+." else "*"
            for byte in said
        )


def _said(written: str) -> bytes:
    """What the inside of a string says: a run of plain characters, or one escape."""
    if not written.startswith("\\"):
        return _bytes(written)
    try:
        return _bytes(json.loads(f'"{written}"'))
    except ValueError:
        return _bytes(written)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # a part of a character is a secret's
        return raw.decode("utf-8", "replace")
