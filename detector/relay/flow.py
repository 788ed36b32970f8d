"""The relay itself: read a batch, judge it, send it on, and only then acknowledge it.

The three steps run beside each other, with room for one batch between two of them: so five batches
are in flight at most, they stay in order, and a slow outgoing side slows the reading. What the
policy sets apart, or the outgoing broker refuses, goes to the quarantine beside the stream; while
that is full or gone such messages are held unacknowledged, and others go on, until as many are
held as two batches have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from detector.filter import Action
from detector.relay.addresses import FROM, QUARANTINE, TO
from detector.relay.ends import Lost, RelayError, Sink, Source
from detector.relay.examiner import Examiner
from detector.relay.gate import Judged, judged
from detector.relay.lines import Line, Outlet
from detector.relay.logs import Log
from detector.relay.message import Message
from detector.relay.shelf import Shelf
from detector.relay.tally import Tally

BATCH = 500  # messages; a crash repeats at most those of five batches
GRACE = 10.0  # seconds that a stop gives to what is in flight


class Relay:
    """Messages from ``source`` past ``examiner`` to ``sink``. Use one once.

    ``quarantine``: where the originals of messages go that may not pass; without one the relay
    ends at the first of them, which stays unacknowledged. ``wait``: seconds for brokers that do
    not answer at the start.
    """

    def __init__(
        self,
        source: Source,
        sink: Sink,
        examiner: Examiner,
        *,
        quarantine: Sink | None = None,
        batch: int = BATCH,
        wait: float = 0,
        log: Log | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._source, self._examiner, self._batch, self._wait = source, examiner, batch, wait
        self._log, self.tally = log or Log(), tally or Tally()
        self._in = Line(source, FROM, self._log, self.tally)
        self._out = Outlet(sink, TO, self._log, self.tally)
        self._lines: list[Line] = [self._in, self._out]
        self._shelf: Shelf | None = None
        if quarantine is not None:
            aside = Outlet(quarantine, QUARANTINE, self._log, self.tally)
            self._lines.append(aside)
            self._shelf = Shelf(aside, 2 * batch, self._done, self._log)
        self._flying: dict[int, Message] = {}

    async def run(self, stop: asyncio.Event, *, grace: float = GRACE) -> None:
        """Relay until ``stop`` is set; then finish what is in flight within ``grace`` seconds.

        Raises :class:`RelayError` where a broker cannot be used, and where messages were left
        behind: those are still with the source.
        """
        helpers: list[asyncio.Task[None]] = []
        try:
            for line in self._lines:
                await line.first(self._wait)
            await self._examiner.examine([])  # whoever answers is there before the first message
            said = {line.role.strip("-"): line.end.address.shown for line in self._lines}
            self._log.info("started", batch=self._batch, **said)
            helpers = self._helpers()
            await self._until(stop, grace, helpers)
        finally:
            await _cancelled(*helpers)
            left = [*self._flying.values()]
            with suppress(Lost):
                await self._source.release(left)
            for line in self._lines:
                await line.close()
            await self._examiner.close()
            self._log.info("stopped", left=len(left), done=dict(self.tally.actions))
        if left:
            raise RelayError(f"stopped with {len(left)} messages undelivered; {FROM} keeps them")

    def _helpers(self) -> list[asyncio.Task[None]]:
        """What runs beside the loop."""
        beside = [self._keep(self._source.keep_every)] if self._source.keep_every else []
        if self._shelf is not None:
            beside.append(self._shelf.run())
        return [asyncio.create_task(one) for one in beside]

    async def _until(
        self, stop: asyncio.Event, grace: float, helpers: Sequence[asyncio.Task[None]]
    ) -> None:
        """The loop, watched: by who wants it to stop, and by what runs beside it."""
        work = asyncio.create_task(self._work(stop))
        asked = asyncio.create_task(stop.wait())
        first = asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait({work, asked, *helpers}, return_when=first)
            if stop.is_set() and not work.done():
                self._log.info("stopping", in_flight=len(self._flying))
                await asyncio.wait({work, *helpers}, timeout=grace, return_when=first)
            for task in (work, *helpers):
                if task.done():
                    task.result()
        finally:
            await _cancelled(work, asked)

    async def _work(self, stop: asyncio.Event) -> None:
        read: asyncio.Queue[list[Message]] = asyncio.Queue(1)
        ready: asyncio.Queue[list[Judged]] = asyncio.Queue(1)

        async def reading() -> None:
            while batch := await self._fetch(stop):
                await read.put(batch)
            await read.put([])

        async def judging() -> None:
            while batch := await read.get():
                await ready.put(await self._judge(batch))
            await ready.put([])

        async def sending() -> None:
            while batch := await ready.get():
                await self._pass_on(batch)

        steps = [asyncio.create_task(one()) for one in (reading, judging, sending)]
        try:
            await asyncio.gather(*steps)
            if self._shelf is not None:
                await self._shelf.empty.wait()
        finally:
            await _cancelled(*steps)

    async def _fetch(self, stop: asyncio.Event) -> list[Message]:
        """The next messages; none once the relay is to stop."""
        batch: list[Message] = []
        while not batch and not stop.is_set():
            if self._shelf is not None:
                await self._shelf.room.wait()
            await self._in.up()
            try:
                batch = await self._source.fetch(self._batch)
            except Lost as lost:
                await self._in.down(str(lost))
        self._flying.update((id(message), message) for message in batch)
        self.tally.in_flight = len(self._flying)
        self.tally.redelivered += sum(message.redelivered for message in batch)
        return batch

    async def _judge(self, batch: Sequence[Message]) -> list[Judged]:
        begun = time.perf_counter()
        out = await judged(batch, self._examiner)
        self.tally.filtering.add((time.perf_counter() - begun) / len(batch), len(batch))
        return out

    async def _pass_on(self, batch: Sequence[Judged]) -> None:
        """Send, and acknowledge."""
        for one in batch:
            self._note(one)
        forward = [one for one in batch if one.action not in (Action.quarantine, Action.block)]
        apart = [one for one in batch if one.action is Action.quarantine]
        self._hold(apart)
        refused = {
            id(message): reason
            for message, reason in await self._out.send([one.outgoing for one in forward])
        }
        if refused:
            late = [
                one.refused(refused[id(one.outgoing)])
                for one in forward
                if id(one.outgoing) in refused
            ]
            self._hold(late)
            apart += late
        held = {id(one.message) for one in apart}
        await self._done([one for one in batch if id(one.message) not in held])
        if apart and self._shelf is None:
            raise RelayError(
                f"message {apart[0].message.id} has to be quarantined ({apart[0].reason}), "
                f"and no {QUARANTINE} is given"
            )

    def _note(self, one: Judged) -> None:
        if one.rules:
            self.tally.findings.update(one.rules)
        if one.action is not Action.allow:
            said = {"id": one.message.id, "rules": sorted(one.rules)}
            self._log.info(
                one.action.value, **said, **({"reason": one.reason} if one.reason else {})
            )

    def _hold(self, apart: Sequence[Judged]) -> None:
        if self._shelf is not None and apart:
            self._shelf.hold(apart)
            self.tally.held = len(self._shelf)

    async def _done(self, judged: Sequence[Judged]) -> None:
        """Acknowledge these and count them."""
        if not judged:
            return
        try:
            await self._source.ack([one.message for one in judged])
        except Lost as lost:  # they come again, under the same ids
            await self._in.down(str(lost))
        for one in judged:
            self.tally.actions[one.action.value] += 1
            self._flying.pop(id(one.message), None)
        self.tally.latency.add(time.monotonic() - judged[0].message.since, len(judged))
        self.tally.in_flight = len(self._flying)
        self.tally.held = len(self._shelf) if self._shelf is not None else 0

    async def _keep(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            with suppress(Lost):
                await self._source.keep([*self._flying.values()])


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """End these. Some drivers turn a cancellation into an error of theirs: so more than once."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.5)
