"""The command line: parse, call, print; nothing that a user of the library would miss."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from detector.cli.report import COMPLETE, FAILED, complain
from detector.errors import DetectorError


def main() -> None:
    """Run the command and exit: 0 nothing found, 1 findings, 2 failed or incomplete."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        from detector.cli.app import app

        status = app(standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback, which may show data
        status = _failure(error)
    except KeyboardInterrupt:
        complain("interrupted")
        status = FAILED
    _leave(status if isinstance(status, int) else COMPLETE)


def _failure(error: Exception) -> int:
    import click

    if isinstance(error, BrokenPipeError):
        return COMPLETE
    if isinstance(error, click.ClickException):
        error.show()
    elif isinstance(error, click.exceptions.Exit):
        return error.exit_code
    elif isinstance(error, click.Abort):
        complain("interrupted")
    elif isinstance(error, DetectorError):
        complain(str(error))
    elif isinstance(error, OSError):
        complain(f"{error.filename or 'output'}: {error.strerror or type(error).__name__}")
    elif os.environ.get("DETECTOR_DEBUG"):
        raise error
    else:
        # Its message may quote data: only its kind is said.
        complain(f"internal error: {type(error).__name__} (DETECTOR_DEBUG=1 shows where)")
    return FAILED


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


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
