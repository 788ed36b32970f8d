"""The middleware around a Starlette application, asked by httpx."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from material import builtin_scanner
from planted import GITHUB, LABEL, OPENAI, remains, strict, token
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from detector import Filter
from detector.filter import Action
from detector.hooks.asgi import SecretsMiddleware

SECRET = token()
GUARD = Filter(builtin_scanner())


class Echo:
    """Keeps what it was sent, and answers what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Any = Response(b"ok", media_type="text/plain")
        routes = [Route("/{path:path}", self.take, methods=["GET", "POST"])]
        self.app = Starlette(routes=[*routes, WebSocketRoute("/", self.talk)])

    async def take(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        self.headers.append(dict(request.headers))
        assert self.headers[-1].get("content-length", str(len(self.bodies[-1]))) == str(
            len(self.bodies[-1])
        )
        return self.answer  # type: ignore[no-any-return]

    async def talk(self, socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            self.bodies.append(text.encode())
            await socket.send_text(text if "leak" not in text else f"it is {SECRET}")


def ask(echo: Echo, guard: Filter = GUARD, method: str = "POST", **how: Any) -> httpx.Response:
    """One request; ``options`` are the middleware's."""
    app = SecretsMiddleware(echo.app, guard, **how.pop("options", {}))

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.request(method, "/chat", **how)

    return asyncio.run(asked())


def typed(kind: str, **more: str) -> dict[str, str]:
    return {"content-type": kind, **more}


# requests


def test_json_stays_json() -> None:
    echo = Echo()
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in SECRET)
    body = f'{{ "b": [1.50, "x {SECRET}"],\n "a": "{escaped}", "é": null }}'
    response = ask(echo, content=body.encode(), headers=typed("application/json"))
    assert response.text == "ok"
    clean = f'{{ "b": [1.50, "x {LABEL}"],\n "a": "{LABEL}", "é": null }}'
    assert json.loads(echo.bodies[0]) == json.loads(clean)
    assert list(json.loads(echo.bodies[0])) == ["b", "a", "é"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_json_in_other_encodings(encoding: str) -> None:
    echo = Echo()
    body = json.dumps({"a": f"é {SECRET}"}, ensure_ascii=False).encode(encoding)
    ask(echo, content=body, headers=typed("application/json; charset=utf-8"))
    assert json.loads(echo.bodies[0]) == {"a": f"é {LABEL}"}


def test_text_lines_and_bodies_without_a_type() -> None:
    for kind in ("text/plain", "application/xml", "application/unheard-of", "", "text/plain; x"):
        echo = Echo()
        ask(echo, content=f"é {SECRET}\n".encode(), headers=typed(kind) if kind else {})
        assert echo.bodies[0].decode() == f"é {LABEL}\n"
    echo = Echo()
    lines = [{"n": 1}, {"key": '"\n' + SECRET}]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    ask(echo, content=body.encode(), headers=typed("application/x-ndjson"))
    assert [json.loads(line) for line in echo.bodies[0].splitlines()] == [
        {"n": 1},
        {"key": '"\n' + LABEL},
    ]


def test_a_charset_is_kept_or_refused() -> None:
    echo = Echo()
    ask(
        echo,
        content=f"é {SECRET}".encode("utf-16-be"),
        headers=typed("text/plain; charset=utf-16-be"),
    )
    assert echo.bodies[0].decode("utf-16-be") == f"é {LABEL}"
    response = ask(echo, content=SECRET.encode(), headers=typed("text/plain; charset=nonsense"))
    assert (response.status_code, len(echo.bodies)) == (415, 1)


def test_fields_of_forms() -> None:
    echo = Echo()
    pairs = [("a", "1 +&="), ("key", f"é {SECRET}"), ("a", ""), (SECRET, "x")]
    body = urlencode(pairs).replace(SECRET[5:9], "".join(f"%{ord(c):02x}" for c in SECRET[5:9]))
    ask(echo, content=body + "&bare&%ff=%fe", headers=typed("application/x-www-form-urlencoded"))
    redacted = [("a", "1 +&="), ("key", f"é {LABEL}"), ("a", ""), (LABEL, "x")]
    assert parse_qsl(echo.bodies[0].decode(), keep_blank_values=True)[:4] == redacted
    assert echo.bodies[0].endswith(b"&bare&%ff=%fe")


def test_parts_of_forms() -> None:
    echo = Echo()
    files = {"file": ("key.txt", SECRET.encode(), "text/plain")}
    data = {"note": f"é {SECRET}", "clean": "as it was\r\n", "deep": json.dumps({"a": [SECRET]})}
    ask(echo, data=data, files=files)
    assert echo.bodies[0].count(SECRET.encode()) == 1  # the file
    assert echo.bodies[0].count(LABEL.encode()) == 2
    assert f"é {LABEL}\r\n--".encode() in echo.bodies[0]
    assert b"\r\n\r\nas it was\r\n\r\n--" in echo.bodies[0]


@pytest.mark.parametrize("damage", [b"x", b"--b\r\nno head\r\n--b--", b"--b\r\na: b\r\n\r\nc"])
def test_a_damaged_form_is_refused(damage: bytes) -> None:
    echo = Echo()
    response = ask(echo, content=damage, headers=typed("multipart/form-data; boundary=b"))
    assert (response.status_code, echo.bodies) == (422, [])


FORM = b"--b\r\nA: b\r\n\r\n\xff\r\n--b \r\nc: d\r\n\r\n\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"a" :  "\\u0041", "b":1e5}'),
        ("application/json", b'{"a": no json'),
        ("application/x-www-form-urlencoded", b"a=%41&b=c+d&&=;%"),
        ("multipart/form-data; boundary=b", FORM),
        ("text/plain", b"\xff\xe9 hello"),
        ("application/unheard-of", b"\xff\xfe\x00 hello"),
        ("image/png", SECRET.encode()),
        ("application/octet-stream", SECRET.encode()),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("application/json", b""),
        ("application/x-ndjson", b'{"a":1}\n\n{"b":2}'),
    ],
)  # fmt: skip
def test_clean_and_binary_bodies_are_the_same_bytes(kind: str, body: bytes) -> None:
    echo = Echo()
    echo.answer = Response(body, headers=typed(kind))
    response = ask(echo, content=body, headers=typed(kind))
    assert echo.bodies == [body]
    assert response.content == body
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
def test_packed_bodies_are_unpacked(coding: str) -> None:
    echo, raw = Echo(), f"key {SECRET}".encode()
    pack = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "raw": lambda r: zlib.compress(r)[2:-4],
    }
    header = {"content-encoding": coding.replace("raw", "deflate")}
    ask(echo, content=pack[coding](raw), headers=typed("text/plain", **header))
    unpack = gzip.decompress if coding == "gzip" else zlib.decompress
    assert unpack(echo.bodies[0]) == f"key {LABEL}".encode()
    clean = pack[coding](b"hello" * 1000)
    ask(echo, content=clean, headers=typed("text/plain", **header))
    assert echo.bodies[1] == clean


