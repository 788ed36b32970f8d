"""What every command says on standard error, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from detector.errors import UsageError

if TYPE_CHECKING:
    from detector.run import Run

COMPLETE, FOUND, FAILED = 0, 1, 2


def complain(message: str) -> None:
    """One line on standard error."""
    from detector.sources.walk import printable

    with suppress(OSError, ValueError):
        print(f"detector: {printable(message)}", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def output(path: Path | None) -> Iterator[IO[bytes]]:
    """The file to write to, or standard output. Raises :class:`UsageError`."""
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def statistics(run: Run) -> str:
    """For ``--stats``."""
    done, times = run.summary, run.timings
    seconds = max(done.seconds, 1e-9)
    rest = seconds - times.prefilter - times.verify - times.score
    return "\n".join(
        [
            f"read      {done.bytes_read:>15,} bytes",
            f"scanned   {done.bytes_scanned:>15,} bytes in {done.seconds:.3f} s, "
            f"{done.bytes_scanned / seconds / 1e6:,.0f} MB/s",
            f"skipped   {done.bytes_skipped:>15,} bytes",
            f"findings  {done.findings:>15,}",
            f"engine    {times.prefilter:>15.3f} s",
            f"verify    {times.verify:>15.3f} s",
            f"score     {times.score:>15.3f} s",
            f"the rest  {max(rest, 0):>15.3f} s (reading, unpacking, reporting)"
            if rest >= 0
            else "          (summed over the workers)",
        ]
    )
