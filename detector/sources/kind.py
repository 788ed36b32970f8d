"""The first bytes of a stream: as many as it takes to tell what kind of file it is."""

from __future__ import annotations

import codecs
import re

from detector.sources.stream import Stream

SAMPLE = 4096
"""Bytes looked at to tell the kind."""

_MAGIC = 16  # bytes within which every compression has shown that it is none
_TAR = 512  # bytes of a tar header, which begins with a name and always holds a zero
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")  # but not tab, CR, ESC


def first_bytes(stream: Stream) -> bytes:
    """The stream's first `SAMPLE` bytes, or fewer where those are surely text.

    A pipe that stays open may give one line and then nothing for an hour. What is in it
    must go on; but a container that arrives byte by byte must still be recognised.
    """
    return stream.peek_until(SAMPLE, _is_text)


def _is_text(head: bytes) -> bool:
    """Whether nothing that follows ``head`` could make a container or wide text of it.

    A line of text is no tar header, which has no newline in front of its first zero. No
    magic but that of bzip2 is text, and wide text has zeros or begins with a byte order mark.
    """
    line, newline, _ = head.partition(b"\n")
    if not newline and len(head) < _TAR:
        return False
    return not head.startswith(b"BZh") and not _CONTROL.search(line) and _is_utf8(line[:_MAGIC])


def _is_utf8(start: bytes) -> bool:
    """Whether these are UTF-8; the last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
