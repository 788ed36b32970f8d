"""Where results go: findings, skipped inputs and a summary, in three formats.

A sink knows nothing of rules and sources; all it needs stands in the records. None keeps
more than a bounded number of them. A secret is written masked unless asked otherwise.
"""

from __future__ import annotations

from typing import Protocol

from detector.errors import UsageError
from detector.sinks.output import Stream
from detector.types import Finding, Skipped, Summary, Sums

FORMATS = ("text", "jsonl", "sarif")

__all__ = ["FORMATS", "Sink", "make_sink"]


class Sink(Protocol):
    """What takes the results of a run: any number of :meth:`write` and :meth:`skip` in any
    order, then :meth:`close` once. Errors of the stream come out as they are."""

    def write(self, finding: Finding) -> None:
        """Take one finding."""

    def skip(self, skipped: Skipped) -> None:
        """Take one input that was not scanned."""

    def tabulate(self, sums: Sums) -> None:
        """What a run adds up; once, before :meth:`close`, if at all."""

    def close(self, summary: Summary) -> None:
        """Finish the output and flush it; the stream stays open. Also right for a run that
        was interrupted: what was found until then is reported."""


def make_sink(
    format: str, stream: Stream, *, live: bool = False, show_secrets: bool = False
) -> Sink:
    """The sink for ``format`` (one of :data:`FORMATS`), writing to a binary or text stream.

    ``live`` hands on every finding at once (JSON Lines only: the other two are whole only at
    the end). Raises :class:`UsageError` for an unknown format, and for raw secrets in SARIF,
    a format made to be uploaded.
    """
    # Each format loads what it alone needs: the text one takes rich with it.
    if format == "jsonl":
        from detector.sinks.jsonl import JsonLinesSink

        return JsonLinesSink(stream, live=live, show_secrets=show_secrets)
    if format == "text":
        from detector.sinks.text import TextSink

        return TextSink(stream, show_secrets=show_secrets)
    if format == "sarif":
        if show_secrets:
            raise UsageError("SARIF never carries raw secrets; use --format jsonl for them")
        from detector.sinks.sarif import SarifSink

        return SarifSink(stream)
    raise UsageError(f"unknown format '{format}'; there are: {', '.join(FORMATS)}")
