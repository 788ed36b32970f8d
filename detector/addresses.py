"""How many different e-mail addresses a source of tables holds, counted in passing.

An address is a local part of at most 64 letters, digits, dots, plus, minus and underscore, and a
host name with a dot and a top-level domain of letters (https://www.rfc-editor.org/rfc/rfc5321,
section 4.1.2, without quoted local parts and those with signs that as well end the word before).
Upper and lower case are the same. What stands in a URL (``https://user:word@host``), names a remote
of git (``git@host:path``) or a picture (``logo@2x.png``) is none.

Only keyed hashes are kept. Where no ``@`` stands nothing is looked at: 10 GB/s.
"""

from __future__ import annotations

import re
from hashlib import blake2b

import numpy as np

from detector.distinct import Hashes
from detector.types import Bytes

MANY = 1 << 16  # hashes that wait to be taken at most: half a megabyte
LOCAL = 64  # bytes of a local part at most
HOST = 255  # bytes of a host name at most
BEFORE = 256  # bytes before an @ that tell what stands there

_LOCAL = re.compile(rb"[A-Za-z0-9_.+\x80-\xff-]*")  # of the reversed text
_HOST = re.compile(
    rb"(?:[A-Za-z0-9\x80-\xff](?:[A-Za-z0-9\x80-\xff-]{0,61}[A-Za-z0-9\x80-\xff])?\.)+"
    rb"(xn--[a-z0-9-]+|[A-Za-z]{2,24})(?![A-Za-z0-9_-])"
)
_HOST_BYTES = re.compile(rb"[A-Za-z0-9.\x80-\xff-]*+.{0,2}", re.DOTALL)
_IN_URL = re.compile(rb"://[^\s\"'<>]*\Z")
_REMOTE = re.compile(rb":[\w/~]")
_ESCAPE = re.compile(rb"u[0-9A-Fa-f]{4}|[bfnrtv0]")  # behind a backslash: it ends what was before
_FILES = frozenset(b"png jpg jpeg gif svg webp avif ico css js mjs json html".split())


class Addresses:
    """``look`` at the pieces of one source in order, any cut; ``take`` what was gathered."""

    def __init__(self, key: bytes) -> None:
        """``key``: of the hashes; counts that are added up need the same."""
        self._hash = blake2b(key=blake2b(key, person=b"address").digest(), digest_size=8)
        self._tail, self._begin = b"", 0
        self._found: set[bytes] = set()

    def __repr__(self) -> str:
        return f"Addresses({len(self._found)})"  # never what was kept of the text

    def look(self, piece: Bytes) -> None:
        """Through the next bytes."""
        self._through(self._tail + piece, final=False)

    def finish(self) -> None:
        """Nothing follows."""
        self._through(self._tail, final=True)

    @property
    def many(self) -> bool:
        """Whether it is time to take."""
        return len(self._found) >= MANY

    def take(self) -> Hashes:
        """The hashes of different addresses since the last time."""
        found, self._found = self._found, set()
        return np.frombuffer(b"".join(found), np.uint64)

    def _through(self, text: bytes, *, final: bool) -> None:
        at = text.find(b"@", self._begin)
        while at >= 0 and (final or _is_decided(text, at)):
            if address := _address(text, at):
                state = self._hash.copy()
                state.update(address)
                self._found.add(state.digest())
            at = text.find(b"@", at + 1)
        behind = len(text) if at < 0 else at
        kept = max(0, behind - BEFORE - LOCAL - 1)
        self._tail, self._begin = text[kept:], behind - kept


def _is_decided(text: bytes, at: int) -> bool:
    """Whether what follows the text says nothing of the host behind this @ any more."""
    if len(text) - at > HOST + 2:
        return True
    run = _HOST_BYTES.match(text, at + 1)
    return run is not None and run.end() < len(text)


def _address(text: bytes, at: int) -> bytes | None:
    """The address around an @, in small letters."""
    host = _HOST.match(text, at + 1, at + 1 + HOST)
    if host is None or host[1].lower() in _FILES or _REMOTE.match(text, host.end()):
        return None
    run = _LOCAL.match(text[max(0, at - LOCAL - 1) : at][::-1])
    size = run.end() if run else 0
    if not 0 < size <= LOCAL:
        return None
    start = at - size
    before = text[start - 1 : start] if start else b""
    if before == b"\\" and (escape := _ESCAPE.match(text, start, at)):
        start = escape.end()
    elif before in (b":", b"/") and _IN_URL.search(text, max(0, start - BEFORE), start):
        return None
    local = text[start:at].lstrip(b".-+")
    if not local or local.endswith(b"."):
        return None
    return local.lower() + b"@" + host[0].lower()
