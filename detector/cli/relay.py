"""``detector relay``."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli import options
from detector.cli.report import COMPLETE
from detector.mask import Mask
from detector.relay.logs import LogFormat

if TYPE_CHECKING:
    from detector.relay.flow import Relay

BATCH, MOST = 500, 10_000


def relay(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="Where messages come from.")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="Where they go, clean.")],
    quarantine: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the ORIGINALS of messages go that may not pass, secrets and all.",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is done about which finding, as TOML."),
    ] = None,
    mask: Annotated[Mask, typer.Option(help="What stands in a secret's place.")] = Mask.label,
    batch: Annotated[
        int, typer.Option(min=1, max=MOST, metavar="N", help="Messages read at a time.")
    ] = BATCH,
    wait: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="How long brokers may take to be there."),
    ] = 0,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Answer Prometheus there; off by default."),
    ] = None,
    log: Annotated[LogFormat, typer.Option(help="How events are written.")] = LogFormat.json,
    rules: options.Rules = "",
    patterns: options.Patterns = None,
    min_confidence: options.MinConfidence = None,
    precision: options.Precisely = None,
    model: options.Model = None,
    engine: options.Engine = "auto",
) -> int:
    """Pass messages on from one broker to another, without the secrets in them.

    \b
    nats://host:4222/STREAM?subject=chat.>&durable=detector     NATS JetStream
    redis://host:6379/0?stream=in&group=detector                Redis Streams
    amqp://user:password@host/vhost?queue=in                    RabbitMQ
    kafka://host:9092,host2:9092/topic?group=detector           Kafka

    With TLS: tls, rediss, amqps, kafkas; SSL_CERT_FILE names authorities of your own.
    What else a URL may say:

    \b
    nats   --from subject= (those of a kind), durable=; --to subject=, where
           {subject} stands for the incoming one: subject=clean.{subject}; creds=FILE
    redis  stream=, field= (the body's, 'data'); --from group=, idle= (milliseconds
           after which what a dead relay left is taken over, 30000)
    amqp   queue=; --to also exchange= and routing_key=, with {subject}
    kafka  --from group=; mechanism= (of SASL, with user and password: PLAIN)

    A message is acknowledged once the outgoing broker has confirmed it: whatever crashes,
    nothing is lost. What comes twice then has the same header detector-id as before. Relays
    with the same durable, group or queue share the work. SIGTERM and Ctrl-C finish what is in
    flight. Exit status: 0 stopped, 2 it could not begin or go on; then nothing is lost either.
    """
    from detector.filter import Filter, Policy
    from detector.relay import FROM, QUARANTINE, TO, address_of, sink_of, source_of
    from detector.relay.examiner import Beside
    from detector.relay.flow import Relay
    from detector.relay.logs import Log
    from detector.relay.metrics import serve

    ends = source_of(address_of(source, FROM)), sink_of(address_of(target, TO))
    aside = sink_of(address_of(quarantine, QUARANTINE)) if quarantine else None
    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
        engine=engine,
    )
    filter = Filter(scanner, Policy.load(policy) if policy else None, mask=mask)
    running = Relay(*ends, Beside(filter), quarantine=aside, batch=batch, wait=wait, log=Log(log))
    stop_serving = serve(running.tally, metrics) if metrics else None
    try:
        asyncio.run(_until_told(running))
    finally:
        if stop_serving is not None:
            stop_serving()
    return COMPLETE


async def _until_told(relay: Relay) -> None:
    """Run until SIGTERM or SIGINT; a second one does not wait for what is in flight."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: Ctrl-C ends it there
            loop.add_signal_handler(number, _told, stop, number)
    await relay.run(stop)


def _told(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.raise_signal(number)
    stop.set()
