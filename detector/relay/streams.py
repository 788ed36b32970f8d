"""Redis Streams: a consumer group, and XADD.

Directly on redis-py. FastStream reads and writes one field of an entry, in an envelope of its own,
so an entry of anybody else would not come out as it went in; and it claims nothing that a dead
consumer left.

An entry is a list of fields. One of them, ``field=`` (``data`` by default), is the body; the
others are headers, and all are written as they were. https://redis.io/docs/latest/develop/data-types/streams/

XADD's answer says that the server has it in memory. What a crash of the *server* may lose is a
matter of its ``appendfsync``: ``always`` loses nothing.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from detector.errors import UsageError
from detector.relay.addresses import GROUP, Address
from detector.relay.ends import Lost, RelayError
from detector.relay.message import Failure, Message, Outcomes, as_bytes

CONNECT = 5.0  # seconds for a connection
ANSWER = 30.0  # seconds for an answer
LINGER = 500  # milliseconds that a fetch waits for a first message
IDLE = 30_000  # milliseconds after which what a consumer left is somebody else's
_FIELD = "data"
_LOSSLESS = ("utf-8", "surrogateescape")
_CLAIM_EVERY = 20  # fetches between two looks for what others left


class _Connection:
    """What both ends need of a server."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._stream = address.option("stream").encode()
        self._field = address.option("field", _FIELD)
        self._redis: Any = None

    async def open(self) -> None:
        """See :class:`~detector.relay.ends.End`."""
        redis = _driver()
        host, port = self.address.host()
        options = {"ssl": True} if self.address.secure else {}
        self._redis = redis.Redis(
            host=host,
            port=port,
            db=int(self.address.path or 0),
            username=self.address.user or None,
            password=self.address.password or None,
            socket_connect_timeout=CONNECT,
            socket_timeout=ANSWER,
            retry=None,
            retry_on_error=[],
            single_connection_client=True,
            protocol=2,
            **options,
        )
        # As the server says it: its own callbacks make a dict of an entry, which loses fields.
        self._redis.response_callbacks.clear()
        kind = await self._ask("TYPE", self._stream)
        if kind not in (b"stream", b"none"):
            raise RelayError(f"{self.address.shown}: the key is no stream")

    async def _ask(self, *words: Any) -> Any:
        """One command. Raises :class:`Lost`."""
        if self._redis is None:
            raise Lost("the connection is gone")
        try:
            return await self._redis.execute_command(*words)
        except Exception as error:
            raise Lost(_why(error)) from None

    async def close(self) -> None:
        """Disconnect."""
        connection, self._redis = self._redis, None
        if connection is not None:
            with suppress(Exception):
                await connection.aclose()


class StreamSource(_Connection):
    """A consumer of a group. What dead consumers left is claimed once it lay for ``idle=``."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._group = address.option("group", GROUP)
        self._idle = int(address.option("idle", str(IDLE)))
        self.keep_every: float | None = self._idle / 3000
        self._me = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
        self._round = 0
        self._place: Any = b"0-0"

    async def open(self) -> None:
        """See :class:`~detector.relay.ends.End`. Makes group and stream where they are missing."""
        await super().open()
        try:
            await self._ask("XGROUP", "CREATE", self._stream, self._group, "0", "MKSTREAM")
        except Lost as lost:
            if str(lost) != "BUSYGROUP":
                raise
        self._round = 0

    async def fetch(self, most: int) -> list[Message]:
        """See :class:`~detector.relay.ends.Source`."""
        self._round += 1
        if self._round % _CLAIM_EVERY == 1:
            left = await self._claim(most)
            if left:
                self._round = 0  # there may be more
                return left
        answer = await self._ask(
            *("XREADGROUP", "GROUP", self._group, self._me, "COUNT", most, "BLOCK", LINGER),
            *("STREAMS", self._stream, ">"),
        )
        entries = answer[0][1] if answer else []
        return [self._message(*entry, again=False) for entry in entries]

    async def _claim(self, most: int) -> list[Message]:
        answer = await self._ask(
            *("XAUTOCLAIM", self._stream, self._group, self._me, self._idle, self._place),
            *("COUNT", most),
        )
        self._place = answer[0]
        return [self._message(*entry, again=True) for entry in answer[1] if entry and entry[1]]

    def _message(self, entry: bytes, fields: list[bytes], *, again: bool) -> Message:
        body = None
        headers = []
        for name, value in zip(fields[::2], fields[1::2], strict=True):
            text = name.decode(*_LOSSLESS)
            if text == self._field and body is None:
                body = value
            else:
                headers.append((text, value))
        stream = self._stream.decode()
        return Message(
            body=body,
            id=f"redis:{stream}:{entry.decode()}",
            handle=entry,
            headers=headers,
            redelivered=again,
            subject=stream,
        )

    async def ack(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`."""
        await self._ask("XACK", self._stream, self._group, *(one.handle for one in messages))

    async def keep(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`."""
        if messages:
            ids = [one.handle for one in messages]
            await self._ask(
                "XCLAIM", self._stream, self._group, self._me, 0, *ids, "IDLE", 0, "JUSTID"
            )

    async def release(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`. As long ago as it takes to be claimed."""
        if messages:
            ids = [one.handle for one in messages]
            await self._ask(
                *("XCLAIM", self._stream, self._group, self._me, 0, *ids),
                *("IDLE", self._idle, "JUSTID"),
            )
        elif await self._left() == 0:
            await self._ask("XGROUP", "DELCONSUMER", self._stream, self._group, self._me)

    async def _left(self) -> int:
        mine = ("XPENDING", self._stream, self._group, "-", "+", 1, self._me)
        return len(await self._ask(*mine))


class StreamSink(_Connection):
    """A stream to add to."""

    async def send(self, messages: Sequence[Message]) -> Outcomes:
        """See :class:`~detector.relay.ends.Sink`."""
        lost = Failure("no answer", lost=True)
        if self._redis is None:
            return [lost] * len(messages)
        pipe = self._redis.pipeline(transaction=False)
        for message in messages:
            pipe.execute_command("XADD", self._stream, "*", *self._fields(message))
        try:
            answers = await pipe.execute(raise_on_error=False)
        except Exception as error:
            return [Failure(_why(error), lost=True)] * len(messages)
        return [self._failure(answer) for answer in answers]

    def _fields(self, message: Message) -> list[bytes]:
        fields = []
        if message.body is not None:
            fields += [self._field.encode(), message.body]
        for name, value in [*message.headers, *message.marks.items()]:
            fields += [name.encode(*_LOSSLESS), as_bytes(value)]
        return fields

    def _failure(self, answer: Any) -> Failure | None:
        if not isinstance(answer, Exception):
            return None
        return Failure(_why(answer))


def _why(error: Exception) -> str:
    """Without the server's words, which may quote what was sent."""
    name = type(error).__name__
    known = {
        "ConnectionError": "no server answers",
        "TimeoutError": "no answer in time",
        "AuthenticationError": "the server does not accept user and password",
        "OutOfMemoryError": "the server's memory is full",
        "BusyLoadingError": "the server is loading",
        "ReadOnlyError": "the server only reads",
        "NoPermissionError": "this user may not do it",
    }
    if name == "ResponseError":
        code = str(error).partition(" ")[0]
        return code if code.isupper() and code.isalpha() else "the server refuses the command"
    return known.get(name, name)


def _driver() -> Any:
    try:
        import redis.asyncio
    except ImportError:
        raise UsageError(
            "redis:// needs redis-py: pip install 'secrets-leak-detector[redis]'"
        ) from None
    return redis.asyncio
