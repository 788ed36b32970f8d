"""Strings of a program that stand in pieces: concatenated, joined, in templates, as numbers."""

from __future__ import annotations

import re
from string import ascii_letters, digits

from detector.decode.escapes import replaced
from detector.decode.types import Decoded, Pieces, Text

MOST = 4096  # pieces of one string: a key that is cut into letters has a few hundred

_QUOTE = rb"[\"'`]"
# JavaScript, Python, Java, C#: +; PHP: .; Lua and Haskell: ..; SQL: ||; Visual Basic: &;
# Python, C: nothing. Letters before the quote are those of Python's literals.
_JOINT = re.compile(
    rb"[ \t]*(?:\\?\r?\n[ \t]*)?(?:\+|\.\.?|\|\||&|)[ \t]*(?:\\?\r?\n[ \t]*)?[fFrRbBuU]{0,2}("
    + _QUOTE
    + rb")"
)
_JOINT_BEFORE = re.compile(_QUOTE + rb"(?:[ \t\r\n\\+.|&]{0,80})[fFrRbBuU]{0,2}" + _QUOTE + rb"\Z")
_BODIES = {
    b'"': re.compile(rb'[^"\\\r\n]*(?:\\.[^"\\\r\n]*)*', re.DOTALL),
    b"'": re.compile(rb"[^'\\\r\n]*(?:\\.[^'\\\r\n]*)*", re.DOTALL),
    b"`": re.compile(rb"[^`\\]*(?:\\.[^`\\]*)*", re.DOTALL),
}
_LETTERS = {bytes([letter]) for letter in b"-_=+/.~" + ascii_letters.encode() + digits.encode()}
_COMMA = re.compile(rb"\s*,\s*(" + _QUOTE + rb")")
_OPENING = re.compile(rb"\[\s*(" + _QUOTE + rb")")
_JOIN_CALL = re.compile(_QUOTE + rb"\s*,?\s*\]\s*\.\s*join\(\Z")
_EMPTY = re.compile(rb"(?:\"\"|''|``)\s*\)")
_NUMBERS = re.compile(rb"(?:\s*\.\.\.\s*\[)?((?:\s*(?:0[xX][0-9a-fA-F]{1,6}|[0-9]{1,7})\s*,?)*)")
_NUMBER = re.compile(rb"0[xX][0-9a-fA-F]+|[0-9]+")
_INSERTED = re.compile(rb"\$\{\s*(?:\"([^\"\\\r\n]*)\"|'([^'\\\r\n]*)'|`([^`\\$]*)`)\s*\}")
_TEMPLATE = re.compile(rb"(?:[^`\\$]+|\$\{[^`}]*(?:`[^`]*`[^`}]*)?\}|\\.|\$)*", re.DOTALL)


def concatenated(text: Text, place: int) -> Decoded | None:
    """The strings that are added up, of which a second or later one begins at ``place``."""
    found = _JOINT_BEFORE.search(text.data, max(0, place - 96), place)
    if found is None or text.data[max(0, found.start() - 1) : found.start()] not in _LETTERS:
        return None
    return chained(text, found.start())


def chained(text: Text, close: int) -> Decoded | None:
    """Of those the first one's closing quote is at ``close``."""
    data = text.data
    first = data.rfind(data[close : close + 1], 0, close) + 1
    if not first or b"\n" in data[first:close]:
        return None
    pieces, parts, joints = Pieces(), [data[first:close]], []
    pieces.add(close - first, first, close)
    at = close + 1
    while len(parts) < MOST:
        joint = _JOINT.match(data, at)
        if joint is None or (end := _closing(text, joint.end(), joint[1])) is None:
            break
        joints.append(pieces.size)
        parts.append(data[joint.end() : end])
        pieces.add(end - joint.end(), joint.end(), end)
        at = end + 1
    text.ended(at + _WHITE)
    if len(parts) == 1:
        return None
    return Decoded(("concat",), b"".join(parts), first, at, pieces.span, joints=tuple(joints))


_WHITE = 96  # bytes behind a string in which another one may begin


def _closing(text: Text, at: int, quote: bytes) -> int | None:
    """Where the string is closed that begins at ``at``."""
    found = _BODIES[quote].match(text.data, at)
    end = text.ended(found.end() if found else at)
    return end if text.data[end : end + 1] == quote else None


def joined(text: Text, place: int) -> Decoded | None:
    """A list of strings, and behind it ``.join("")``, of which the parenthesis ends at
    ``place``."""
    data = text.data
    text.ended(place + 8)
    call = _JOIN_CALL.search(data, max(0, place - 32), place)
    opening = data.rfind(b"[", 0, place)
    if call is None or opening < 0 or _EMPTY.match(data, place) is None:
        return None
    item = _OPENING.match(data, opening)
    pieces, parts, joints = Pieces(), [], []
    while item is not None:
        end = _closing(text, item.end(), item[1])
        if end is None or end > call.start():
            return None
        joints.append(pieces.size)
        parts.append(data[item.end() : end])
        pieces.add(end - item.end(), item.end(), end)
        item = _COMMA.match(data, end + 1)
    if len(parts) < 2:
        return None
    return Decoded(
        ("join",), b"".join(parts), opening, place, pieces.span, joints=tuple(joints[1:])
    )


def numbers(text: Text, place: int) -> Decoded | None:
    """The codes of characters from ``place`` on, as ``String.fromCharCode`` takes them."""
    found = _NUMBERS.match(text.data, place)
    if found is None:
        return None
    text.ended(found.end())
    pieces, parts = Pieces(), []
    for number in _NUMBER.finditer(text.data, found.start(1), found.end(1)):
        code = int(number[0], 0 if number[0][1:2] in b"xX" and len(number[0]) > 1 else 10)
        if not 0 < code < 0x80:
            return None
        parts.append(code)
        pieces.add(1, number.start(), number.end())
    if len(parts) < 2:
        return None
    return Decoded(("char-codes",), bytes(parts), found.start(1), found.end(), pieces.span)


def template(text: Text, place: int) -> Decoded | None:
    """The template around ``place``, with the strings in it that are written out."""
    data = text.data
    start = data.rfind(b"`", 0, place) + 1
    if not start:
        return None
    found = _TEMPLATE.match(data, start)
    end = text.ended(found.end() if found else start)
    plain, pieces = replaced(data, start, end, _INSERTED, _inserted)
    return Decoded(("template",), plain, start, end, pieces.span)


def _inserted(found: re.Match[bytes]) -> bytes:
    return found[1] or found[2] or found[3] or b""
