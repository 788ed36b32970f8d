"""The two ends of a relay: what a broker must be able to do.

An end says :class:`Lost` when its connection is gone, and is then closed and opened again. Texts
of errors are the relay's own words or names of errors: what servers and drivers say may quote a
password or a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detector.errors import DetectorError
from detector.relay.addresses import Address
from detector.relay.message import Message, Outcomes


class RelayError(DetectorError):
    """The relay cannot begin or cannot go on: its message says with which broker and why."""


class Lost(Exception):  # noqa: N818  (what happens to connections; it never leaves this package)
    """No connection, or no longer one. Worth another try."""


class End(Protocol):
    """What both ends have in common."""

    address: Address

    async def open(self) -> None:
        """Connect. Raises :class:`Lost`, or :class:`RelayError` where another try cannot help."""

    async def close(self) -> None:
        """Disconnect; never raises."""


class Source(End, Protocol):
    """Where messages come from, shared with every relay of the same group."""

    keep_every: float | None
    """Seconds after which :meth:`keep` has to be called; None: never."""

    async def fetch(self, most: int) -> list[Message]:
        """What is there, in its order; waits a second at most. Raises :class:`Lost`."""

    async def ack(self, messages: Sequence[Message]) -> None:
        """Never deliver these again. Those of an earlier connection are passed over."""

    async def keep(self, messages: Sequence[Message]) -> None:
        """These are being worked on: give them to nobody else yet."""

    async def release(self, messages: Sequence[Message]) -> None:
        """Somebody else may have these, at once where the broker can."""


class Sink(End, Protocol):
    """Where messages go."""

    async def send(self, messages: Sequence[Message]) -> Outcomes:
        """Send in order, and wait until the broker has confirmed or refused each."""