def test_what_cannot_be_looked_at_is_refused_unless_the_policy_says_otherwise() -> None:
    bomb = gzip.compress(bytes(100_000))
    cases = [
        (b"x" * 5000, {}, 413),
        (bomb, {"content-encoding": "gzip"}, 413),
        (bomb[:-4], {"content-encoding": "gzip"}, 413),
        (gzip.compress(b"abc")[:-4], {"content-encoding": "gzip"}, 422),
        (b"no gzip", {"content-encoding": "gzip"}, 422),
        (b"packed", {"content-encoding": "br"}, 415),
        (b"packed", {"content-encoding": "gzip, gzip"}, 415),
        (b"[" * 4000, {"content-type": "application/json"}, 422),
    ]
    for body, headers, status in cases:
        echo = Echo()
        response = ask(echo, content=body, headers=headers, options={"max_body": 4096})
        assert (response.status_code, echo.bodies) == (status, []), headers
        assert response.headers["content-type"] == "application/problem+json"
        ask(echo, strict(Action.redact, "allow"), content=body, headers=headers,
            options={"max_body": 4096})  # fmt: skip
        assert echo.bodies == [body]


def test_what_is_blocked_names_the_rule_and_not_the_secret() -> None:
    for action in (Action.block, Action.quarantine):
        echo = Echo()
        response = ask(echo, strict(action), json={"a": SECRET})
        assert (response.status_code, echo.bodies) == (422, [])
        assert response.json()["rules"] == [GITHUB]
        assert remains(SECRET, response.content) == []


def test_headers_are_not_touched() -> None:
    echo = Echo()
    ask(echo, json={"a": SECRET}, headers={"authorization": f"Bearer {SECRET}"})
    assert echo.headers[0]["authorization"] == f"Bearer {SECRET}"


def test_one_direction_only() -> None:
    echo = Echo()
    echo.answer = Response(SECRET)
    assert ask(echo, content=SECRET, options={"requests": False}).text == LABEL
    assert ask(echo, content=SECRET, options={"responses": False}).text == SECRET
    assert echo.bodies == [SECRET.encode(), LABEL.encode()]


