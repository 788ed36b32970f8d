"""RabbitMQ: a queue read with a prefetch window, and publishing with confirms.

Directly on aiormq, which aio-pika and FastStream stand on: they wrap each message in objects of
their own, and FastStream adds headers.

Messages have no identity here. Theirs is a hash over the queue and all that the publisher sent,
so two equal messages share it: only what says ``detector-redelivered`` is a duplicate then. A
publisher that sets ``message_id`` makes them differ.

Confirms: https://www.rabbitmq.com/docs/confirms
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from detector.errors import UsageError
from detector.relay.addresses import Address
from detector.relay.ends import Lost, RelayError
from detector.relay.message import (
    ID,
    ORIGINAL,
    Failure,
    Message,
    Outcomes,
    as_bytes,
    hashed,
    rendered,
)

CONNECT = 5.0  # seconds for a connection
CONFIRM = 30.0  # seconds for the confirms of a batch
LINGER = 0.5  # seconds that a fetch waits for a first message
PREFETCH = 2000  # messages that the broker may have on their way to us

_PROPERTIES = (
    "content_type",
    "content_encoding",
    "priority",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "timestamp",
    "message_type",
    "app_id",
)
_COUNTED = ("x-delivery-count", "x-acquired-count")  # differ from one delivery to the next
_ROUTING = ("cc", "bcc")  # would send the message to further queues
_LONGEST_NAME = 128  # bytes of a header's name
_PERSISTENT = 2  # a confirm says that it lies on the disk only for those


class _Connection:
    """What both ends need of a broker."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._connection: Any = None
        self._channel: Any = None

    async def _connect(self, *, confirms: bool) -> None:
        aiormq = _driver()
        address = self.address
        host, port = address.host()
        login = ""
        if address.user:
            login = f"{quote(address.user, safe='')}:{quote(address.password, safe='')}@"
        scheme = "amqps" if address.secure else "amqp"
        host = f"[{host}]" if ":" in host else host
        vhost = quote(address.path or "/", safe="")
        connection = aiormq.Connection(f"{scheme}://{login}{host}:{port}/{vhost}?heartbeat=20")
        try:
            await asyncio.wait_for(connection.connect(), CONNECT)
            self._connection = connection
            self._channel = await connection.channel(publisher_confirms=confirms)
            await self._look()
        except (
            aiormq.exceptions.ChannelNotFoundEntity,
            aiormq.exceptions.ChannelAccessRefused,
        ) as e:
            gone = type(e).__name__ == "ChannelNotFoundEntity"
            why = "there is no such queue or exchange" if gone else "this user may not use it"
            raise RelayError(f"{address.shown}: {why}") from None
        except Exception as error:
            raise Lost(_why(error)) from None

    async def _look(self) -> None:
        """Complain where queue or exchange is not there."""
        if queue := self.address.option("queue"):
            await self._channel.queue_declare(queue, passive=True)
        elif exchange := self.address.option("exchange"):
            await self._channel.exchange_declare(exchange, passive=True)

    def _alive(self) -> None:
        if self._channel is None or self._channel.is_closed or self._connection.is_closed:
            raise Lost("the connection is gone")

    async def close(self) -> None:
        """Disconnect. What was not acknowledged is the queue's again."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.close(), 2)


class RabbitSource(_Connection):
    """A consumer of a queue."""

    keep_every: float | None = None  # a delivery is ours as long as the channel is open

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._queue = address.option("queue")
        self._ready: deque[Message] = deque()
        self._news = asyncio.Event()
        self._open: set[int] = set()
        self._turn = 0

    async def open(self) -> None:
        """See :class:`~detector.relay.ends.End`."""
        self._turn += 1
        self._ready.clear()
        self._open.clear()
        await self._connect(confirms=False)
        turn = self._turn

        async def take(delivered: Any) -> None:
            if turn == self._turn:
                self._ready.append(self._read(delivered))
                self._news.set()

        try:
            await self._channel.basic_qos(prefetch_count=PREFETCH)
            await self._channel.basic_consume(self._queue, take)
        except Exception as error:
            raise Lost(_why(error)) from None

    def _read(self, delivered: Any) -> Message:
        sent = delivered.header.properties
        properties = {
            name: value
            for name in _PROPERTIES
            if (value := getattr(sent, name)) is not None and value != ""
        }
        headers = [*(sent.headers or {}).items()]
        if sent.user_id:
            headers.append((f"{ORIGINAL}user-id", sent.user_id))
        tag = delivered.delivery_tag
        self._open.add(tag)
        return Message(
            body=delivered.body,
            id=f"rabbit:{self._queue}:{hashed(_identity(self._queue, delivered, properties))}",
            unique="message_id" in properties,
            handle=(self._turn, tag),
            headers=headers,
            redelivered=bool(delivered.redelivered),
            subject=delivered.routing_key or "",
            properties=properties,
        )

    async def fetch(self, most: int) -> list[Message]:
        """See :class:`~detector.relay.ends.Source`."""
        self._alive()
        if not self._ready:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LINGER)
            self._alive()
        return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    async def ack(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`."""
        self._alive()
        tags = {one.handle[1] for one in messages if one.handle[0] == self._turn}
        self._open -= tags
        try:
            for tag, multiple in _acks(tags, self._open):
                await self._channel.basic_ack(tag, multiple=multiple, wait=False)
        except Exception as error:
            raise Lost(_why(error)) from None

    async def keep(self, messages: Sequence[Message]) -> None:
        """Not needed here."""

    async def release(self, messages: Sequence[Message]) -> None:
        """Closing the channel does it."""


