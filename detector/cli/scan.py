"""``detector scan``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli import options, sites
from detector.cli.bar import bar
from detector.cli.report import COMPLETE, FAILED, FOUND, complain, output, statistics
from detector.errors import UsageError
from detector.run import Options, Run
from detector.scanner import Scanner
from detector.sinks import FORMATS, Sink, make_sink
from detector.sinks.output import printable
from detector.sinks.words import many
from detector.sources import STDIN
from detector.types import Finding, Severity, Skipped

if TYPE_CHECKING:
    from detector.baseline import Baseline


def scan(
    paths: options.Paths = None,
    format: Annotated[str, typer.Option(metavar="NAME", help="text, jsonl or sarif.")] = "text",
    output_file: options.Output = None,
    rules: options.Rules = "",
    patterns: options.Patterns = None,
    min_confidence: options.MinConfidence = None,
    precision: options.Precisely = None,
    model: options.Model = None,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="SEVERITY", help="Exit 1 from this on: info, low, medium, high, critical."
        ),
    ] = "low",
    jobs: options.Jobs = None,
    engine: options.Engine = "auto",
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Leave out the findings known in it.")
    ] = None,
    save_rules: Annotated[
        Path | None,
        typer.Option(
            "--save-rules",
            metavar="FILE",
            help="Write drafts of rules for the unknown formats of tokens in columns.",
        ),
    ] = None,
    owner_column: Annotated[
        list[str] | None,
        typer.Option(
            "--owner-column",
            metavar="NAME",
            help="Count owners of rows by this column ([[schema.]table.]column). Repeatable.",
        ),
    ] = None,
    decode: options.Decode = False,
    explain: Annotated[bool, typer.Option(help="Say of each finding why.")] = False,
    show_secrets: Annotated[bool, typer.Option(help="Raw values instead of masked ones.")] = False,
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress",
            help="A bar on standard error; by default where that is a terminal.",
        ),
    ] = None,
    stats: Annotated[bool, typer.Option(help="Bytes, seconds and MB/s on standard error.")] = False,
    pages: sites.Pages = 1,
    cdn: sites.Cdn = None,
    allow_private: sites.AllowPrivate = False,
    max_requests: sites.MaxRequests = 1000,
    max_bytes: sites.MaxBytes = 512,
    timeout: sites.Timeout = 30.0,
    rate: sites.Rate = 10.0,
) -> int:
    """Find credentials in files, folders and archives, in live databases and on live sites.

    Exit status: 0 complete and nothing from --fail-on up, 1 findings, 2 failed or not
    everything could be read.
    """
    if not paths:
        raise UsageError("nothing to scan: name files or folders, or '-' for standard input")
    if format not in FORMATS:
        raise UsageError(f"format '{format}' is none of {', '.join(FORMATS)}")
    limit = _severity(fail_on)
    is_report = _is(output_file) if output_file else _never
    if any(map(is_report, paths)) or (baseline and is_report(str(baseline))):
        raise UsageError(f"{output_file}: is what is read; write to another file")
    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
        engine=engine,
        explain=explain,
        decode=decode,
    )
    known = _known(baseline, scanner) if baseline else None
    site = sites.options(pages, cdn, allow_private, max_requests, max_bytes, timeout, rate)
    run = Run(
        scanner,
        paths,
        Options(
            jobs=jobs or os.cpu_count() or 1,
            exclude=is_report,
            owner_columns=tuple(owner_column or ()),
            site=site,
        ),
    )
    live = any(path == STDIN or not (Path(path).is_dir() or Path(path).is_file()) for path in paths)
    with output(output_file) as stream:
        sink = make_sink(format, stream, live=live, show_secrets=show_secrets)
        with bar(run, progress):
            status = _report(run, sink, known, limit, announce=live and format == "text")
    if save_rules is not None:
        _save(save_rules, run)
    for name in run.tables.owners.unseen() if run.tables.owners else ():
        complain(f"no table that was read has a column '{printable(name)}'")
    if stats:
        typer.echo(statistics(run), err=True)
    return status


def _save(path: Path, run: Run) -> None:
    from detector.profile import drafts

    text = drafts(profile for _, profile in run.profiles)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    complain(f"{path}: {many(text.count('[[rule]]'), 'draft')} of rules")


def _known(path: Path, scanner: Scanner) -> Baseline:
    from detector.baseline import Baseline

    return Baseline.load(path, key_id=scanner.fingerprinter.key_id)


def _report(
    run: Run, sink: Sink, known: Baseline | None, limit: Severity, *, announce: bool
) -> int:
    """Everything from the run to the sink; the exit status.

    ``announce``: a line for each finding at once, for a report that comes at the end only.
    """
    complete, found = True, False

    def take(item: Finding | Skipped) -> None:
        nonlocal complete, found
        if isinstance(item, Skipped):
            complete = False
            sink.skip(item)
            complain(f"skipped {item.path}: {item.reason}")
        elif known is None or item not in known:
            found |= Severity[item.severity] >= limit
            run.count(item)
            sink.write(item)
            if announce:
                complain(f"{item.path}:{item.line}:{item.column} {item.rule} {item.secret}")

    try:
        try:
            for item in run:
                take(item)
        except KeyboardInterrupt:
            complete = False
            complain("interrupted: what was found so far follows")
            for item in run.rest():
                take(item)
        sink.tabulate(run.sums())
        sink.close(run.summary)
    except BrokenPipeError:
        pass  # whoever read has seen enough
    if not complete:
        return FAILED
    return FOUND if found else COMPLETE


def _severity(name: str) -> Severity:
    try:
        return Severity[name]
    except KeyError:
        raise UsageError(
            f"severity '{name}' is none of {', '.join(s.name for s in Severity)}"
        ) from None


def _never(_path: str) -> bool:
    return False


def _is(output_file: Path) -> Callable[[str], bool]:
    """Whether a path is the report itself, which must not be scanned while it is written."""

    def same(path: str) -> bool:
        try:
            return os.path.samefile(path, output_file)  # noqa: PTH121
        except OSError:
            return False

    return same