# responses


def test_answers_in_one_piece() -> None:
    echo = Echo()
    for answer, clean in (
        (Response(f"é {SECRET}"), f"é {LABEL}"),
        (JSONResponse({"a": [SECRET, 1]}), json.dumps({"a": [LABEL, 1]}, separators=(",", ":"))),
    ):
        echo.answer = answer
        response = ask(echo, method="GET")
        assert response.text == clean
        assert response.headers["content-length"] == str(len(response.content))


def streamed(text: bytes, size: int, **how: Any) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(text), size):
            yield text[begin : begin + size]

    return StreamingResponse(pieces(), **how)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream", "application/json"])
def test_answers_in_pieces(size: int, kind: str) -> None:
    echo = Echo()
    text = json.dumps({"a": f"é {SECRET}", "b": [token(OPENAI), "end"]}).encode()
    echo.answer = streamed(text, size, media_type=kind)
    response = ask(echo, method="GET")
    assert json.loads(response.content) == {
        "a": f"é {LABEL}",
        "b": [f"[redacted:{OPENAI}]", "end"],
    }


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_clean_events_arrive_as_they_were_sent(size: int) -> None:
    echo, raw = Echo(), b"data: 10\n\ndata: 20\n\nid: 7\n\nevent: n\ndata: 1020\n\ndata: ghp_"
    echo.answer = streamed(raw, size, media_type="text/event-stream")
    assert ask(echo, method="GET").content == raw


def test_large_json_goes_on_in_pieces() -> None:
    echo = Echo()
    value = {"a": ["hello"] * 2000, "b": SECRET}
    echo.answer = streamed(json.dumps(value).encode(), 100, media_type="application/json")
    response = ask(echo, method="GET", options={"max_body": 4096})
    assert response.json() == value | {"b": LABEL}


def test_packed_answers_are_unpacked_and_unknown_ones_refused() -> None:
    echo = Echo()
    text = b"hello " * 50_000 + SECRET.encode()
    for size in (10, 1 << 20):
        headers = {"content-encoding": "gzip"}
        echo.answer = streamed(gzip.compress(text), size, headers=headers, media_type="text/plain")
        response = ask(echo, method="GET")
        assert response.text == "hello " * 50_000 + LABEL
        assert "content-encoding" not in response.headers
    for headers, status in (
        ({"content-encoding": "br"}, 200),
        ({"content-range": "bytes 1-2/3"}, 206),
    ):
        echo.answer = Response(SECRET, status_code=status, headers=headers)
        response = ask(echo, method="GET")
        assert response.status_code == 500
        assert remains(SECRET, response.content) == []
    echo.answer = Response(gzip.compress(text)[:-9], headers={"content-encoding": "gzip"})
    assert remains(SECRET, ask(echo, method="GET").content) == []


def test_what_a_policy_says_of_answers() -> None:
    echo = Echo()
    echo.answer = JSONResponse({"a": SECRET})
    response = ask(echo, strict(Action.block), method="GET")
    assert (response.status_code, response.json()["rules"]) == (500, [GITHUB])
    assert remains(SECRET, response.content) == []
    echo.answer = streamed(f"hello {SECRET} and more {'x' * 500}".encode(), 9)
    response = ask(echo, strict(Action.block), method="GET")
    assert response.text.startswith(f"hello {LABEL}")
    assert response.text.endswith(f"[withheld: {GITHUB}]")
    assert remains(SECRET, response.content) == []
    echo.answer = streamed(f"hello {SECRET} and more".encode(), 9)
    assert ask(echo, strict(Action.allow), method="GET").text == f"hello {SECRET} and more"


def test_bodies_that_are_none(tmp_path: Any) -> None:
    echo = Echo()
    echo.answer = Response(status_code=304, headers={"etag": "a", "content-length": "77"})
    assert ask(echo, method="GET").headers["content-length"] == "77"
    echo.answer = FileResponse(_file(tmp_path), media_type="text/plain")
    assert ask(echo, method="GET").text == f"key {LABEL}\n"
    response = ask(echo, method="HEAD")
    assert (response.status_code, response.content) == (200, b"")


def _file(where: Any) -> str:
    path = where / "file.txt"
    path.write_text(f"key {SECRET}\n")
    return str(path)


