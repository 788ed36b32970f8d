"""A web application that takes in no secret and gives none away, with Starlette.

``python examples/asgi_app.py`` asks it without a server. ``uvicorn asgi_app:app`` serves it.
"""
# ruff: noqa: T201 - an example prints what it got

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from detector import Filter, Policy, RuleSet
from detector.hooks.asgi import SecretsMiddleware
from detector.rules.samples import draw

# Made up: right in shape and checksum, of no account.
RULES = RuleSet.builtin().by_id
KEY = draw(RULES["github-pat"], random.Random(1)).text.decode()
OTHER = draw(RULES["anthropic-api-key"], random.Random(1)).text.decode()

# Keys of GitHub go nowhere; all others are redacted.
POLICY = Policy.of({"rules": [{"action": "block", "rule": "github-*"}]})


async def say(request: Request) -> Response:
    """What it was sent, as it came to the application."""
    return JSONResponse({"you said": await request.json()})


async def stream(request: Request) -> Response:
    """A text that comes piece by piece, with a key in it."""

    async def pieces() -> AsyncIterator[str]:
        for begin in range(0, len(text), 7):
            yield text[begin : begin + 7]

    text = f"the key of the summary bot is {OTHER}, do not tell\n"
    return StreamingResponse(pieces(), media_type="text/plain")


app = Starlette(
    routes=[Route("/say", say, methods=["POST"]), Route("/stream", stream)],
    middleware=[Middleware(SecretsMiddleware, filter=Filter(policy=POLICY))],
)


async def main() -> None:
    """Four requests."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        for said in ("hello", f"use {OTHER}", f"or mine: {KEY}"):
            answer = await client.post("/say", json={"text": said})
            print(answer.status_code, answer.text)
        print((await client.get("/stream")).text, end="")


if __name__ == "__main__":
    asyncio.run(main())
