"""NATS JetStream: a durable pull consumer, and publishing with acknowledgements.

Directly on nats-py, and of that on its connection alone: ``fetch`` makes a task, a timer and a
UUID for each message, ``publish_async`` a token, a semaphore and a timer. One inbox with a number
for each request does the same. FastStream's publisher waits for each acknowledgement before the
next message, and adds headers of its own.

The protocol: https://docs.nats.io/reference/reference-protocols/nats_api_reference ; headers:
https://docs.nats.io/nats-concepts/jetstream/headers .
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import msgspec

from detector.errors import UsageError
from detector.relay.addresses import GROUP, Address
from detector.relay.ends import Lost, RelayError
from detector.relay.message import ID, ORIGINAL, Failure, Message, Outcomes, as_text, rendered

CONNECT = 5.0  # seconds for a connection
CONFIRM = 10.0  # seconds without an acknowledgement
EXPIRES = 0.5  # seconds that the server waits for a first message
ACK_WAIT = 30.0  # seconds after which somebody else gets what was not acknowledged

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
_ENCODED = "detector-encoded-"  # in front of a name; it and its value are then as in URLs
_NATS = "nats-"  # headers that the server takes for orders: Nats-Rollup empties a stream
_NEVER = {10054: "larger than the stream allows", 10060: "its subject belongs to another stream"}
_ERRORS = {
    10023: "the server has no room",
    10047: "the server has no room",
    10077: "the stream is full",
    10122: "the stream is full for this subject",
}
"""https://github.com/nats-io/nats-server/blob/main/server/errors.json"""


class _PubAck(msgspec.Struct):
    """What the server answers: a place in the stream, or an error."""

    stream: str = ""
    error: dict[str, Any] | None = None


_ANSWER = msgspec.json.Decoder(_PubAck)


