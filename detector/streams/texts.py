"""Server-sent events of plain text: one text over all of them; what is clean stays as it was."""

from __future__ import annotations

from collections import deque

from detector.mask import Mask
from detector.redact import Part, Redactor
from detector.scanner import Scanner
from detector.streams.channels import StreamError
from detector.types import Finding

MOST = 1 << 24  # bytes that wait: a stream in which it is more ends with an error


class TextEvent:
    """The lines of one event, their fields, and what of its payload is clean."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines, self.fields = lines, [_field(line) for line in lines]
        data = [value for name, value in self.fields if name == b"data"]
        self.has_data = bool(data)
        self.is_comment = not any(name for name, _ in self.fields)
        self.raw = b"\n".join(data)
        self.name = next((value for key, value in self.fields[::-1] if key == b"event"), b"")
        self.size = sum(map(len, lines))
        self.left = len(self.raw)  # bytes that nobody knows of yet
        self.clean = b""

    def written(self) -> bytes:
        """As it came, if nothing was changed."""
        if self.clean == self.raw:
            return b"".join(self.lines)
        return self.with_payload(self.clean)

    def with_payload(self, payload: bytes) -> bytes:
        """The event with another payload, in the place of its first line of data."""
        out, done = [], False
        for line, (name, _) in zip(self.lines, self.fields, strict=True):
            if name != b"data":
                out.append(line)
            elif not done:
                end = line[len(line.rstrip(b"\r\n")) :] or b"\n"
                out += [b"data: " + part + end for part in payload.split(b"\n")]
                done = True
        return b"".join(out)


class Texts:
    """Events that wait until none of them can be a secret's any more.

    A secret may be spread over events, as the words of an answer are; but an event may also be a
    value, ``10``, that could begin one. So no letter moves to the next event: what could begin a
    secret holds its whole event until another one comes. A text ends where an event of another
    name says something. ``findings``: of the texts that have ended.
    """

    def __init__(self, scanner: Scanner, *, mask: Mask) -> None:
        self._scanner, self._mask = scanner, mask
        self._waiting: deque[TextEvent] = deque()
        self._size = 0
        self._name = b""
        self._growing: Redactor[bytes] | None = None
        self._found: list[Finding] = []

    @property
    def findings(self) -> list[Finding]:
        """What was found so far; drain it."""
        if self._growing is not None:
            self._found += self._growing.findings
            self._growing.findings.clear()
        return self._found

    def feed(self, event: TextEvent) -> bytes:
        """The next event; those that may go on."""
        if event.name != self._name and not event.raw:
            return event.written()  # it keeps the connection open, and ends nothing
        flushed = self.close() if event.name != self._name else b""
        self._name = event.name
        if self._growing is None:
            path = event.name.decode("utf-8", "replace")
            self._growing = Redactor(self._scanner, mask=self._mask, path=path)
        self._wait(event)
        return flushed + self._taken(self._growing.parts(event.raw))

    def follow(self, event: TextEvent) -> bytes:
        """An event without a payload, which has its place: one that sets an ``id``, say."""
        if not self._waiting:
            return event.written()
        self._wait(event)
        return b""

    def _wait(self, event: TextEvent) -> None:
        self._waiting.append(event)
        self._size += event.size
        if self._size > MOST + event.size:
            raise StreamError("a text is too long")

    def close(self) -> bytes:
        """What waits, now that its text is at an end; another may follow."""
        if self._growing is None:
            return b""
        out = self._taken(self._growing.last_parts())
        self._found = self.findings
        self._growing = None
        return out

    def _taken(self, parts: list[Part]) -> bytes:
        """Give what the redactor let go of to the events it came in; those that are complete."""
        for text, replaced in parts:
            self._share(text, replaced)
        out = []
        while self._waiting and not self._waiting[0].left:
            event = self._waiting.popleft()
            self._size -= event.size
            out.append(event.written())
        return b"".join(out)

    def _share(self, text: bytes, replaced: int) -> None:
        """A mask stands where its secret begins."""
        count = replaced or len(text)
        for event in self._waiting:
            size = min(event.left, count)
            if not size:
                continue
            event.left -= size
            count -= size
            event.clean += text if replaced else text[:size]
            text = b"" if replaced else text[size:]
            if not count:
                return


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.rstrip(b"\r\n").partition(b":")
    return name, value.removeprefix(b" ")
