"""Events of a response, as OpenAI's Responses API streams them.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from typing import Any

from detector.mask import Mask
from detector.scanner import Scanner
from detector.streams.base import Event, Events, Place
from detector.streams.channels import JsonText

PREFIX = "response."
_PLACE = ("item_id", "output_index", "content_index", "summary_index")
# Bytes of sound: no text, and nothing of them may wait.
_SOUND = frozenset({"response.audio.delta"})
_LAST = frozenset({"response.completed", "response.failed", "response.incomplete"})
# What the service makes itself; the last are bytes that only it can read.
_ITS_OWN = frozenset(
    {"id", "item_id", "call_id", "type", "previous_response_id", "encrypted_content"}
)


class ResponseStream(Events):
    """Events in, events out: as many, but for one more before a text's ``….done`` if something is
    held back then.

    A ``….delta`` is a piece of the text of its item and part. Events that hold whole texts
    (``….done``, ``response.completed``) have all their strings redacted. Log probabilities of a
    text are left out: they hold its words. An event that is changed is a copy.
    """

    def __init__(self, scanner: Scanner, *, mask: Mask | str = Mask.label) -> None:
        super().__init__(scanner, mask=mask)
        self._told: set[str] = set()

    def _feed(self, event: Event) -> list[Event]:
        kind = str(event.get("type"))
        if kind in _SOUND:
            return [event]
        if kind.endswith(".delta") and isinstance(event.get("delta"), str):
            return [self._delta(event, kind)]
        before = self._close() if kind in _LAST else self._rest(event, kind)
        clean = self._clean(event, "")
        return [*before, event if clean == event else clean]

    def _close(self) -> list[Event]:
        return [one for place in [*self._channels] for one in self._ended_at(place)]

    def _delta(self, event: Event, kind: str) -> Event:
        place = _place(event, kind.removesuffix(".delta"))
        clean = self._grow(place, kind, event["delta"], json="arguments" in kind)
        if clean == event["delta"] and not event.get("logprobs"):
            return event
        quiet: Event = {"logprobs": []} if "logprobs" in event else {}
        return {**event, **quiet, "delta": clean}

    def _rest(self, event: Event, kind: str) -> list[Event]:
        place = _place(event, kind.removesuffix(".done"))
        if not kind.endswith(".done") or place not in self._channels:
            return []
        return self._ended_at(place, event.get("sequence_number"))

    def _ended_at(self, place: Place, number: Any = None) -> list[Event]:
        rest = self._end(place)
        if not rest:
            return []
        stem, *where = place
        named = {
            name: value for name, value in zip(_PLACE, where, strict=True) if value is not None
        }
        event = {"type": f"{stem}.delta", **named, "delta": rest}
        if stem == "response.output_text":
            event["logprobs"] = []  # that its clients expect
        return [event if number is None else {**event, "sequence_number": number}]

    def _clean(self, value: Any, name: str) -> Any:
        """A value of an event with its texts redacted."""
        if isinstance(value, str):
            return value if name in _ITS_OWN else self._text(value, name)
        if isinstance(value, dict):
            return {key: self._clean(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [] if name == "logprobs" else [self._clean(one, name) for one in value]
        return value

    def _text(self, text: str, name: str) -> str:
        """What the deltas have told of is not told again."""
        if name != "arguments":
            redacted = self._scanner.redact(text, mask=self._mask)
            self._tell(redacted.findings)
            clean: str = redacted.text
            return clean
        whole = JsonText(self._scanner, mask=self._mask, path=name)
        out = whole.feed(text) + whole.close()
        self._tell(whole.findings)
        return out

    def _tell(self, findings: list[Any]) -> None:
        for finding in findings:
            if finding.fingerprint not in self._told:
                self._told.add(finding.fingerprint)
                self.findings.append(finding)

    def _drain(self, channel: Any) -> None:
        self._tell(channel.findings)
        channel.findings.clear()


def _place(event: Event, stem: str) -> Place:
    return (stem, *(event.get(name) for name in _PLACE))
