"""The relay on real brokers: ``python -m bench.relay [--brokers nats,redis] [--record]``.

    throughput   messages a second through the relay, with the filter and with one that looks at
                 nothing, in turns within this process; the same messages, the same code
    crashes      ``--crashes``: the relay is killed at random moments (and the broker restarted,
                 where it is one of our own) until all is through: nothing lost, nothing unredacted,
                 every duplicate under the id of its first

Counts come first: a turn that lost or leaked a message ends the bench. Messages are JSON of about
300 bytes, one in 50 with a key.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import io
import json
import statistics
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from bench.brokers import KINDS, Place, Sent, answers, place
from bench.prose import sentences
from bench.tokens import token
from bench.versus import RECORD, machine
from detector.filter import Filter
from detector.relay import FROM, TO, address_of, sink_of, source_of
from detector.relay.examiner import Answer, Beside, Examiner, Question
from detector.relay.flow import Relay
from detector.relay.logs import Log

EVERY = 50  # one message in so many holds a key
KIND = "github"


def messages(many: int, seed: int = 20260131) -> tuple[list[Sent], list[str]]:
    """Chat messages as JSON, and the keys in them."""
    rng = Random(seed)
    said, out, keys = sentences(), [], []
    for number in range(many):
        text = ""
        while len(text) < 180:
            text += rng.choice(said) + " "
        if number % EVERY == 0:
            keys.append(token(KIND, rng).decode())
            text += f"my key is {keys[-1]}, can you try it?"
        body = {
            "id": number,
            "channel": rng.choice(("general", "random", "ops")),
            "author": f"agent_{rng.randrange(10**6):06}",
            "time": 1769817600 + number,
            "text": text.strip(),
        }
        trace = f"{rng.getrandbits(128):032x}"
        out.append(Sent(json.dumps(body).encode(), {"trace": trace}))
    return out, keys


class Nothing:
    """Looks at nothing."""

    async def examine(self, questions: Sequence[Question]) -> list[Answer]:
        return []

    async def close(self) -> None: ...


async def turn(kind: str, source: Place, number: str, examiner: Examiner, many: int) -> float:
    """Messages a second, from the first fetch to the last acknowledgement."""
    group = {"nats": "?durable=", "redis": "&group=", "kafka": "?group=", "rabbit": ""}[kind]
    target = place(kind)
    await target.make()
    url = source.source + (f"{group}{number}" if group else "")
    relay = Relay(
        source_of(address_of(url, FROM)),
        sink_of(address_of(target.target, TO)),
        examiner,
        log=Log(stream=io.StringIO()),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    tally = relay.tally
    while not tally.in_flight and not running.done():
        await asyncio.sleep(0.001)
    begun = time.perf_counter()
    while tally.actions.total() < many and not running.done():
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - begun
    stop.set()
    await running
    got = len(await target.take(many))
    if got != many or tally.actions.total() != many:
        sys.exit(f"{kind}: {got} of {many} messages came out")
    await target.drop()
    return many / seconds


async def throughput(kind: str, many: int, turns: int, filter: Filter) -> dict[str, Any]:
    """Both in turns; the first pair warms up and does not count."""
    sent, _ = messages(many)
    rates: dict[str, list[float]] = {"null": [], "filter": []}
    source = place(kind)
    await source.make()
    if kind != "rabbit":
        await source.put(sent)
    for number in range(turns + 1):
        for name in ("null", "filter") if number % 2 else ("filter", "null"):
            if kind == "rabbit":  # a queue is read once
                await source.put(sent)
            examiner = Beside(filter) if name == "filter" else Nothing()
            rate = await turn(kind, source, f"{name}{number}", examiner, many)
            if number:
                rates[name].append(rate)
    await source.drop()
    with_filter, without = (statistics.median(rates[name]) for name in ("filter", "null"))
    return {
        "broker": kind,
        "messages": many,
        "per_second": round(with_filter),
        "per_second_without": round(without),
        "share": round(with_filter / without, 3),
        "turns": {name: [round(rate) for rate in some] for name, some in rates.items()},
    }


def main() -> None:
    """Print the figures, and record them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", default=",".join(KINDS))
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    rows = []
    filter = Filter()
    for kind in options.brokers.split(","):
        if kind != "kafka" and not answers(kind):
            print(f"{kind}: no server answers, left out")
            continue
        row = asyncio.run(throughput(kind, options.messages, options.turns, filter))
        rows.append(row)
        print(
            f"{kind:8} {row['per_second']:>7,} messages/s with the filter, "
            f"{row['per_second_without']:>7,} without: {row['share']:.1%}",
            flush=True,
        )
    if options.record:
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        said = {"machine": machine(), "throughput": rows}
        (RECORD / f"relay-{day}.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
