"""What a server calls in the place of an application."""

from __future__ import annotations

from functools import partial

from detector.filter import Filter
from detector.hooks.asgi.bodies import Check, Type, unhurried
from detector.hooks.asgi.codings import BodyError
from detector.hooks.asgi.problems import problem, problem_of
from detector.hooks.asgi.requests import Request, verdict_on
from detector.hooks.asgi.responses import Response
from detector.hooks.asgi.types import App, Receive, Scope, Send, header, with_length
from detector.hooks.asgi.websockets import Socket
from detector.hooks.streams import StreamScanner
from detector.hooks.values import usual_filter

MAX_BODY = 10 << 20  # bytes of a body that is looked at as a whole

_PAST_US = frozenset({"http.response.pathsend", "http.response.zerocopysend"})


class SecretsMiddleware:
    """Takes secrets out of what clients send to an application, and out of what it answers.

        app = SecretsMiddleware(app, filter=Filter(policy=…))
        Starlette(middleware=[Middleware(SecretsMiddleware)])

    Requests are collected up to ``max_body`` bytes and looked at before the application sees
    them: JSON stays JSON; of forms the fields are looked at, not the files. What the policy
    blocks or sets apart is answered with 422, a body that is too large with 413, one packed
    with anything but gzip or deflate with 415 (with ``on_error = "allow"`` they pass). Headers
    and URLs are not touched: that is where clients show who they are.

    Responses go on as they come, and only what may still become a secret is held back; JSON is
    collected up to ``max_body`` bytes, and of server-sent events the texts are looked at that grow
    over a model's chunks. Packed ones are unpacked, so put this inside of a
    middleware that packs. What may not go on becomes a 500, or where a part of it is out
    already, the end. Images and other binary types are not touched in either direction.

    Messages of WebSockets are looked at one by one. The policy's ``channel`` is the path, its
    ``sender`` the client's host. ``requests`` and ``responses``: whether to look at them.
    """

    def __init__(
        self,
        app: App,
        filter: Filter | None = None,
        *,
        requests: bool = True,
        responses: bool = True,
        max_body: int = MAX_BODY,
    ) -> None:
        self.app = app
        self._filter = filter or usual_filter()
        self._requests, self._responses, self._most = requests, responses, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, as ASGI has it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            socket = Socket(receive, send, self._check(scope))
            receive = socket.receive if self._requests else receive
            await self.app(scope, receive, socket.send if self._responses else socket.unlooked)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        check, answer = self._check(scope), send
        if self._responses:
            scope = _without_short_cuts(scope)
            if scope["method"] != "HEAD":
                scanner = StreamScanner(self._filter, **_origin(scope))
                send = Response(send, self._filter, check, scanner, self._most).send
        if self._requests and not Type.of(header(scope["headers"], "content-type")).is_binary:
            request = Request()
            await request.collect(receive, self._most)
            if request.is_gone:
                return
            looked = await self._looked_at(request, scope, check, answer)
            if looked is None:
                return
            scope, receive = looked, request.replayed(receive)
        await self.app(scope, receive, send)

    async def _looked_at(
        self, request: Request, scope: Scope, check: Check, answer: Send
    ) -> Scope | None:
        """The scope for the application; None: it was answered, and goes no further."""
        try:
            if not request.is_whole:
                raise BodyError("the body is too large", 413)
            body, headers = request.body, scope["headers"]
            verdict = await unhurried(body, verdict_on, body, headers, check, self._most)
        except BodyError as error:
            if self._filter.policy.on_error == "allow":
                return scope
            messages = problem(error.status, "The request cannot be looked at", [], str(error))
        else:
            if verdict.content is not None:
                if verdict.content == body:
                    return scope
                request.replaced(verdict.content)
                return {**scope, "headers": with_length(headers, len(verdict.content))}
            messages = problem_of(verdict, 422, "The request holds a secret")
        for message in messages:
            await answer(message)
        return None

    def _check(self, scope: Scope) -> Check:
        return partial(self._filter.check, **_origin(scope))


def _origin(scope: Scope) -> dict[str, str | None]:
    client = scope.get("client")
    return {"channel": scope.get("path"), "sender": client[0] if client else None}


def _without_short_cuts(scope: Scope) -> Scope:
    """The scope of a server that cannot send files which an application only names."""
    extensions = scope.get("extensions") or {}
    if not _PAST_US & extensions.keys():
        return scope
    kept = {name: value for name, value in extensions.items() if name not in _PAST_US}
    return {**scope, "extensions": kept}
