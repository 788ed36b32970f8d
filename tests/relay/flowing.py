"""Relays for tests: one in this process until all is through, or the command as a process."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import cache
from typing import Any

from material import builtin_rules, sample_of

from bench.brokers import Got, Place, Sent
from detector.filter import Filter, Policy
from detector.relay import FROM, QUARANTINE, TO, address_of, sink_of, source_of
from detector.relay.examiner import Examiner, Here
from detector.relay.flow import Relay
from detector.relay.logs import Log
from detector.rules import RuleSet
from detector.scanner import Scanner

RULES = "github-pat,anthropic-api-key,slack-bot-token,private-key"
COMMAND = [sys.executable, "-W", "error", "-m", "detector", "relay", "--rules", RULES]
LONG = 60  # seconds after which a test gives up on what should take one or two


@cache
def scanner() -> Scanner:
    """Few rules make a quick start; the tests are about the relay."""
    return Scanner(RuleSet(builtin_rules().select(RULES)))


@cache
def filtering(**policy: Any) -> Filter:
    return Filter(scanner(), Policy(**policy) if policy else None)


def key(seed: int = 0) -> str:
    return sample_of("github-pat", seed).secret.decode()


def other_key(seed: int = 0) -> str:
    return sample_of("anthropic-api-key", seed).secret.decode()


def chat(many: int, seed: int = 0, every: int = 10) -> list[Sent]:
    """JSON messages, one in ``every`` with a key; no two are equal."""
    rng = random.Random(seed)
    out = []
    for number in range(many):
        text = f"it is {key(number % 50)} now" if number % every == 0 else "nothing to see"
        body = {"id": f"{seed}-{number}", "n": rng.random(), "text": text}
        out.append(Sent(json.dumps(body).encode(), {"trace": f"t{number}"}))
    return out


def ids_of(got: list[Got]) -> list[str]:
    return [json.loads(one.body)["id"] for one in got]


class Running:
    """A relay in this process. ``said``: its log."""

    def __init__(
        self,
        source: str,
        target: str,
        quarantine: str | None = None,
        *,
        examiner: Examiner | None = None,
        batch: int = 50,
        wait: float = 0,
    ) -> None:
        self.log = io.StringIO()
        self.relay = Relay(
            source_of(address_of(source, FROM)),
            sink_of(address_of(target, TO)),
            examiner or Here(filtering()),
            quarantine=sink_of(address_of(quarantine, QUARANTINE)) if quarantine else None,
            batch=batch,
            wait=wait,
            log=Log(stream=self.log),
        )
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def tally(self) -> Any:
        return self.relay.tally

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def start(self) -> None:
        self.task = asyncio.create_task(self.relay.run(self.stop, grace=3))

    async def until(self, true: Any) -> None:
        """Wait for something; fails with the log where it does not come."""
        assert self.task is not None
        begun = time.monotonic()
        while not true():
            if self.task.done():
                self.task.result()
            assert time.monotonic() - begun < LONG, self.log.getvalue()
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        self.stop.set()
        assert self.task is not None
        await self.task

    async def through(self, many: int) -> None:
        """From the start to the end, with ``many`` messages done."""
        self.start()
        await self.until(lambda: self.tally.actions.total() >= many)
        await self.end()
        assert self.tally.in_flight == 0
        assert self.tally.actions.total() == many, self.tally.actions


class Process:
    """The command."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self._over()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]], str]:
        """Its exit status, its log, and all it said."""
        self.process.send_signal(number)
        text = self._over()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return self.process.returncode, lines, text

    def wait(self) -> tuple[int, str]:
        text = self._over()
        return self.process.returncode, text

    def _over(self) -> str:
        _, err = self.process.communicate(timeout=LONG)
        text = err.decode()
        assert "Traceback" not in text, text
        assert "internal error" not in text, text
        return text


async def made(*places: Place) -> None:
    for place in places:
        await place.make()


async def dropped(*places: Place) -> None:
    for place in places:
        await place.drop()
