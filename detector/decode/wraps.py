"""Tokens that a mail program, a PDF or an editor has broken over lines."""

from __future__ import annotations

import re

from detector.decode.strings import chained
from detector.decode.types import Decoded, Pieces, Text

_NAMES = {b"\\": "escape", b"=": "quoted-printable"}

MOST = 256  # lines of one token
LONGEST_LINE = 128  # bytes, with its end: nothing is wrapped later
FIRST_LINE = 8  # bytes of a token that its first line holds at least
SHORTEST = 4  # bytes of a line that goes on with a token

_TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+/=~:-"
_RUN = re.compile(rb"[0-9A-Za-z_.+/=~:-]*")
_BROKEN = re.compile(rb"([\"'`]?)[ \t]*([\\=+.&|]{0,2})[ \t]*\r?\n\Z")
# What may stand before the rest: indentation, a mail's marks of a quotation, a comment's.
_NEXT = re.compile(rb"([\\=]?)\r?\n[ \t]*(?:>[> ]*|[#*][ \t]+|//[ \t]*)?")


def unwrapped(text: Text, place: int) -> Decoded | None:
    """A token of which the first line has ended at ``place``, behind its newline."""
    data = text.data
    broken = _BROKEN.search(data, max(0, place - 16), place)
    if broken is None:
        return None
    if broken[1]:
        return chained(text, broken.start())
    first_end = broken.start()
    if broken[2] == b"=" or data[first_end - 1 : first_end] == b"=":
        first_end = len(data[:first_end].rstrip(b"="))
    start = len(data[:first_end].rstrip(_TOKEN))
    if not first_end - start >= FIRST_LINE or place - start > LONGEST_LINE:
        return None
    pieces, parts, joints = Pieces(), [data[start:first_end]], []
    pieces.add(first_end - start, start, first_end)
    at = first_end
    while len(parts) < MOST:
        text.ended(at + 2)
        following = _NEXT.match(data, at)
        if following is None:
            break
        text.ended(following.end())
        found = _RUN.match(data, following.end())
        end = text.ended(found.end() if found else at)
        part = data[following.end() : end]
        if following[1] or ((soft := _NEXT.match(data, end - 1)) and soft[1]):
            part = part.rstrip(b"=")
        if len(part) < SHORTEST or not (following[1] or _drawn(part)):
            break
        joints.append(pieces.size)
        parts.append(part)
        at = following.end() + len(part)
        pieces.add(len(part), following.end(), at)
    if len(parts) == 1:
        return None
    by = _NAMES.get(broken[2], "wrapped")
    return Decoded((by,), b"".join(parts), start, at, pieces.span, joints=tuple(joints))


def _drawn(part: bytes) -> bool:
    """Whether this looks like letters drawn at random, and not like a word of a text: it holds a
    digit, or capitals behind small letters."""
    return any(48 <= byte <= 57 for byte in part) or (
        part != part.lower() and part[1:] != part[1:].lower() and part != part.upper()
    )
