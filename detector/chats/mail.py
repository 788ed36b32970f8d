"""Mails: where each begins in a mailbox, what its headers say, and its parts decoded.

A mailbox is read as it comes, one mail in memory. Of each part it is known where it stands in the
file, and of each decoded byte which bytes of the file stand for it: the parser of the standard
library tells neither, so parts are split here and only headers are given to it.

mbox: https://www.rfc-editor.org/rfc/rfc4155, MIME: https://www.rfc-editor.org/rfc/rfc2045 and 2046.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from detector.chats.fields import LONGEST as SHOWN
from detector.tables.layout import NOWHERE, Cell
from detector.types import Bytes

LONGEST = 64 << 20  # bytes of a mail that are kept; what stands behind them is not decoded
DEPTH, PARTS = 16, 4096  # of a mail
PIECE = 1 << 20  # bytes of base64 looked at together
HEADERS = 1 << 20  # bytes of headers that are parsed

_SEPARATOR = re.compile(rb"(?<=\n)\r?\nFrom [^\n]{1,998}? \d\d?:\d\d(?::\d\d)? [^\n]{0,200}\n")
_TAIL = 1300  # bytes in which a separator may be incomplete
_MBOX = re.compile(rb"From [^\n]{1,998}? \d\d?:\d\d(?::\d\d)? [^\n]{0,200}\r?\n>?[A-Za-z-]+:")
_MAIL = re.compile(
    rb"(?:[a-z][a-z0-9-]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*+)*?"
    rb"(?:message-id|mime-version|from|received):",
    re.IGNORECASE,
)
_BLANK = re.compile(rb"\r?\n\r?\n")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})|=[ \t]*+\r?\n|(?<![ \t])[ \t]++(?=\r?\n)")
_WIDE = re.compile(r"(?i)utf-?(?:7|16|32)|ucs|iso-?2022|hz")
_PARSER = BytesHeaderParser(policy=compat32)


def mail_kind(path: str, head: bytes) -> str | None:
    """``mbox`` or ``eml`` for what begins so, None for anything else."""
    if _MBOX.match(head):
        return "mbox"
    return "eml" if path.lower().endswith(".eml") and _MAIL.match(head) else None


class Mail(NamedTuple):
    """One, from its first byte. ``line`` is that it begins in; ``number`` counts from 1.
    ``rest``: what of a longer one comes behind its first bytes; it is read no further."""

    start: int
    line: int
    number: int
    data: bytes
    rest: bool = False

    @property
    def end(self) -> int:
        """Behind its last byte."""
        return self.start + len(self.data)

    def __repr__(self) -> str:
        return f"Mail({self.number}, {len(self.data)} bytes)"  # never the bytes


class Mails:
    """Splits what passes. Its cells say nothing: where they stand is known when a mail ends."""

    def __init__(self, kind: str) -> None:
        self._one = kind == "eml"
        self._start = self._mark = 0
        self._line = self._number = 1
        self._held, self._tail = bytearray(), b""
        self._rest = False
        self.done: list[Mail] = []
        """Those that have ended, and that nobody has taken yet."""

    def pass_to(self, window: Bytes, base: int, position: int) -> None:
        """See :class:`~detector.tables.layout.Cells`."""
        if position > self._mark:
            self._feed(bytes(memoryview(window)[self._mark - base : position - base]))
            self._mark = position

    def locate(self, window: Bytes, base: int, positions: Sequence[int]) -> list[Cell]:
        """See :class:`~detector.tables.layout.Cells`."""
        return [NOWHERE] * len(positions)

    def finish(self) -> None:
        """Nothing follows."""
        self._take(self._tail)
        self._tail = b""
        if self._held:
            self._end(whole=True)

    def _feed(self, data: bytes) -> None:
        text, taken = self._tail + data, 0
        for match in () if self._one else _SEPARATOR.finditer(text):
            at = text.index(b"F", match.start())
            self._take(text[taken:at])
            self._end(whole=True)
            taken = at
        sure = max(taken, len(text) - _TAIL)  # a separator may begin behind that
        self._take(text[taken:sure])
        self._tail = text[sure:]

    def _take(self, data: bytes) -> None:
        while len(self._held) + len(data) > LONGEST:
            room = LONGEST - len(self._held)
            self._held += data[:room]
            data = data[room:]
            self._end(whole=False)
        self._held += data

    def _end(self, *, whole: bool) -> None:
        data = bytes(self._held)
        one = Mail(self._start, self._line, self._number, data, self._rest)
        self.done.append(one)
        self._start, self._line = one.end, self._line + data.count(b"\n")
        self._held, self._rest = bytearray(), not whole
        self._number += whole


class Part(NamedTuple):
    """One part: the bytes ``[start, end)`` of its body in the mail, and what they stand for."""

    name: str
    start: int
    end: int
    encoding: str | None = None
    """``base64`` or ``quoted-printable`` for what was decoded, else None."""
    data: bytes = b""
    recoded: bool = False
    """Characters were, too: then it isn't known which bytes stand for one."""

    def __repr__(self) -> str:
        return f"Part({self.name}, {self.start}:{self.end})"  # never the bytes

    def spans(self, mail: bytes, decoded: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Of spans of decoded bytes: those in the mail."""
        if self.recoded:
            return [(self.start, self.end)] * len(decoded)
        wanted = sorted({at for start, end in decoded for at in (start, end - 1)})
        places = _packed_places if self.encoding == "base64" else _quoted_places
        found = dict(zip(wanted, places(mail, self.start, self.end, wanted), strict=False))
        none = (self.start, self.end)
        return [(found.get(start, none)[0], found.get(end - 1, none)[1]) for start, end in decoded]


def _packed_places(
    mail: bytes, begin: int, end: int, wanted: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """The two characters of base64 that hold each of ascending bytes, in pieces: the places of
    all of them would take eight times the memory of the mail."""
    chars = [place for at in wanted for place in (at // 3 * 4 + at % 3, at // 3 * 4 + at % 3 + 1)]
    places: list[int] = []
    seen = 0
    for piece in range(begin, end, PIECE):
        column = np.frombuffer(mail[piece : min(piece + PIECE, end)], np.uint8)
        raw = np.flatnonzero(column > 32)
        while len(places) < len(chars) and chars[len(places)] < seen + raw.size:
            places.append(piece + int(raw[chars[len(places)] - seen]))
        seen += raw.size
    for first, last in zip(places[::2], places[1::2], strict=False):
        yield first, last + 1


def _quoted_places(
    mail: bytes, begin: int, end: int, wanted: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """The byte, or the escape, that stands for each of ascending bytes."""
    size, last, n = 0, begin, 0
    for match in chain(_QUOTED.finditer(mail, begin, end), [None]):
        stop = end if match is None else match.start()
        while n < len(wanted) and wanted[n] < size + stop - last:
            place = last + wanted[n] - size
            yield place, place + 1
            n += 1
        size += stop - last
        if match is None or n == len(wanted):
            return
        last = match.end()
        if match[1]:
            if wanted[n] == size:
                yield match.span()
                n += 1
            size += 1


def parts_of(data: bytes) -> tuple[Message, int, list[Part]]:
    """The headers of a mail, where its body begins, and its parts that hold no others."""
    begin = data.find(b"\n") + 1 if data.startswith(b"From ") else 0
    headers, body = _headers(data, begin, len(data))
    parts = _parts(data, headers, body, len(data), "body", DEPTH)
    return headers, body, [part for part, _ in zip(parts, range(PARTS), strict=False)]


def _headers(data: bytes, begin: int, end: int) -> tuple[Message, int]:
    """They, and where the body begins."""
    blank = _BLANK.search(data, begin, end)
    body = blank.end() if blank else end
    if data[begin : begin + 1] in (b"\n", b"\r"):  # no headers at all
        body = begin + (2 if data[begin : begin + 2] == b"\r\n" else 1)
    return _PARSER.parsebytes(data[begin : min(body, begin + HEADERS)]), body


def _parts(
    data: bytes, headers: Message, begin: int, end: int, name: str, depth: int
) -> Iterator[Part]:
    kind, boundary = headers.get_content_type(), _boundary(headers)
    if depth and kind.startswith("multipart/") and boundary:
        for number, (first, last) in enumerate(_between(data, boundary, begin, end)):
            inner, body = _headers(data, first, last)
            yield from _parts(data, inner, body, last, f"{name}[{number}]", depth - 1)
    elif depth and kind == "message/rfc822":
        inner, body = _headers(data, begin, end)
        yield from _parts(data, inner, body, end, name, depth - 1)
    else:
        yield _decoded(data, headers, begin, end, name)


def _boundary(headers: Message) -> bytes | None:
    try:
        value = headers.get_boundary()
    except (ValueError, LookupError):
        return None
    return value.encode("utf-8", "surrogateescape") if value else None


def _between(data: bytes, boundary: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts between lines of a boundary; one that is not closed ends with the mail."""
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
    first = None
    for match in line.finditer(data, begin, end):
        if first is not None:
            yield first, match.start()
        if match[1]:
            return
        first = match.end()
    if first is not None:
        yield first, end


def _decoded(data: bytes, headers: Message, begin: int, end: int, name: str) -> Part:
    encoding = str(headers.get("Content-Transfer-Encoding", "")).strip().lower()
    body = data[begin:end]
    if encoding == "quoted-printable":
        text = _QUOTED.sub(_unescaped, body)
    elif encoding == "base64":
        try:
            text = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
        except ValueError:  # it is looked at as it stands
            return Part(name, begin, end)
    else:
        return Part(name, begin, end)
    charset = str(headers.get_param("charset", "") or "")
    if _WIDE.match(charset):
        try:
            wide = text.decode(charset, "replace").encode("utf-8", "replace")
            return Part(name, begin, end, encoding, wide, recoded=True)
        except (LookupError, ValueError):
            pass
    return Part(name, begin, end, encoding, text)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else b""


def origin_of(headers: Message, mailbox: str) -> dict[str, Any]:
    """Mailbox, author, id and time of a mail, None for what it does not say."""
    author = _text(headers, "From")
    if author is not None:
        name, address = parseaddr(author)
        author = name or address or author
    return {
        "channel": mailbox,
        "author": author,
        "message": _text(headers, "Message-ID"),
        "time": _time(_text(headers, "Date")),
    }


def _text(headers: Message, name: str) -> str | None:
    value = headers.get(name)
    if value is None:
        return None
    try:
        text = str(make_header(decode_header(str(value))))
    except (ValueError, LookupError, MessageError):
        text = str(value)
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    return text[:SHOWN] or None


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        time = parsedate_to_datetime(text)
        return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time.tzinfo else text
    except (ValueError, TypeError, OverflowError, IndexError):
        return text
