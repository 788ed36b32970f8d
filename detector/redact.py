"""Redacting a stream: text goes on as soon as no rule can still match it."""

from __future__ import annotations

import codecs
from typing import Generic, TypeVar

import msgspec

from detector.cluster import Group, Settled
from detector.mask import Mask, as_mask, characters, replacement
from detector.matcher import STRIDE
from detector.prefilter import Edge
from detector.scanner import Scanner
from detector.stream import Window
from detector.types import Finding, Skipped

T = TypeVar("T", bytes, str)

Part = tuple[bytes, int]
"""What goes out, and how many bytes it stands in place of; 0: it is what was fed."""

TOKEN = 256  # bytes of a piece that are taken one by one: more go to the engine at once
UNSEEN = 4096  # bytes after which it looks all the same: they must not leave the window unseen
ROOM = 1 << 13  # bytes of a window: a server may have thousands of streams
UNCOUNTED = 1 << 14  # bytes whose characters are counted at once


class Redactor(Generic[T]):
    """Bytes in, bytes out, or text in, text out; every secret replaced, nothing else changed.

    What could still become part of a secret is held back, and nothing more. ``findings``
    collects what was found, in characters for text; drain it on long streams. ``fit``: what
    replaces a secret is no longer than it, for columns of so many characters. With a scanner that
    decodes a kilobyte is always held back, since a sign that comes later may point back.
    """

    def __init__(
        self, scanner: Scanner, *, mask: Mask | str = Mask.label, path: str = "", fit: bool = False
    ) -> None:
        self._scanner = scanner
        self._mask, self._fit = as_mask(mask), fit
        self._path = path
        self._window = Window(scanner, path=path, room=ROOM)
        self._window.hold = 0
        self._released = 0
        self._ready: list[Settled] = []
        self._decoder: codecs.IncrementalDecoder | None = None
        self._type: type[bytes] | type[str] | None = None
        self._counted = 0, 0  # a position, and the characters before it
        self._closed = False
        beginnings = scanner.machinery.table.beginnings
        self._edge, self._room = Edge(beginnings), beginnings.room
        self._unseen = 0  # bytes that the engine has not been shown
        self._waits = self._window.tracker.waits  # something that it has hit is not settled
        self.findings: list[Finding] = []

    def feed(self, data: T) -> T:
        """The next piece; what can be let go of, maybe nothing."""
        if self._closed:
            raise ValueError("this redactor is closed")
        if self._type is not None and isinstance(data, str) != (self._type is str):
            raise TypeError(f"fed {self._type.__name__} before; one stream is of one type")
        if isinstance(data, str):
            if self._decoder is None:
                self._decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
            self._type, raw = str, data.encode("utf-8", "surrogatepass")
        else:
            self._type, raw = bytes, bytes(data)
        return self._out(self._advance(raw), final=False)

    def parts(self, raw: bytes) -> list[Part]:
        """The same as :meth:`feed`, for those who write the text in another encoding."""
        if self._closed:
            raise ValueError("this redactor is closed")
        return self._advance(raw)

    def last_parts(self) -> list[Part]:
        """The same as :meth:`close`."""
        if self._closed:
            return []
        self._closed = True
        self._take(self._window.finish())
        return self._release(self._window.end)

    def _advance(self, raw: bytes) -> list[Part]:
        return self._token(raw) if len(raw) <= TOKEN else self._piece(raw)

    def _token(self, raw: bytes) -> list[Part]:
        """A few bytes: the engine looks at them only if a head may have been completed."""
        self._window.put(raw)
        self._unseen += len(raw)
        if self._edge.feed(raw) or self._waits or self._unseen > UNSEEN:
            self._take(self._window.look())
        return self._release(self._floor())

    def _piece(self, raw: bytes) -> list[Part]:
        out: list[Part] = []
        window, view = self._window, memoryview(raw)
        while view:
            room = window.space(min(len(view), STRIDE))
            count = min(len(room), len(view))
            room[:count] = view[:count]
            room.release()
            view = view[count:]
            self._take(window.commit(count))
            self._edge.restart(bytes(window.buffer[max(0, window.size - self._room) : window.size]))
            out += self._release(self._floor())
        return out

    def close(self) -> T:
        """The rest."""
        return self._out(self.last_parts(), final=True)

    @property
    def held(self) -> int:
        """How much of what was fed is held back now: characters of text, or bytes."""
        window = self._window
        if self._closed:
            return 0
        if self._decoder is None:
            return window.base + window.size - self._released
        begun = bool(self._decoder.getstate()[0])  # a character whose first byte is let go of
        return begun + characters(window.buffer[self._released - window.base : window.size])

    @property
    def skipped(self) -> list[Skipped]:
        """Places where a rule took too long, so that a secret may have passed."""
        return self._window.timed_out(self._path)

    def _take(self, groups: list[Group]) -> None:
        """The engine has seen all that is at hand."""
        self._unseen, self._waits = 0, self._window.tracker.waits
        if not groups:
            return
        (clusters,) = self._scanner.settled([groups])
        self._ready += clusters
        found = self._scanner.findings(clusters, self._path)
        self.findings += found if self._decoder is None else map(self._in_characters, found)

    def _in_characters(self, finding: Finding) -> Finding:
        start, end = self._characters(finding.start), self._characters(finding.end)
        return msgspec.structs.replace(finding, start=start, end=end)

    def _characters(self, position: int) -> int:
        """Characters before this absolute position; asked for in ascending order, but for
        places that an earlier finding of the same cluster has passed."""
        begin, count = self._counted
        base, buffer = self._window.base, self._window.buffer
        low, high = sorted((begin, position))
        between = characters(buffer[low - base : high - base])
        self._counted = position, count + (between if position >= begin else -between)
        return self._counted[1]

    def _floor(self) -> int:
        window = self._window
        floor = window.end - self._edge.held()
        if self._waits:
            return min(floor, window.tracker.pending_from(window.buffer, window.size))
        return floor

    def _release(self, floor: int) -> list[Part]:
        out = self._settled() if self._ready else []
        base, buffer = self._window.base, self._window.buffer
        while self._released < floor < self._window.end and buffer[floor - base] & 0xC0 == 0x80:
            floor -= 1  # a character goes out whole
        if floor > self._released:
            out.append((bytes(buffer[self._released - base : floor - base]), 0))
            self._released = floor
            if self._decoder is None:
                self._window.hold = floor
            elif floor - self._counted[0] > UNCOUNTED:
                self._characters(floor)
                self._window.hold = floor
        return out

    def _settled(self) -> list[Part]:
        """What was found goes, and all before it."""
        base, buffer = self._window.base, self._window.buffer
        out: list[Part] = []
        for cluster in self._ready:
            out.append((bytes(buffer[self._released - base : cluster.start - base]), 0))
            secret = buffer[cluster.start - base : cluster.end - base]
            width = None if self._decoder is None else characters(secret)
            mask = replacement(
                cluster, self._mask, self._scanner.fingerprinter, width=width, fit=self._fit
            )
            out.append((mask, cluster.end - cluster.start))
            self._released = cluster.end
        self._ready.clear()
        return out

    def _out(self, parts: list[Part], *, final: bool) -> T:
        raw = parts[0][0] if len(parts) == 1 else b"".join(part[0] for part in parts)
        if self._decoder is None:
            return raw  # type: ignore[return-value]  # T is bytes then
        return self._decoder.decode(raw, final)  # type: ignore[return-value]  # T is str then
