"""The middleware in a FastStream application on a real broker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from typing import Any

import pytest
from faststream.nats import NatsBroker
from faststream.redis import ListSub, RedisBroker
from flowing import filtering as filter_of
from flowing import key, other_key
from pydantic import BaseModel
from servers import broker

from bench.brokers import server
from detector.filter import Action, PolicyRule
from detector.relay.middleware import QuarantinedError, filtering

BROKERS = {"nats": NatsBroker, "redis": RedisBroker}
POLICY = filter_of(
    rules=(
        PolicyRule(rule="slack-bot-token", action=Action.block),
        PolicyRule(rule="private-key", action=Action.quarantine),
    )
)


class Note(BaseModel):
    text: str
    n: int = 0


def subscribed(kind: str, subject: str, **options: Any) -> tuple[Any, list[Any]]:
    app = BROKERS[kind](server(broker(kind)), middlewares=[filtering(POLICY, **options)])
    seen: list[Any] = []

    @app.subscriber(subject)
    async def handle(note: Note) -> None:
        seen.append(note)

    return app, seen


async def subscribed_to(kind: str, app: Any) -> None:
    """Return once the server has the subscription: NATS does not answer to one."""
    if kind == "nats":
        await (await app.connect()).flush()


async def until(seen: list[Any], many: int) -> None:
    for _ in range(200):
        if len(seen) >= many:
            return
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", BROKERS)
def test_what_is_consumed_is_filtered(kind):
    async def test():
        subject = f"t-{uuid.uuid4().hex}"
        app, seen = subscribed(kind, subject, published=False)
        async with app, BROKERS[kind](server(kind)) as other:
            await app.start()
            await subscribed_to(kind, app)
            await other.publish({"text": "all is well", "n": 1}, subject)
            await other.publish({"text": f"take {key()}", "n": 2}, subject)
            await other.publish({"text": f"take {_slack()}", "n": 3}, subject)
            await other.publish(Note(text="the last", n=4), subject)
            await until(seen, 3)
        return seen

    seen = asyncio.run(test())
    assert [(one.text, one.n) for one in seen] == [
        ("all is well", 1),
        ("take [redacted:github-pat]", 2),
        ("the last", 4),
    ]


@pytest.mark.parametrize("kind", BROKERS)
def test_what_is_published_is_filtered(kind):
    async def test():
        subject = f"t-{uuid.uuid4().hex}"
        app, seen = subscribed(kind, subject, consumed=False)
        async with app:
            await app.start()
            await subscribed_to(kind, app)
            await app.publish(Note(text=f"take {other_key()}", n=1), subject)
            await app.publish({"text": f"take {_slack()}", "n": 2}, subject)
            with pytest.raises(QuarantinedError) as apart:
                await app.publish({"text": _private(), "n": 3}, subject)
            await app.publish({"text": "plain", "n": 4}, subject)
            await until(seen, 2)
        return seen, str(apart.value)

    seen, said = asyncio.run(test())
    texts = [(one.text, one.n) for one in seen]
    assert texts == [("take [redacted:anthropic-api-key]", 1), ("plain", 4)]
    assert said == "a message has to be set apart: rule 2"


def _slack():
    from material import sample_of

    return sample_of("slack-bot-token", 0).secret.decode()


def _private():
    from material import sample_of

    return sample_of("private-key", 0).text.decode()


def test_without_faststream_the_pip_command_is_named():
    code = (
        "import sys; sys.modules['faststream'] = None\n"
        "try:\n    import detector.relay.middleware\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("UsageError")
    assert "pip install 'secrets-leak-detector[faststream]'" in done.stdout


@pytest.mark.parametrize("published", [False, True], ids=["consumed", "published"])
def test_of_a_batch_what_is_blocked_goes_alone(published):
    async def test():
        queue, seen = f"t-{uuid.uuid4().hex}", []
        made = [filtering(POLICY, consumed=not published, published=published)]
        app = RedisBroker(server(broker("redis")), middlewares=made)

        @app.subscriber(list=ListSub(queue, batch=True))
        async def handle(notes: list[Note]) -> None:
            seen.extend(notes)

        async with app, RedisBroker(server("redis"), middlewares=made) as other:
            texts = ["all is well", f"take {_slack()}", f"take {key()}"]
            await other.publish_batch(*({"text": text} for text in texts), list=queue)
            await app.start()
            await until(seen, 2)
        return seen

    seen = asyncio.run(test())
    assert [one.text for one in seen] == ["all is well", "take [redacted:github-pat]"]
