"""What we redact is read by the services' own client libraries, over a real connection."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest
import uvicorn
from material import builtin_scanner, sample_of
from openai.types.chat import ChatCompletionChunk
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from detector.streams import aredact_sse, redact_chunks
from streams.made import chat, message, said, sse

TOKEN = sample_of("github-pat", 3).text.decode()
TEXT = f"Use {TOKEN} and\nbe well"
CLEAN = TEXT.replace(TOKEN, "[redacted:github-pat]")
ARGUMENTS = json.dumps({"cmd": f"login\n{TOKEN}", "n": 1})


async def _cut(raw: bytes) -> AsyncIterator[bytes]:
    rng = random.Random(7)
    while raw:
        size = rng.randint(1, 90)
        yield raw[:size]
        raw = raw[size:]


def _route(path: str, raw: bytes) -> Route:
    async def answer(_: Any) -> StreamingResponse:
        body = aredact_sse(_cut(raw), builtin_scanner())
        return StreamingResponse(body, media_type="text/event-stream")

    return Route(path, answer, methods=["POST"])


@contextmanager
def _served() -> Iterator[str]:
    rng = random.Random(1)
    chunks = chat([TEXT, "the other "], [ARGUMENTS, "{}"], rng)
    events = message(TEXT, ARGUMENTS, rng)
    broken = b'data: {"choices": [{"index": 0, "delta": {"content": 5}}]}\n\n'
    app = Starlette(
        routes=[
            _route("/v1/chat/completions", sse(chunks, done=True)),
            _route("/v1/messages", sse(events, named=True)),
            _route("/broken/chat/completions", broken),
        ]
    )
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with _served() as url:
        yield url


def _ask(url: str) -> Iterator[ChatCompletionChunk]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        asked = [{"role": "user", "content": "hi"}]
        yield from client.chat.completions.create(model="m", messages=asked, stream=True)


def test_the_openai_client_reads_the_redacted_stream(address: str) -> None:
    chunks = [chunk.model_dump() for chunk in _ask(f"{address}/v1")]
    texts, arguments = said(chunks)
    assert texts == {0: CLEAN, 1: "the other "}
    assert json.loads(arguments[0]) == {"cmd": "login\n[redacted:github-pat]", "n": 1}
    assert arguments[1] == "{}"
    assert chunks[-1]["usage"]["total_tokens"] == 3


def test_the_openai_client_sees_that_a_stream_failed(address: str) -> None:
    with pytest.raises(openai.APIError, match="redaction failed"):
        list(_ask(f"{address}/broken"))


def test_the_anthropic_client_reads_the_redacted_stream(address: str) -> None:
    with (
        anthropic.Anthropic(base_url=address, api_key="none", max_retries=0) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        whole = stream.get_final_message()
    assert whole.content[0].text == CLEAN
    assert whole.content[1].input == {"cmd": "login\n[redacted:github-pat]", "n": 1}
    assert whole.stop_reason == "tool_use"


def test_objects_of_the_clients_come_back_as_such() -> None:
    chunks = chat([TEXT], [ARGUMENTS], random.Random(4))
    given = [ChatCompletionChunk.model_validate(one) for one in chunks]
    out = list(redact_chunks(given, builtin_scanner()))
    assert {type(one) for one in out} == {ChatCompletionChunk}
    assert said([one.model_dump() for one in out])[0] == {0: CLEAN}
    types = anthropic.types
    kinds = {
        "message_start": types.RawMessageStartEvent,
        "content_block_start": types.RawContentBlockStartEvent,
        "content_block_delta": types.RawContentBlockDeltaEvent,
        "content_block_stop": types.RawContentBlockStopEvent,
        "message_delta": types.RawMessageDeltaEvent,
        "message_stop": types.RawMessageStopEvent,
    }
    events = message(TEXT, ARGUMENTS, random.Random(4))
    objects: list[Any] = [kinds[one["type"]].model_validate(one) for one in events]
    back = list(redact_chunks(objects, builtin_scanner()))
    assert all(type(one) is kinds[one.type] for one in back)
    deltas = [one.delta for one in back if one.type == "content_block_delta"]
    assert "".join(one.text for one in deltas if one.type == "text_delta") == CLEAN
