"""Fields of forms: a browser's two ways to send them (RFC 7578 and the URL standard,
https://url.spec.whatwg.org/#application/x-www-form-urlencoded)."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from detector.filter import Action, Verdict
from detector.hooks.asgi.codings import BodyError

MOST_FIELDS = 10_000  # ten times what frameworks take

Check = Callable[[object], Verdict]
Fields = list[dict[str, str]]
"""Names with their values, each pair for itself: a name can come twice."""


def urlencoded_checked(raw: bytes, check: Check) -> Verdict:
    """The verdict on ``a=1&b=2``; only fields with a secret are written anew."""
    pairs = raw.split(b"&", MOST_FIELDS)
    if len(pairs) > MOST_FIELDS:
        raise BodyError(f"the form has more than {MOST_FIELDS} fields", 413)
    fields = [_field(pair) for pair in pairs]
    verdict = check(fields)
    if verdict.content is None:
        return verdict
    written = [
        pair if before == after else _pair(after, pair)
        for pair, before, after in zip(pairs, fields, verdict.content, strict=True)
    ]
    return _with_content(verdict, b"&".join(written))


def _field(pair: bytes) -> dict[str, str]:
    name, _, value = pair.decode("ascii", "surrogateescape").partition("=")
    return {_unquoted(name): _unquoted(value)}


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape")


def _pair(field: dict[str, str], before: bytes) -> bytes:
    ((name, value),) = field.items()
    equals = "=" if b"=" in before else ""
    return f"{_quoted(name)}{equals}{_quoted(value)}".encode()


def _quoted(text: str) -> str:
    return quote_plus(text, errors="surrogateescape")


def multipart_checked(
    raw: bytes, boundary: str, check: Check, check_typed: Callable[[bytes, str], Verdict]
) -> Verdict:
    """The verdict on a body in parts. Parts with a file's name pass: files are no messages, and
    `detector scan` is for them. ``check_typed``: for a part that has a type of its own."""
    pieces = _pieces(raw, boundary)
    verdict = Verdict(Action.allow, raw)
    for number, (head, content) in enumerate(pieces):
        header = _header(head)
        if header.get_filename() is not None:
            continue
        one = _part_checked(header, content, check, check_typed)
        if one.action.strength >= verdict.action.strength:
            findings = verdict.findings + one.findings
            verdict = Verdict(one.action, raw, findings, one.reason, one.error)
        if one.content is None:
            return _with_content(verdict, None)
        pieces[number] = head, one.content
    return _with_content(verdict, _whole(pieces, raw, boundary))


def _pieces(raw: bytes, boundary: str) -> list[tuple[bytes, bytes]]:
    """Head and content of each part. The body is taken apart only in the way that everybody
    reads alike; what is before the first boundary and behind the last one must be empty."""
    line = b"--" + boundary.encode("ascii", "replace")
    if not boundary or not raw.startswith(line):
        raise BodyError("the form is damaged")
    first, *parts = (b"\r\n" + raw).split(b"\r\n" + line, MOST_FIELDS + 2)
    if len(parts) > MOST_FIELDS + 1:
        raise BodyError(f"the form has more than {MOST_FIELDS} fields", 413)
    if first or parts[-1] not in (b"--", b"--\r\n"):
        raise BodyError("the form is damaged")
    pieces = []
    for part in parts[:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank or not re.match(rb"[ \t]*\r\n", head):
            raise BodyError("the form is damaged")
        pieces.append((head, content))
    return pieces


def _header(head: bytes) -> Message:
    return message_from_bytes(head.lstrip() + b"\r\n\r\n")


def _part_checked(
    header: Message, content: bytes, check: Check, check_typed: Callable[[bytes, str], Verdict]
) -> Verdict:
    kind = header.get("content-type", "")
    if header.get_content_type() != "text/plain" or header.get_content_charset():
        return check_typed(content, kind)
    name = header.get_param("name", "", "content-disposition")
    value = content.decode("utf-8", "surrogateescape")
    verdict = check({str(name): value})
    if verdict.content is None:
        return verdict
    (clean,) = verdict.content.values()
    return _with_content(verdict, clean.encode("utf-8", "surrogateescape"))


def _whole(pieces: list[tuple[bytes, bytes]], raw: bytes, boundary: str) -> bytes:
    line = b"--" + boundary.encode("ascii", "replace")
    parts = [b"%b%b\r\n\r\n%b\r\n" % (line, head, content) for head, content in pieces]
    return b"".join([*parts, raw[raw.rindex(line) :]])


def _with_content(verdict: Verdict, content: Any) -> Verdict:
    return Verdict(verdict.action, content, verdict.findings, verdict.reason, verdict.error)
