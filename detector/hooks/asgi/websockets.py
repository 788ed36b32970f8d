"""The messages of a WebSocket, each for itself."""

from __future__ import annotations

from detector.filter import Verdict
from detector.hooks.asgi.bodies import Check, unhurried
from detector.hooks.asgi.types import Message, Receive, Send
from detector.hooks.values import note

VIOLATION = 1008  # RFC 6455, 7.4.1: a message that breaks a policy
LONGEST_REASON = 123  # bytes, RFC 6455, 5.5


class Socket:
    """Stands between an application and its WebSocket. What the policy does not let pass ends
    the connection: an application cannot tell that a message is missing."""

    def __init__(self, receive: Receive, send: Send, check: Check) -> None:
        self._receive, self._send, self._check = receive, send, check
        self._closed = False

    async def receive(self) -> Message:
        """The next message of the client."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        passed = await self._passed(message)
        return passed or {"type": "websocket.disconnect", "code": VIOLATION}

    async def send(self, message: Message) -> None:
        """A message of the application."""
        looks = message["type"] == "websocket.send" and not self._closed
        passed = await self._passed(message) if looks else message
        if passed is not None:
            await self.unlooked(passed)

    async def unlooked(self, message: Message) -> None:
        """The same, sent as it is."""
        if not self._closed:
            await self._send(message)

    async def _passed(self, message: Message) -> Message | None:
        made = dict(message)
        for name in ("text", "bytes"):
            if made.get(name) is not None:
                verdict = await unhurried(made[name], self._check, made[name])
                if verdict.content is None:
                    await self._close(verdict)
                    return None
                made[name] = verdict.content
        return made

    async def _close(self, verdict: Verdict) -> None:
        self._closed = True
        reason = note(verdict).encode()[:LONGEST_REASON].decode("utf-8", "ignore")
        await self._send({"type": "websocket.close", "code": VIOLATION, "reason": reason})
