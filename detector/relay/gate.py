"""What becomes of each message, and what of it may go on.

Looked at are the body, each header with its name, the key, the subject and the text properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from detector.filter import Action
from detector.relay.examiner import Answer, Examiner, Question
from detector.relay.message import ACTION, RULES, Message, as_bytes, set_apart

_LOSSLESS = ("utf-8", "surrogateescape")
_TAKEN_OUT = "[redacted]"  # where a name is no longer told from its value
_CLEAN: Mapping[str, int] = {}


class Judged(NamedTuple):
    """A message as it came, and as it may go on (``message`` itself where nothing is changed)."""

    message: Message
    outgoing: Message
    action: Action = Action.allow
    reason: str = ""
    rules: Mapping[str, int] = _CLEAN

    def refused(self, reason: str) -> Judged:
        """The same for a message that the outgoing broker will never take."""
        return self._replace(action=Action.quarantine, reason=f"not accepted: {reason}")


async def judged(messages: Sequence[Message], examiner: Examiner) -> list[Judged]:
    """One for each message, in their order."""
    questions = [_question(message) for message in messages]
    found = {one.number: one for one in await examiner.examine(questions)}
    out = []
    for number, message in enumerate(messages):
        message.marks = message.marked()
        answer = found.get(number)
        out.append(Judged(message, message) if answer is None else _judged(message, answer))
    return out


def _question(message: Message) -> Question:
    for name, _ in message.headers:
        if name[:9].lower() == "detector-":
            message.headers = [(set_apart(name), value) for name, value in message.headers]
            break
    texts = [f"{name}: ".encode(*_LOSSLESS) + as_bytes(text) for name, text in _texts(message)]
    return Question(message.body or b"", message.subject, texts)


def _texts(message: Message) -> Iterator[tuple[str, Any]]:
    """All that is a text beside the body; :func:`_cleaned` takes them in the same order."""
    yield from message.headers
    for name, value in message.properties.items():
        if isinstance(value, str):
            yield name, value
    if message.key is not None:
        yield "key", message.key
    yield "subject", message.subject


def _judged(message: Message, answer: Answer) -> Judged:
    marks = dict(message.marks)
    if answer.action is not Action.allow:
        marks[ACTION] = answer.action.value
        if answer.rules:
            marks[RULES] = ",".join(sorted(answer.rules))
    outgoing = msgspec.structs.replace(message, marks=marks)
    if answer.body is not None:
        outgoing.body = answer.body
    if any(text is not None for text in answer.texts):
        _clean(outgoing, answer.texts)
    return Judged(message, outgoing, answer.action, answer.reason, answer.rules)


def _clean(outgoing: Message, texts: Sequence[bytes | None]) -> None:
    """Put what is left of each text in its place."""
    changed = iter(texts)

    def value_of(name: str, value: Any) -> tuple[str, Any]:
        text = next(changed)
        if text is None:
            return name, value
        head = f"{name}: ".encode(*_LOSSLESS)
        if not text.startswith(head):
            return _TAKEN_OUT, _TAKEN_OUT
        rest = text[len(head) :]
        return name, rest if isinstance(value, bytes) else rest.decode(*_LOSSLESS)

    outgoing.headers = [value_of(*pair) for pair in outgoing.headers]
    outgoing.properties = {
        name: value_of(name, value)[1] if isinstance(value, str) else value
        for name, value in outgoing.properties.items()
    }
    if outgoing.key is not None:
        outgoing.key = as_bytes(value_of("key", outgoing.key)[1])
    outgoing.subject = value_of("subject", outgoing.subject)[1]
