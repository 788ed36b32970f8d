"""Steps of a LangChain chain: messages and prompts without secrets, answers too as they stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from detector.filter import Filter
from detector.hooks.streams import StreamScanner
from detector.hooks.values import Shown, WithheldError, missing, note, put, usual_filter
from detector.streams.base import Event, Events, Place

try:
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.prompt_values import ChatPromptValue, PromptValue
    from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
except ImportError:
    raise missing("langchain-core is not installed", "langchain") from None


def redact_messages(filter: Filter | None = None) -> Runnable[Any, Any]:
    """A step that takes secrets out of what passes: texts, messages, lists of them, prompts,
    dictionaries. Put it in front of a model, or behind it::

        chain = prompt | redact_messages() | model

    Clean values are passed on as they are, others as copies. What the policy sets apart or
    blocks raises :class:`WithheldError`.
    """
    guard = filter or usual_filter()
    return RunnableLambda(lambda value: _redacted(guard, value)).with_config(
        run_name="redact_messages"
    )


def redact_stream(filter: Filter | None = None) -> Runnable[Any, Any]:
    """A step behind a model or a parser that takes secrets out of texts and message chunks while
    they stream: ``model | redact_stream()``. Raises :class:`WithheldError` as above."""
    guard = filter or usual_filter()

    def transform(pieces: Iterator[Any]) -> Iterator[Any]:
        stream = _Stream(guard)
        for piece in pieces:
            yield from stream.feed(piece)
        yield from stream.close()

    async def atransform(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        stream = _Stream(guard)
        async for piece in pieces:
            for out in stream.feed(piece):
                yield out
        for out in stream.close():
            yield out

    return RunnableGenerator(transform, atransform, name="redact_stream")


def _redacted(guard: Filter, value: Any) -> Any:
    if isinstance(value, PromptValue) and not isinstance(value, ChatPromptValue):
        return _checked(guard, value.to_string())
    if isinstance(value, ChatPromptValue):
        messages = _redacted(guard, value.messages)
        same = all(map(lambda one, other: one is other, messages, value.messages))
        return value if same else ChatPromptValue(messages=messages)
    if isinstance(value, BaseMessage):
        said = value.model_dump()
        clean = _checked(guard, said)
        return value if clean is said else put(value.model_copy(deep=True), said, clean)
    if isinstance(value, list | tuple) and any(isinstance(one, BaseMessage) for one in value):
        return [_redacted(guard, one) for one in value]
    return _checked(guard, value)


def _checked(guard: Filter, value: Any) -> Any:
    shown = Shown(value)
    verdict = guard.check(shown.plain)
    if verdict.content is None:
        raise WithheldError(note(verdict))
    return shown.back(verdict.content)


class _Stream:
    """The pieces of one answer."""

    def __init__(self, guard: Filter) -> None:
        self._scanner = StreamScanner(guard)
        self._texts = MessageTexts(self._scanner, mask=guard.mask)
        self._last: Any = ""

    def feed(self, piece: Any) -> list[Any]:
        """What goes on for this one."""
        if not isinstance(piece, str | AIMessageChunk):
            raise TypeError(f"no text and no message chunk: {type(piece).__name__}")
        self._last = piece
        said = {"content": piece} if isinstance(piece, str) else piece.model_dump()
        out = self._texts.feed(said)
        return [piece if one == said else self._piece(said | one) for one in self._passed(out)]

    def close(self) -> list[Any]:
        """What is left."""
        return [self._piece(one) for one in self._passed(self._texts.close())]

    def _passed(self, out: list[Event]) -> list[Event]:
        if self._scanner.withheld:
            raise WithheldError(self._scanner.withheld)
        return out

    def _piece(self, said: Event) -> Any:
        """Of the last one's type; its tool calls are read again from what is left of them."""
        if isinstance(self._last, str):
            return said["content"]
        read_again: Event = {"tool_calls": [], "invalid_tool_calls": []}
        return type(self._last)(**({"id": self._last.id} | said | read_again))


class MessageTexts(Events):
    """The texts that grow over the chunks of a message, each by its place: the content or its
    blocks, the arguments of tool calls, what a provider adds (``additional_kwargs``)."""

    def _feed(self, event: Event) -> list[Event]:
        out: Event = {"content": self._content(event["content"])}
        if calls := event.get("tool_call_chunks"):
            out["tool_call_chunks"] = [self._call(call) for call in calls]
        if more := event.get("additional_kwargs"):
            out["additional_kwargs"] = {
                name: self._text(("additional_kwargs", name), value)
                for name, value in more.items()
                if name not in _CALLS
            }
        return [event | out]

    def _close(self) -> list[Event]:
        return [_rest(place, rest) for place in list(self._channels) if (rest := self._end(place))]

    def _content(self, content: Any) -> Any:
        if isinstance(content, str):
            return self._text(("content",), content)
        return [self._block(block, position) for position, block in enumerate(content)]

    def _block(self, block: Any, position: int) -> Any:
        if isinstance(block, str):
            return self._text(("block", position, "text", "text"), block)
        place = "block", block.get("index", position)
        kind = block.get("type", "text")
        return block | {
            name: self._text((*place, name, kind), block[name])
            for name in _BLOCK_TEXTS & block.keys()
        }

    def _call(self, call: Event) -> Event:
        return call | {"args": self._text(("tool_call_chunks", call["index"]), call["args"])}

    def _text(self, place: Place, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        is_json = place[0] == "tool_call_chunks" or place[2:3] == ("partial_json",)
        return self._grow(place, str(place[0]), text, json=is_json)


_CALLS = frozenset({"tool_calls", "function_call"})
"""A second copy of ``tool_call_chunks``, as the provider sent them."""
_BLOCK_TEXTS = frozenset({"text", "thinking", "reasoning", "partial_json"})


def _rest(place: Place, text: str) -> Event:
    """What was held back, as a chunk."""
    match place:
        case ("block", index, name, kind):
            return {"content": [{"type": kind, name: text, "index": index}]}
        case ("tool_call_chunks", index):
            call = {"name": None, "args": text, "id": None, "index": index}
            return {"content": "", "tool_call_chunks": [call | {"type": "tool_call_chunk"}]}
        case ("additional_kwargs", name):
            return {"content": "", "additional_kwargs": {name: text}}
    return {"content": text}
