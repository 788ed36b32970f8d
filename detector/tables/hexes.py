"""Bytes that dumps write as hexadecimal digits: ``\\x48656c6c6f``, ``0x48656c6c6f``, ``X'4865'``.

https://www.postgresql.org/docs/current/datatype-binary.html (bytea), mysqldump's --hex-blob,
https://www.sqlite.org/lang_expr.html (BLOB literals).
"""

from __future__ import annotations

import re

SHORTEST = 32  # digits: nothing shorter than 16 bytes is looked at
_PREFIXES = (b"\\x", b"0x", b"X'", b"x'")
_DIGITS = re.compile(rb"[0-9a-fA-F]*")
_PREFIX = re.compile(rb"(?:\\x|0x|[xX]'|[\\0xX])\Z")


def digits_at(text: bytes, at: int = 0) -> int:
    """Where the digits end that begin at ``at``."""
    found = _DIGITS.match(text, at)
    return found.end() if found else at


def runs_in(text: bytes, at: int = 0) -> list[tuple[int, int]]:
    """From and to where digits stand behind a prefix: enough of them, or such as may go on behind
    the text. One regex for all prefixes takes ten times as long as looking for each."""
    found = []
    for prefix in _PREFIXES:
        begin = text.find(prefix, at)
        while begin >= 0:
            begin += len(prefix)
            end = digits_at(text, begin)
            if end - begin >= SHORTEST or begin < end == len(text):
                found.append((begin, end))
            begin = text.find(prefix, end)
    return sorted(found)


def prefix_at_end(text: bytes, at: int = 0) -> bytes:
    """A prefix that ends the text, or what may become one."""
    found = _PREFIX.search(text, max(at, len(text) - 2))
    return found[0] if found else b""
