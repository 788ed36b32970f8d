"""A response's body, looked at while it goes out."""

from __future__ import annotations

import json

from detector.filter import Filter
from detector.hooks.asgi.bodies import Check, Type, checked, unhurried
from detector.hooks.asgi.charsets import Decoded, charset_of, not_kept
from detector.hooks.asgi.codings import BodyError, Unpacker
from detector.hooks.asgi.problems import problem, problem_of
from detector.hooks.asgi.types import Message, Send, header, with_length, without
from detector.hooks.streams import StreamScanner
from detector.redact import Redactor
from detector.streams import SseStream

WITHHELD = "The answer is withheld"


class Response:
    """Stands between the application and ``send``.

    Bodies that come in one message, and JSON up to ``most`` bytes, are looked at as a whole. All
    others go on piece by piece, and end with a note where the policy lets no more pass.
    """

    def __init__(
        self,
        send: Send,
        filter: Filter,
        check: Check,
        scanner: StreamScanner,
        most: int,
    ) -> None:
        self._send, self._check, self._most = send, check, most
        self._fails_open = filter.policy.on_error == "allow"
        self._scanner, self._mask = scanner, filter.mask
        self._events: SseStream | None = None
        self._redactor: Redactor[bytes] | Decoded | None = None  # for a body in pieces
        self._start: Message = {}
        self._kind = Type()
        self._unpacker = Unpacker("")
        self._collected = bytearray()
        self._passes = self._ended = False

    async def send(self, message: Message) -> None:
        """What the application is given to send with."""
        if self._ended:
            return
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body" and not self._passes:
            await self._body(message.get("body", b""), more=message.get("more_body", False))
        else:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        headers = list(message.get("headers", ()))  # ASGI allows what can be read but once
        message = {**message, "headers": headers}
        self._kind = Type.of(header(headers, "content-type"))
        self._start = {**message, "headers": without(headers, "content-encoding")}
        try:
            self._passes = message["status"] in (204, 304) or self._kind.is_binary
            if not self._passes:
                self._unpacker = _unpacker_of(message)
                if not self._kind.is_json and not header(headers, "content-length"):
                    return await self._go_on()
        except BodyError as error:
            self._passes = self._fails_open
            if not self._passes:
                return await self._refuse(error)
        if self._passes:
            await self._send(message)
        return None

    async def _body(self, raw: bytes, *, more: bool) -> None:
        try:
            for piece in self._unpacker.feed(raw):
                await self._piece(piece)
                if self._ended:
                    return
            if not more:
                self._unpacker.close()
                await self._close()
            elif self._redactor is None and not self._kind.is_json:
                await self._go_on()
        except BodyError as error:  # whatever the policy says: there is nothing to pass on
            await self._refuse(error)

    async def _piece(self, piece: bytes) -> None:
        if self._redactor is not None:
            return await self._feed(self._redactor, piece)
        self._collected += piece
        if len(self._collected) > self._most:
            await self._go_on()
        return None

    async def _go_on(self) -> None:
        """From here on the body goes out as it comes, of a length that nobody knows."""
        collected, self._collected = bytes(self._collected), bytearray()
        redactor = self._redactor_for(collected)
        if collected:
            self._must_be_seen(redactor, collected)
        self._redactor = redactor
        await self._send({**self._start, "headers": without(self._start["headers"], *_LENGTH)})
        if collected:
            await self._feed(redactor, collected)

    def _redactor_for(self, begun: bytes) -> Redactor[bytes] | Decoded:
        """For a body that begins so, if so much is known; otherwise its header is believed."""
        charset = charset_of(begun, "" if self._kind.is_json else self._kind.charset)
        if self._kind.sub == "event-stream":
            if charset:
                raise not_kept()  # these are UTF-8, always
            self._events = SseStream(self._scanner, mask=self._mask)
        if charset:
            return Decoded(Redactor(self._scanner, mask=self._mask), charset)
        return Redactor(self._scanner, mask=self._mask)

    def _must_be_seen(self, redactor: Redactor[bytes] | Decoded, piece: bytes) -> None:
        """UTF-16 that nobody has named: each ASCII letter comes with a zero byte."""
        if self._kind.is_text and isinstance(redactor, Redactor) and b"\0" in piece:
            raise not_kept()

    async def _feed(self, redactor: Redactor[bytes] | Decoded, piece: bytes) -> None:
        self._must_be_seen(redactor, piece)
        if self._events is not None:  # whose comments and names only the redactor looks at
            piece = self._events.feed(piece)
            self._events.findings.clear()
        out = redactor.feed(piece)
        redactor.findings.clear()
        if withheld := self._withheld(redactor):
            self._ended = True
            await self._send(_body_of(out + withheld, more=False))
        elif out:
            await self._send(_body_of(out, more=True))

    def _withheld(self, redactor: Redactor[bytes] | Decoded) -> bytes:
        """The note that ends a body: the policy lets no more pass."""
        note = self._scanner.withheld
        if not note and redactor.skipped and not self._fails_open:
            note = f"[withheld: {redactor.skipped[0].reason}]"
        return self._written(note) if note else b""

    def _written(self, note: str) -> bytes:
        if self._events is not None:
            note = f"event: error\ndata: {json.dumps({'error': note})}\n\n"
        return (
            self._redactor.written(note) if isinstance(self._redactor, Decoded) else note.encode()
        )

    async def _close(self) -> None:
        if self._redactor is None:
            return await self._whole(bytes(self._collected))
        rest = b"" if self._events is None else self._redactor.feed(self._events.close())
        rest += self._redactor.close()
        self._ended = True
        return await self._send(_body_of(rest + self._withheld(self._redactor), more=False))

    async def _whole(self, content: bytes) -> None:
        made = content
        try:
            verdict = await unhurried(content, checked, content, self._kind, self._check)
            if verdict.content is None:
                return await self._answer(problem_of(verdict, 500, WITHHELD))
            made = verdict.content
        except BodyError as error:
            if not self._fails_open:
                return await self._refuse(error)
        headers = with_length(self._start["headers"], len(made))
        start = {**self._start, "headers": headers}
        return await self._answer((start, _body_of(made, more=False)))

    async def _refuse(self, error: BodyError) -> None:
        if self._redactor is None:
            await self._answer(problem(500, WITHHELD, [], str(error)))
        else:
            self._ended = True
            await self._send(_body_of(self._written(f"[withheld: {error}]"), more=False))

    async def _answer(self, messages: tuple[Message, Message]) -> None:
        self._ended = True
        for message in messages:
            await self._send(message)


_LENGTH = ("content-length", "content-md5", "digest", "content-digest", "repr-digest")


def _unpacker_of(message: Message) -> Unpacker:
    if message["status"] == 206:
        raise BodyError("a part of a text may hold a part of a secret")
    return Unpacker(header(message["headers"], "content-encoding"))


def _body_of(raw: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": raw, "more_body": more}
