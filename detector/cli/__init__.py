"""The command line: parse, call, print; nothing that a user of the library would miss."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from detector.cli.report import COMPLETE, FAILED, complain
from detector.errors import DetectorError

_TYPER_INTERRUPTED = 130


def main() -> None:
    """Run the command and exit: 0 nothing found, 1 findings, 2 failed or incomplete."""
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        status = _run()
    except KeyboardInterrupt:
        complain("interrupted")
        status = FAILED
    _leave(status)


def _run() -> int:
    try:
        with _leaving_at_once():
            # numpy's BLAS, which nothing here uses, starts a thread a core: 50 ms.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            # Here and not above: loading it takes most of the start, and Ctrl-C may come then.
            from detector.cli.app import app

        status = app(standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:  # the last resort: no traceback, which may show data
        return _failure(error)
    if status == _TYPER_INTERRUPTED:
        raise KeyboardInterrupt
    return status if isinstance(status, int) else COMPLETE


def _failure(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        return COMPLETE
    if isinstance(error, DetectorError):
        complain(str(error))
    elif isinstance(error, OSError):
        complain(f"{error.filename or 'output'}: {error.strerror or type(error).__name__}")
    elif _is_wrong_use(error):
        error.show()  # type: ignore[attr-defined]
    elif type(error).__name__ == "Abort":  # Ctrl-C, as Typer before 0.20 says it
        complain("interrupted")
    elif os.environ.get("DETECTOR_DEBUG"):
        raise error
    else:
        # Its message may quote data: only its kind is said.
        complain(f"internal error: {type(error).__name__} (DETECTOR_DEBUG=1 shows where)")
    return FAILED


def _is_wrong_use(error: Exception) -> bool:
    """Whether Typer complains about the command line. Newer ones carry a Click of their own,
    whose exceptions have only this in common with those of the package of that name."""
    return any(kind.__name__ == "ClickException" for kind in type(error).__mro__)


def _leave(status: int) -> None:
    """Exit without the interpreter's complaint about a standard output that is gone."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        complain(f"standard output: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FAILED
    sys.exit(status)


@contextmanager
def _leaving_at_once() -> Iterator[None]:
    """While nothing is done yet, Ctrl-C just ends it: an import may not be interrupted
    without the interpreter's complaints."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, as in the background of a script
        yield
        return

    def leave(_signal: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(2, b"detector: interrupted\n")
        os._exit(FAILED)

    signal.signal(signal.SIGINT, leave)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
