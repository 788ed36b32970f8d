"""What every wrapper of a stream of events does: channels by place, and what was found in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from detector.mask import Mask, as_mask
from detector.redact import Redactor
from detector.scanner import Scanner
from detector.streams.channels import Channel, JsonText, StreamError
from detector.types import Finding

Event = dict[str, Any]
Place = tuple[Any, ...]
"""Where in its stream a text grows: the number of a choice or block, and what of it."""

R = TypeVar("R")


class Events:
    """The growing texts of one stream of events, each in a channel of its own.

    ``findings`` collects what was found, ``path`` being the text's place; drain it on long
    streams. After an error nothing more goes out.
    """

    def __init__(self, scanner: Scanner, *, mask: Mask | str = Mask.label) -> None:
        self._scanner, self._mask = scanner, as_mask(mask)
        self._channels: dict[Place, Channel] = {}
        self._ended: set[Place] = set()
        self._broken = False
        self.findings: list[Finding] = []

    @property
    def held(self) -> int:
        """How much text is held back now."""
        return sum(channel.held for channel in self._channels.values())

    def feed(self, event: Event) -> list[Event]:
        """What goes out for an event: itself, its texts redacted, and now and then what was held
        back before it. Raises :class:`StreamError`, and from then on always."""
        return self._guarded(lambda: self._feed(event))

    def close(self) -> list[Event]:
        """What was held back, for a stream that broke off before its end."""
        return self._guarded(self._close)

    def _feed(self, event: Event) -> list[Event]:
        raise NotImplementedError

    def _close(self) -> list[Event]:
        raise NotImplementedError

    def _guarded(self, step: Callable[[], R]) -> R:
        if self._broken:
            raise StreamError("this stream has ended with an error")
        try:
            return step()
        except Exception as error:
            self._broken = True
            # Not chained: a traceback of what failed may show the text.
            name = type(error).__name__
            raise StreamError(f"the stream cannot be redacted ({name})") from None

    def _grow(self, place: Place, path: str, text: str, *, json: bool = False) -> str:
        """The next piece of a text; what can be let go of."""
        if (channel := self._channels.get(place)) is None:
            if not text:
                return text
            if place in self._ended:  # half of a secret may be out
                raise StreamError("a text goes on behind its end")
            made = JsonText if json else Redactor
            channel = self._channels[place] = made(self._scanner, mask=self._mask, path=path)
        out = channel.feed(text)
        self._drain(channel)
        return out

    def _end(self, place: Place) -> str:
        """The rest of a text, which is at its end."""
        channel = self._channels.pop(place)
        out = channel.close()
        self._drain(channel)
        return out

    def _drain(self, channel: Channel) -> None:
        if channel.findings:
            self.findings += channel.findings
            channel.findings.clear()

    def _whole(self, text: str, path: str) -> str:
        """A text that is complete."""
        redacted = self._scanner.redact(text, mask=self._mask)
        self.findings += redacted.findings
        clean: str = redacted.text
        return clean
