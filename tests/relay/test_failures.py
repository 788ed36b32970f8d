"""What goes wrong: brokers that are away or full, a quarantine that takes nothing, a stop."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request

import pytest
from flowing import Process, Running, chat, dropped, filtering, ids_of, key, made
from servers import broker, own_broker

from bench.brokers import NatsPlace, RabbitPlace, Sent, place, server
from detector.filter import Action, PolicyRule
from detector.relay.ends import RelayError
from detector.relay.examiner import Here

APART = filtering(rules=(PolicyRule(rule="github-pat", action=Action.quarantine),))
NOWHERE = {
    "nats": "nats://user:{}@127.0.0.1:1/S",
    "redis": "redis://:{}@127.0.0.1:1/0?stream=s",
    "amqp": "amqp://user:{}@127.0.0.1:1/?queue=q",
    "kafka": "kafka://user:{}@127.0.0.1:1/t",
}


@pytest.mark.parametrize("kind", NOWHERE)
def test_an_unreachable_broker_is_named_without_its_password(kind):
    password = key()
    command = Process("--from", NOWHERE[kind].format(password), "--to", "redis://h/0?stream=x")
    status, said = command.wait()
    assert status == 2
    assert f"--from: {kind}://127.0.0.1:1" in said
    assert "cannot be reached" in said
    assert password not in said


def test_a_missing_stream_is_said():
    broker("nats")
    status, said = Process(
        "--from", f"{server('nats')}/NONE", "--to", "redis://127.0.0.1/0?stream=x"
    ).wait()
    assert (status, "there is no such stream" in said) == (2, True)


def test_wait_gives_a_broker_time(tmp_path):
    async def test():
        target = place(broker("redis"))
        with own_broker("redis", tmp_path) as late:
            source = place("redis", late.url)
            await source.put(chat(20))
            late.stop()
            running = Running(source.source, target.target, wait=20)
            running.start()
            await asyncio.sleep(0.5)
            late.start()
            await running.until(lambda: running.tally.actions.total() == 20)
            await running.end()
        got = await target.take()
        await dropped(target)
        return got, running.said

    got, said = asyncio.run(test())
    assert len(got) == 20
    assert said[0]["event"] == "unreachable"


def test_without_a_quarantine_the_relay_ends_and_the_message_stays():
    async def test():
        source, target, aside = (place(broker("redis")) for _ in range(3))
        await source.put([Sent(b"a"), Sent(f"b {key()}".encode()), Sent(b"c")])
        url = f"{source.source}&idle=100"
        running = Running(url, target.target, examiner=Here(APART))
        with pytest.raises(RelayError, match=r"has to be quarantined .*no --quarantine is given"):
            await running.through(3)
        first = [one.body for one in await target.take()]
        await Running(url, target.target, aside.target, examiner=Here(APART)).through(1)
        got = await target.take(), await aside.take()
        await dropped(source, target, aside)
        return first, *got

    first, through, apart = asyncio.run(test())
    assert first == [one.body for one in through] == [b"a", b"c"]
    assert [one.headers["detector-redelivered"] for one in apart] == ["1"]


def _full(kind):
    if kind == "nats":
        return NatsPlace(server("nats"), max_msgs=1, discard="new")
    return RabbitPlace(server("rabbit"), **{"x-max-length": 1, "x-overflow": "reject-publish"})


@pytest.mark.parametrize("kind", ["nats", "rabbit"])
def test_a_full_quarantine_holds_its_messages_and_nobody_elses(kind):
    async def test():
        source, target, aside = place(broker("redis")), place("redis"), _full(broker(kind))
        await made(source, target, aside)
        sent = [Sent(f"{n} {key(n)}".encode() if n % 10 == 0 else b"%d" % n) for n in range(60)]
        await source.put(sent)
        running = Running(
            source.source, target.target, aside.target, examiner=Here(APART), batch=20
        )
        running.start()
        await running.until(lambda: running.tally.actions["allow"] == 54)
        await running.until(lambda: any(one["event"] == "not taken" for one in running.said))
        held = running.tally.held
        with pytest.raises(RelayError, match="messages undelivered; --from keeps them"):
            await running.end()
        waiting = [one for one in running.said if one["event"] == "not taken"]
        through = await target.take()
        again, roomy = place("redis"), f"{source.source}&idle=500"
        rest = Running(roomy, target.target, again.target, examiner=Here(APART))
        await rest.through(6 - running.tally.actions["quarantine"])
        apart = [*await aside.take(), *await again.take()]
        await dropped(source, target, aside, again)
        return sent, through, apart, held, waiting

    sent, through, apart, held, waiting = asyncio.run(test())
    assert held >= 4
    assert "full" in waiting[0]["reason"]
    assert {one.body for one in through} == {one.body for one in sent if b" " not in one.body}
    assert {one.body for one in apart} == {one.body for one in sent if b" " in one.body}


def test_a_filter_that_fails_sets_apart_or_lets_pass():
    deep = b'{"a":' * 300 + b"1" + b"}" * 300

    async def test(filter):
        source, target, aside = (place(broker("redis")) for _ in range(3))
        await source.put([Sent(deep)])
        await Running(source.source, target.target, aside.target, examiner=Here(filter)).through(1)
        got = await target.take(), await aside.take()
        await dropped(source, target, aside)
        return got

    through, apart = asyncio.run(test(filtering()))
    assert (len(through), len(apart)) == (0, 1)
    assert "nested" in apart[0].headers["detector-reason"]
    through, apart = asyncio.run(test(filtering(on_error="allow")))
    assert ([one.body for one in through], apart) == ([deep], [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_in_flight(number):
    async def test():
        source, target = place(broker("nats")), place(broker("redis"))
        await made(source, target)
        await source.put(chat(1500))
        command = Process("--from", source.source, "--to", target.target, "--batch", "50")
        while not await target.take():
            await asyncio.sleep(0.05)
        status, lines, _ = command.end(number)
        first = await target.take()
        await Running(source.source, target.target).through(1500 - len(first))
        got = await target.take()
        await dropped(source, target)
        return status, lines, got

    status, lines, got = asyncio.run(test())
    assert status == 0
    assert [line["event"] for line in (lines[0], lines[-1])] == ["started", "stopped"]
    assert len(got) == 1500
    assert len(set(ids_of(got))) == 1500  # none twice: all that was in flight is acknowledged
    assert key() not in json.dumps(lines)


@pytest.mark.parametrize("kind", ["nats", "redis"])
def test_a_broker_that_restarts_is_met_again(kind, tmp_path):
    """The outgoing one, with messages on their way, and the incoming one."""

    async def test():
        with own_broker(kind, tmp_path) as own:
            source, target = place(kind, own.url), place(kind, own.url)
            await made(source, target)
            running = Running(source.source, target.target, batch=25)
            running.start()
            await source.put(chat(1000, seed=1))
            await running.until(lambda: running.tally.actions.total() >= 100)
            own.stop()
            await running.until(lambda: any(one["event"] == "lost" for one in running.said))
            own.start()
            await source.put(chat(200, seed=2))
            await running.until(lambda: len({*running.tally.reconnects}) >= 1)
            got: set[str] = set()
            for _ in range(200):
                await asyncio.sleep(0.2)
                taken = await target.take()
                got = set(ids_of(taken))
                if len(got) == 1200:
                    break
            await running.end()
        return got, taken

    got, taken = asyncio.run(test())
    assert len(got) == 1200
    by_id: dict[str, str] = {}
    for one in taken:
        number = json.loads(one.body)["id"]
        assert by_id.setdefault(one.headers["detector-id"], number) == number
        assert key() not in one.body.decode()
    assert len(by_id) == 1200


def test_metrics_are_served():
    from prometheus_client.parser import text_string_to_metric_families

    async def test():
        source, target = place(broker("redis")), place("redis")
        await source.put(chat(100))
        command = Process(
            *("--from", source.source, "--to", target.target, "--metrics", "127.0.0.1:19309")
        )
        while len(await target.take()) < 100:
            await asyncio.sleep(0.1)
        page = ""
        while "latency_seconds_count 100.0" not in page:  # acknowledged, too
            await asyncio.sleep(0.1)
            page = await asyncio.to_thread(_page, "http://127.0.0.1:19309/metrics")
        status, _, _ = command.end()
        await dropped(source, target)
        return status, page

    status, page = asyncio.run(test())
    assert status == 0
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert found["detector_relay_messages_total", "allow"] == 90
    assert found["detector_relay_messages_total", "redact"] == 10
    assert found["detector_relay_findings_total", "github-pat"] == 10
    assert found["detector_relay_latency_seconds_count",] == 100
    assert found["detector_relay_held_messages",] == 0


def _page(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()
