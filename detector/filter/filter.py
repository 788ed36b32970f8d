"""The filter: a message in, a verdict out."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any

from detector.errors import DetectorError
from detector.filter.case import Case, Found
from detector.filter.message import ObjectMessage, TextMessage
from detector.filter.plain import plain_verdict
from detector.filter.policy import Action, Policy
from detector.filter.rendering import (
    Rendering,
    UnreadableError,
    is_plain,
    parsed,
    plain_text,
)
from detector.filter.verdict import Verdict, failed
from detector.mask import Mask, as_mask
from detector.rules import RuleSet
from detector.scanner import Scanner

Origin = tuple[str | None, str | None]
"""A message's channel and sender."""

_Steps = Generator[list[bytes], Found, Verdict]
"""Asks for what the scanner sees in some texts, until there is a verdict."""

MOST_LOOKS = 8  # bounds the work on a message made to hold more at each look
MOST_JSON = 32 << 20  # bytes of a message that says JSON: it takes thirty times as much
LARGE = 1 << 16  # bytes of a message from where on a thread costs less than what waits for it

_BLANK_OR_OPEN = '{[" \t\r\n'  # what a JSON text may begin with
_FIRST_BYTES = frozenset(_BLANK_OR_OPEN.encode() + b"\xef")  # the last begins a byte order mark
_STARTS: frozenset[str | bytes] = frozenset(
    [*_BLANK_OR_OPEN, *(bytes([first]) for first in _FIRST_BYTES)]
)
_NO_HITS: list[int] = []
_BYTES = (bytes, bytearray, memoryview)


class Filter:
    """Looks at messages. Immutable, safe for threads, picklable.

    ``scanner``: with the package's rules by default. ``policy``: see :class:`Policy`.
    ``mask``: what stands in a secret's place. Raises :class:`UsageError` for a mask there is
    not, and for a policy that names providers or rules there are not.
    """

    def __init__(
        self,
        scanner: Scanner | None = None,
        policy: Policy | None = None,
        *,
        mask: Mask | str = Mask.label,
    ) -> None:
        self.scanner = Scanner() if scanner is None else scanner
        self.policy = Policy() if policy is None else policy
        self.mask = as_mask(mask)
        self.policy.check_names([*self.scanner.rules, *RuleSet.builtin()])
        self._may_hold, self._hits = self.scanner.may_hold, self.scanner.hits

    def check(
        self, message: Any, *, channel: str | None = None, sender: str | None = None
    ) -> Verdict:
        """The verdict on a message: a text, bytes, or a JSON-like object. Never raises for what
        a message holds. ``channel`` and ``sender``: for the policy's conditions on them."""
        try:
            kind = type(message)
            if (kind is str or kind is bytes) and message[:1] not in _STARTS:
                raw = message if kind is bytes else message.encode("utf-8", "surrogatepass")
                hits = self._hits(raw)
                if hits == _NO_HITS:
                    return Verdict(Action.allow, message)
                if hits is not None:
                    verdict = self._plain(message, raw, hits, (channel, sender))
                    if verdict is not None:
                        return verdict
            return self._verdict(message, (channel, sender))
        except Exception as error:
            return self._failed(message, error)

    def check_many(
        self, messages: Sequence[Any], *, channels: Sequence[str | None] = ()
    ) -> list[Verdict]:
        """The verdict on each of many messages. The model is asked about all of them at once,
        which takes a tenth of the time where many hold something. ``channels``: one for each."""
        origins = [(channel, None) for channel in channels] or [(None, None)] * len(messages)
        looks = [_Look(self._steps(*one)) for one in zip(messages, origins, strict=True)]
        while waiting := [look for look in looks if look.verdict is None and look.error is None]:
            timeouts: list[list[str]] = [[] for _ in waiting]
            groups = [
                self.scanner.groups(look.raws, slow)
                for look, slow in zip(waiting, timeouts, strict=True)
            ]
            settled = iter(self.scanner.settled([one for some in groups for one in some]))
            for look, some, slow in zip(waiting, groups, timeouts, strict=True):
                look.go_on(([next(settled) for _ in some], slow))
        return [
            look.verdict or self._failed(message, look.error)
            for message, look in zip(messages, looks, strict=True)
        ]

    def _failed(self, message: Any, error: Exception | None) -> Verdict:
        if isinstance(error, UnreadableError):
            return failed(self.policy, message, f"the message {error}")
        if isinstance(error, RecursionError):
            return failed(self.policy, message, "the message is nested too deeply")
        if isinstance(error, DetectorError):
            return failed(self.policy, message, str(error))
        # Whatever went wrong: its text may hold content.
        what = f"{type(error).__name__} while looking at the message"
        return failed(self.policy, message, what)

    def _plain(
        self, message: str | bytes, raw: bytes, hits: list[int], origin: Origin
    ) -> Verdict | None:
        return plain_verdict(self.scanner, self.policy, self.mask, message, raw, hits, origin)

    async def acheck(
        self, message: Any, *, channel: str | None = None, sender: str | None = None
    ) -> Verdict:
        """The same for coroutines: small messages at once, large ones in a thread."""
        if _is_large(message):
            return await asyncio.to_thread(self.check, message, channel=channel, sender=sender)
        return self.check(message, channel=channel, sender=sender)

    def _verdict(self, message: Any, origin: Origin) -> Verdict:
        steps = self._steps(message, origin)
        try:
            raws = next(steps)
            while True:
                timeouts: list[str] = []
                groups = self.scanner.groups(raws, timeouts)
                raws = steps.send((self.scanner.settled(groups), timeouts))
        except StopIteration as done:
            verdict: Verdict = done.value
            return verdict

    def _steps(self, message: Any, origin: Origin) -> _Steps:
        """Asks for what the scanner sees in some texts until there is a verdict.

        Beside a mask a value may read as a secret that beside what the mask replaced did not.
        So a copy is looked at, too, until it is clean."""
        verdict, content, before = None, message, None
        for _ in range(MOST_LOOKS):
            case = self._case(content, origin, before)
            if case is None:
                break
            found = yield case.raws
            verdict = case.verdict(content, verdict, found)
            content, before = verdict.content, case
            if not case.lifted:
                break
        else:
            raise UnreadableError(f"held more secrets at each of {MOST_LOOKS} looks")
        return Verdict(Action.allow, message) if verdict is None else verdict

    def _case(self, message: Any, origin: Origin, before: Case | None) -> Case | None:
        """The message, if the engine hits something in it."""
        if isinstance(message, (str, *_BYTES)) and _begins_json(message):
            _check_size(message)
        if isinstance(message, str):
            raw = message.encode("utf-8", "surrogatepass")
            return self._text(raw, parsed(message), origin, before, is_text=True)
        if isinstance(message, _BYTES):
            raw = bytes(message)
            return self._text(raw, _parsed_bytes(raw), origin, before, is_text=False)
        text = plain_text(message)
        if text is not None and not self._may_hold(text):
            return None
        rendering = Rendering(message)
        text = rendering.shown() if text is None else text
        _check_size(text)
        if not self._may_hold(text):
            return None
        return self._made(ObjectMessage(rendering), origin, before)

    def _text(
        self,
        raw: bytes,
        value: tuple[Any] | None,
        origin: Origin,
        before: Case | None,
        *,
        is_text: bool,
    ) -> Case | None:
        """``value``: what the text says, if it is JSON."""
        plain = value is None or (b"\\" not in raw and is_plain(value[0]))
        if plain and not self._may_hold(raw):
            return None
        inside = None if value is None else Rendering(value[0])
        if inside is not None and not plain and not self._may_hold(raw + b"\n" + inside.shown()):
            return None
        return self._made(TextMessage(raw, inside, is_text=is_text), origin, before)

    def _made(self, message: ObjectMessage, origin: Origin, before: Case | None) -> Case:
        return Case(message, self.scanner, self.policy, self.mask, origin, before)

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.scanner, self.policy, self.mask)


