"""The types of ASGI, and its headers: pairs of bytes, names in lower case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def header(headers: Iterable[tuple[bytes, bytes]], name: str) -> str:
    """The value of a header; several are one list (RFC 9110, 5.2)."""
    wanted = name.encode()
    values = [value for key, value in headers if key.lower() == wanted]
    return b", ".join(values).decode("latin-1")


def without(headers: Iterable[tuple[bytes, bytes]], *names: str) -> Headers:
    """All headers but these."""
    gone = {name.encode() for name in names}
    return [(key, value) for key, value in headers if key.lower() not in gone]


def with_length(headers: Iterable[tuple[bytes, bytes]], length: int) -> Headers:
    """The headers with the length of another body in the place of the old one's."""
    return [
        (key, b"%d" % length if key.lower() == b"content-length" else value)
        for key, value in headers
    ]
