"""Server-sent events as bytes: their payloads redacted, every other byte as it was.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from detector.mask import Mask, as_mask
from detector.scanner import Scanner
from detector.streams.base import Event, Events
from detector.streams.channels import JsonText, StreamError
from detector.streams.chat import ChatStream
from detector.streams.messages import EVENTS, MessageStream
from detector.streams.responses import PREFIX, ResponseStream
from detector.streams.texts import MOST, TextEvent, Texts
from detector.types import Finding

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r(?=[\s\S]))")
_BOM = b"\xef\xbb\xbf"
_FAILED = "redaction failed, the stream ends here"


class SseStream:
    """Bytes in, bytes out, cut anywhere; an event goes on when it is complete.

    The payloads of chat completions, of OpenAI's responses and of Anthropic's messages go through
    :class:`ChatStream`, :class:`ResponseStream` and :class:`MessageStream`; JSON of any other kind
    is redacted event by event; what is no JSON is one text over all events that follow each other
    under one name (:class:`Texts`). An event whose payload stays the same is passed on byte for
    byte, comments and all. ``findings`` collects
    what was found; drain it on long streams.

    Nothing is raised: what cannot be redacted ends the stream with an error event, ``failed`` is
    true then, and nothing more goes out.
    """

    def __init__(self, scanner: Scanner, *, mask: Mask | str = Mask.label) -> None:
        self._scanner, self._mask = scanner, as_mask(mask)
        self._kinds: dict[str, Events] = {}
        self._texts = Texts(scanner, mask=self._mask)
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
            self._texts.findings,
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
        event = TextEvent(lines)
        if not event.has_data:
            return b"".join(lines) if event.is_comment else self._texts.follow(event)
        payload = event.raw.decode("utf-8", "replace")
        if payload == "[DONE]":
            return self._rest() + b"".join(lines)
        value = _json(payload)
        if value is None:
            return self._texts.feed(event)
        name = event.name.decode("utf-8", "replace")
        *before, (_, new) = self._payloads(name, payload, value)
        out = self._texts.close() + b"".join(_made(rest, kind) for kind, rest in before)
        return out + (b"".join(lines) if new == payload else event.with_payload(new.encode()))

    def _payloads(self, name: str, payload: str, event: Any) -> list[tuple[str, str]]:
        """Names and payloads of what goes out; the last one is the event's own."""
        if isinstance(event, list) or (kind := _kind(event)) is None:
            return [(name, self._redacted(payload))]
        if (stream := self._kinds.get(kind.__name__)) is None:
            stream = self._kinds[kind.__name__] = kind(self._scanner, mask=self._mask)
        return [
            (str(one.get("type", name)), payload if one == event else _dumped(one))
            for one in stream.feed(event)
        ]

    def _redacted(self, payload: str) -> str:
        whole = JsonText(self._scanner, mask=self._mask)
        out = whole.feed(payload) + whole.close()
        self._found += whole.findings
        return out

    def _rest(self) -> bytes:
        """What is held back, as events of its own."""
        out = self._texts.close()
        for stream in self._kinds.values():
            for event in stream.close():
                out += _made(_dumped(event), str(event.get("type", "")))
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


def _json(payload: str) -> Any:
    """The object or list that it is; None for all else: a token may be a number."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _made(payload: str, name: str) -> bytes:
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {part}" for part in payload.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def _dumped(event: Event) -> str:
    # ASCII, since a lone surrogate has no bytes.
    return json.dumps(event, separators=(",", ":"))
