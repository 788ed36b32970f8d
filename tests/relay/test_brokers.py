"""Each broker: what is clean goes through untouched, what is not does not, and nothing is lost."""

from __future__ import annotations

import asyncio
import json

import pytest
from flowing import Running, chat, dropped, filtering, ids_of, key, made, other_key
from servers import broker

from bench.brokers import KINDS, NatsPlace, RabbitPlace, Sent, place, server
from detector.filter import Action, PolicyRule
from detector.relay.examiner import Beside, Here

PAIRS = [(kind, kind) for kind in KINDS] + [
    ("nats", "redis"),
    ("redis", "rabbit"),
    ("rabbit", "kafka"),
    ("kafka", "nats"),
]

BY_RULE = filtering(
    rules=(
        PolicyRule(rule="github-pat", action=Action.quarantine),
        PolicyRule(rule="slack-bot-token", action=Action.block),
        PolicyRule(rule="private-key", action=Action.alert),
    )
)


@pytest.mark.parametrize(("incoming", "outgoing"), PAIRS)
def test_a_round_trip(incoming, outgoing):
    clean = json.dumps({"id": "a", "text": 'all "well"\n é'}, indent=1).encode()
    odd = b"\xff\x00 no text at all \r\n"
    secret = Sent(f'{{"id": "b", "text": "take {key(1)}"}}'.encode(), {"trace": "t"})
    header = Sent(b"hello", {"note": f"with {other_key()} inside", "detector-id": "forged"})
    sent = [Sent(clean, {"trace": "abc def"}, b"k1"), Sent(odd), secret, header]

    async def test():
        source, target = place(broker(incoming)), place(broker(outgoing))
        await made(source, target)
        await source.put(sent)
        running = Running(source.source, target.target)
        await running.through(len(sent))
        got = await target.take(len(sent))
        await dropped(source, target)
        return got, running

    got, running = asyncio.run(test())
    assert len(got) == 4
    by_body = {one.body: one for one in got}
    assert by_body[clean].headers["trace"] == "abc def"
    assert "detector-action" not in by_body[clean].headers
    assert odd in by_body
    redacted = by_body[b'{"id": "b", "text": "take [redacted:github-pat]"}']
    assert redacted.headers["detector-action"] == "redact"
    assert redacted.headers["detector-rules"] == "github-pat"
    assert redacted.headers["trace"] == "t"
    noted = by_body[b"hello"].headers
    assert noted["note"] == "with [redacted:anthropic-api-key] inside"
    assert noted["detector-original-id"] == "forged"
    assert len({one.headers["detector-id"] for one in got}) == 4
    if incoming == outgoing == "kafka":
        assert by_body[clean].key == b"k1"
    assert running.tally.actions == {"allow": 2, "redact": 2}
    assert running.tally.findings == {"github-pat": 1, "anthropic-api-key": 1}
    assert key(1) not in running.log.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_policy_sets_apart_blocks_or_reports(kind):
    bodies = {
        "fine": b"nothing here",
        "apart": f"apart {key()}".encode(),
        "blocked": f"blocked {_slack()}".encode(),
        "redacted": f"redacted {other_key()}".encode(),
    }

    async def test():
        source, target, aside = (place(broker(kind)) for _ in range(3))
        await made(source, target, aside)
        await source.put([Sent(body, {"n": name}) for name, body in bodies.items()])
        running = Running(source.source, target.target, aside.target, examiner=Here(BY_RULE))
        await running.through(4)
        got = await target.take(2), await aside.take(1)
        again = Running(source.source, target.target, aside.target)
        again.start()
        await asyncio.sleep(1.5)  # nothing comes twice
        await again.end()
        await dropped(source, target, aside)
        return *got, running, again

    through, apart, running, again = asyncio.run(test())
    assert {one.headers["n"] for one in through} == {"fine", "redacted"}
    (one,) = apart
    assert one.body == bodies["apart"]  # the original, for whoever may read it
    assert one.headers["n"] == "apart"
    assert one.headers["detector-action"] == "quarantine"
    assert one.headers["detector-reason"] == "rule 1"
    assert one.headers["detector-rules"] == "github-pat"
    assert key() not in str(one.headers)
    assert running.tally.actions == {"allow": 1, "quarantine": 1, "block": 1, "redact": 1}
    assert again.tally.actions.total() == 0


def _slack():
    from material import sample_of

    return sample_of("slack-bot-token", 0).secret.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_order_is_kept(kind):
    sent = [one._replace(key=b"same") for one in chat(400)]

    async def test():
        source, target = place(broker(kind)), place(broker(kind))
        await made(source, target)
        await source.put(sent)
        await Running(source.source, target.target, batch=30).through(400)
        got = await target.take(400)
        await dropped(source, target)
        return got

    got = asyncio.run(test())
    assert ids_of(got) == ids_of(sent)


@pytest.mark.parametrize("kind", ["nats", "redis", "rabbit"])
def test_two_relays_share_the_work(kind):
    async def test():
        source, target = place(broker(kind)), place(broker(kind))
        await made(source, target)
        relays = [Running(source.source, target.target, batch=20) for _ in range(2)]
        for one in relays:
            one.start()
        await asyncio.sleep(0.5)
        for begin in range(5):
            await source.put(chat(200, seed=begin))
        await relays[0].until(lambda: sum(one.tally.actions.total() for one in relays) >= 1000)
        for one in relays:
            await one.end()
        got = await target.take(1000)
        await dropped(source, target)
        return got, [one.tally.actions.total() for one in relays]

    got, shares = asyncio.run(test())
    assert sum(shares) == 1000
    assert len(set(ids_of(got))) == len(got) == 1000
    assert all(shares)


