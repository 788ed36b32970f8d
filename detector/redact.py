"""Redacting a stream: text goes on as soon as no rule can still match it."""

from __future__ import annotations

import codecs
from typing import Generic, TypeVar

import msgspec

from detector.cluster import Group, Settled
from detector.mask import Mask, as_mask, characters, replacement
from detector.scanner import Scanner
from detector.stream import Window
from detector.types import Finding, Skipped

T = TypeVar("T", bytes, str)


class Redactor(Generic[T]):
    """Bytes in, bytes out, or text in, text out; every secret replaced, nothing else changed.

    What could still become part of a secret is held back, and nothing more. ``findings``
    collects what was found, in characters for text; drain it on long streams. ``fit``: what
    replaces a secret is no longer than it, for columns of so many characters. ``decode``: also what
    is escaped, encoded or in pieces; then a kilobyte is always held back, since a sign that comes
    later may point back.
    """

    def __init__(
        self,
        scanner: Scanner,
        *,
        mask: Mask | str = Mask.label,
        path: str = "",
        fit: bool = False,
        decode: bool = False,
    ) -> None:
        self._scanner = scanner
        self._mask, self._fit = as_mask(mask), fit
        self._path = path
        self._window = Window(scanner, path=path, decode=decode)
        self._window.hold = 0
        self._released = 0
        self._ready: list[Settled] = []
        self._decoder: codecs.IncrementalDecoder | None = None
        self._type: type[bytes] | type[str] | None = None
        self._counted = 0, 0  # a position, and the characters before it
        self._closed = False
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
        out = bytearray()
        view = memoryview(raw)
        while view:
            room = self._window.space()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            room.release()
            view = view[count:]
            self._take(self._window.commit(count))
            out += self._release(self._floor())
        return self._out(bytes(out), final=False)

    def close(self) -> T:
        """The rest."""
        if self._closed:
            return self._out(b"", final=True)
        self._closed = True
        self._take(self._window.finish())
        out = self._release(self._window.base + self._window.size)
        return self._out(out, final=True)

    @property
    def skipped(self) -> list[Skipped]:
        """Places where a rule took too long, so that a secret may have passed."""
        return self._window.timed_out(self._path)

    def _take(self, groups: list[Group]) -> None:
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
        floor = window.tracker.undecided_from(window.buffer, window.size)
        waiting = window.tracker.open_from()
        return floor if waiting is None else min(floor, waiting)

    def _release(self, floor: int) -> bytes:
        base, buffer = self._window.base, self._window.buffer
        out = bytearray()
        for cluster in self._ready:
            out += buffer[self._released - base : cluster.start - base]
            secret = buffer[cluster.start - base : cluster.end - base]
            width = None if self._decoder is None else characters(secret)
            out += replacement(
                cluster, self._mask, self._scanner.fingerprinter, width=width, fit=self._fit
            )
            self._released = cluster.end
        self._ready.clear()
        if floor > self._released:
            out += buffer[self._released - base : floor - base]
            self._released = floor
        if self._decoder is not None:
            self._characters(self._released)
        self._window.hold = self._released
        return bytes(out)

    def _out(self, raw: bytes, *, final: bool) -> T:
        if self._decoder is None:
            return raw  # type: ignore[return-value]  # T is bytes then
        return self._decoder.decode(raw, final)  # type: ignore[return-value]  # T is str then
