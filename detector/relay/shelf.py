"""What waits for the quarantine: unacknowledged, beside the stream, and never more than fits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from detector.relay.gate import Judged
from detector.relay.lines import Outlet, pauses
from detector.relay.logs import Log
from detector.relay.message import ACTION, REASON, RULES, Message


class Shelf:
    """Holds messages until ``outlet`` confirmed them; ``done`` acknowledges those.

    The quarantine gets the *original* message, secrets and all: who may read it has to be as
    trusted as who reads the incoming side. Its headers say why, in words without secrets.
    """

    def __init__(
        self,
        outlet: Outlet,
        most: int,
        done: Callable[[Sequence[Judged]], Awaitable[None]],
        log: Log,
    ) -> None:
        self._outlet, self._most, self._done, self._log = outlet, most, done, log
        self._held: list[Judged] = []
        self._filled, self.room, self.empty = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.room.set()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, judged: Sequence[Judged]) -> None:
        """Take these, at once; ``room`` says whether more should come."""
        self._held += judged
        self._tell()

    def _tell(self) -> None:
        for event, true in (
            (self._filled, bool(self._held)),
            (self.empty, not self._held),
            (self.room, len(self._held) < self._most),
        ):
            if true:
                event.set()
            else:
                event.clear()

    async def run(self) -> None:
        """Bring what is held to the quarantine, for ever."""
        waits = pauses()
        while True:
            await self._filled.wait()
            taken = list(self._held)
            originals = [_explained(one) for one in taken]
            refused = {id(message): why for message, why in await self._outlet.send(originals)}
            gone = [
                one for one, sent in zip(taken, originals, strict=True) if id(sent) not in refused
            ]
            await self._done(gone)
            kept = {id(one) for one in gone}
            self._held = [one for one in self._held if id(one) not in kept]
            self._tell()
            if refused:
                # Nobody takes it: it stays where it is, and somebody has to look.
                reasons = sorted(set(refused.values()))
                self._log.error("not quarantined", waiting=len(refused), reasons=reasons)
                await asyncio.sleep(next(waits))
            else:
                waits = pauses()


def _explained(one: Judged) -> Message:
    marks = one.message.marked() | {
        ACTION: "quarantine",
        REASON: " ".join(one.reason.split()) or "policy",
    }
    if one.rules:
        marks[RULES] = ",".join(sorted(one.rules))
    return msgspec.structs.replace(one.message, marks=marks)
