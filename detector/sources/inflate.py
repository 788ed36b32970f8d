"""Compressed files: gzip, zstd, bzip2, xz and lzma, recognised, and read frame by frame."""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from detector.sources.decode import Decoder, Frame, Meter, RawDeflate, lzma_decoder, zstd_decoder
from detector.sources.limits import Budget, Damaged, Limits
from detector.sources.stream import Source, Stream


class Gzip:
    """One gzip member (RFC 1952): header, deflate data, checksum.

    zlib could read the wrapping too, but answers a wrong checksum by withholding the data.
    """

    def __init__(self, stream: Stream, meter: Meter) -> None:
        self._stream, self._meter = stream, meter
        _pass_gzip_header(stream)
        self._frame = Frame(stream, RawDeflate(), "gzip", meter)
        self._crc = 0
        self._done = False

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        n = self._frame.readinto(view)
        self._crc = zlib.crc32(view[:n], self._crc)
        if n == 0 and not self._done:
            self._done = True
            self._verify()
        return n

    def _verify(self) -> None:
        trailer = bytes(self._stream.peek(8))
        self._stream.skip(8)
        if len(trailer) < 8:
            self._stream.settle()
            raise Damaged("gzip data is truncated")
        if int.from_bytes(trailer[:4], "little") != self._crc:
            raise self._meter.lost("gzip checksum does not match")


def _pass_gzip_header(stream: Stream) -> None:
    flags = stream.peek(10)[3:4]
    stream.skip(10)
    if not flags:
        raise Damaged("gzip data is truncated")
    if flags[0] & 4:
        stream.skip(int.from_bytes(stream.peek(2), "little") + 2)
    for flag in (8, 16):  # name, comment: each ends with a zero byte
        if flags[0] & flag:
            _skip_past_zero(stream)
    if flags[0] & 2:
        stream.skip(2)


def _skip_past_zero(stream: Stream) -> None:
    while data := stream.take():
        end = bytes(data).find(0)
        if end >= 0:
            stream.rewind(len(data) - end - 1)
            return


class Codec(NamedTuple):
    """A compression known by its first bytes."""

    name: str
    starts: Callable[[bytes], bool]
    open: Callable[[Stream, Meter, Limits], Source]


def _is_gzip(head: bytes) -> bool:
    return head[:3] == b"\x1f\x8b\x08" and len(head) > 3 and not head[3] & 0xE0


def _is_zstd(head: bytes) -> bool:
    if head[:4] == b"\x28\xb5\x2f\xfd":
        # Bit 3 of the descriptor is reserved and zero (RFC 8878, 3.1.1.1.1).
        return len(head) > 4 and not head[4] & 8
    return len(head) > 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5  # skippable


def _is_bzip2(head: bytes) -> bool:
    # A block begins with the digits of pi, an empty file ends with those of its root.
    return head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


def _is_xz(head: bytes) -> bool:
    if head[:6] != b"\xfd7zXZ\0" or len(head) < 12:
        return False
    stated = int.from_bytes(head[8:12], "little")
    return stated == zlib.crc32(head[6:8])


def _is_lzma(head: bytes) -> bool:
    # No magic: the usual properties byte, a dictionary of 2^n or 3·2^n bytes, a size that is
    # unknown or believable, and the zero that every range coder starts with.
    if len(head) < 14 or head[0] != 0x5D or head[13] != 0:
        return False
    dictionary, size = struct.unpack_from("<IQ", head, 1)
    shape = dictionary >> max(0, dictionary.bit_length() - 2)
    exact = dictionary == shape << max(0, dictionary.bit_length() - 2)
    believable = size == (1 << 64) - 1 or size < 1 << 40
    return bool(exact and dictionary >= 4096 and believable)


def _plain_codec(
    name: str, starts: Callable[[bytes], bool], make: Callable[[Limits], Decoder]
) -> Codec:
    return Codec(name, starts, lambda stream, meter, lim: Frame(stream, make(lim), name, meter))


CODECS = (
    Codec("gzip", _is_gzip, lambda stream, meter, _limits: Gzip(stream, meter)),
    _plain_codec("zstd", _is_zstd, zstd_decoder),
    _plain_codec("bzip2", _is_bzip2, lambda _limits: bz2.BZ2Decompressor()),
    _plain_codec("xz", _is_xz, lzma_decoder),
    _plain_codec("lzma", _is_lzma, lzma_decoder),
)
"""Single-stream compressions, each recognised by magic bytes that its header confirms."""


class Decompressed:
    """A compressed stream, decoded: its frames one after the other, and padding of zeros."""

    def __init__(self, stream: Stream, codec: Codec, budget: Budget) -> None:
        self._stream, self._codec, self._limits = stream, codec, budget.limits
        self._meter = Meter(budget, stream.drain)
        self._frame: Source | None = None
        self._first = True

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged`."""
        while True:
            if self._frame is not None and (n := self._frame.readinto(view)):
                return n
            self._frame = self._next()
            if self._frame is None:
                return 0

    def _next(self) -> Source | None:
        if self._first:
            self._first = False
            return self._codec.open(self._stream, self._meter, self._limits)
        _skip_zeros(self._stream)
        head = self._stream.peek(16)
        if not head:
            self._stream.settle()
            return None
        if self._codec.starts(head):
            return self._codec.open(self._stream, self._meter, self._limits)
        raise self._meter.lost(f"other bytes follow the {self._codec.name} data")


def _skip_zeros(stream: Stream) -> None:
    while data := stream.take():
        rest = len(bytes(data).lstrip(b"\0"))
        if rest:
            stream.rewind(rest)
            return
