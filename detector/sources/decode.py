"""Decoders in constant memory, and one compressed frame read through any of them.

Decoders are asked for little at a time, so what a corrupt block takes with it is small, and
every byte out is counted against the limits before it goes further.
"""

from __future__ import annotations

import lzma
import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Protocol

from detector.sources.limits import Budget, Damaged, Limits, too_large
from detector.sources.stream import Stream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_ERRORS = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError)

FEED = 32 << 10
"""Compressed bytes per call."""

STEP = 128 << 10
"""Decompressed bytes per call at most. When a call fails, what it had decoded is lost."""


class Decoder(Protocol):
    """What bz2, lzma and zstd decompressors have in common."""

    @property
    def eof(self) -> bool:
        """The end of the compressed frame was seen."""

    @property
    def needs_input(self) -> bool:
        """Nothing more comes out before more goes in."""

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind the frame's end."""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """At most ``max_length`` bytes."""


def _fastest_zlib() -> ModuleType:
    """ISA-L where it is installed: 700 MB/s out of a gzip against zlib's 305.

    Of a stream that is cut short it may give a few bytes less.
    """
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return zlib


deflate = _fastest_zlib()


class RawDeflate:
    """zlib's raw deflate decoder with the manners of the other three."""

    def __init__(self) -> None:
        self._zlib = deflate.decompressobj(-zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """The end of the deflate data was seen."""
        return bool(self._zlib.eof)

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind the end."""
        return bytes(self._zlib.unused_data)

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """At most ``max_length`` bytes."""
        out: bytes = self._zlib.decompress(self._zlib.unconsumed_tail or data, max_length)
        # A full output may leave more inside zlib even when all input is taken.
        self.needs_input = not self._zlib.unconsumed_tail and len(out) < max_length
        return out


def zstd_decoder(limits: Limits) -> Decoder:
    """A zstd decoder whose window is bounded."""
    window = limits.window_bytes.bit_length() - 1
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window})


def lzma_decoder(limits: Limits) -> Decoder:
    """A decoder for xz and for the older lzma files, whose memory is bounded."""
    return lzma.LZMADecompressor(memlimit=limits.window_bytes)


class Meter:
    """Measures one compressed stream: bytes in, bytes out, and the limits on both."""

    def __init__(self, budget: Budget, abandon: Callable[[], int]) -> None:
        self.limits = budget.limits
        self.fed = self.made = 0
        self._budget, self._abandon = budget, abandon

    def is_bomb(self, nbytes: int) -> bool:
        """Count bytes out. Raises `Damaged` when the file as a whole is spent."""
        self.made += nbytes
        if too_large(self.limits, self.fed, self.made):
            return True
        self._budget.charge(nbytes)
        return False

    def lost(self, reason: str) -> Damaged:
        """Pass over the rest of the compressed bytes and say how many they were."""
        return Damaged(reason, self._abandon())


class Frame:
    """One compressed frame of a stream, decoded. Stops right behind the frame's last byte.

    ``header`` is what the decoder gets to see in front of the stream's own bytes.
    """

    def __init__(
        self, stream: Stream, decoder: Decoder, name: str, meter: Meter, header: bytes = b""
    ) -> None:
        self._stream, self._decoder, self._name, self._meter = stream, decoder, name, meter
        self._header = header
        self._held = 0  # what the decoder was given last

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        want = min(len(view), STEP)
        while not self._decoder.eof:
            out = self._decode(self._feed() if self._decoder.needs_input else b"", want)
            if self._decoder.eof:
                self._stream.rewind(len(self._decoder.unused_data))
                self._held = 0
            if out:
                if self._meter.is_bomb(len(out)):
                    raise self._lost(f"expands more than {self._meter.limits.ratio} times")
                view[: len(out)] = out
                return len(out)
        return 0

    def _feed(self) -> memoryview | bytes:
        if self._header:
            header, self._header = self._header, b""
            return header
        data = self._stream.take(FEED)
        if not data:
            self._stream.settle()
            self._stream.reported = True
            raise Damaged(f"{self._name} data is truncated")
        self._meter.fed += len(data)
        self._held = len(data)
        return data

    def _decode(self, data: bytes | memoryview, want: int) -> bytes:
        try:
            return self._decoder.decompress(data, want)
        except (*_ERRORS, deflate.error) as error:
            why = "needs too large a window" if "memory" in str(error).lower() else "is corrupt"
        raise self._lost(f"{self._name} data {why}")

    def _lost(self, reason: str) -> Damaged:
        # Decoders swallow all that they are given; the next member may be in it.
        self._stream.rewind(self._held)
        return self._meter.lost(reason)
