"""Kafka: a consumer group, and an idempotent producer that waits for its delivery reports.

Directly on confluent-kafka (librdkafka). FastStream commits where the consumer stands, not how far
messages are confirmed without a gap, and waits for one report after the other.

Kafka acknowledges a position, not a message: what is committed is the offset up to which all is
confirmed. Nor does it say that a message was delivered before: a duplicate is known by its id.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from detector.errors import UsageError
from detector.relay.addresses import GROUP, Address
from detector.relay.ends import Lost, RelayError
from detector.relay.message import Failure, Message, Outcomes, as_bytes

CONNECT = 5.0  # seconds for the first answer
CONFIRM = 30.0  # seconds for a delivery report
LINGER = 0.5  # seconds that a fetch waits for a first message
_LARGEST = 100 << 20  # bytes of a message: what the broker takes decides, not this side
_LOSSLESS = ("utf-8", "surrogateescape")

T = TypeVar("T")
Partition = tuple[str, int]


class Progress:
    """How far a partition is done without a gap."""

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._done: set[int] = set()
        self.next: int | None = None
        """The offset to commit; None while there is none."""

    def begin(self, offset: int) -> None:
        """It was read; offsets come in their order."""
        self._open.append(offset)

    def finish(self, offset: int) -> None:
        """It is confirmed."""
        self._done.add(offset)
        while self._open and self._open[0] in self._done:
            last = self._open.popleft()
            self._done.remove(last)
            self.next = last + 1


class _Client:
    """What both ends need: settings, and a thread in which the driver may block."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._driver = _driver()
        self._thread: ThreadPoolExecutor | None = None
        self._down = False

    def _settings(self) -> dict[str, Any]:
        address = self.address
        login = bool(address.user)
        security = ("SASL_" if login else "") + ("SSL" if address.secure else "PLAINTEXT")
        settings: dict[str, Any] = {
            "bootstrap.servers": ",".join(address.hosts),
            "client.id": "detector",
            "security.protocol": security,
            "log_level": 0,  # it would write to standard error, in words of its own
            "error_cb": self._troubled,
            "socket.connection.setup.timeout.ms": int(CONNECT * 1000),
            "message.max.bytes": _LARGEST,
        }
        if login:
            settings |= {
                "sasl.mechanism": address.option("mechanism", "PLAIN"),
                "sasl.username": address.user,
                "sasl.password": address.password,
            }
        if address.secure and (authorities := os.environ.get("SSL_CERT_FILE")):
            settings["ssl.ca.location"] = authorities
        return settings

    def _troubled(self, error: Any) -> None:
        if error.fatal() or error.code() == self._driver.KafkaError._ALL_BROKERS_DOWN:
            self._down = True

    async def _blocking(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise Lost("the connection is gone")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _look(self, client: Any) -> int:
        """The number of partitions. Complains where the topic is not there."""
        topic = self.address.path
        try:
            found = await self._blocking(lambda: client.list_topics(topic, timeout=CONNECT))
        except self._driver.KafkaException as error:
            raise Lost(_why(error)) from None
        known = found.topics[topic]
        if known.error is not None:
            if known.error.retriable():
                raise Lost(known.error.name())
            raise RelayError(f"{self.address.shown}: {known.error.name()}")
        return len(known.partitions)

    async def _begin(self, make: Callable[[dict[str, Any]], Any]) -> Any:
        self._down = False
        self._thread = ThreadPoolExecutor(1, "kafka")
        try:
            return make(self._settings())
        except (self._driver.KafkaException, ValueError) as error:
            raise RelayError(f"{self.address.shown}: {_why(error)}") from None

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False)


