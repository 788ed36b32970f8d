"""A small server on loopback that plays a model behind the OpenAI API.

It keeps what it is asked, and answers with the text that it is told to, or repeats the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Upstream:
    """``answer``: what it says, in tokens of ``size`` characters where it streams."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answer, self.size = "hello", 3
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                upstream.asked.append(raw)
                data = upstream.said(json.loads(raw))
                streams = json.loads(raw).get("stream")
                self.send_response(200)
                kind = "text/event-stream" if streams else "application/json"
                self.send_header("content-type", kind)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def said(self, request: dict[str, Any]) -> bytes:
        head = {"id": "chatcmpl-1", "created": 1, "model": "assistant"}
        calls = bool(request.get("tools"))
        if not request.get("stream"):
            message: dict[str, Any] = {"role": "assistant", "content": self.answer}
            if calls:
                function = {"name": "note", "arguments": json.dumps({"text": self.answer})}
                call = {"id": "call_1", "type": "function", "function": function}
                message["tool_calls"] = [call]
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            whole = head | {"object": "chat.completion", "choices": [choice], "usage": usage}
            return json.dumps(whole).encode()
        events = [
            head | {"object": "chat.completion.chunk", "choices": [choice]}
            for choice in self._choices(calls=calls)
        ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return "".join([*lines, "data: [DONE]\n\n"]).encode()

    def _choices(self, *, calls: bool) -> Iterator[dict[str, Any]]:
        def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
            return {"index": 0, "delta": delta, "finish_reason": reason}

        yield choice({"role": "assistant", "content": ""})
        for piece in self._tokens(self.answer):
            yield choice({"content": piece})
        if calls:
            function: dict[str, Any] = {"name": "note", "arguments": ""}
            call = {"index": 0, "id": "call_1", "type": "function", "function": function}
            yield choice({"tool_calls": [call]})
            for piece in self._tokens(json.dumps({"text": self.answer})):
                yield choice({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        yield choice({}, "stop")

    def _tokens(self, text: str) -> list[str]:
        return [text[begin : begin + self.size] for begin in range(0, len(text), self.size)]
