"""A script or a style sheet: what it says of its source map, and its positions as a map counts.

A map's columns are UTF-16 units, and its lines end where those of JavaScript do.

https://tc39.es/ecma426/#sec-linking-generated-code
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes, urlsplit

SUFFIXES = (".js", ".mjs", ".cjs", ".css", ".jsbundle")
PACKED = (".gz", ".zst", ".br")
MARK = b"sourceMappingURL="
COMMENTS = 64  # marks looked at from the end: a bundler has them in its own code

_COMMENT = re.compile(rb"(?://|/\*)[#@][ \t]*sourceMappingURL=([^\s'\"*`\\]+)")
_NOTHING_MORE = re.compile(rb"(?:\s|\*/|//[^\n]{0,512}(?:\n|$)|/\*[^*]{0,512}\*/){0,64}$")
_LINE_ENDS = ((b"\n", 1), (b"\r", 1), (b"\xe2\x80\xa8", 1), (b"\xe2\x80\xa9", 1), (b"\r\n", -1))
_LONG_TAIL = 4096


def is_script(path: str) -> bool:
    """Whether a file is named as one that a bundler may have made; also one packed for a server."""
    return unpacked(path.lower()).endswith(SUFFIXES)


def unpacked(path: str) -> str:
    """A path without the suffix of a compression."""
    return next((path.removesuffix(end) for end in PACKED if path.endswith(end)), path)


def map_url(data: bytes) -> bytes | None:
    """What the last comment says, if nothing but comments stands behind it."""
    at = len(data)
    for _ in range(COMMENTS):
        at = data.rfind(MARK, 0, at)
        if at < 0:
            return None
        for found in _COMMENT.finditer(data, max(0, at - 8), at + len(MARK) + 1):
            whole = _COMMENT.match(data, found.start())
            if whole is not None and _is_last(data, whole.end()):
                return whole[1]
    return None


def _is_last(data: bytes, end: int) -> bool:
    return len(data) - end <= _LONG_TAIL and _NOTHING_MORE.match(data, end) is not None


def inline_map(url: bytes) -> bytes | None:
    """The bytes in a ``data:`` URL; None for another one, and for what is no base64."""
    if not url.startswith(b"data:"):
        return None
    head, _, body = url.partition(b",")
    data = unquote_to_bytes(body)
    if not head.endswith(b";base64"):
        return data
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return None


def maps_beside(path: str, url: bytes | None) -> list[str]:
    """Where a script's map may lie, as paths with ``/``, the likeliest first: where its comment
    says, beside it under that name, and beside it under its own. In an archive never outside."""
    container, mark, member = path.rpartition("!")
    folder, name = posixpath.split(member)
    names = [f"{name}.map", f"{unpacked(name)}.map"]
    if url is not None and not url.startswith(b"data:"):
        said = _path_of(url)
        names = [said, posixpath.basename(said), *names]
    found: dict[str, None] = {}
    for one in filter(None, names):
        joined = posixpath.normpath(posixpath.join(folder, one))
        if joined != posixpath.normpath(member) and not (mark and joined.startswith("../")):
            found[f"{container}{mark}{joined}"] = None
    return list(found)


def _path_of(url: bytes) -> str:
    """The path of a relative URL; of a whole one only the name, which may lie here as well."""
    try:
        parts = urlsplit(url.decode("utf-8", "replace"))
    except ValueError:
        return ""
    path = unquote_to_bytes(parts.path).decode("utf-8", "replace")
    return posixpath.basename(path) if parts.netloc or path.startswith("/") else path


def positions(data: bytes, starts: Sequence[int]) -> list[tuple[int, int]]:
    """Lines and columns in UTF-16 units, from 0, of ascending byte positions."""
    line, at, column, found = 0, 0, 0, []
    for start in starts:
        line += sum(sign * data.count(end, at, start) for end, sign in _LINE_ENDS)
        places = [(data.rfind(end, at, start), end) for end, _ in _LINE_ENDS]
        if begins := [place + len(end) for place, end in places if place >= 0]:
            at, column = max(begins), 0
        column += utf16_length(data[at:start])
        at = start
        found.append((line, column))
    return found


def utf16_length(text: bytes) -> int:
    """Units of UTF-16 that UTF-8 stands for: of four bytes two, of fewer one."""
    if text.isascii():
        return len(text)
    import numpy as np

    units = np.frombuffer(text, np.uint8)
    return len(text) - int(((units & 0xC0) == 0x80).sum()) + int((units >= 0xF0).sum())
