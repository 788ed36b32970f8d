"""Chunks of chat completions, as OpenAI and many others stream them.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from typing import Any

from detector.streams.base import Event, Events, Place
from detector.streams.channels import StreamError

_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


class ChatStream(Events):
    """Chunks in, chunks out: as many, but for one more before a choice's ``finish_reason`` if
    something is held back then.

    Looked at are a delta's ``content``, ``refusal``, ``reasoning_content``, ``reasoning``, the
    ``arguments`` of its tool calls, and the ``text`` of legacy completions; a tool's ``name`` by
    itself. ``logprobs`` are left out: they spell the text out once more. All else is passed on
    as it is. A chunk that is changed is a copy.
    """

    _last: Event
    _custom: frozenset[Place] = frozenset()  # calls of tools whose input is plain text

    def _feed(self, event: Event) -> list[Event]:
        choices = event.get("choices")
        if not choices:
            return [event]
        redacted = [self._choice(choice) for choice in choices]
        ended = (one for one in redacted if one.get("finish_reason") is not None)
        rests = [rest for one in ended if (rest := self._rest(one))]
        out = {**event, "choices": redacted}
        self._last = out
        return [*([_extra(event, rests)] if rests else []), out]

    def _close(self) -> list[Event]:
        numbers = sorted({place[0] for place in self._channels})
        rests = [self._rest({"index": number}) for number in numbers]
        found = [rest for rest in rests if rest]
        return [_extra(self._last, found)] if found else []

    def _choice(self, choice: Event) -> Event:
        number = choice.get("index", 0)
        out = dict(choice)
        if out.get("logprobs") is not None:
            out["logprobs"] = None
        if isinstance(text := out.get("text"), str):
            out["text"] = self._grow((number, "text"), f"choices[{number}].text", text)
        for name in ("delta", "message"):
            if isinstance(delta := out.get(name), dict):
                out[name] = self._delta(number, delta)
        return out

    def _delta(self, number: int, delta: Event) -> Event:
        out = dict(delta)
        for name in _TEXTS:
            if isinstance(text := out.get(name), str):
                out[name] = self._grow((number, name), f"choices[{number}].delta.{name}", text)
            elif text is not None and not isinstance(text, str):
                raise StreamError(f"the {name} of a delta is no text")
        if calls := out.get("tool_calls"):
            out["tool_calls"] = self._calls(number, calls)
        if isinstance(call := out.get("function_call"), dict):
            place = (number, "function_call", 0)
            out["function_call"] = self._function(place, call)
        return out

    def _calls(self, number: int, calls: list[Event]) -> list[Event]:
        """Arguments of tool calls, and before a new call's the rest of those before it: a client
        may parse them as soon as the next call begins."""
        out = []
        for position, call in enumerate(calls):
            index = call.get("index", position)
            place = (number, "tool_calls", index)
            for other in [one for one in self._channels if _is_earlier(one, place)]:
                self._ended.add(other)
                if rest := self._end(other):
                    out.append(self._arguments(other, rest))
            made = dict(call)
            for kind in ("function", "custom"):
                if isinstance(function := made.get(kind), dict):
                    self._custom |= {place} if kind == "custom" else set()
                    made[kind] = self._function(place, function)
            out.append(made)
        return out

    def _function(self, place: Place, function: Event) -> Event:
        out = dict(function)
        path = f"choices[{place[0]}].delta.{place[1]}[{place[2]}].arguments"
        for name in ("arguments", "input"):
            if isinstance(text := out.get(name), str):
                out[name] = self._grow(place, path, text, json=name == "arguments")
        if isinstance(tool := out.get("name"), str) and tool:
            out["name"] = self._whole(tool, path)
        return out

    def _rest(self, choice: Event) -> Event:
        """All that is held back of a choice, as a choice; empty if nothing is."""
        number = choice.get("index", 0)
        delta: dict[str, Any] = {}
        out: Event = {}
        for place in [one for one in self._channels if one[0] == number]:
            kind = place[1]
            if not (rest := self._end(place)):
                continue
            if kind == "text":
                out["text"] = rest
            elif kind == "tool_calls":
                delta.setdefault(kind, []).append(self._arguments(place, rest))
            else:
                delta[kind] = {"arguments": rest} if kind == "function_call" else rest
        if delta:
            out["delta"] = delta
        return {"index": number, **out, "finish_reason": None} if out else {}

    def _arguments(self, place: Place, text: str) -> Event:
        if place in self._custom:
            return {"index": place[2], "custom": {"input": text}}
        return {"index": place[2], "function": {"arguments": text}}


def _is_earlier(one: Place, place: Place) -> bool:
    return bool(one[:2] == place[:2] and one[2] < place[2])


def _extra(event: Event, choices: list[Event]) -> Event:
    out = {**event, "choices": choices}
    if "usage" in out:
        out["usage"] = None
    return out