def test_orders_to_the_server_are_no_headers():
    """``Nats-Rollup`` would empty the stream, ``Nats-Msg-Id`` drop what only looks the same."""
    orders = {"Nats-Rollup": "all", "Nats-Msg-Id": "same", "Nats-Expected-Stream": "other"}

    async def test():
        source, target = place(broker("redis")), place(broker("nats"))
        await made(source, target)
        await source.put([Sent(b"one", orders), Sent(b"two", {**orders, "bad name": "a\nb"})])
        await Running(source.source, target.target).through(2)
        got = await target.take(2)
        await dropped(source, target)
        return got

    one, two = asyncio.run(test())
    assert (one.body, two.body) == (b"one", b"two")
    assert one.headers["detector-original-Nats-Rollup"] == "all"
    assert one.headers["Nats-Msg-Id"] == one.headers["detector-id"]
    assert two.headers["detector-encoded-bad%20name"] == "a%0Ab"


def test_fields_of_an_entry_stay_in_their_order_and_number():
    async def test():
        import redis.asyncio

        source, target = place(broker("redis")), place("redis")
        async with redis.asyncio.Redis.from_url(server("redis"), protocol=2) as client:
            client.response_callbacks.clear()
            words = ["b", "1", "a", "2", "b", "3"]
            await client.execute_command("XADD", source.name, "*", *words)
            await Running(source.source, target.target).through(1)
            ((_, fields),) = await client.execute_command("XRANGE", target.name, "-", "+")
        await dropped(source, target)
        return fields

    fields = asyncio.run(test())
    assert fields[:6] == [b"b", b"1", b"a", b"2", b"b", b"3"]
    assert fields[6] == b"detector-id"  # and no body where there was none


def test_properties_are_kept_and_filtered():
    async def test():
        import aiormq
        from aiormq import spec

        source, target = place(broker("rabbit")), place("rabbit")
        await made(source, target)
        connection = await aiormq.connect(server("rabbit"))
        channel = await connection.channel()
        properties = spec.Basic.Properties(
            content_type="application/json",
            correlation_id=f"see {key()}",
            priority=3,
            message_id="m-1",
            headers={"n": 7, "table": {"a": [1, "x"]}, "CC": ["elsewhere"]},
        )
        await channel.basic_publish(b"{}", routing_key=source.name, properties=properties)
        await Running(source.source, target.target).through(1)
        got = await channel.basic_get(target.name, no_ack=True)
        await connection.close()
        await dropped(source, target)
        return got.header.properties

    got = asyncio.run(test())
    assert (got.content_type, got.priority, got.message_id) == ("application/json", 3, "m-1")
    assert got.correlation_id == "see [redacted:github-pat]"
    assert got.headers["n"] == 7
    assert got.headers["table"] == {"a": [1, "x"]}
    assert "CC" not in got.headers
    assert got.headers["detector-original-CC"] == ["elsewhere"]


def test_equal_messages_are_all_delivered():
    """RabbitMQ's messages have no identity: JetStream must not take them for duplicates."""

    async def test():
        source, target = place(broker("rabbit")), place(broker("nats"))
        await made(source, target)
        await source.put([Sent(b"the same")] * 5)
        await Running(source.source, target.target).through(5)
        got = await target.take(5)
        await dropped(source, target)
        return got

    assert len(asyncio.run(test())) == 5


@pytest.mark.parametrize("kind", ["nats", "rabbit"])
def test_what_the_outgoing_broker_never_takes_goes_aside(kind):
    async def test():
        source = place(broker("redis"))
        target = NatsPlace(server("nats"), max_msg_size=2000) if kind == "nats" else None
        target = target or RabbitPlace(server("rabbit"))
        aside = place("redis")
        await made(source, target, aside)
        big = b"x" * (3000 if kind == "nats" else 10)
        bad = {} if kind == "nats" else {"y" * 300: "name too long for AMQP"}
        await source.put([Sent(b"a"), Sent(big, bad), Sent(b"b")])
        running = Running(source.source, target.target, aside.target)
        await running.through(3)
        got = await target.take(2), await aside.take(1)
        await dropped(source, target, aside)
        return got

    broker(kind)
    through, apart = asyncio.run(test())
    assert [one.body for one in through] == [b"a", b"b"]
    assert apart[0].headers["detector-reason"].startswith("not accepted: ")


def test_what_kills_the_filter_goes_aside_alone():
    dying = f"die {key()}".encode()

    async def test():
        source, target, aside = (place(broker("redis")) for _ in range(3))
        await source.put([Sent(b"a"), Sent(dying), Sent(f"b {key()}".encode())])
        running = Running(source.source, target.target, aside.target, examiner=Beside(Deadly()))
        await running.through(3)
        got = await target.take(), await aside.take()
        await dropped(source, target, aside)
        return got

    through, apart = asyncio.run(test())
    assert [one.body for one in through] == [b"a", b"b [redacted:github-pat]"]
    assert [one.body for one in apart] == [dying]
    assert apart[0].headers["detector-reason"] == "the filter died of it"


class Deadly:
    """A filter whose process ends at one message, as if a library had crashed."""

    def __init__(self):
        self.inner = filtering()
        self.scanner = self.inner.scanner

    def check_many(self, messages, *, channels=()):
        import os

        if any(message.startswith(b"die") for message in messages):
            os._exit(3)
        return self.inner.check_many(messages, channels=channels)
