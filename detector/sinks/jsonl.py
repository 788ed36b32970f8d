"""JSON Lines: one object a line, for programs. The fields are those of the types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain

import msgspec

from detector.sinks.output import Output, Stream, encodable, plain
from detector.types import (
    ColumnSummary,
    Finding,
    ProjectSummary,
    Secret,
    Skipped,
    SourceSummary,
    Summary,
    Sums,
    TableSummary,
)

_BUFFER = 64 * 1024
_NO_ORIGIN = b',"origin":null}'

Record = Finding | Skipped | SourceSummary | TableSummary | ColumnSummary | ProjectSummary | Summary


class JsonLinesSink:
    """Writes findings as they come, then one summary.

    ``live`` hands every line on at once, for a source that is itself a pipe; otherwise (and
    unless a person watches) lines are gathered into pieces of 64 KiB. ``show_secrets`` puts
    the raw value in place of the mask: UTF-8, with other bytes as ``\\xe9``.

    Text that JSON cannot carry (a path that is not UTF-8) is escaped in the same way.
    """

    def __init__(self, stream: Stream, *, live: bool = False, show_secrets: bool = False) -> None:
        self._output = Output(stream)
        self._limit = 0 if live or self._output.isatty else _BUFFER
        self._secret = _revealed if show_secrets else _masked
        self._encode = msgspec.json.Encoder(enc_hook=_hook(self._secret)).encode
        self._pending = bytearray()

    def write(self, finding: Finding) -> None:
        """One finding, one line; ``origin`` is left out where there is none, as nearly always."""
        self._line(finding)

    def skip(self, skipped: Skipped) -> None:
        """One input that was not scanned, one line."""
        self._line(skipped)

    def tabulate(self, sums: Sums) -> None:
        """A line each."""
        records: Iterable[Record] = chain.from_iterable(sums)
        for record in records:
            self._line(record)

    def close(self, summary: Summary) -> None:
        """The summary, and everything still held back."""
        self._line(summary)
        self._flush()

    def _line(self, record: Record) -> None:
        try:
            line = self._encode(record)
        except (UnicodeEncodeError, RecursionError):
            line = self._encode(self._plain(record))
        if line.endswith(_NO_ORIGIN):  # not inside of a string: there its quotes are escaped
            line = line[: -len(_NO_ORIGIN)] + b"}"
        self._pending += line
        self._pending += b"\n"
        if len(self._pending) > self._limit:
            self._flush()

    def _flush(self) -> None:
        # Swapped first: a failed write must not be written twice.
        pending, self._pending = self._pending, bytearray()
        self._output.write(pending)
        self._output.flush()

    def _plain(self, record: Record) -> dict[str, object]:
        fields: dict[str, object] = {"type": record.__struct_config__.tag}
        for name in record.__struct_fields__:
            value = getattr(record, name)
            fields[name] = self._secret(value) if isinstance(value, Secret) else plain(value)
        return fields


def _masked(secret: Secret) -> str:
    return secret.masked


def _revealed(secret: Secret) -> str:
    return secret.reveal().decode("utf-8", "backslashreplace")


def _hook(show: Callable[[Secret], str]) -> Callable[[object], object]:
    """What the encoder does with a type it does not know."""

    def hook(value: object) -> object:
        if isinstance(value, Secret):
            return show(value)
        return dict(value) if isinstance(value, Mapping) else encodable(str(value))

    return hook
