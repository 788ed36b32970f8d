"""The filter inside of a FastStream application, whatever its broker.

    from faststream.nats import NatsBroker
    from detector.relay.middleware import filtering

    broker = NatsBroker(middlewares=[filtering()])

Messages are filtered before a handler sees them, and what the application publishes before it
leaves: a redacted one goes on without its secrets, a blocked one ends here, and one that the
policy sets apart raises :class:`QuarantinedError`, which the broker's own means (a negative
acknowledgement, a dead letter) take care of.

https://faststream.ag2.ai/latest/getting-started/middlewares/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from detector.errors import DetectorError, UsageError
from detector.filter import Action, Filter, Verdict

if TYPE_CHECKING:
    from faststream import BaseMiddleware, BatchPublishCommand, PublishCommand, StreamMessage
else:
    try:
        from faststream import BaseMiddleware, BatchPublishCommand
    except ImportError:
        raise UsageError(
            "the middleware needs FastStream: pip install 'secrets-leak-detector[faststream]'"
        ) from None


class QuarantinedError(DetectorError):
    """The policy sets this message apart. ``verdict`` says why, without its secrets."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(f"a message has to be set apart: {verdict.error or verdict.reason}")


def filtering(
    filter: Filter | None = None, *, consumed: bool = True, published: bool = True
) -> Callable[..., FilterMiddleware]:
    """A middleware for ``middlewares=[…]`` of a broker or a router.

    ``consumed``, ``published``: which way is filtered. The channel that a policy may ask for is
    the subject, the queue, the stream or the topic.
    """
    chosen = Filter() if filter is None else filter

    def make(message: Any, /, *, context: Any) -> FilterMiddleware:
        return FilterMiddleware(
            message, context=context, filter=chosen, consumed=consumed, published=published
        )

    return make


class FilterMiddleware(BaseMiddleware[Any, Any]):
    """Made for each message by what :func:`filtering` returns."""

    def __init__(
        self, message: Any, /, *, context: Any, filter: Filter, consumed: bool, published: bool
    ) -> None:
        super().__init__(message, context=context)
        self._filter, self._consumed, self._published = filter, consumed, published

    async def consume_scope(
        self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]
    ) -> Any:
        """Before the handler. A blocked message is acknowledged, and no handler sees it; of a batch
        the others are handled."""
        if not self._consumed:
            return await call_next(msg)
        channel = _channel(msg.raw_message)
        bodies = _bodies(msg)
        clean = await self._clean(bodies, channel)
        (common,) = await self._clean([msg.headers], channel)
        headers = await self._clean(msg.batch_headers, channel)
        blocked = {n for n, one in enumerate(clean) if one is None}
        blocked |= {n for n, one in enumerate(headers) if one is None}
        if common is None or len(blocked) == len(bodies) > 0:
            await msg.ack()
            return None
        kept = [body for n, body in enumerate(clean) if n not in blocked]
        if kept != bodies:
            msg.body = _together(msg, kept)
            msg.clear_cache()
        msg.headers = common
        msg.batch_headers = [one for n, one in enumerate(headers) if n not in blocked]
        return await call_next(msg)

    async def publish_scope(
        self, call_next: Callable[[Any], Awaitable[Any]], cmd: PublishCommand
    ) -> Any:
        """Before the broker. A blocked message is not published, of a batch the others are."""
        if not self._published:
            return await call_next(cmd)
        bodies = [_plain(body) for body in cmd.batch_bodies]
        clean = await self._clean(bodies, cmd.destination)
        (headers,) = await self._clean([cmd.headers], cmd.destination)
        kept = [body for body in clean if body is not None]
        if headers is None or (bodies and not kept):
            return None
        if kept != bodies:
            if isinstance(cmd, BatchPublishCommand):
                cmd.batch_bodies = tuple(kept)
            else:
                (cmd.body,) = kept
        cmd.headers = headers
        return await call_next(cmd)

    async def _clean(self, parts: Sequence[Any], channel: str | None) -> list[Any]:
        """What may go on of each part of a message or batch, None for what is blocked. Raises
        :class:`QuarantinedError`: a batch is acknowledged as a whole, so it fails as a whole."""
        verdicts = [await self._filter.acheck(part, channel=channel) for part in parts]
        for verdict in verdicts:
            if verdict.action is Action.quarantine:
                raise QuarantinedError(verdict)
        return [None if one.action is Action.block else one.content for one in verdicts]


def _bodies(msg: StreamMessage[Any]) -> list[Any]:
    """The messages of a batch: as a list, or as Redis has it in FastStream, JSON of all."""
    if isinstance(msg.body, list):
        return msg.body
    if msg.batch_headers:
        try:
            listed = msgspec.json.decode(msg.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            listed = None
        if isinstance(listed, list) and len(listed) == len(msg.batch_headers):
            return listed
    return [msg.body]


def _together(msg: StreamMessage[Any], bodies: list[Any]) -> Any:
    if isinstance(msg.body, list):
        return bodies
    return bodies[0] if _bodies(msg) == [msg.body] else msgspec.json.encode(bodies)


_PLAIN = (str, bytes, dict, list, type(None), int, float)


def _plain(body: Any) -> Any:
    """A model or a dataclass as the JSON-like object that FastStream would send."""
    if isinstance(body, _PLAIN):
        return body
    dump = getattr(body, "model_dump", None)
    return msgspec.to_builtins(body, enc_hook=str) if dump is None else dump(mode="json")


def _channel(raw: Any) -> str | None:
    """What the message came by, as the broker calls it."""
    if isinstance(raw, tuple | list) and raw:
        raw = raw[0]
    if isinstance(raw, dict):
        channel = raw.get("channel")
        return channel.decode() if isinstance(channel, bytes) else channel
    for name in ("subject", "routing_key", "topic"):
        value = getattr(raw, name, None)
        if value is not None:
            return str(value() if callable(value) else value)
    return None