def _acks(tags: set[int], still_open: set[int]) -> Iterator[tuple[int, bool]]:
    """One acknowledgement for all up to the first that is still open, one each for others."""
    first = min(still_open, default=None)
    below = [tag for tag in tags if first is None or tag < first]
    if below:
        yield max(below), True
    for tag in sorted(tags.difference(below)):
        yield tag, False


def _identity(queue: str, delivered: Any, properties: dict[str, Any]) -> Iterator[bytes]:
    yield queue.encode()
    yield (delivered.exchange or "").encode()
    yield (delivered.routing_key or "").encode()
    for name, value in properties.items():
        yield name.encode()
        yield as_bytes(value.isoformat() if isinstance(value, datetime) else value)
    for name, value in (delivered.header.properties.headers or {}).items():
        if name not in _COUNTED:
            yield name.encode()
            yield as_bytes(value)
    yield delivered.body


class RabbitSink(_Connection):
    """A queue, or an exchange and a routing key (``{subject}`` is that of the message)."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._exchange = address.option("exchange")
        default = address.option("queue") or "{subject}"
        self._key = address.option("routing_key", default)
        self._aiormq: Any = None

    async def open(self) -> None:
        """See :class:`~detector.relay.ends.End`."""
        self._aiormq = _driver()
        await self._connect(confirms=True)

    async def send(self, messages: Sequence[Message]) -> Outcomes:
        """See :class:`~detector.relay.ends.Sink`."""
        outcomes: Outcomes = []
        for part in _distinct(messages):
            try:
                self._alive()
                sending = [self._publish(message) for message in part]
                async with asyncio.timeout(CONFIRM):
                    outcomes += await asyncio.gather(*sending)
            except (Lost, TimeoutError):
                outcomes += [Failure("no confirm", lost=True)] * len(part)
        return outcomes

    async def _publish(self, message: Message) -> Failure | None:
        known = self._aiormq.exceptions
        try:
            await self._channel.basic_publish(
                message.body or b"",
                exchange=self._exchange,
                routing_key=rendered(self._key, message.subject),
                properties=self._properties(message),
                mandatory=True,
                wait=False,
            )
        except known.PublishError:
            return Failure("no queue takes it")
        except known.DeliveryError:
            return Failure("the queue is full")
        except (ValueError, TypeError, OverflowError, UnicodeError):
            return Failure("RabbitMQ cannot carry one of its headers", refused=True)
        except Exception as error:
            return Failure(_why(error), lost=True)
        return None

    def _properties(self, message: Message) -> Any:
        headers: dict[str, Any] = {}
        for name, value in message.headers:
            renamed = f"{ORIGINAL}{name}" if name.lower() in _ROUTING else name
            if renamed in headers:
                before = headers[renamed]
                value = [*(before if isinstance(before, list) else [before]), value]  # noqa: PLW2901
            if len(renamed.encode()) > _LONGEST_NAME:  # the driver would cut it
                raise ValueError(renamed)
            headers[renamed] = _carried(value)
        given = dict(message.properties)
        if message.unique:
            given.setdefault("message_id", message.marks[ID])
        return self._aiormq.spec.Basic.Properties(
            headers=headers | message.marks, delivery_mode=_PERSISTENT, **given
        )


def _carried(value: Any) -> Any:
    """Text where it is some: the driver knows bytes as ``bytearray`` alone."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return bytearray(value)


def _distinct(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Cut before a ``message_id`` comes twice: the driver tells returned messages by it."""
    begin, seen = 0, set[str]()
    for number, message in enumerate(messages):
        own = message.marks[ID] if message.unique else ""
        name = str(message.properties.get("message_id", own))
        if name and name in seen:
            yield messages[begin:number]
            begin = number
            seen.clear()
        seen.add(name)
    if begin < len(messages):
        yield messages[begin:]


def _why(error: BaseException) -> str:
    """The error's own name: what it says may quote the URL."""
    known = {
        "AMQPConnectionError": "no broker answers",
        "ConnectionRefusedError": "no broker answers",
        "TimeoutError": "no answer in time",
        "AuthenticationError": "the broker does not accept user and password",
        "ProbableAuthenticationError": "the broker does not accept user and password",
        "ConnectionNotAllowed": "there is no such virtual host, or this user may not use it",
    }
    return known.get(type(error).__name__, type(error).__name__)


def _driver() -> Any:
    try:
        import aiormq
    except ImportError:
        raise UsageError(
            "amqp:// needs aio-pika: pip install 'secrets-leak-detector[rabbitmq]'"
        ) from None
    return aiormq
