"""The filter, asked about a batch: in this process, or in one of its own.

In one of its own the filter costs the loop that talks to the brokers nothing but a pipe, a message
that takes long keeps no heartbeat waiting, and one that kills the filter (memory, a defect of a
library) does not kill the relay: it is asked about again alone, and set apart.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

import msgspec

from detector.filter import Action, Filter, Verdict
from detector.relay.glance import suspects


class Question(msgspec.Struct, array_like=True):
    """What of a message is looked at. ``texts``: ``name: value`` of each header and the like."""

    body: bytes
    channel: str
    texts: list[bytes]

    def __repr__(self) -> str:
        return f"Question({len(self.body)} bytes, {len(self.texts)} texts)"


class Answer(msgspec.Struct, array_like=True):
    """On the question with this number. ``body`` and ``texts``: None where nothing changed."""

    number: int
    action: Action
    reason: str
    rules: dict[str, int]
    body: bytes | None
    texts: list[bytes | None]

    def __repr__(self) -> str:
        return f"Answer({self.number}, {self.action})"


class Examiner(Protocol):
    """Who answers. Messages without an answer are clean."""

    async def examine(self, questions: Sequence[Question]) -> list[Answer]:
        """By number, ascending."""

    async def close(self) -> None:
        """No more questions."""


def answers(filter: Filter, questions: Sequence[Question]) -> list[Answer]:
    """Those for all messages that are not clean. Raises nothing."""
    try:
        numbers = suspects(filter.scanner, [(one.body, one.texts) for one in questions])
        verdicts = iter(_verdicts(filter, [questions[number] for number in numbers]))
    except Exception:  # the filter itself says what it cannot look at
        numbers = list(range(len(questions)))
        verdicts = iter(_one_by_one(filter, questions))
    found = []
    for number in numbers:
        question = questions[number]
        found.append(_answer(number, question, [next(verdicts) for _ in _asked(question)]))
    return [one for one in found if one is not None]


def _asked(question: Question) -> list[bytes]:
    return [question.body, *question.texts]


def _verdicts(filter: Filter, questions: Sequence[Question]) -> list[Verdict]:
    asked = [text for one in questions for text in _asked(one)]
    channels = [one.channel for one in questions for _ in _asked(one)]
    return filter.check_many(asked, channels=channels)


def _one_by_one(filter: Filter, questions: Sequence[Question]) -> list[Verdict]:
    return [filter.check(text, channel=one.channel) for one in questions for text in _asked(one)]


def _answer(number: int, question: Question, verdicts: Sequence[Verdict]) -> Answer | None:
    worst = max(verdicts, key=lambda one: one.action.strength)
    rules = Counter(finding.rule for one in verdicts for finding in one.findings)
    if worst.action is Action.allow and not rules and not any(one.error for one in verdicts):
        return None
    reason = worst.error or worst.reason
    body, *texts = map(_changed, _asked(question), verdicts)
    return Answer(number, worst.action, reason, rules, body, texts)


def _changed(before: bytes, verdict: Verdict) -> bytes | None:
    content = verdict.content
    return None if content is None or content is before or content == before else content


class Here:
    """In this process, in a thread."""

    def __init__(self, filter: Filter) -> None:
        self._filter = filter

    async def examine(self, questions: Sequence[Question]) -> list[Answer]:
        """See :class:`Examiner`."""
        return await asyncio.to_thread(answers, self._filter, questions)

    async def close(self) -> None:
        """Nothing is to be closed."""


class Beside:
    """In a process of its own, which ends with this one."""

    def __init__(self, filter: Filter) -> None:
        self._filter = filter
        self._context = multiprocessing.get_context("spawn")
        self._pipe: Connection | None = None
        self._process: Any = None
        self._turn = asyncio.Lock()

    async def examine(self, questions: Sequence[Question]) -> list[Answer]:
        """See :class:`Examiner`."""
        async with self._turn:
            try:
                return await asyncio.to_thread(self._ask, questions)
            except (EOFError, OSError):
                return [
                    one
                    for number, question in enumerate(questions)
                    for one in await self._alone(number, question)
                ]

    async def _alone(self, number: int, question: Question) -> list[Answer]:
        """Somebody in this batch ends the process: who?"""
        try:
            found = await asyncio.to_thread(self._ask, [question])
        except (EOFError, OSError):
            texts: list[bytes | None] = [None] * len(question.texts)
            reason = "the filter died of it"
            return [Answer(number, Action.quarantine, reason, {}, None, texts)]
        return [msgspec.structs.replace(one, number=number) for one in found]

    def _ask(self, questions: Sequence[Question]) -> list[Answer]:
        if self._pipe is None:
            self._start()
        assert self._pipe is not None  # noqa: S101
        try:
            self._pipe.send_bytes(msgspec.msgpack.encode(questions))
            return _ANSWERS.decode(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._end()
            raise

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(theirs, self._filter), daemon=True
        )
        self._process.start()
        theirs.close()

    def _end(self) -> None:
        pipe, process = self._pipe, self._process
        self._pipe = self._process = None
        if pipe is not None:
            pipe.close()
            process.join(2)
            if process.is_alive():
                process.kill()

    async def close(self) -> None:
        """See :class:`Examiner`."""
        async with self._turn:
            await asyncio.to_thread(self._end)


_QUESTIONS = msgspec.msgpack.Decoder(list[Question])
_ANSWERS = msgspec.msgpack.Decoder(list[Answer])


def _serve(pipe: Connection, filter: Filter) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends when the pipe does
    with suppress(EOFError, OSError):
        while True:
            questions = _QUESTIONS.decode(pipe.recv_bytes())
            pipe.send_bytes(msgspec.msgpack.encode(answers(filter, questions)))
