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
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from bench.brokers import (
    KINDS,
    PROGRAMS,
    Got,
    NatsPlace,
    OwnServer,
    Place,
    Sent,
    answers,
    own_server,
    place,
)
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
PATIENCE = 90  # seconds without anything new after which what is missing counts as lost


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


async def turn(
    kind: str, source: Place, number: str, examiner: Examiner, many: int
) -> tuple[float, float]:
    """Messages a second, from the first fetch to the last acknowledgement, and the processor's
    microseconds for each in this process, where the filter is not."""
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
    begun, used = time.perf_counter(), time.process_time()
    while tally.actions.total() < many and not running.done():
        await asyncio.sleep(0.005)
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    stop.set()
    await running
    got = len(await target.take(many))
    if got != many or tally.actions.total() != many:
        sys.exit(f"{kind}: {got} of {many} messages came out")
    await target.drop()
    return many / seconds, used / many * 1e6


async def throughput(kind: str, many: int, turns: int, filter: Filter) -> dict[str, Any]:
    """Both in turns; the first pair warms up and does not count."""
    sent, _ = messages(many)
    rates: dict[str, list[float]] = {"null": [], "filter": []}
    costs: dict[str, list[float]] = {"null": [], "filter": []}
    source = place(kind)
    await source.make()
    if kind != "rabbit":
        await source.put(sent)
    for number in range(turns + 1):
        for name in ("null", "filter") if number % 2 else ("filter", "null"):
            if kind == "rabbit":  # a queue is read once
                await source.put(sent)
            examiner = Beside(filter) if name == "filter" else Nothing()
            rate, cost = await turn(kind, source, f"{name}{number}", examiner, many)
            if number:
                rates[name].append(rate)
                costs[name].append(cost)
    await source.drop()
    with_filter, without = (statistics.median(rates[name]) for name in ("filter", "null"))
    return {
        "broker": kind,
        "messages": many,
        "per_second": round(with_filter),
        "per_second_without": round(without),
        "share": round(with_filter / without, 3),
        "loop_us": {name: round(statistics.median(some), 1) for name, some in costs.items()},
        "turns": {name: [round(rate) for rate in some] for name, some in rates.items()},
    }


class Survived(NamedTuple):
    """What came out of a run with crashes."""

    put: int
    kills: int
    restarts: int
    out: int
    lost: int
    leaked: int
    unmarked: int
    """Duplicates under another id than their first."""