class _Connection:
    """What both ends need of a server."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._nats: Any = None
        self._news = asyncio.Event()

    async def _connect(self) -> Any:
        """Connect, and give JetStream's interface. Raises :class:`Lost`."""
        client = _driver()
        address = self.address

        async def ignored(_error: Exception) -> None:
            """What goes wrong is met where it is waited for."""

        connection = client()

        async def closed() -> None:
            # One that was given up is told of late: that is no news of the next.
            if self._nats is connection:
                self._news.set()

        options: dict[str, Any] = {}
        if address.password:
            options |= {"user": address.user, "password": address.password}
        elif address.user:
            options["token"] = address.user
        if address.option("creds"):
            options["user_credentials"] = address.option("creds")
        scheme = "tls" if address.secure else "nats"
        self._nats = connection
        self._news.clear()
        try:
            await self._nats.connect(
                [f"{scheme}://{host}" for host in address.hosts],
                allow_reconnect=False,
                max_reconnect_attempts=1,  # of the first connection, for each host
                reconnect_time_wait=0.1,
                connect_timeout=CONNECT,
                ping_interval=5,
                max_outstanding_pings=2,
                error_cb=ignored,
                closed_cb=closed,
                **options,
            )
        except Exception as error:
            raise Lost(_why(error)) from None
        return self._nats.jetstream(timeout=CONNECT)

    async def _wait(self, seconds: float) -> None:
        """Until there is news, or no connection any more (:class:`Lost`), or it takes too long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        self._news.clear()
        self._alive()

    def _alive(self) -> None:
        if self._nats is None or not self._nats.is_connected:
            raise Lost("the connection is gone")

    async def close(self) -> None:
        """Disconnect; what was written is sent before."""
        connection, self._nats = self._nats, None
        if connection is not None:
            with suppress(Exception):
                await asyncio.wait_for(connection.flush(1), 2)
            with suppress(Exception):
                await asyncio.wait_for(connection.close(), 2)


class JetStreamSource(_Connection):
    """A durable consumer, which all relays of its name share; made where there is none."""

    keep_every: float | None = ACK_WAIT / 3

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._durable = address.option("durable", GROUP)
        self._ready: deque[Any] = deque()
        self._inbox = ""
        self._asked, self._open = 0, 0

    async def open(self) -> None:
        """Connect, find or make the consumer, and listen. See :class:`~detector.relay.ends.End`."""
        stream = await self._connect()
        self._ready.clear()
        self._open = 0
        await self._consumer(stream)
        self._inbox = self._nats.new_inbox()
        await self._nats.subscribe(
            f"{self._inbox}.*", cb=self._take, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    async def _consumer(self, stream: Any) -> None:
        from nats.js.api import AckPolicy, ConsumerConfig
        from nats.js.errors import NotFoundError

        address = self.address
        config = ConsumerConfig(
            durable_name=self._durable,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT,
            filter_subject=address.option("subject") or None,
            max_ack_pending=20_000,
        )
        try:
            await _stream(stream, address)
            try:
                info = await stream.consumer_info(address.path, self._durable)
            except NotFoundError:
                info = await stream.add_consumer(address.path, config)
        except RelayError:
            raise
        except Exception as error:
            raise Lost(_why(error)) from None
        wait = info.config.ack_wait or ACK_WAIT
        self.keep_every = min(wait / 3, ACK_WAIT / 3)
        if info.config.deliver_subject or info.config.ack_policy != AckPolicy.EXPLICIT:
            raise RelayError(
                f"{address.shown}: consumer '{self._durable}' is no pull consumer "
                "with explicit acknowledgement; name another one with durable="
            )

    async def _take(self, message: Any) -> None:
        if message.reply:
            self._ready.append(message)
            self._open = max(0, self._open - 1)
        elif message.subject.endswith(f".{self._asked}"):
            self._open = 0  # 404, 408, 409: nothing more comes of this request
        self._news.set()

    async def fetch(self, most: int) -> list[Message]:
        """See :class:`~detector.relay.ends.Source`."""
        self._alive()
        if len(self._ready) < most and not self._open:
            await self._ask(most)
        if not self._ready:
            self._news.clear()
            await self._wait(2 * EXPIRES)
            if not self._ready:
                self._open = 0  # the server would have said so by now: ask again
        return [_read(self._ready.popleft()) for _ in range(min(most, len(self._ready)))]

    async def _ask(self, many: int) -> None:
        self._asked += 1
        self._open = many
        asked = {"batch": many, "expires": int(EXPIRES * 1e9)}
        target = f"$JS.API.CONSUMER.MSG.NEXT.{self.address.path}.{self._durable}"
        await self._tell(target, msgspec.json.encode(asked), f"{self._inbox}.{self._asked}")

    async def _tell(self, subject: str, payload: bytes, reply: str = "") -> None:
        self._alive()
        try:
            await self._nats.publish(subject, payload, reply)
        except Exception as error:
            raise Lost(_why(error)) from None

    async def ack(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`."""
        for message in messages:
            await self._tell(message.handle, b"+ACK")

    async def keep(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`. Those read ahead are kept, too."""
        for handle in [one.handle for one in messages] + [one.reply for one in self._ready]:
            await self._tell(handle, b"+WPI")

    async def release(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`."""
        for handle in [one.handle for one in messages] + [one.reply for one in self._ready]:
            await self._tell(handle, b"-NAK")


def _read(message: Any) -> Message:
    # $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<…>.<time>.<pending>, and with a domain
    # and an account before the stream where there are more than nine parts.
    parts = message.reply.split(".")
    stream, _, delivered, sequence, _, time = parts[2 if len(parts) == 9 else 4 :][:6]
    return Message(
        body=message.data,
        # The time: a stream that is made anew begins at 1 again.
        id=f"nats:{stream}:{sequence}:{time}",
        handle=message.reply,
        headers=list((message.headers or {}).items()),
        redelivered=delivered != "1",
        subject=message.subject,
    )


class JetStreamSink(_Connection):
    """A subject of a stream. ``Nats-Msg-Id`` lets the server drop what comes twice."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._subject = address.option("subject")
        self._inbox = ""
        self._batch = 0
        self._missing = 0
        self._outcomes: Outcomes = []

    async def open(self) -> None:
        """Connect, and look whether the stream is there. See :class:`~detector.relay.ends.End`."""
        stream = await self._connect()
        try:
            await _stream(stream, self.address)
        except RelayError:
            raise
        except Exception as error:
            raise Lost(_why(error)) from None
        self._inbox = self._nats.new_inbox()
        await self._nats.subscribe(
            f"{self._inbox}.*.*", cb=self._confirmed, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    async def send(self, messages: Sequence[Message]) -> Outcomes:
        """See :class:`~detector.relay.ends.Sink`."""
        self._batch += 1
        unconfirmed = Failure("no acknowledgement", lost=True)
        self._outcomes = [unconfirmed] * len(messages)
        self._missing = len(messages)
        try:
            for number, message in enumerate(messages):
                await self._publish(number, message)
            while self._missing:
                before = self._missing
                await self._wait(CONFIRM)
                if self._missing == before:
                    break
        except Lost:
            pass
        return self._outcomes

    async def _publish(self, number: int, message: Message) -> None:
        body = message.body or b""
        headers = _headers(message, self.address.path)
        subject = rendered(self._subject, message.subject)
        size = len(body) + sum(len(name) + len(text) + 4 for name, text in headers.items())
        self._alive()
        if size + 12 > self._nats.max_payload:
            self._settle(number, Failure("larger than the server allows", refused=True))
            return
        try:
            await self._nats.publish(
                subject, body, f"{self._inbox}.{self._batch}.{number}", headers
            )
        except Exception as error:
            if type(error).__name__ in ("BadSubjectError", "BadHeaderError", "UnicodeEncodeError"):
                self._settle(number, Failure("NATS cannot carry its subject", refused=True))
            else:
                raise Lost(_why(error)) from None

    async def _confirmed(self, answer: Any) -> None:
        _, batch, number = answer.subject.rsplit(".", 2)
        if int(batch) == self._batch:
            self._settle(int(number), _failure(answer))

    def _settle(self, number: int, failure: Failure | None) -> None:
        self._outcomes[number] = failure
        self._missing -= 1
        if not self._missing:
            self._news.set()


def _failure(answer: Any) -> Failure | None:
    """What keeps the message from being stored, if anything."""
    if (answer.headers or {}).get("Status"):
        return Failure("no stream takes this subject")
    try:
        error = _ANSWER.decode(answer.data).error
    except msgspec.DecodeError:
        return Failure("no stream takes this subject")  # somebody else answered
    if error is None:
        return None
    code = int(error.get("err_code", 0))
    if code in _NEVER:
        return Failure(_NEVER[code], refused=True)
    return Failure(_ERRORS.get(code, f"the server says {code}"))


def _headers(message: Message, stream: str) -> dict[str, str]:
    headers = {}
    for name, value in message.headers:
        text = as_text(value)
        if name[: len(_NATS)].lower() == _NATS:
            name = f"{ORIGINAL}{name}"  # noqa: PLW2901
        if not _NAME.fullmatch(name) or not _LINE.fullmatch(text):
            quoted = text.encode("utf-8", "surrogateescape")
            name, text = f"{_ENCODED}{quote(name, safe='')}", quote(quoted, safe="")  # noqa: PLW2901
        headers[name] = text
    headers |= message.marks
    headers["Nats-Expected-Stream"] = stream
    if message.unique:
        headers["Nats-Msg-Id"] = message.marks[ID]
    return headers


async def _stream(jetstream: Any, address: Address) -> None:
    from nats.js.errors import NotFoundError, ServiceUnavailableError

    try:
        await jetstream.stream_info(address.path)
    except NotFoundError:
        raise RelayError(f"{address.shown}: there is no such stream") from None
    except ServiceUnavailableError:
        raise Lost("JetStream does not answer (nats-server runs it with -js)") from None


def _why(error: Exception) -> str:
    """The error's own name: what it says may quote the URL."""
    known = {
        "NoServersError": "no server answers",
        "ConnectionRefusedError": "no server answers",
        "gaierror": "its name is unknown",
        "AuthorizationError": "the server does not accept user and password",
        "TimeoutError": "no answer in time",
    }
    name = type(error).__name__
    if "authorization" in str(error).lower():
        name = "AuthorizationError"
    return known.get(name, name)


def _driver() -> Any:
    try:
        import nats.aio.client
    except ImportError:
        raise UsageError(
            "nats:// needs nats-py: pip install 'secrets-leak-detector[nats]'"
        ) from None
    return nats.aio.client.Client
