"""A relay between message brokers, with the filter in it: what is acknowledged was confirmed.

    addresses   URLs, and how they are shown         gate        the filter over a batch
    message     a message of any broker              lines       connections, tried again
    ends        what a broker must be able to do     shelf       what waits for the quarantine
    jetstream, streams, rabbit, kafka: the brokers   flow        the loop
    tally, metrics, logs: what is counted and said   middleware  for applications on FastStream

Each broker's driver is used directly. FastStream is what the middleware is for: its subscribers
and publishers could not carry a message untouched (it adds headers, and has an envelope of its
own in Redis), wait for one confirmation after the other, and commit Kafka's position without
knowing what is confirmed.
"""

from __future__ import annotations

from detector.relay.addresses import FROM, QUARANTINE, TO, Address, address_of
from detector.relay.ends import RelayError, Sink, Source

__all__ = [
    "FROM",
    "QUARANTINE",
    "TO",
    "Address",
    "RelayError",
    "Sink",
    "Source",
    "address_of",
    "sink_of",
    "source_of",
]


def source_of(address: Address) -> Source:
    """Where messages come from. Raises :class:`~detector.errors.UsageError` where the driver is
    not installed: then it names the pip command."""
    match address.kind:
        case "nats":
            from detector.relay.jetstream import JetStreamSource

            return JetStreamSource(address)
        case "redis":
            from detector.relay.streams import StreamSource

            return StreamSource(address)
        case "amqp":
            from detector.relay.rabbit import RabbitSource

            return RabbitSource(address)
        case _:
            from detector.relay.kafka import KafkaSource

            return KafkaSource(address)


def sink_of(address: Address) -> Sink:
    """Where messages go. Raises as :func:`source_of` does."""
    match address.kind:
        case "nats":
            from detector.relay.jetstream import JetStreamSink

            return JetStreamSink(address)
        case "redis":
            from detector.relay.streams import StreamSink

            return StreamSink(address)
        case "amqp":
            from detector.relay.rabbit import RabbitSink

            return RabbitSink(address)
        case _:
            from detector.relay.kafka import KafkaSink

            return KafkaSink(address)
