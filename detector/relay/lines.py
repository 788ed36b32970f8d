"""The lines to the brokers: opened again when they are lost, tried again when a broker is full."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NoReturn

from detector.relay.ends import End, Lost, RelayError, Sink
from detector.relay.logs import Log
from detector.relay.message import Failure, Message
from detector.relay.tally import Tally

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds between two tries; doubled each time


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


class Line:
    """An end and its connection. ``role``: as it is called on the command line."""

    def __init__(self, end: End, role: str, log: Log, tally: Tally) -> None:
        self.end, self.role = end, role
        self._log, self._tally = log, tally
        self._open = False
        self._turn = asyncio.Lock()

    async def first(self, wait: float) -> None:
        """Connect for the first time; gives up after ``wait`` seconds with a
        :class:`RelayError` that names the broker."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        for pause in pauses():
            try:
                await self.end.open()
            except Lost as lost:
                if loop.time() + pause >= until:
                    self._give_up(lost)
                self._log.warning("unreachable", end=self.role, url=self._url, reason=str(lost))
                await self.end.close()
                await asyncio.sleep(pause)
            else:
                self._open = True
                return

    def _give_up(self, lost: Lost) -> NoReturn:
        raise RelayError(f"{self.role}: {self._url} cannot be reached: {lost}") from None

    @property
    def _url(self) -> str:
        return self.end.address.shown

    async def up(self) -> None:
        """Return once there is a connection, however long that takes."""
        async with self._turn:
            waits = pauses()
            while not self._open:
                try:
                    await self.end.open()
                    self._open = True
                    self._log.info("connected", end=self.role, url=self._url)
                except Lost as lost:
                    self._log.error("unreachable", end=self.role, url=self._url, reason=str(lost))
                    await self.end.close()
                    await asyncio.sleep(next(waits))

    async def down(self, reason: str) -> None:
        """The connection is lost."""
        async with self._turn:
            if self._open:
                self._open = False
                self._tally.reconnects[self.role] += 1
                self._log.error("lost", end=self.role, url=self._url, reason=reason)
                await self.end.close()

    async def close(self) -> None:
        """For good."""
        async with self._turn:
            self._open = False
            await self.end.close()


class Outlet(Line):
    """A sink that is tried until it has confirmed or refused each message."""

    def __init__(self, sink: Sink, role: str, log: Log, tally: Tally) -> None:
        super().__init__(sink, role, log, tally)
        self._sink = sink

    async def send(self, messages: Sequence[Message]) -> list[tuple[Message, str]]:
        """Deliver in order. Returns those that the broker will never take, and why; all others
        are confirmed. Tries again as long as nobody cancels it."""
        refused: list[tuple[Message, str]] = []
        waits = pauses()
        while messages:
            await self.up()
            again: list[Message] = []
            last: Failure | None = None
            for message, failure in zip(messages, await self._sink.send(messages), strict=True):
                if failure is None:
                    continue
                if failure.refused:
                    refused.append((message, failure.reason))
                else:
                    again.append(message)
                    last = failure
            if last is not None:
                await self._rest(last, len(again), len(again) < len(messages), waits)
            messages = again
        return refused

    async def _rest(
        self, failure: Failure, waiting: int, progress: bool, waits: Iterator[float]
    ) -> None:
        if failure.lost:
            await self.down(failure.reason)
            return
        self._log.error(
            "not taken", end=self.role, url=self._url, reason=failure.reason, waiting=waiting
        )
        await asyncio.sleep(FIRST_PAUSE if progress else next(waits))
