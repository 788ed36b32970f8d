"""Whole bodies, by their type of content."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.message import Message
from functools import lru_cache
from typing import NamedTuple, ParamSpec, TypeVar

from detector.filter import Action, Verdict
from detector.filter.filter import LARGE
from detector.hooks.asgi.charsets import charset_of, not_kept
from detector.hooks.asgi.codings import BodyError
from detector.hooks.asgi.forms import multipart_checked, urlencoded_checked

Check = Callable[[object], Verdict]
P = ParamSpec("P")
T = TypeVar("T")

_BINARY = ("image", "audio", "video", "font", "model")
_BINARY_APPLICATIONS = frozenset(
    {"gzip", "grpc", "java-archive", "msgpack", "msword", "octet-stream", "pdf", "protobuf"}
    | {"wasm", "x-7z-compressed", "x-bzip2", "x-gzip", "x-msgpack", "x-protobuf", "x-tar"}
    | {"x-xz", "zip", "zstd"}
)
_LINES = frozenset({"x-ndjson", "ndjson", "jsonl", "jsonlines", "x-jsonlines", "json-seq"})


class Type(NamedTuple):
    """A ``Content-Type``: type and subtype, and the parameters that count."""

    main: str = ""
    sub: str = ""
    charset: str = ""
    boundary: str = ""

    @classmethod
    @lru_cache(maxsize=256)  # reading one takes 70 microseconds, and a server sees few
    def of(cls, header: str) -> Type:
        """From the header's text; empty where there is none."""
        if not header:
            return cls()
        message = Message()
        message["content-type"] = header
        main, _, sub = message.get_content_type().partition("/")
        boundary = message.get_param("boundary", "")
        return cls(main, sub, message.get_content_charset(""), str(boundary))

    @property
    def is_binary(self) -> bool:
        """Whether it is known to hold no text. Of types nobody knows text is expected."""
        if self.sub.endswith(("+json", "+xml", "+yaml")):
            return False
        office = self.sub.startswith("vnd.") or self.sub.startswith("grpc+")
        return self.main in _BINARY or (
            self.main == "application" and (office or self.sub in _BINARY_APPLICATIONS)
        )

    @property
    def is_json(self) -> bool:
        """Whether the body is one JSON text."""
        return self.sub == "json" or self.sub.endswith("+json")

    @property
    def is_text(self) -> bool:
        """Whether it says so: a zero byte in it is of a charset that was not named."""
        text = self.main == "text" or self.is_json or self.sub in _LINES
        return text or bool(self.charset) or self.sub == "xml" or self.sub.endswith("+xml")


def checked(raw: bytes, kind: Type, check: Check) -> Verdict:
    """The verdict on a body; its content are bytes of the same type. Raises
    :class:`BodyError` for one that cannot be read."""
    if kind.is_binary or not raw:
        return Verdict(Action.allow, raw)
    if kind.sub == "x-www-form-urlencoded":
        return urlencoded_checked(raw, check)
    if kind.main == "multipart":
        return multipart_checked(raw, kind.boundary, check, lambda part, of: _part(part, of, check))
    try:
        # JSON has no charset, but libraries take UTF-16 for what it is, whatever the header says
        charset = charset_of(raw, "" if kind.is_json else kind.charset)
        if charset:
            return _decoded_checked(raw, charset, check)
    except BodyError:
        if kind.is_text:
            raise
    if kind.is_text and b"\0" in raw:
        raise not_kept()
    return _lines_checked(raw, check) if kind.sub in _LINES else check(raw)


def _part(raw: bytes, header: str, check: Check) -> Verdict:
    kind = Type.of(header)
    if kind.main == "multipart":
        raise BodyError("the body is nested")
    return checked(raw, kind, check)


def _decoded_checked(raw: bytes, charset: str, check: Check) -> Verdict:
    try:
        text = raw.decode(charset)
    except ValueError:
        raise not_kept() from None
    verdict = check(text)
    content = verdict.content
    if content is not None:
        content = raw if content is text else content.encode(charset)
    return Verdict(verdict.action, content, verdict.findings, verdict.reason, verdict.error)


def _lines_checked(raw: bytes, check: Check) -> Verdict:
    lines = raw.split(b"\n")
    verdicts = [check(line) for line in lines]
    content = b"\n".join(v.content for v in verdicts if v.content is not None)
    worst = max(verdicts, key=lambda v: v.action.strength, default=Verdict(Action.allow, b""))
    findings = tuple(finding for verdict in verdicts for finding in verdict.findings)
    goes = worst.action.strength < Action.quarantine.strength
    return Verdict(worst.action, content if goes else None, findings, worst.reason, worst.error)


async def unhurried(raw: bytes, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function makes of a body: of a small one at once, of a large one in a thread."""
    if len(raw) > LARGE:
        return await asyncio.to_thread(function, *args, **kwargs)
    return function(*args, **kwargs)