class KafkaSource(_Client):
    """A member of a consumer group."""

    keep_every: float | None = 60.0  # the group waits five minutes for a sign of life

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._consumer: Any = None
        self._lock = threading.Lock()
        self._progress: dict[Partition, Progress] = {}
        self._partitions = 1
        self._ready: list[Any] = []
        self._paused = False

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {
            "group.id": self.address.option("group", GROUP),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6_000,  # then others get what a dead relay had
            "heartbeat.interval.ms": 2_000,
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.message.max.bytes": 1 << 20,
            "receive.message.max.bytes": _LARGEST + (1 << 20),
            "fetch.max.bytes": _LARGEST,
        }

    async def open(self) -> None:
        """See :class:`~detector.relay.ends.End`."""
        self._progress.clear()
        self._ready, self._paused = [], False
        self._consumer = await self._begin(self._driver.Consumer)
        self._partitions = await self._look(self._consumer)
        self._consumer.subscribe([self.address.path], on_revoke=self._revoked, on_lost=self._gone)

    def _revoked(self, _consumer: Any, partitions: Sequence[Any]) -> None:
        """Ours until now: say how far we are, then forget them."""
        self._commit(partitions, wait=True)
        self._gone(_consumer, partitions)

    def _gone(self, _consumer: Any, partitions: Sequence[Any]) -> None:
        with self._lock:
            for one in partitions:
                self._progress.pop((one.topic, one.partition), None)

    async def fetch(self, most: int) -> list[Message]:
        """See :class:`~detector.relay.ends.Source`."""
        records = await self._blocking(lambda: self._read(most))
        if self._down:
            raise Lost("no broker answers")
        return [self._message(record) for record in records]

    def _read(self, most: int) -> list[Any]:
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False
        records, self._ready = self._ready, []
        if not records:
            first = self._consumer.poll(LINGER)
            records = [] if first is None else [first, *self._consumer.consume(most - 1, 0)]
        out = []
        with self._lock:
            for record in records:
                if record.error() is None:
                    place = (record.topic(), record.partition())
                    self._progress.setdefault(place, Progress()).begin(record.offset())
                    out.append(record)
        return out

    def _message(self, record: Any) -> Message:
        topic, partition, offset = record.topic(), record.partition(), record.offset()
        kind, time = record.timestamp()
        place = (topic, partition)
        return Message(
            body=record.value(),
            # The time: a topic that is made anew begins at 0 again.
            id=f"kafka:{topic}:{partition}:{offset}:{time}",
            handle=(self._progress.get(place), place, offset),
            headers=[*(record.headers() or [])],
            subject=topic,
            key=record.key(),
            lane=(partition, self._partitions),
            time=time if kind == self._driver.TIMESTAMP_CREATE_TIME else None,
        )

    async def ack(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`."""
        if self._consumer is None:
            raise Lost("the connection is gone")
        with self._lock:
            for message in messages:
                progress, place, offset = message.handle
                # Of another assignment or connection: it is somebody else's by now.
                if isinstance(progress, Progress) and self._progress.get(place) is progress:
                    progress.finish(offset)
        self._commit(None, wait=False)

    def _commit(self, partitions: Sequence[Any] | None, *, wait: bool) -> None:
        among = None if partitions is None else {(one.topic, one.partition) for one in partitions}
        with self._lock:
            offsets = [
                self._driver.TopicPartition(*place, progress.next)
                for place, progress in self._progress.items()
                if progress.next is not None and (among is None or place in among)
            ]
        if offsets:
            # Lost commits do no harm: the next one says more, and else messages come again.
            with contextlib.suppress(self._driver.KafkaException):
                self._consumer.commit(offsets=offsets, asynchronous=not wait)

    async def keep(self, messages: Sequence[Message]) -> None:
        """See :class:`~detector.relay.ends.Source`. A poll that brings nothing is the sign."""
        await self._blocking(self._sign)

    def _sign(self) -> None:
        if self._ready:
            return
        self._consumer.pause(self._consumer.assignment())
        self._paused = True
        record = self._consumer.poll(0)
        if record is not None:
            self._ready.append(record)

    async def release(self, messages: Sequence[Message]) -> None:
        """What is not committed is read again."""

    async def close(self) -> None:
        """Commit what is confirmed, and leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:

            def leave() -> None:
                self._consumer = consumer
                if not self._down:
                    self._commit(None, wait=True)
                self._consumer = None
                consumer.close()

            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._blocking(leave), 2 * CONNECT)
        self._end()


class KafkaSink(_Client):
    """A topic. Messages of a topic with as many partitions keep theirs; others go by their key."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._producer: Any = None
        self._partitions = 1

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.timeout.ms": int(CONFIRM * 1000),
            "partitioner": "murmur2_random",  # as Java's clients do it
            "delivery.report.only.error": True,  # flush says that there were none
        }

    async def open(self) -> None:
        """See :class:`~detector.relay.ends.End`."""
        self._producer = await self._begin(self._driver.Producer)
        self._partitions = await self._look(self._producer)

    async def send(self, messages: Sequence[Message]) -> Outcomes:
        """See :class:`~detector.relay.ends.Sink`."""
        try:
            return await self._blocking(lambda: self._send(messages))
        except Lost as lost:
            return [Failure(str(lost), lost=True)] * len(messages)

    def _send(self, messages: Sequence[Message]) -> Outcomes:
        outcomes: Outcomes = [None] * len(messages)
        for number, message in enumerate(messages):
            outcomes[number] = self._produce(message, number, outcomes)
        if self._producer.flush(CONFIRM + CONNECT):
            lost = Failure("no delivery report", lost=True)
            self._producer.purge()
            return [one or lost for one in outcomes]
        return outcomes

    def _produce(self, message: Message, number: int, outcomes: Outcomes) -> Failure | None:
        def report(error: Any, _record: Any) -> None:
            if error is not None:
                outcomes[number] = self._failure(error)

        options: dict[str, Any] = {}
        partition = self._partition(message)
        if partition is not None:
            options["partition"] = partition
        if message.time is not None:
            options["timestamp"] = message.time
        headers = [
            (name, value if value is None else as_bytes(value)) for name, value in message.headers
        ]
        headers += [(name, text.encode(*_LOSSLESS)) for name, text in message.marks.items()]
        while True:
            try:
                self._producer.produce(
                    self.address.path,
                    message.body,
                    message.key,
                    on_delivery=report,
                    headers=headers,
                    **options,
                )
            except BufferError:
                self._producer.poll(0.1)
            except self._driver.KafkaException as error:
                return self._failure(error.args[0])
            except (UnicodeError, TypeError, ValueError):
                return Failure("Kafka cannot carry one of its headers", refused=True)
            else:
                return None

    def _partition(self, message: Message) -> int | None:
        if message.lane is None:
            return None
        partition, among = message.lane
        if among == self._partitions:
            return partition
        return partition % self._partitions if message.key is None else None

    def _failure(self, error: Any) -> Failure:
        kinds = self._driver.KafkaError
        if error.code() in (kinds.MSG_SIZE_TOO_LARGE, kinds.INVALID_MSG_SIZE, kinds._INVALID_ARG):
            return Failure(error.name(), refused=True)
        return Failure(error.name(), lost=error.fatal() or error.code() == kinds._MSG_TIMED_OUT)

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
        self._end()


def _why(error: Exception) -> str:
    """The error's name: what it says may quote settings."""
    inner = error.args[0] if error.args else None
    name = getattr(inner, "name", None)
    known = {"_TRANSPORT": "no broker answers", "_ALL_BROKERS_DOWN": "no broker answers"}
    said = str(name()) if callable(name) else type(error).__name__
    return known.get(said, said)


def _driver() -> Any:
    try:
        import confluent_kafka
    except ImportError:
        raise UsageError(
            "kafka:// needs confluent-kafka: pip install 'secrets-leak-detector[kafka]'"
        ) from None
    return confluent_kafka
