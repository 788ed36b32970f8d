"""Server-sent events as bytes: their payloads redacted, every other byte as it was.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from detector.mask import Mask, as_mask
from detector.redact import Redactor
from detector.scanner import Scanner
from detector.streams.base import Event, Events
from detector.streams.channels import JsonText, StreamError
from detector.streams.chat import ChatStream
from detector.streams.messages import EVENTS, MessageStream
from detector.streams.responses import PREFIX, ResponseStream
from detector.types import Finding

MOST = 1 << 24  # bytes of one event: a stream whose events are longer ends with an error
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r(?=[\s\S]))")
_BOM = b"\xef\xbb\xbf"
_FAILED = "redaction failed, the stream ends here"


class SseStream:
    """Bytes in, bytes out, cut anywhere; an event goes on when it is complete.

    The payloads of chat completions, of OpenAI's responses and of Anthropic's messages go through
    :class:`ChatStream`, :class:`ResponseStream` and :class:`MessageStream`; JSON of any other kind
    is redacted event by event; what is no JSON is one text over all events of its name. An event
    whose payload stays the same is passed on byte for byte, comments and all. ``findings`` collects
    what was found; drain it on long streams.

    Nothing is raised: what cannot be redacted ends the stream with an error event, ``failed`` is
    true then, and nothing more goes out.
    """

    def __init__(self, scanner: Scanner, *, mask: Mask | str = Mask.label) -> None:
        self._scanner, self._mask = scanner, as_mask(mask)
        self._kinds: dict[str, Events] = {}
        self._texts: dict[str, Redactor[str]] = {}
        self._buffer = b""
        self._begun = False  # the first line has been seen, which a mark may stand before
        self._lines: list[bytes] = []  # of the event at hand, with their ends
        self._size = 0
        self._found: list[Finding] = []
        self.failed = False

    @property
    def findings(self) -> list[Finding]:
        """What was found so far."""
        for findings in (
            *(one.findings for one in self._kinds.values()),
            *(one.findings for one in self._texts.values()),
        ):
            self._found += findings
            findings.clear()
        return self._found

    def feed(self, data: bytes) -> bytes:
        """The next bytes; what can be let go of, whole events."""
        return self._guarded(bytes(data), final=False)

    def close(self) -> bytes:
        """The rest. An event that its stream broke off in is redacted, too."""
        return self._guarded(b"", final=True)

    def _guarded(self, data: bytes, *, final: bool) -> bytes:
        if self.failed:
            return b""
        try:
            return self._advance(data, final=final)
        except Exception:  # whatever it was: its message may show the text
            self.failed = True
            self._buffer, self._lines = b"", []
            return self._error()

    def _advance(self, data: bytes, *, final: bool) -> bytes:
        self._buffer += data
        out, position = bytearray(), 0
        while found := _LINE.match(self._buffer, position):
            position = found.end()
            out += self._line(found.group())
        self._buffer = self._buffer[position:]
        if self._size + len(self._buffer) > MOST:
            raise StreamError("an event is too long")
        if final:
            if self._buffer:
                self._lines.append(self._buffer)
                self._buffer = b""
            out += self._event() + self._rest()
        return bytes(out)

    def _line(self, line: bytes) -> bytes:
        self._lines.append(line)
        self._size += len(line)
        if self._size > MOST:
            raise StreamError("an event is too long")
        return self._event() if not line.rstrip(b"\r\n") else b""

    def _event(self) -> bytes:
        """The lines at hand, redacted."""
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return b""
        if not self._begun:
            self._begun = True
            if lines[0].startswith(_BOM):
                return _BOM + self._fields([lines[0].removeprefix(_BOM), *lines[1:]])
        return self._fields(lines)

    def _fields(self, lines: list[bytes]) -> bytes:
        fields = [_field(line) for line in lines]
        data = [value for name, value in fields if name == b"data"]
        name = next((value.decode() for key, value in fields[::-1] if key == b"event"), "")
        if not data:
            return b"".join(lines)
        payload = b"\n".join(data).decode("utf-8", "replace")
        if payload == "[DONE]":
            return self._rest() + b"".join(lines)
        *before, (_, new) = self._payloads(name, payload)
        out = b"".join(_made(rest, kind) for kind, rest in before)
        return out + (b"".join(lines) if new == payload else _written(lines, fields, new))

    def _payloads(self, name: str, payload: str) -> list[tuple[str, str]]:
        """Names and payloads of what goes out; the last one is the event's own."""
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError):
            return [(name, self._text(name, payload))]
        if not isinstance(event, dict | list):  # a token may be a number
            return [(name, self._text(name, payload))]
        if isinstance(event, list) or (kind := _kind(event)) is None:
            return [(name, self._json(payload))]
        if (stream := self._kinds.get(kind.__name__)) is None:
            stream = self._kinds[kind.__name__] = kind(self._scanner, mask=self._mask)
        return [
            (str(one.get("type", name)), payload if one == event else _dumped(one))
            for one in stream.feed(event)
        ]

    def _text(self, name: str, text: str) -> str:
        if (redactor := self._texts.get(name)) is None:
            redactor = self._texts[name] = Redactor(self._scanner, mask=self._mask, path=name)
        return redactor.feed(text)

    def _json(self, payload: str) -> str:
        whole = JsonText(self._scanner, mask=self._mask)
        out = whole.feed(payload) + whole.close()
        self._found += whole.findings
        return out

    def _rest(self) -> bytes:
        """What is held back, as events of its own."""
        out = b""
        for stream in self._kinds.values():
            for event in stream.close():
                out += _made(_dumped(event), str(event.get("type", "")))
        texts, self._texts = self._texts, {}
        for name, redactor in texts.items():
            if rest := redactor.close():
                out += _made(rest, name)
            self._found += redactor.findings
        return out

    def _error(self) -> bytes:
        error: dict[str, Any] = {"type": "redaction_error", "message": _FAILED}
        if MessageStream.__name__ in self._kinds:
            return _made(_dumped({"type": "error", "error": error}), "error")
        return _made(_dumped({"error": error}), "")


def _kind(event: Event) -> type[Events] | None:
    if isinstance(event.get("choices"), list):
        return ChatStream
    kind = event.get("type")
    if isinstance(kind, str) and kind.startswith(PREFIX):
        return ResponseStream
    return MessageStream if kind in EVENTS else None


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.rstrip(b"\r\n").partition(b":")
    return name, value.removeprefix(b" ")


def _written(lines: list[bytes], fields: list[tuple[bytes, bytes]], payload: str) -> bytes:
    """The event with another payload, in the place of its first line of data."""
    out, done = [], False
    for line, (name, _) in zip(lines, fields, strict=True):
        if name != b"data":
            out.append(line)
        elif not done:
            end = line[len(line.rstrip(b"\r\n")) :] or b"\n"
            out += [b"data: " + part.encode() + end for part in payload.split("\n")]
            done = True
    return b"".join(out)


def _made(payload: str, name: str) -> bytes:
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {part}" for part in payload.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def _dumped(event: Event) -> str:
    # ASCII, since a lone surrogate has no bytes.
    return json.dumps(event, separators=(",", ":"))