def test_a_server_that_sends_files_itself_is_not_asked_to() -> None:
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": "http", "method": "HEAD", "headers": [], "path": "/",
             "extensions": {"http.response.pathsend": {}, "tls": {}}}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    asyncio.run(SecretsMiddleware(app, GUARD)(scope, receive, None))  # type: ignore[arg-type]
    assert seen[0]["extensions"] == {"tls": {}}
    assert "http.response.pathsend" in scope["extensions"]


def test_a_client_that_leaves_is_not_answered() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("half a body")

    messages = [{"type": "http.request", "body": b"a", "more_body": True}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "headers": [], "path": "/"}
    asyncio.run(SecretsMiddleware(app, GUARD)(scope, receive, None))  # type: ignore[arg-type]


# charsets


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-32", "shift_jis", "cp037"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_streams_in_other_charsets_are_decoded(charset: str, size: int) -> None:
    echo = Echo()
    text = "what is \\ clean, " * 20
    raw = f"{text}{SECRET} end".encode(charset)
    echo.answer = streamed(raw, size, headers=typed(f"text/plain; charset={charset}"))
    response = ask(echo, method="GET")
    assert (response.status_code, response.content.decode(charset)) == (200, f"{text}{LABEL} end")


@pytest.mark.parametrize("charset", ["nonsense", "hex", "idna-2"])
def test_streams_in_unknown_charsets_are_withheld(charset: str) -> None:
    echo = Echo()
    for kind in (f"text/plain; charset={charset}", "text/event-stream; charset=utf-16"):
        raw = SECRET.encode("utf-16")
        echo.answer = streamed(raw, 9, headers=typed(kind))
        response = ask(echo, method="GET")
        assert (response.status_code, response.json()["title"]) == (500, "The answer is withheld")
        echo.answer = streamed(raw, 9, headers=typed(kind))
        assert ask(echo, strict(Action.redact, "allow"), method="GET").content == raw


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream", "application/json",
                                  "application/xml", "text/html; charset=utf-8"])  # fmt: skip
@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-32-le"])
def test_what_is_not_in_its_charset_does_not_leak(kind: str, charset: str) -> None:
    echo = Echo()
    for body in (json.dumps({"a": f"é {SECRET}"}), f"data: é {SECRET}\n\n"):
        raw = body.encode(charset)
        for answer in (
            streamed(raw, 5, headers=typed(kind)),
            streamed(raw, 5000, headers=typed(kind)),
            Response(raw, headers=typed(kind)),
        ):
            echo.answer = answer
            response = ask(echo, method="GET", options={"max_body": 40})
            assert remains(SECRET, response.content.replace(b"\0", b"")) == []
        ask(echo, content=raw, headers=typed(kind))
    assert all(remains(SECRET, got.replace(b"\0", b"")) == [] for got in echo.bodies)


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "text/x; charset=utf-8"])
def test_what_is_no_utf8_is_looked_at_as_bytes(kind: str) -> None:
    echo, raw = Echo(), b'{"a": "\xe9\xff %b"}'
    echo.answer = streamed(raw % SECRET.encode(), 9, headers=typed(kind))
    assert ask(echo, content=raw % SECRET.encode(), headers=typed(kind)).content == (
        raw % LABEL.encode()
    )
    assert echo.bodies == [raw % LABEL.encode()]


def test_a_text_that_leaves_its_charset_ends_with_a_note() -> None:
    echo = Echo()
    raw = "hello ".encode("utf-16") * 9 + b"\x00\xd8\x00\xd8"
    echo.answer = streamed(raw, 10, headers=typed("text/plain; charset=utf-16"))
    text = ask(echo, method="GET").content.decode("utf-16")
    assert text.startswith("hello ")
    assert text.endswith("[withheld: the body's charset is not known, or not kept to]")


# WebSockets


def test_websockets_both_ways() -> None:
    echo = Echo()
    client = TestClient(SecretsMiddleware(echo.app, GUARD))
    with client.websocket_connect("/") as socket:
        for sent, got in ((f"a {SECRET}", f"a {LABEL}"), ("leak", f"it is {LABEL}"), ("é", "é")):
            socket.send_text(sent)
            assert socket.receive_text() == got
    assert echo.bodies[0] == f"a {LABEL}".encode()


@pytest.mark.parametrize("text", [SECRET, "leak"])
def test_a_blocked_message_ends_the_connection(text: str) -> None:
    client = TestClient(SecretsMiddleware(Echo().app, strict(Action.block)))
    with client.websocket_connect("/") as socket:
        socket.send_text(text)
        assert socket.receive() == {
            "type": "websocket.close",
            "code": 1008,
            "reason": f"[withheld: {GITHUB}]",
        }
