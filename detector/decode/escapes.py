"""Letters that are written as escapes: of strings, of URLs, of HTML and of mail.

https://tc39.es/ecma262/#prod-EscapeSequence, https://docs.python.org/3/reference/lexical_analysis.html
(``\\x73``, ``\\u0073``, ``\\u{73}``, ``\\163``, a backslash before the line's end),
https://www.rfc-editor.org/rfc/rfc3986#section-2.1 (``%73``),
https://html.spec.whatwg.org/multipage/syntax.html#character-references (``&#115;``),
https://www.rfc-editor.org/rfc/rfc2045#section-6.7 (``=73``, ``=`` before the line's end).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from detector.decode.types import Decoded, Pieces, Text

SHORTEST = 12  # bytes of a word: no key is shorter
_STOPS = b" \t\r\n\"'`<>"  # what stands around a word

_SINGLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"0": b""}
_STRING = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|([0-3][0-7]{2})"
    rb"|(\r?\n)|([^ux0-7\r\n]))"
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENTITY = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,31});")
_QUOTED = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)")


def string_escapes(text: Text, place: int) -> Decoded | None:
    """The word around ``place``, its backslashes resolved."""
    return _word(text, place, "escape", _STRING, _of_string, across=b"\\\n")


def percent(text: Text, place: int) -> Decoded | None:
    """The word around ``place`` without the escapes of a URL."""
    return _word(text, place, "percent", _PERCENT, _of_hex)


def entities(text: Text, place: int) -> Decoded | None:
    """The word around ``place`` without those of HTML."""
    return _word(text, place, "html", _ENTITY, _of_entity)


def quoted_printable(text: Text, place: int) -> Decoded | None:
    """The word around ``place``, which may go on behind a soft end of a line."""
    return _word(text, place, "quoted-printable", _QUOTED, _of_quoted, across=b"=\n")


def _of_string(found: re.Match[bytes]) -> bytes:
    two, four, braced, octal, newline, other = found.groups()
    if newline:
        return b""
    if other:
        return _SINGLE.get(other, other)
    code = int(octal, 8) if octal else int(two or four or braced, 16)
    return _utf8(code)


def _of_hex(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode("ascii"))


def _of_entity(found: re.Match[bytes]) -> bytes:
    return html.unescape(found[0].decode("ascii")).encode("utf-8", "surrogatepass")


def _of_quoted(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode("ascii")) if found[1] else b""


def _utf8(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else b""


def _word(
    text: Text,
    place: int,
    name: str,
    escape: re.Pattern[bytes],
    value: Callable[[re.Match[bytes]], bytes],
    across: bytes = b"",
) -> Decoded | None:
    """``across``: a byte before a line's end, and that; the word goes on behind the two."""
    start = _word_before(text.data, place, across)
    end = _word_behind(text, place, across)
    if end - start < SHORTEST:
        return None
    data, pieces = replaced(text.data, start, end, escape, value)
    return Decoded((name,), data, start, end, pieces.span)


def _word_before(data: bytes, place: int, across: bytes) -> int:
    while True:
        start = 1 + max(data.rfind(stop, 0, place) for stop in _EACH_STOP)
        if not across or data[start - 1 : start] != b"\n":
            return start
        above = start - 2 if data[start - 2 : start - 1] == b"\r" else start - 1
        if above < 1 or data[above - 1] != across[0]:
            return start
        place = above - 1


_EACH_STOP = [bytes([byte]) for byte in _STOPS]
_BEHIND = re.compile(rb"[^ \t\r\n\"'`<>]*")
_SOFT = re.compile(rb"\r?\n")


def _word_behind(text: Text, place: int, across: bytes) -> int:
    data, at = text.data, place
    while True:
        found = _BEHIND.match(data, at)
        end = text.ended(found.end() if found else at)
        if not across or end == at or data[end - 1] != across[0]:
            return end
        text.ended(end + 1)
        soft = _SOFT.match(data, end)
        if soft is None:
            return end
        at = text.ended(soft.end())


def replaced(
    data: bytes,
    start: int,
    end: int,
    escape: re.Pattern[bytes],
    value: Callable[[re.Match[bytes]], bytes],
) -> tuple[bytes, Pieces]:
    """``data[start:end]`` with each escape's value in its place."""
    pieces, parts, at = Pieces(), [], start
    for found in escape.finditer(data, start, end):
        made = value(found)
        parts += [data[at : found.start()], made]
        pieces.add(found.start() - at, at, found.start())
        pieces.add(len(made), found.start(), found.end())
        at = found.end()
    parts.append(data[at:end])
    pieces.add(end - at, at, end)
    return b"".join(parts), pieces