async def crashes(
    kind: str,
    many: int,
    kills: int,
    *,
    own: OwnServer | None = None,
    batch: int = 100,
    rules: str = "",
    seed: int = 1,
) -> Survived:
    """The command is killed at random moments, and its broker too if it is our ``own``, while
    messages keep coming; then one relay is left alone until all is through."""
    rng = Random(seed)
    sent, keys = messages(many, seed)
    source, target = (place(kind, own.url if own else None) for _ in range(2))
    await source.make()
    await target.make()
    url = await _impatient(kind, source)
    command = [sys.executable, "-m", "detector", "relay", "--from", url, "--to", target.target]
    command += ["--batch", str(batch), "--wait", "60", *(["--rules", rules] if rules else [])]
    share, restarts = -(-many // (kills + 1)), 0
    for number in range(kills):
        await source.put(sent[number * share : (number + 1) * share])
        with _relay(command) as process:
            await asyncio.to_thread(_until_started, process)
            await asyncio.sleep(rng.uniform(0.02, 0.6))
            if own is not None and number % 2:
                own.stop()
                await asyncio.sleep(rng.uniform(0, 0.3))
                own.start()
                await asyncio.sleep(rng.uniform(0, 0.3))
                restarts += 1
    await source.put(sent[kills * share :])
    with _relay(command) as process:
        await asyncio.to_thread(_until_started, process)
        got = await _all(kind, target, many)
        assert process.poll() is None, "the relay ended by itself"
    await source.drop()
    await target.drop()
    return _judge(sent, keys, got, kills, restarts)


async def _impatient(kind: str, source: Place) -> str:
    """The source's URL, where what a dead relay had is given to the next one after seconds."""
    if kind == "redis":
        return f"{source.source}&idle=1000"
    if isinstance(source, NatsPlace):
        await source.listen("detector", ack_wait=2)
    return source.source


@contextmanager
def _relay(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _until_started(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if '"event":"started"' in line:
            break
    else:
        raise RuntimeError("the relay does not start")
    threading.Thread(target=process.stderr.read, daemon=True).start()


async def _all(kind: str, target: Place, many: int) -> list[Got]:
    """What came out, once each message did or none came for long."""
    got: list[Got] = []
    seen, since = 0, time.monotonic()
    while seen < many and time.monotonic() - since < PATIENCE:
        more = await target.take()
        got = [*got, *more] if kind == "rabbit" else more  # a queue is read once
        now = len({json.loads(one.body)["id"] for one in got})
        seen, since = now, time.monotonic() if now > seen else since
        await asyncio.sleep(0.5)
    return got


def _judge(
    sent: Sequence[Sent], keys: Sequence[str], got: Sequence[Got], kills: int, restarts: int
) -> Survived:
    ids: dict[int, set[str]] = {}
    for one in got:
        ids.setdefault(json.loads(one.body)["id"], set()).add(one.headers["detector-id"])
    own = {name for names in ids.values() for name in names}
    known = [key.encode() for key in keys]
    text = b"\n".join(one.body for one in got)
    return Survived(
        put=len(sent),
        kills=kills,
        restarts=restarts,
        out=len(got),
        lost=len(sent) - len(ids),
        leaked=sum(key in text for key in known),
        unmarked=sum(len(names) - 1 for names in ids.values()) + len(ids) - len(own),
    )


def survive(kinds: Sequence[str], many: int, kills: int) -> list[dict[str, Any]]:
    """Runs with crashes, printed."""
    rows = []
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            mine = kind in PROGRAMS
            with own_server(kind, Path(folder)) if mine else nullcontext() as own:
                done = asyncio.run(crashes(kind, many, kills, own=own, batch=500))
        rows.append({"broker": kind, **done._asdict()})
        print(
            f"{kind:8} {done.put:>7,} messages, {kills} kills, {done.restarts} broker restarts: "
            f"{done.lost} lost, {done.leaked} leaked, {done.out - done.put + done.lost} twice, "
            f"{done.unmarked} of them unmarked",
            flush=True,
        )
    return rows


def main() -> None:
    """Print the figures, and record them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", default=",".join(KINDS))
    parser.add_argument("--messages", type=int, help="20,000; with --crashes 100,000")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--crashes", type=int, metavar="KILLS", help="kill the relay so often")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    kinds = [kind for kind in options.brokers.split(",") if kind == "kafka" or answers(kind)]
    if options.crashes:
        rows = survive(kinds, options.messages or 100_000, options.crashes)
        good = not any(row["lost"] or row["leaked"] or row["unmarked"] for row in rows)
    else:
        filter = Filter()
        rows = []
        for kind in kinds:
            row = asyncio.run(throughput(kind, options.messages or 20_000, options.turns, filter))
            rows.append(row)
            print(
                f"{kind:8} {row['per_second']:>7,} messages/s with the filter, "
                f"{row['per_second_without']:>7,} without: {row['share']:.1%}; "
                f"the loop takes {row['loop_us']['filter']} and {row['loop_us']['null']} µs",
                flush=True,
            )
        good = all(row["share"] >= 0.95 for row in rows)
    if options.record:
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        name = "relay-crashes" if options.crashes else "relay"
        said = {"machine": machine(), "brokers": rows}
        (RECORD / f"{name}-{day}.json").write_text(json.dumps(said, indent=1) + "\n")
    sys.exit(not good)


if __name__ == "__main__":
    main()
