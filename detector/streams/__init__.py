"""Streams of a language model's answer, redacted as they come, in the format they come in.

    for chunk in redact_chunks(client.chat.completions.create(..., stream=True), scanner):
        ...

Chunks and events are dicts, or objects of the ``openai`` and ``anthropic`` libraries.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, TypeVar

from detector.mask import Mask
from detector.scanner import Scanner
from detector.streams.base import Event, Events
from detector.streams.channels import Channel, JsonText, StreamError
from detector.streams.chat import ChatStream
from detector.streams.messages import MessageStream
from detector.streams.responses import PREFIX, ResponseStream
from detector.streams.sse import SseStream
from detector.types import Finding

C = TypeVar("C")
Found = Callable[[list[Finding]], object]
"""Is given the findings as they come."""


class _Wrapped:
    """Whatever comes, as the first event tells; objects become dicts and objects again."""

    def __init__(self, scanner: Scanner, mask: Mask | str, found: Found | None) -> None:
        self._scanner, self._mask, self._found = scanner, mask, found
        self._stream: Events | None = None
        self._last: Any = None

    def feed(self, item: Any) -> list[Any]:
        event = item if isinstance(item, dict) else item.model_dump(exclude_unset=True)
        if self._stream is None:
            kind = _kind(event)
            self._stream = kind(self._scanner, mask=self._mask)
        self._last = item
        out = self._stream.feed(event)
        self._tell()
        return [item if one == event else self._like(one) for one in out]

    def close(self) -> list[Any]:
        if self._stream is None:
            return []
        out = self._stream.close()
        self._tell()
        return [self._like(one) for one in out]

    def _like(self, event: Event) -> Any:
        if isinstance(self._last, dict):
            return event
        return _model_of(self._last, event)

    def _tell(self) -> None:
        if self._stream is not None and self._stream.findings:
            if self._found is not None:
                self._found(self._stream.findings[:])
            self._stream.findings.clear()


def _kind(event: Event) -> type[Events]:
    if "choices" in event:
        return ChatStream
    return ResponseStream if str(event.get("type")).startswith(PREFIX) else MessageStream


def _model_of(item: Any, event: Event) -> Any:
    """The event as an object of the library that ``item`` came from."""
    if str(event.get("type")).startswith(PREFIX) and event["type"] != item.type:
        from openai.types.responses import ResponseStreamEvent
        from pydantic import TypeAdapter

        return TypeAdapter(ResponseStreamEvent).validate_python(event)
    if event.get("type") == "content_block_delta" and item.type != "content_block_delta":
        from anthropic.types import RawContentBlockDeltaEvent

        return RawContentBlockDeltaEvent.model_validate(event)
    return item.model_validate(event)


def redact_chunks(
    chunks: Iterable[C],
    scanner: Scanner,
    *,
    mask: Mask | str = Mask.label,
    found: Found | None = None,
) -> Iterator[C]:
    """Chunks of a chat completion, or events of a message, redacted.

    Raises :class:`StreamError` where something cannot be redacted; nothing of it is out then.
    """
    stream = _Wrapped(scanner, mask, found)
    for chunk in chunks:
        yield from stream.feed(chunk)
    yield from stream.close()


async def aredact_chunks(
    chunks: AsyncIterable[C],
    scanner: Scanner,
    *,
    mask: Mask | str = Mask.label,
    found: Found | None = None,
) -> AsyncIterator[C]:
    """:func:`redact_chunks` for what comes asynchronously."""
    stream = _Wrapped(scanner, mask, found)
    async for chunk in chunks:
        for one in stream.feed(chunk):
            yield one
    for one in stream.close():
        yield one


def redact_sse(
    pieces: Iterable[bytes],
    scanner: Scanner,
    *,
    mask: Mask | str = Mask.label,
    found: Found | None = None,
) -> Iterator[bytes]:
    """The bytes of server-sent events, redacted; an error ends them with an error event."""
    stream = SseStream(scanner, mask=mask)
    for piece in pieces:
        if out := _told(stream, stream.feed(piece), found):
            yield out
        if stream.failed:
            return
    if out := _told(stream, stream.close(), found):
        yield out


async def aredact_sse(
    pieces: AsyncIterable[bytes],
    scanner: Scanner,
    *,
    mask: Mask | str = Mask.label,
    found: Found | None = None,
) -> AsyncIterator[bytes]:
    """:func:`redact_sse` for what comes asynchronously."""
    stream = SseStream(scanner, mask=mask)
    async for piece in pieces:
        if out := _told(stream, stream.feed(piece), found):
            yield out
        if stream.failed:
            return
    if out := _told(stream, stream.close(), found):
        yield out


def _told(stream: SseStream, out: bytes, found: Found | None) -> bytes:
    if findings := stream.findings:
        if found is not None:
            found(findings[:])
        findings.clear()
    return out


__all__ = [
    "Channel",
    "ChatStream",
    "JsonText",
    "MessageStream",
    "ResponseStream",
    "SseStream",
    "StreamError",
    "aredact_chunks",
    "aredact_sse",
    "redact_chunks",
    "redact_sse",
]
