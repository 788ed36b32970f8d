"""Scanning what comes in pieces: any cut gives exactly the findings of the whole."""

from __future__ import annotations

from detector.cluster import Group
from detector.matcher import STRIDE
from detector.scanner import Scanner
from detector.tables.layout import Cells
from detector.tracker import Tracker
from detector.types import Bytes, Finding, Skipped

_SLACK = 1 << 16  # bytes that may be dropped before it is worth moving the rest


class Window:
    """A buffer that slides over a stream, with the tracker that looks through it.

    Either ``feed`` bytes, or fill ``space()`` and ``commit`` how many: a file is read
    straight into the window, without a copy. ``prompt``, ``layout``: see :class:`Tracker`.
    ``room``: bytes to begin with; it grows.
    """

    def __init__(
        self,
        scanner: Scanner,
        *,
        base: int = 0,
        path: str = "",
        prompt: bool = True,
        layout: Cells | None = None,
        room: int = STRIDE + _SLACK,
    ) -> None:
        self.tracker = Tracker(scanner.machinery, base, path, prompt=prompt, layout=layout)
        self.buffer = bytearray(room)
        self.size = 0
        self.hold: int | None = None
        """Absolute position from which the caller still needs the bytes."""

    @property
    def base(self) -> int:
        """Absolute position of ``buffer[0]``."""
        return self.tracker.base

    @property
    def end(self) -> int:
        """Absolute position behind the last byte."""
        return self.base + self.size

    def space(self, least: int = _SLACK) -> memoryview:
        """Room for at least so much of what comes next, 64 KiB by default."""
        if len(self.buffer) - self.size < least:
            self._slide()
            if (lacking := self.size + least - len(self.buffer)) > 0:
                self.buffer = self.buffer + bytearray(max(lacking, len(self.buffer)))
        return memoryview(self.buffer)[self.size :]

    def commit(self, count: int) -> list[Group]:
        """``count`` bytes of ``space()`` were filled: what has become certain by them."""
        self.size += count
        return self.look()

    def put(self, data: bytes) -> None:
        """Bytes to be looked at later."""
        if len(self.buffer) - self.size < len(data):
            self.space(len(data)).release()
        end = self.size + len(data)
        self.buffer[self.size : end] = data
        self.size = end

    def look(self) -> list[Group]:
        """What has become certain by all that was put."""
        groups = self.tracker.advance(self.buffer, self.size, final=False)
        if self._free() >= _SLACK:
            self._slide()
        return groups

    def finish(self) -> list[Group]:
        """Nothing follows."""
        return self.tracker.advance(self.buffer, self.size, final=True)

    def unsettled_before(self, position: int) -> bool:
        """Whether more bytes could still change what is found before ``position``."""
        waiting = self.tracker.open_from()
        if waiting is not None and waiting < position:
            return True
        return self.tracker.undecided_from(self.buffer, self.size) < position

    def timed_out(self, path: str) -> list[Skipped]:
        """Places where a rule took too long or a decoder had to stop, so that nothing is known
        about them."""
        timeouts = [
            Skipped(path=path, reason=f"rule {rule} took too long at byte {position}")
            for rule, position in self.tracker.timeouts
        ]
        return timeouts + [
            Skipped(path=path, reason=f"{reason}, at byte {position}")
            for reason, position in self.tracker.left_out
        ]

    def _free(self) -> int:
        keep = self.tracker.keep_from()
        return (keep if self.hold is None else min(keep, self.hold)) - self.base

    def _slide(self) -> None:
        free = self._free()
        if free > 0:
            self.tracker.drop(self.buffer, self.base + free)
            view = memoryview(self.buffer)
            view[: self.size - free] = view[free : self.size]
            self.size -= free


class Stream:
    """``feed`` pieces, ``close`` at the end; each finding is given once, when it is certain.

    Offsets, lines and columns count from the first byte fed. A Stream belongs to one
    thread at a time; it must not be used after ``close``.
    """

    def __init__(self, scanner: Scanner, *, path: str = "") -> None:
        self._scanner = scanner
        self._path = path
        self._window = Window(scanner, path=path)
        self._closed = False

    def feed(self, data: Bytes) -> list[Finding]:
        """The findings that have become certain. Raises ValueError after ``close``."""
        if self._closed:
            raise ValueError("this stream is closed")
        view = memoryview(data).cast("B")
        out: list[Finding] = []
        while len(view):
            room = self._window.space()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            room.release()
            view = view[count:]
            out += self.commit(count)
        return out

    def space(self) -> memoryview:
        """Where the next bytes may be read into directly; tell ``commit`` how many."""
        return self._window.space()

    def commit(self, count: int) -> list[Finding]:
        """``count`` bytes were put into ``space()``."""
        return self._scanner.findings(self._window.commit(count), self._path)

    def close(self) -> list[Finding]:
        """The findings that only the end made certain."""
        if self._closed:
            return []
        self._closed = True
        return self._scanner.findings(self._window.finish(), self._path)

    @property
    def skipped(self) -> list[Skipped]:
        """Places where a rule took too long, so that nothing is known about them."""
        return self._window.timed_out(self._path)
