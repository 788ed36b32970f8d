"""Answers that say why there is no other, without the secret (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

from detector.filter import Verdict
from detector.hooks.asgi.types import Message
from detector.hooks.values import rules_of


def problem(status: int, title: str, rules: list[str], detail: str) -> tuple[Message, Message]:
    """The two messages of such an answer; ``rules``: of what was found."""
    said: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        said["detail"] = detail
    if rules:
        said["rules"] = rules
    body = json.dumps(said).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
    ]
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


def problem_of(verdict: Verdict, status: int, title: str) -> tuple[Message, Message]:
    """For what a policy withholds."""
    return problem(status, title, rules_of(verdict), verdict.error or verdict.reason)
