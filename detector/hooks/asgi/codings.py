"""What a body is packed with: ``Content-Encoding`` (RFC 9110, 8.4)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 16  # bytes unpacked at once, whatever a hostile body claims

_KNOWN = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


class BodyError(Exception):
    """A body that cannot be looked at. Its text holds no content; ``status``: for the client."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class Unpacker:
    """Unpacks one body piece by piece. Raises :class:`BodyError` for codings it does not know,
    and for what is not packed with them."""

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in _KNOWN:
            raise BodyError("the body is packed in an unknown way", 415)
        self.is_plain = self._coding in ("", "identity")
        self._member: Any = None  # the one that is open: gzip can have several

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """The next bytes, unpacked, in pieces of at most 64 KiB if they were packed."""
        if self.is_plain:
            yield raw
            return
        while raw:
            if self._member is None:
                self._member = self._begun(raw)
            piece = self._unpacked(raw)
            while len(piece) == PIECE:  # there may be more, all of the input taken or not
                yield piece
                piece = self._unpacked(self._member.unconsumed_tail)
            yield piece
            raw = self._member.unused_data
            if self._member.eof:
                self._member = None

    def close(self) -> None:
        """Nothing follows."""
        if self._member is not None:
            raise BodyError("the body is cut off")

    def pack(self, content: bytes) -> bytes:
        """A whole body packed as it came."""
        if self.is_plain:
            return content
        return zlib.compress(content) if self._coding == "deflate" else gzip.compress(content)

    def _begun(self, raw: bytes) -> Any:
        """``deflate`` is zlib's format; some send the bare data, which cannot begin like it."""
        if self._coding != "deflate":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        return zlib.decompressobj(zlib.MAX_WBITS if raw[0] & 15 == 8 else -zlib.MAX_WBITS)

    def _unpacked(self, raw: bytes) -> bytes:
        try:
            piece: bytes = self._member.decompress(raw, PIECE)
        except zlib.error:
            raise BodyError("the body is damaged") from None
        return piece


def unpacked(raw: bytes, unpacker: Unpacker, most: int) -> bytes:
    """A whole body, if it is no longer than ``most`` bytes."""
    out = bytearray()
    for piece in unpacker.feed(raw):
        out += piece
        if len(out) > most:
            raise BodyError("the body is too large", 413)
    unpacker.close()
    return bytes(out)