class _Look:
    """A message on its way to a verdict, one of many."""

    def __init__(self, steps: _Steps) -> None:
        self._steps = steps
        self.raws: list[bytes] = []
        self.verdict: Verdict | None = None
        self.error: Exception | None = None
        self.go_on(None)

    def go_on(self, found: Found | None) -> None:
        """To the next texts that the scanner has to look at, or to the end."""
        try:
            self.raws = next(self._steps) if found is None else self._steps.send(found)
        except StopIteration as done:
            self.verdict = done.value
        except Exception as error:
            self.error = error


def _make(scanner: Scanner, policy: Policy, mask: Mask) -> Filter:
    return Filter(scanner, policy, mask=mask)


def _parsed_bytes(raw: bytes) -> tuple[Any] | None:
    if not raw or raw[0] not in _FIRST_BYTES:
        return None
    try:
        return parsed(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None


def _begins_json(message: str | bytes | bytearray | memoryview) -> bool:
    first = message[:1]
    return (first if isinstance(first, str) else bytes(first)) in _STARTS


def _check_size(text: str | bytes | bytearray | memoryview) -> None:
    if len(text) > MOST_JSON:
        raise UnreadableError(f"is JSON of more than {MOST_JSON >> 20} MB")


def _is_large(message: Any) -> bool:
    """Whether it holds more than 64 KiB; looks at no more of it than that."""
    if isinstance(message, (str, *_BYTES)):
        return len(message) > LARGE
    left, waiting = LARGE, [message]
    while waiting and left > 0:
        value = waiting.pop()
        left -= 16
        if isinstance(value, str):
            left -= len(value)
        elif isinstance(value, dict):
            left -= sum(len(name) for name in value if isinstance(name, str))
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
    return left <= 0
