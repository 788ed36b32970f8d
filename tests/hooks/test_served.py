"""The middleware behind uvicorn on loopback: real chunks, as they come."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from material import builtin_scanner
from planted import LABEL, remains, token
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from detector import Filter
from detector.hooks.asgi import SecretsMiddleware

SECRET = token()
go_on = threading.Event()


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


async def words(request: Request) -> Response:
    """The second half waits until the client has read the first."""

    async def pieces() -> AsyncIterator[str]:
        yield "some ordinary words "
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        for letter in f"and {SECRET} at the end":
            yield letter

    return StreamingResponse(pieces(), media_type="text/plain")


async def chunks(request: Request) -> Response:
    """What a model says, as server-sent events."""

    async def events() -> AsyncIterator[str]:
        for letter in f"it is {SECRET} ":
            choice = {"index": 0, "delta": {"content": letter}}
            yield f"data: {json.dumps({'choices': [choice]})}\n\n"
        yield f": {SECRET}\n\ndata: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    routes = [Route("/echo", echo, methods=["POST"]), Route("/words", words)]
    app = Starlette(routes=[*routes, Route("/chunks", chunks)])
    guarded = SecretsMiddleware(app, Filter(builtin_scanner()))
    config = uvicorn.Config(guarded, log_level="error", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_a_stream_goes_on_while_it_comes(url: str) -> None:
    go_on.clear()
    with httpx.stream("GET", f"{url}/words") as response:
        texts = response.iter_text()
        first = next(texts)
        assert first == "some ordinary words "
        go_on.set()
        assert "".join(texts) == f"and {LABEL} at the end"


def test_a_chunked_request(url: str) -> None:
    pieces = (letter.encode() for letter in f"it is {SECRET}")
    response = httpx.post(f"{url}/echo", content=pieces, headers={"content-type": "text/plain"})
    assert response.text == f"it is {LABEL}"


def test_a_secret_over_a_models_chunks(url: str) -> None:
    response = httpx.get(f"{url}/chunks")
    assert remains(SECRET, response.text) == []
    said = ""
    for line in response.text.splitlines():
        if line.startswith("data: {"):
            said += json.loads(line[6:])["choices"][0]["delta"]["content"]
    assert said == f"it is {LABEL} "
