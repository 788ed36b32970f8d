"""The progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from detector.live import address_of
from detector.run import Run
from detector.site import site_of


@contextmanager
def bar(run: Run, wanted: bool | None) -> Iterator[None]:
    """A bar on standard error while ``run`` goes on, if wanted or (None) if it is a terminal."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counted = _counted(run.paths)
    amounts: tuple[ProgressColumn, ...] = (DownloadColumn(), TransferSpeedColumn())
    if counted is not None:
        amounts = (MofNCompleteColumn(), TextColumn(counted))
    columns = (
        TextColumn("scanning"),
        BarColumn(),
        *amounts,
        TimeRemainingColumn(),
        TextColumn("{task.fields[found]:,} findings"),
    )
    console = Console(stderr=True)
    # In a log, where nothing can be wiped out, the last state stays.
    with Progress(*columns, console=console, transient=console.is_terminal) as progress:
        task = progress.add_task("", total=None, found=0)

        def show() -> None:
            done = run.summary
            if run.rows_expected:  # nobody knows the bytes of a database, or of a site
                expected = max(run.rows_expected, run.rows)
                progress.update(task, completed=run.rows, total=expected, found=done.findings)
                return
            total = run.total if run.total >= done.bytes_read else None
            progress.update(task, completed=done.bytes_read, total=total, found=done.findings)

        run.watch = show
        yield


def _counted(paths: Iterable[str]) -> str | None:
    """What is counted in place of bytes."""
    if any(address_of(path) is not None for path in paths):
        return "rows"
    return "resources" if any(site_of(path) is not None for path in paths) else None
