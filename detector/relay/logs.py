"""What the relay says on standard error: one line an event, without a byte of a message."""

from __future__ import annotations

import datetime
import enum
import sys
from contextlib import suppress
from typing import IO, Any

import msgspec


class LogFormat(enum.StrEnum):
    """How events are written."""

    json = "json"
    text = "text"


class Log:
    """Writes events. Values are counts, names of rules and URLs as they may be shown."""

    def __init__(self, form: LogFormat = LogFormat.json, stream: IO[str] | None = None) -> None:
        self._form, self._stream = form, stream

    def info(self, event: str, **said: Any) -> None:
        """Something went as it should."""
        self._write("info", event, said)

    def warning(self, event: str, **said: Any) -> None:
        """Something that somebody may want to look at."""
        self._write("warning", event, said)

    def error(self, event: str, **said: Any) -> None:
        """Something keeps messages from going on."""
        self._write("error", event, said)

    def _write(self, level: str, event: str, said: dict[str, Any]) -> None:
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        entry = {"time": time, "level": level, "event": event, **said}
        if self._form is LogFormat.json:
            line = msgspec.json.encode(entry, enc_hook=str).decode()
        else:
            rest = " ".join(f"{name}={_short(value)}" for name, value in said.items())
            line = f"{time} {level:7} {event} {rest}".rstrip()
        with suppress(OSError, ValueError):
            print(line, file=self._stream or sys.stderr, flush=True)


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    text = str(value)
    return repr(text) if not text.isprintable() or " " in text else text
