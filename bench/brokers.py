"""Places on real brokers, for the bench and the tests of the relay: put messages, take them.

Each place has a name of its own and is dropped behind its user. Written with the drivers' plain
calls, apart from the relay's code on purpose. Kafka is librdkafka's own mock cluster, which
speaks the protocol over TCP and lives in this process.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

KINDS = ("nats", "redis", "rabbit", "kafka")
SERVERS = {
    "nats": ("DETECTOR_TEST_NATS", "nats://127.0.0.1:4222"),
    "redis": ("DETECTOR_TEST_REDIS", "redis://127.0.0.1:6379/0"),
    "rabbit": ("DETECTOR_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/%2F"),
}
PROGRAMS = {"nats": "nats-server", "redis": "redis-server"}
QUIET = 1.5  # seconds without a message after which a place is empty
_AT_ONCE = 1000


class Sent(NamedTuple):
    """A message to put."""

    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    key: bytes | None = None


class Got(NamedTuple):
    """A message taken."""

    body: bytes
    headers: dict[str, str]
    key: bytes | None = None
    lane: int = 0


class Place(Protocol):
    """Somewhere to put messages and to take them from."""

    source: str
    """To read from, as ``--from`` wants it."""
    target: str
    """To write to, as ``--to`` and ``--quarantine`` want it."""

    async def make(self) -> None: ...

    async def put(self, messages: Sequence[Sent]) -> None: ...

    async def take(self, enough: int | None = None) -> list[Got]:
        """All there is; returns when ``enough`` were seen, or when nothing more comes."""

    async def drop(self) -> None: ...


def place(kind: str, url: str | None = None) -> Place:
    """A place of this kind, on another server than the usual one if ``url`` says so."""
    url = url or server(kind)
    return _PLACES[kind](url)


def server(kind: str) -> str:
    """The URL of the usual server."""
    if kind == "kafka":
        return f"kafka://{_mock()[1]}"
    variable, default = SERVERS[kind]
    return os.environ.get(variable, default)


def answers(kind: str) -> bool:
    """Whether the usual server listens."""
    parts = urlsplit(server(kind))
    with suppress(OSError):
        socket.create_connection((parts.hostname or "", parts.port or 0), 5).close()
        return True
    return False


@cache
def _mock() -> tuple[Any, str]:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = producer.list_topics(timeout=10).brokers.values()
    return producer, f"{broker.host}:{broker.port}"


class NatsPlace:
    def __init__(self, url: str, *, subject: str = "", **limits: Any) -> None:
        self.url, self.name, self.limits = url, f"T{uuid.uuid4().hex[:12]}", limits
        self.subject = f"{self.name}.in"
        self.source = f"{url}/{self.name}"
        self.target = f"{url}/{self.name}?subject={self.subject}"

    async def _connected(self) -> Any:
        import nats

        return await nats.connect(self.url, allow_reconnect=False)

    async def make(self) -> None:
        connection = await self._connected()
        await connection.jetstream().add_stream(
            name=self.name, subjects=[f"{self.name}.>"], **self.limits
        )
        await connection.close()

    async def listen(self, durable: str, ack_wait: float) -> None:
        """Make a durable consumer."""
        from nats.js.api import AckPolicy, ConsumerConfig

        connection = await self._connected()
        config = ConsumerConfig(
            durable_name=durable, ack_policy=AckPolicy.EXPLICIT, ack_wait=ack_wait
        )
        await connection.jetstream().add_consumer(self.name, config)
        await connection.close()

    async def put(self, messages: Sequence[Sent]) -> None:
        connection = await self._connected()
        stream = connection.jetstream()
        for begin in range(0, len(messages), _AT_ONCE):
            await asyncio.gather(
                *[
                    await stream.publish_async(
                        self.subject, one.body, headers=dict(one.headers) or None
                    )
                    for one in messages[begin : begin + _AT_ONCE]
                ]
            )
        await connection.close()

    async def take(self, enough: int | None = None) -> list[Got]:
        connection = await self._connected()
        stream = connection.jetstream()
        state = (await stream.stream_info(self.name)).state
        out: list[Got] = []
        if state.messages:
            from nats.js.api import AckPolicy, ConsumerConfig

            consumer = await stream.pull_subscribe(
                "", stream=self.name, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
            )
            while len(out) < state.messages:
                some = await consumer.fetch(_AT_ONCE, timeout=5)
                out += [Got(one.data, dict(one.headers or {})) for one in some]
        await connection.close()
        return out

    async def drop(self) -> None:
        connection = await self._connected()
        with suppress(Exception):
            await connection.jetstream().delete_stream(self.name)
        await connection.close()


class RedisPlace:
    def __init__(self, url: str) -> None:
        self.url, self.name = url, f"t-{uuid.uuid4().hex[:12]}"
        self.source = self.target = f"{url}?stream={self.name}"

    def _client(self) -> Any:
        import redis.asyncio

        client = redis.asyncio.Redis.from_url(self.url, protocol=2)
        client.response_callbacks.clear()
        return client

    async def make(self) -> None: ...

    async def put(self, messages: Sequence[Sent]) -> None:
        async with self._client() as client:
            for begin in range(0, len(messages), _AT_ONCE):
                pipe = client.pipeline(transaction=False)
                for one in messages[begin : begin + _AT_ONCE]:
                    fields = [word for pair in one.headers.items() for word in pair]
                    pipe.execute_command("XADD", self.name, "*", "data", one.body, *fields)
                await pipe.execute()

    async def take(self, enough: int | None = None) -> list[Got]:
        out: list[Got] = []
        last = "-"
        async with self._client() as client:
            while entries := await client.execute_command(
                "XRANGE", self.name, last, "+", "COUNT", _AT_ONCE
            ):
                for number, fields in entries:
                    pairs = dict(zip(fields[::2], fields[1::2], strict=True))
                    body = pairs.pop(b"data", b"")
                    out.append(Got(body, {k.decode(): v.decode() for k, v in pairs.items()}))
                    last = f"({number.decode()}"
        return out

    async def drop(self) -> None:
        async with self._client() as client:
            await client.execute_command("DEL", self.name)


class RabbitPlace:
    def __init__(self, url: str, **arguments: Any) -> None:
        self.url, self.name, self.arguments = url, f"t-{uuid.uuid4().hex[:12]}", arguments
        self.source = self.target = f"{url}?queue={self.name}"

    async def make(self) -> None:
        connection, channel = await self._channel()
        await channel.queue_declare(self.name, durable=True, arguments=self.arguments)
        await connection.close()

    async def _channel(self) -> tuple[Any, Any]:
        import aiormq

        connection = await aiormq.connect(self.url)
        return connection, await connection.channel()

    async def put(self, messages: Sequence[Sent]) -> None:
        from aiormq import spec

        connection, channel = await self._channel()
        for begin in range(0, len(messages), _AT_ONCE):
            await asyncio.gather(
                *[
                    channel.basic_publish(
                        one.body,
                        routing_key=self.name,
                        properties=spec.Basic.Properties(
                            headers=dict(one.headers), delivery_mode=2
                        ),
                        wait=False,
                    )
                    for one in messages[begin : begin + _AT_ONCE]
                ]
            )
        await connection.close()

    async def take(self, enough: int | None = None) -> list[Got]:
        connection, channel = await self._channel()
        out: list[Got] = []
        queue: asyncio.Queue[Any] = asyncio.Queue()
        await channel.basic_consume(self.name, queue.put, no_ack=True)
        with suppress(TimeoutError):
            while enough is None or len(out) < enough:
                one = await asyncio.wait_for(queue.get(), QUIET)
                headers = one.header.properties.headers or {}
                out.append(Got(one.body, {name: _text(value) for name, value in headers.items()}))
        await connection.close()
        return out

    async def drop(self) -> None:
        connection, channel = await self._channel()
        await channel.queue_delete(self.name)
        await connection.close()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class KafkaPlace:
    def __init__(self, url: str) -> None:
        self.url, self.name = url, f"t-{uuid.uuid4().hex[:12]}"
        self.source = self.target = f"{url}/{self.name}"

    @property
    def _servers(self) -> dict[str, Any]:
        return {"bootstrap.servers": urlsplit(self.url).netloc, "log_level": 0}

    async def make(self) -> None:
        await asyncio.to_thread(self._make)

    def _make(self) -> None:
        from confluent_kafka import Producer

        # The mock makes a topic for whoever asks for it.
        Producer(self._servers).list_topics(self.name, timeout=10)

    async def put(self, messages: Sequence[Sent]) -> None:
        await asyncio.to_thread(self._put, messages)

    def _put(self, messages: Sequence[Sent]) -> None:
        from confluent_kafka import Producer

        producer = Producer({**self._servers, "acks": "all"})
        for one in messages:
            while True:
                try:
                    headers: Any = list(one.headers.items())
                    producer.produce(self.name, one.body, one.key, headers=headers)
                    break
                except BufferError:
                    producer.poll(0.1)
        assert producer.flush(30) == 0

    async def take(self, enough: int | None = None) -> list[Got]:
        return await asyncio.to_thread(self._take)

    def _take(self) -> list[Got]:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        consumer = Consumer(
            {**self._servers, "group.id": uuid.uuid4().hex, "enable.auto.commit": False}
        )
        parts = consumer.list_topics(self.name, timeout=10).topics[self.name].partitions
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(self.name, number), timeout=10)
            for number in parts
        }
        total = sum(high - low for low, high in ends.values())
        consumer.assign([TopicPartition(self.name, number, OFFSET_BEGINNING) for number in parts])
        out: list[Got] = []
        while len(out) < total:
            for one in consumer.consume(_AT_ONCE, 0.5):
                assert one.error() is None
                pairs: Any = one.headers() or []
                headers = {name: _text(value) for name, value in pairs}
                out.append(Got(one.value() or b"", headers, one.key(), one.partition() or 0))
        consumer.close()
        return out

    async def drop(self) -> None: ...


_PLACES: dict[str, Callable[[str], Place]] = {
    "nats": NatsPlace,
    "redis": RedisPlace,
    "rabbit": RabbitPlace,
    "kafka": KafkaPlace,
}


@contextmanager
def own_server(kind: str, folder: Path) -> Iterator[OwnServer]:
    """A NATS or Redis of one's own, which may be stopped and started again."""
    running = OwnServer(kind, folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()


class OwnServer:
    """Keeps what it was told on the disk, in ``folder``."""

    def __init__(self, kind: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._kind, self._folder = kind, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"{kind}://127.0.0.1:{self._port}" + ("/0" if kind == "redis" else "")

    def start(self, *more: str) -> None:
        port, folder = str(self._port), str(self._folder)
        program = PROGRAMS[self._kind]
        found = shutil.which(program)
        assert found, program
        disk = ["--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        arguments = {
            "nats": ["-a", "127.0.0.1", "-p", port, "-js", "-sd", folder],
            "redis": ["--bind", "127.0.0.1", "--port", port, *disk],
        }[self._kind]
        self._process = subprocess.Popen(
            [found, *arguments, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                time.sleep(0.2)  # JetStream and the append-only file are read after that
                return
            time.sleep(0.05)
        raise RuntimeError(f"{program} does not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
