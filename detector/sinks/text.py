"""The report for a person: grouped by rule, the worst first, one line of summary last.

It is written at the end, because what is worst is known only then. Everything that comes
from the scanned data or from file names is made printable first (no escape sequence, no
forged line), and rich is given text objects only, never markup.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detector.sinks.output import Output, Stream, printable
from detector.sinks.tables import tabulated
from detector.sinks.tally import Example, Group, Skips, Tally
from detector.sinks.words import claim, context, many, name, place, reasons, size, speed
from detector.types import Finding, Secret, Skipped, Summary, Sums

PRIVILEGES = {
    "public": "It is meant to be seen by everybody.",
    "limited": "It allows one narrow action, or a short life, or a test environment.",
    "full": "Whoever holds it acts as its owner.",
    "admin": "Whoever holds it acts as the owner of the whole account.",
}
"""What a finder can do, in words."""

_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold cyan",
    "info": "bold blue",
}
_SURE = 0.9  # a confidence below it is worth a word
_MAX_CLAIMS = 4
_MAX_WIDTH = 120  # longer lines of prose are hard to read
_ASCII = str.maketrans({"…": "...", "·": "-", "←": "<-"})

_Part = Text | Padding | Table


class TextSink:
    """Gathers counts and examples, and prints them on :meth:`close`.

    Colours only on a terminal and without ``NO_COLOR``. ``width`` is that of the terminal,
    or 80 where there is none. ``show_secrets`` puts raw values in place of the masks.
    """

    def __init__(
        self, stream: Stream, *, show_secrets: bool = False, width: int | None = None
    ) -> None:
        self._output = Output(stream)
        self._show_secrets = show_secrets
        self._width = width or _width(self._output.isatty)
        self._tally = Tally()
        self._sums = Sums()

    def write(self, finding: Finding) -> None:
        """Count one finding."""
        self._tally.add(finding)

    def skip(self, skipped: Skipped) -> None:
        """Count one input that was not scanned."""
        self._tally.skip(skipped)

    def tabulate(self, sums: Sums) -> None:
        """Keep them for the report."""
        self._sums = sums

    def close(self, summary: Summary) -> None:
        """Print the report."""
        groups, public = self._tally.groups(public=False), self._tally.groups(public=True)
        for group in groups:
            self._print(self._group(group))
        if public:
            self._print(_public(public))
        self._print(tabulated(self._sums, summary.in_tables, _STYLES))
        if self._tally.skips:
            self._print(_skips(self._tally.skips))
        self._print([_closing(groups, public, self._tally.skips, summary)])
        self._output.flush()

    def _print(self, parts: Iterable[_Part]) -> None:
        """One section at a time, so that a report of any length takes little memory."""
        buffer = io.StringIO()
        console = Console(
            file=buffer,
            width=self._width,
            # None: not a terminal, unless FORCE_COLOR says to treat it as one.
            force_terminal=True if self._output.isatty else None,
            legacy_windows=False,
            highlight=False,
        )
        for part in parts:
            # A path or address stays one line: it can be clicked, copied and searched for.
            console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
        # Rich pads prose to the full width.
        text = re.sub(" +$", "", buffer.getvalue(), flags=re.MULTILINE)
        encoding = self._output.encoding
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            data = text.translate(_ASCII).encode(encoding, "backslashreplace")
        self._output.write(data, encoding)

    def _group(self, group: Group) -> Iterator[_Part]:
        first, secrets = group.first, group.distinct
        yield _heading(group)
        yield _indented(f"{printable(first.why)} {PRIVILEGES[first.privilege]}".strip())
        yield Text()
        shown = 0
        for example in group.examples.values():
            yield from self._example(example)
            shown += example.places
        hidden = secrets.count - len(group.examples)
        if hidden > 0:
            more = many(hidden, "more secret", exact=secrets.exact)
            places = many(group.places - shown, "place")
            yield _indented(f"… and {more} in {places} (--format jsonl lists all)", "dim")
        if first.revoke:
            yield Text()
            yield _line(2, _what_to_do(first), "bold").append(printable(first.revoke))
        yield Text()

    def _example(self, example: Example) -> Iterator[_Part]:
        first = example.findings[0]
        notes = " · ".join([many(example.places, "place"), *_notes(first)])
        line = _line(2, self._secret(first.secret), "bold")
        # The start of the fingerprint tells two secrets with the same mask apart.
        line.append(f" #{printable(first.fingerprint[:8])}", "dim")
        yield from self._fitted(line, notes)
        if first.reasons:
            yield _indented(f"why: {reasons(first.reasons)}", "dim", 6)
        for finding in example.findings:
            yield from self._fitted(_line(4, place(finding)), context(finding), "dim")
        hidden = example.places - len(example.findings)
        if hidden:
            yield _line(4, f"… and {many(hidden, 'more place')}", "dim")

    def _fitted(self, line: Text, extra: str, style: str = "") -> Iterator[_Part]:
        """``extra`` behind ``line`` where there is room, else on a line of its own."""
        if extra and line.cell_len + cell_len(extra) + 2 <= self._width:
            yield line.append(f"  {extra}", style or None)
            return
        yield line
        if extra:
            yield _indented(extra, style, 6)

    def _secret(self, secret: Secret) -> str:
        if self._show_secrets:
            return printable(secret.reveal().decode("utf-8", "surrogateescape"))
        return printable(secret.masked)


def _heading(group: Group) -> Table:
    first, secrets = group.first, group.distinct
    title = Text.assemble(
        (f" {first.severity.upper()} ", _STYLES[first.severity]),
        (f" {printable(first.name)}", "bold"),
        (f"  {printable(first.provider)}", "dim"),
    )
    row = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    row.add_column(ratio=1)
    row.add_column(justify="right", no_wrap=True)
    row.add_row(title, Text(many(secrets.count, "secret", exact=secrets.exact), "bold"))
    return row


def _what_to_do(finding: Finding) -> str:
    """What belongs to no provider has no page where it is turned off."""
    if finding.provider == "generic":
        return "Replace it, and keep the new one elsewhere: "
    return "Turn it off: "


def _notes(finding: Finding) -> Iterator[str]:
    """What is worth knowing of this one secret."""
    if finding.confidence < _SURE:
        yield f"{finding.confidence:.0%} sure"
    if finding.check != "none":
        yield f"check {finding.check}"
    claims = [(k, v) for k, v in finding.claims.items() if isinstance(v, str | int | float)]
    yield from (claim(key, value) for key, value in claims[:_MAX_CLAIMS])


def _public(groups: list[Group]) -> Iterator[_Part]:
    yield Text("Publishable by design", "bold")
    yield _indented("Nothing to turn off, as long as what they open is meant for everybody.", "dim")
    yield Text()
    for group in groups:
        keys = many(group.distinct.count, "key", exact=group.distinct.exact)
        counts = f"{keys} in {many(group.places, 'place')}"
        yield _line(2, printable(group.first.name)).append(f"  {counts}", "dim")
        for example in group.examples.values():
            yield _line(4, place(example.findings[0]), "dim")
    yield Text()


def _skips(skips: Mapping[str, Skips]) -> Iterator[_Part]:
    yield Text("Not scanned", "bold yellow")
    for reason, group in skips.items():
        nbytes = f", {size(group.nbytes)}" if group.nbytes else ""
        yield _indented(f"{printable(reason)}: {many(group.count, 'input')}{nbytes}")
        for path in group.paths:
            yield _line(4, name(path), "dim")
        hidden = group.count - len(group.paths)
        if hidden:
            yield _line(4, f"… and {hidden:,} more", "dim")
    yield Text()


def _closing(
    groups: list[Group], public: list[Group], skips: Mapping[str, Skips], summary: Summary
) -> Text:
    """``5 secrets in 12 places (2 critical, 3 high) · 1.2 GB in 0.8 s, 1.5 GB/s``."""
    verdict, style = "No secrets found", "bold yellow" if skips else "bold green"
    if groups:
        verdict, style = _found(groups), _STYLES[groups[0].first.severity]
    parts = [verdict]
    if public:
        parts.append(_total(public, "publishable key"))
    parts.append(speed(summary))
    if skips:
        nbytes = sum(group.nbytes for group in skips.values())
        missed = f"{many(sum(group.count for group in skips.values()), 'input')} not scanned"
        parts.append(f"{missed} ({size(nbytes)})" if nbytes else missed)
    line = Text(" · ".join(parts))
    line.stylize(style, 0, len(verdict))
    return line


def _found(groups: list[Group]) -> str:
    by_severity: dict[str, list[Group]] = {}
    for group in groups:
        by_severity.setdefault(group.first.severity, []).append(group)
    each = ", ".join(f"{_total(same)} {severity}" for severity, same in by_severity.items())
    places = many(sum(group.places for group in groups), "place")
    return f"{_total(groups, 'secret')} in {places} ({each})"


def _total(groups: list[Group], noun: str = "") -> str:
    exact = all(group.distinct.exact for group in groups)
    return many(sum(group.distinct.count for group in groups), noun, exact=exact)


def _line(indent: int, text: str, style: str = "") -> Text:
    """A line that is never wrapped."""
    return Text(" " * indent, no_wrap=True).append(text, style or None)


def _indented(text: str, style: str = "", indent: int = 2) -> Padding:
    return Padding.indent(Text(text, style), indent)


def _width(isatty: bool) -> int:
    """Of the terminal; ``COLUMNS`` rules over both."""
    if not isatty and not os.environ.get("COLUMNS"):
        return 80
    return min(max(shutil.get_terminal_size().columns, 40), _MAX_WIDTH)
