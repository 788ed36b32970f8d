"""The compressions of a dump's data: zlib, LZ4, and zstd, which files have, too."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import Any

from detector.sources.decode import Decoder, Frame, Meter, RawDeflate
from detector.sources.inflate import CODECS, Codec
from detector.sources.limits import Damaged, Limits
from detector.sources.stream import Source, Stream


class _Zlib:
    """A zlib stream (RFC 1950). zlib itself would withhold data whose checksum is wrong."""

    def __init__(self, stream: Stream, meter: Meter) -> None:
        self._stream, self._meter = stream, meter
        head = stream.peek(2)
        if len(head) == 2 and not _is_zlib(head):
            raise meter.lost("zlib data is corrupt")
        stream.skip(2)  # where there are fewer the frame says that there is no more
        self._frame = Frame(stream, RawDeflate(), "zlib", meter)
        self._sum = 1
        self._done = False

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        n = self._frame.readinto(view)
        self._sum = zlib.adler32(view[:n], self._sum)
        if n == 0 and not self._done:
            self._done = True
            self._verify()
        return n

    def _verify(self) -> None:
        trailer = self._stream.peek(4)
        self._stream.skip(4)
        if len(trailer) < 4:
            self._stream.settle()
            raise Damaged("zlib data is truncated")
        if int.from_bytes(trailer, "big") != self._sum:
            raise self._meter.lost("zlib checksum does not match")


def _is_zlib(head: bytes) -> bool:
    return len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0


class _Lz4:
    """The decoder of the package lz4 with the manners of the others."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """The end of the frame was seen."""
        return bool(self._decoder.eof)

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind the end."""
        return self._decoder.unused_data or b""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """At most ``max_length`` bytes. Raises :class:`ValueError`."""
        try:
            out: bytes = self._decoder.decompress(data, max_length)
        except RuntimeError:
            raise ValueError("no LZ4 frame") from None
        # All input may be taken and a decoded block still wait inside.
        self.needs_input = bool(self._decoder.needs_input) and len(out) < max_length
        return out


def _open_lz4(stream: Stream, meter: Meter, _limits: Limits) -> Source:
    try:
        frames = import_module("lz4.frame")
    except ImportError:
        raise meter.lost("LZ4 data needs another package (pip install lz4)") from None
    decoder: Decoder = _Lz4(frames.LZ4FrameDecompressor())
    return Frame(stream, decoder, "LZ4", meter)


def _is_lz4(head: bytes) -> bool:
    # Version 01, and bit 1 of the flags is reserved and zero (LZ4 frame format 1.6).
    return head[:4] == b"\x04\x22\x4d\x18" and len(head) > 4 and head[4] & 0xC2 == 0x40


ZLIB = Codec("zlib", _is_zlib, lambda stream, meter, _limits: _Zlib(stream, meter))
LZ4 = Codec("LZ4", _is_lz4, _open_lz4)
_ZSTD = next(codec for codec in CODECS if codec.name == "zstd")
ALGORITHMS = (None, ZLIB, LZ4, _ZSTD)  # by pg_compress_algorithm
