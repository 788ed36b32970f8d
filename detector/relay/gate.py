"""The filter over a batch: what becomes of each message, and what of it may go on.

Looked at are the body, each header with its name, the key, the subject and the text properties.
The headers of a whole batch are shown to the engine in one pass, since hardly any has a hit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from detector.filter import Action, Filter, Verdict
from detector.relay.message import ACTION, RULES, Message, as_text, set_apart

_WORST = (Action.allow, Action.alert, Action.redact, Action.quarantine, Action.block)
_TAKEN_OUT = "[REDACTED]"  # where more than a value has to go


class Judged(NamedTuple):
    """A message as it came, and as it may go on (``message`` itself where nothing is changed)."""

    message: Message
    action: Action
    outgoing: Message
    reason: str
    rules: Counter[str]

    def refused(self, reason: str) -> Judged:
        """The same for a message that the outgoing broker will never take."""
        return self._replace(action=Action.quarantine, reason=f"not accepted: {reason}")


class Gate:
    """Judges messages. Safe for threads, as the filter is."""

    def __init__(self, filter: Filter) -> None:
        self._filter = filter

    def judge(self, messages: Sequence[Message]) -> list[Judged]:
        """One for each message, in their order. Raises nothing."""
        suspect = self._suspects(messages)
        return [
            self._judge(message, texts=number in suspect) for number, message in enumerate(messages)
        ]

    def _suspects(self, messages: Sequence[Message]) -> set[int]:
        """Messages with something in a header, a key or a property."""
        owners, texts = [], []
        for number, message in enumerate(messages):
            for name, value in _texts(message):
                owners.append(number)
                texts.append(f"{name}: {as_text(value)}")
        found = self._filter.scanner.scan_many(texts)
        return {owner for owner, findings in zip(owners, found, strict=True) if findings}

    def _judge(self, message: Message, *, texts: bool) -> Judged:
        message.headers = [(set_apart(name), value) for name, value in message.headers]
        verdicts = []
        outgoing = message
        if message.body:
            verdict = self._filter.check(message.body, channel=message.subject)
            verdicts.append(verdict)
            if verdict.action is Action.redact:
                outgoing = msgspec.structs.replace(message, body=verdict.content)
        if texts:
            outgoing = self._cleaned(message, outgoing, verdicts)
        return _judged(message, outgoing, verdicts)

    def _cleaned(self, message: Message, outgoing: Message, verdicts: list[Verdict]) -> Message:
        """With everything but the body filtered, too."""

        def clean(name: str, value: Any) -> tuple[str, Any]:
            before = f"{name}: {as_text(value)}"
            verdict = self._filter.check(before, channel=message.subject)
            verdicts.append(verdict)
            if verdict.action is not Action.redact:
                return name, value
            head, colon, rest = verdict.content.partition(": ")
            if not colon or head != name:
                return _TAKEN_OUT, _TAKEN_OUT
            return name, rest if not isinstance(value, bytes) else rest.encode(*_LOSSLESS)

        properties = dict(message.properties)
        for name, value in message.properties.items():
            if isinstance(value, str):
                properties[name] = clean(name, value)[1]
        key = None if message.key is None else clean("key", message.key)[1]
        return msgspec.structs.replace(
            outgoing,
            headers=[clean(name, value) for name, value in message.headers],
            subject=clean("subject", message.subject)[1],
            key=key,
            properties=properties,
        )


_LOSSLESS = ("utf-8", "surrogateescape")


def _texts(message: Message) -> Iterator[tuple[str, Any]]:
    yield from message.headers
    for name, value in message.properties.items():
        if isinstance(value, str):
            yield name, value
    if message.key is not None:
        yield "key", message.key
    if message.subject:
        yield "subject", message.subject


def _judged(message: Message, outgoing: Message, verdicts: list[Verdict]) -> Judged:
    action, reason, rules = Action.allow, "", Counter[str]()
    for verdict in verdicts:
        rules.update(finding.rule for finding in verdict.findings)
        if _WORST.index(verdict.action) > _WORST.index(action):
            action, reason = verdict.action, verdict.reason
    marks = message.marked()
    if action is not Action.allow:
        marks[ACTION] = action.value
        if rules:
            marks[RULES] = ",".join(sorted(rules))
    outgoing.marks = marks
    return Judged(message, action, outgoing, reason, rules)
