"""A message on its way, whatever broker it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from time import monotonic
from typing import Any

import msgspec

ID, REDELIVERED, ACTION, REASON, RULES = (
    "detector-id",
    "detector-redelivered",
    "detector-action",
    "detector-reason",
    "detector-rules",
)
_OURS = "detector-"
ORIGINAL = "detector-original-"
"""Before the name of a header that a broker or the relay would take for its own."""

Headers = list[tuple[str, Any]]


class Message(msgspec.Struct, kw_only=True):
    """What was read. ``id`` is the same for each delivery of the same message.

    ``body``: None where the broker knows messages without one. ``headers``: in their order; values
    are bytes or text, from RabbitMQ also numbers, tables and arrays. ``unique``: no two messages
    share the ``id``, so a broker may drop the second one. ``subject``: subject, routing key or
    topic. ``key``: Kafka's. ``properties``: those of AMQP. ``marks``: headers that the relay adds.
    ``lane``: Kafka's partition, and how many there were; ``time``: Kafka's, in milliseconds.
    ``handle``: what the source acknowledges it by.
    """

    body: bytes | None
    id: str
    handle: Any
    headers: Headers = []
    unique: bool = True
    redelivered: bool = False
    subject: str = ""
    key: bytes | None = None
    lane: tuple[int, int] | None = None
    time: int | None = None
    properties: dict[str, Any] = {}
    marks: dict[str, str] = {}
    since: float = msgspec.field(default_factory=monotonic)

    def __repr__(self) -> str:
        return f"Message(id={self.id!r}, {len(self.body or b'')} bytes)"

    def marked(self) -> dict[str, str]:
        """What every outgoing message says of where it comes from."""
        marks = {ID: self.id}
        if self.redelivered:
            marks[REDELIVERED] = "1"
        return marks


class Failure(msgspec.Struct, frozen=True):
    """Why a message was not confirmed. ``refused``: the broker will never take it; ``lost``: the
    connection is gone. Else it may be tried again."""

    reason: str
    refused: bool = False
    lost: bool = False


Outcomes = list[Failure | None]
"""One for each message, in their order; None: confirmed."""


def hashed(parts: Iterable[bytes]) -> str:
    """The identity of a message whose broker gives it none."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def set_apart(name: str) -> str:
    """The name of an incoming header: what looks like one of the relay's own marks is no mark."""
    if name[: len(_OURS)].lower() != _OURS:
        return name
    return name if name.lower().startswith(ORIGINAL) else ORIGINAL + name[len(_OURS) :]


def rendered(pattern: str, subject: str) -> str:
    """The outgoing subject, routing key or topic: ``{subject}`` stands for the incoming one."""
    return pattern.replace("{subject}", subject)


def as_text(value: Any) -> str:
    """A header's value for a broker that knows only text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: ""}[value]
    if isinstance(value, int | float):
        return str(value)
    return msgspec.json.encode(value, enc_hook=str).decode()


def as_bytes(value: Any) -> bytes:
    """A header's value for a broker that knows only bytes."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return as_text(value).encode("utf-8", "surrogateescape")
