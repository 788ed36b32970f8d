"""A table's data without the mark at its end."""

from __future__ import annotations

from detector.sources.stream import Stream


class CopyText:
    r"""COPY text as COPY itself would write it: without the end mark ``\.`` that pg_dump adds.

    A backslash in a value is doubled, so a single one before a dot is the mark.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readinto(self, view: memoryview, /) -> int:
        """Fill some of ``view``; 0 at the end. Raises `Damaged` where the stream does."""
        data = self._stream.take(len(view))
        size = len(data)
        if size == 0:
            self._stream.settle()
            return 0
        view[:size] = data
        tail = bytes(view[max(0, size - _LONGEST_MARK) : size])
        begun = tail.rfind(b"\\")
        if begun < 0 or not _may_be_mark(tail[begun:]):
            return size
        kept = len(tail) - begun
        if kept < size:
            self._stream.rewind(kept)
            return size - kept
        # The mark, or the beginning of one, is all that was at hand.
        self._stream.rewind(kept)
        ahead = self._stream.peek(_LONGEST_MARK + 1)
        if ahead[:3] == b"\\.\n" and _may_be_mark(ahead):
            self._stream.skip(len(ahead))
            return self.readinto(view)
        view[:1] = self._stream.take(1)
        return 1


_LONGEST_MARK = 8  # it is followed by three newlines; room for more


def _may_be_mark(text: bytes) -> bool:
    return len(text) <= _LONGEST_MARK and text[1:2] in (b".", b"") and not text[2:].strip(b"\n")
