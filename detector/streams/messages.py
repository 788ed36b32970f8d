"""Events of a message, as Anthropic streams them.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from detector.streams.base import Event, Events

# The kinds of deltas that are text, and where it stands. A signature is of its sender's making.
_TEXTS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}
EVENTS = frozenset({
    "message_start", "message_delta", "message_stop", "content_block_start",
    "content_block_delta", "content_block_stop", "ping", "error",
})  # fmt: skip


class MessageStream(Events):
    """Events in, events out: as many, but for one more before a block's ``content_block_stop``
    if something is held back then.

    Looked at are ``text_delta``, ``thinking_delta`` and ``input_json_delta``. All else is passed
    on as it is. An event that is changed is a copy.
    """

    def _feed(self, event: Event) -> list[Event]:
        match event.get("type"):
            case "content_block_start":
                return [self._start(event)]
            case "content_block_delta":
                return [self._delta(event)]
            case "content_block_stop":
                return [*self._rest(event.get("index", 0)), event]
            case "message_delta" | "message_stop":
                return [*self._close(), event]
        return [event]

    def _close(self) -> list[Event]:
        numbers = sorted({place[0] for place in self._channels})
        return [one for number in numbers for one in self._rest(number)]

    def _start(self, event: Event) -> Event:
        block = event.get("content_block") or {}
        out = dict(block)
        for kind, name in _TEXTS.items():
            if isinstance(text := out.get(name), str):
                out[name] = self._text(event.get("index", 0), kind, text)
        return event if out == block else {**event, "content_block": out}

    def _delta(self, event: Event) -> Event:
        delta = event.get("delta") or {}
        kind = str(delta.get("type"))
        if (name := _TEXTS.get(kind)) is None or not isinstance(text := delta.get(name), str):
            return event
        clean = self._text(event.get("index", 0), kind, text)
        return {**event, "delta": {**delta, name: clean}}

    def _text(self, number: int, kind: str, text: str) -> str:
        path = f"content[{number}].{_TEXTS[kind]}"
        return self._grow((number, kind), path, text, json=kind == "input_json_delta")

    def _rest(self, number: int) -> list[Event]:
        out = []
        for place in [one for one in self._channels if one[0] == number]:
            kind = place[1]
            if rest := self._end(place):
                delta = {"type": kind, _TEXTS[kind]: rest}
                out.append({"type": "content_block_delta", "index": number, "delta": delta})
        return out
