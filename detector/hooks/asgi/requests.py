"""A request's body, collected before the application sees any of it."""

from __future__ import annotations

from detector.filter import Verdict
from detector.hooks.asgi.bodies import Check, Type, checked
from detector.hooks.asgi.codings import Unpacker, unpacked
from detector.hooks.asgi.types import Headers, Message, Receive, header


class Request:
    """The messages of one request's body. ``is_whole``: all of it is at hand; ``is_gone``: the
    client is."""

    def __init__(self) -> None:
        self.body = b""
        self.is_whole = self.is_gone = False
        self._messages: list[Message] = []

    async def collect(self, receive: Receive, most: int) -> None:
        """Read it, but not further than ``most`` bytes need."""
        size, more = 0, True
        while more and size <= most:
            message = await receive()
            if message["type"] != "http.request":
                self.is_gone = True
                return
            self._messages.append(message)
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        self.is_whole = size <= most
        self.body = b"".join(message.get("body", b"") for message in self._messages)

    def replaced(self, body: bytes) -> None:
        """Another body in the place of this one."""
        self._messages = [{"type": "http.request", "body": body, "more_body": False}]

    def replayed(self, receive: Receive) -> Receive:
        """What the application reads from: what was collected, then what follows."""
        waiting = iter(self._messages)

        async def replay() -> Message:
            for message in waiting:
                return message
            return await receive()

        return replay


def verdict_on(body: bytes, headers: Headers, check: Check, most: int) -> Verdict:
    """The verdict on a whole body: its content is packed as the body was, if it is another.
    Raises :class:`BodyError`."""
    unpacker = Unpacker(header(headers, "content-encoding"))
    content = unpacked(body, unpacker, most)
    verdict = checked(content, Type.of(header(headers, "content-type")), check)
    if verdict.content is None:
        return verdict
    made = body if verdict.content == content else unpacker.pack(verdict.content)
    return Verdict(verdict.action, made, verdict.findings, verdict.reason, verdict.error)
