"""Base64 of either alphabet, on one line or wrapped, and what is compressed inside of it.

https://www.rfc-editor.org/rfc/rfc4648 (alphabets), https://www.rfc-editor.org/rfc/rfc2045
(76 characters a line), https://www.rfc-editor.org/rfc/rfc7468 (64).
"""

from __future__ import annotations

import binascii
import re
import zlib

from detector.decode.types import Decoded, Pieces, Span, Text

MAX_UNPACKED = 16 << 20  # bytes out of one compressed value
FULL_LINE = 56  # characters of a line that may go on in the next one: nobody wraps shorter

_DIGITS = re.compile(rb"[0-9A-Za-z+/_-]*")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
# A line's end, also written as an escape, and what a mail or YAML puts before the next line.
_BREAK = re.compile(rb"\\?(?:\r?\n|\\r\\n|\\n)[ \t]*(?:>[> ]*)?")
_BREAK_BEFORE = re.compile(rb"(?:\r?\n|\\r\\n|\\n)[ \t]*(?:>[> ]*)?\Z")
_PADDING = re.compile(rb"(?:=|%3[Dd]|\\u003[Dd]){0,2}")
_URL_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_GZIP, _ZLIB = b"\x1f\x8b\x08", (b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x78\x5e")


def base64(text: Text, group: int) -> Decoded | None:
    """The whole run of digits, of which a group of four begins at ``group``."""
    start = _run_before(text.data, group)
    digits, pieces, end = _digits(text, start)
    skip = pieces.index(group) % 4
    digits = digits[skip:]
    data = _bytes_of(digits)
    if len(data) < 3:
        return None

    def source(first: int, last: int) -> Span:
        begin, stop = pieces.span(skip + 8 * first // 6, skip - (-8 * last // 6))
        if last == len(data) and (padding := _PADDING.match(text.data, stop)) is not None:
            stop = padding.end()
        return begin, stop

    def in_step(place: int) -> bool:
        return pieces.index(place) % 4 == skip

    unpacked = _unpacked(data)
    if unpacked is None:
        return Decoded(("base64",), data, start, end, source, True, in_step)
    name, inner, left_out = unpacked
    whole = source(0, len(data))
    return Decoded(
        ("base64", name), inner, start, end, lambda *_: whole, True, in_step, None, left_out
    )


def _run_before(data: bytes, place: int) -> int:
    """Where the run begins that has digits at ``place``."""
    while True:
        head = data[:place]
        begin = len(head.rstrip(_ALPHABET))
        found = _BREAK_BEFORE.search(head, max(0, begin - 64), begin)
        if found is None:
            return begin
        above = found.start() - len(data[: found.start()].rstrip(_ALPHABET))
        if above < FULL_LINE:
            return begin
        place = found.start()


def _digits(text: Text, start: int) -> tuple[bytes, Pieces, int]:
    """The digits from ``start`` on, where they come from, and where they end."""
    data, pieces, parts = text.data, Pieces(), []
    at = start
    while True:
        found = _DIGITS.match(data, at)
        end = found.end() if found else at
        text.ended(end)
        parts.append(data[at:end])
        pieces.add(end - at, at, end)
        if end - at >= FULL_LINE:
            text.ended(end + 2)
        broken = _BREAK.match(data, end)
        if broken is None or end - at < FULL_LINE:
            _padding_after(text, end)
            return b"".join(parts), pieces, end
        text.ended(broken.end())
        at = broken.end()
        if data[at : at + 1] not in _SINGLE:
            return b"".join(parts), pieces, end


def _padding_after(text: Text, end: int) -> int:
    """Where the padding ends that stands at ``end``."""
    found = _PADDING.match(text.data, end)
    stop = found.end() if found else end
    more = text.data[stop : stop + 1]
    text.ended(stop + 6 if more in (b"%", b"\\") else stop)
    return stop


_SINGLE = frozenset(bytes([byte]) for byte in _ALPHABET)


def _bytes_of(digits: bytes) -> bytes:
    """What they stand for; a digit too many is left out."""
    whole = len(digits) if len(digits) % 4 != 1 else len(digits) - 1
    padded = digits[:whole].translate(_URL_TO_STANDARD) + b"=" * (-whole % 4)
    return binascii.a2b_base64(padded)


def _unpacked(data: bytes) -> tuple[str, bytes, str] | None:
    """The name of the compression, what is in it, and why it is not all; None: not compressed."""
    if data.startswith(_GZIP):
        name, bits = "gzip", 31
    elif data.startswith(_ZLIB):
        name, bits = "deflate", 15
    else:
        return None
    inflate = zlib.decompressobj(wbits=bits)
    out = bytearray()
    try:
        out += inflate.decompress(data, MAX_UNPACKED)
    except zlib.error:
        return None
    left_out = "" if inflate.eof or not inflate.unconsumed_tail else "unpacks to more than 16 MB"
    return (name, bytes(out), left_out) if out else None
