"""Hexadecimal digits, and text of two bytes a character."""

from __future__ import annotations

import re

from detector.decode.types import Decoded, Span, Text

_HEX = b"0123456789abcdefABCDEF"
_HEX_RUN = re.compile(rb"[0-9a-fA-F]*")
_WIDE_RUN = re.compile(rb"(?:[\x01-\x7f]\x00)*")


def hexadecimal(text: Text, pair: int) -> Decoded | None:
    """The whole run of digits, of which a pair begins at ``pair``."""
    data = text.data
    begin = len(data[:pair].rstrip(_HEX))
    start = begin + (pair - begin) % 2
    found = _HEX_RUN.match(data, pair)
    end = text.ended(found.end() if found else pair)
    end -= (end - start) % 2

    def source(first: int, last: int) -> Span:
        return start + 2 * first, start + 2 * last

    def in_step(place: int) -> bool:
        return (place - start) % 2 == 0

    plain = bytes.fromhex(data[start:end].decode("ascii"))
    return Decoded(("hex",), plain, start, end, source, True, in_step)


def wide(text: Text, place: int) -> Decoded | None:
    """UTF-16 of either order, of which a letter stands at ``place``."""
    data = text.data
    # An even number of bytes before it: pairs of a letter and a NUL.
    start = place
    while start >= 2 and data[start - 1] == 0 and 0 < data[start - 2] < 0x80:
        start -= 2
    found = _WIDE_RUN.match(data, start)
    end = found.end() if found else start
    text.ended(end + 1)  # half a letter
    plain = data[start:end:2]
    shift = 0
    if start and data[start - 1] == 0:  # the other order: the NUL comes first
        shift = -1
        if data[end : end + 1].strip(b"\0"):
            plain += data[end : end + 1]
            end += 1

    def source(first: int, last: int) -> Span:
        return start + shift + 2 * first, start + shift + 2 * last

    def in_step(other: int) -> bool:
        return (other - start) % 2 == 0

    return Decoded(("utf-16",), plain, start, end, source, True, in_step)
