"""Text in UTF-16 and UTF-32, turned into UTF-8 for the scan, with the way back to its bytes."""

from __future__ import annotations

import codecs
import struct
from collections import deque
from typing import NamedTuple

from detector.sources.kind import SAMPLE
from detector.sources.stream import Stream

BLOCK = 64 << 10

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PRINTABLE = frozenset([9, 10, 13, *range(0x20, 0x7F)])
_CONTINUATION = bytes(range(0x80, 0xC0))
_LEAD_OF_FOUR = bytes(range(0xF0, 0xF8))


def detect_encoding(head: bytes) -> str | None:
    """The wide encoding of a text that begins with ``head`` (up to `SAMPLE` bytes), or None.

    Careful by design: what is taken for UTF-16 by mistake would not be scanned as it stands.
    """
    head = head[:SAMPLE]
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding if _decodes(head[len(bom) :], encoding) else None
    for encoding in ("utf-16-le", "utf-16-be"):
        if _looks_like(head, encoding):
            return encoding
    return None


def _decodes(sample: bytes, encoding: str) -> bool:
    if not sample:
        return False
    if _PRINTABLE.issuperset(sample) and len(sample) > 1:
        return False  # plain ASCII behind two odd bytes
    text = sample.decode(encoding, "replace")
    return "\0" not in text and text.count("\ufffd") <= 2 + len(text) // 100


def _looks_like(sample: bytes, encoding: str) -> bool:
    """Without a mark: nearly all units printable ASCII, none zero. Tables of small numbers,
    which have as many zero bytes, fail on the units that are no printable character."""
    n = len(sample) // 2
    if n < 8 or sample.count(0) * 10 < n * 7:  # each such unit has one zero byte
        return False
    units = struct.unpack(f"{'<' if encoding.endswith('le') else '>'}{n}H", sample[: 2 * n])
    ascii_units = sum(1 for unit in units if unit in _PRINTABLE)
    controls = sum(1 for unit in units if unit < 0x20 and unit not in _PRINTABLE)
    return controls == 0 and ascii_units * 10 >= n * 7


class _Block(NamedTuple):
    """One decoded piece; ``text`` is empty where every character took one unit."""

    start: int  # in the UTF-8 stream
    end: int
    source: int  # in the source
    text: bytes


class Transcoder:
    """A wide-encoded stream as UTF-8, block by block, in constant memory.

    What cannot be decoded becomes U+FFFD. Positions are kept until `forget` is called.
    """

    def __init__(self, stream: Stream, encoding: str) -> None:
        self._stream = stream
        self._unit = 4 if encoding.startswith("utf-32") else 2
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._blocks: deque[_Block] = deque()
        self._out = b""
        self._given = 0
        self._made = 0  # UTF-8 bytes so far
        self._taken = 0  # source bytes that they came from
        self._fed = 0  # source bytes that the decoder was given

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises what the stream raises."""
        while self._given == len(self._out):
            if not self._next_block():
                return 0
        n = min(len(view), len(self._out) - self._given)
        view[:n] = self._out[self._given : self._given + n]
        self._given += n
        return n

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The source's bytes behind the UTF-8 bytes ``[start, end)``.

        A position inside a character is moved to the character's edge: outwards.
        """
        return self._source_of(start, up=False), self._source_of(end, up=True)

    def forget(self, before: int) -> None:
        """Nothing in front of this UTF-8 position will be asked for any more."""
        while self._blocks and self._blocks[0].end < before:
            self._blocks.popleft()

    def _next_block(self) -> bool:
        data = self._stream.take(BLOCK)
        if not data and self._fed == self._taken:
            self._stream.settle()
            return False
        self._fed += len(data)
        text = self._decoder.decode(data, final=not data)
        self._out, self._given = text.encode(), 0
        # What the decoder holds back is not in this block; at the end it holds nothing back.
        held = len(self._decoder.getstate()[0]) if data else 0
        if self._out:
            same = len(text) * self._unit == self._fed - held - self._taken and text.isascii()
            block = _Block(
                self._made, self._made + len(self._out), self._taken, b"" if same else self._out
            )
            self._blocks.append(block)
        self._made += len(self._out)
        self._taken = self._fed - held
        return True

    def _source_of(self, position: int, *, up: bool) -> int:
        if position >= self._made:  # a broken last character may span more than its unit
            return self._taken
        for block in reversed(self._blocks):
            if block.start <= position:
                return min(self._inside(block, position - block.start, up=up), self._taken)
        return self._blocks[0].source if self._blocks else 0

    def _inside(self, block: _Block, at: int, *, up: bool) -> int:
        if not block.text:
            return block.source + at * self._unit
        while 0 < at < len(block.text) and block.text[at] & 0xC0 == 0x80:
            at += 1 if up else -1
        leads = block.text[:at].translate(None, _CONTINUATION)
        units = len(leads)
        if self._unit == 2:
            units += len(leads) - len(leads.translate(None, _LEAD_OF_FOUR))
        return block.source + units * self._unit
