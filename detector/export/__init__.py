"""Sanitised copies of tables: the same format, the same rows, and no secret.

hexes     bytes that a dump writes as hexadecimal digits
arrow     Parquet and Arrow files, a batch at a time
sqlite    a copy of a database, its rows changed in place
columns   columns of which every value goes
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from detector.export.columns import ColumnMask, Columns
from detector.export.values import Cleaner
from detector.mask import Mask
from detector.scanner import Scanner

__all__ = ["FORMATS", "export"]

FORMATS = ("parquet", "arrow", "sqlite")
"""What :func:`export` writes, in the words of :func:`detector.columns.kind_of`."""


def export(
    kind: str,
    source: Path,
    target: Path,
    scanner: Scanner,
    mask: Mask,
    *,
    whole: Columns,
    rest: Columns,
) -> Counter[str]:
    """Write a copy without secrets; how many of each rule were replaced. ``whole``: columns of
    which every value goes; ``rest``: those of which that goes that rules leave.

    Raises :class:`~detector.errors.UsageError` for what cannot be read or written, and leaves no
    half-written copy behind then.
    """
    if kind == "sqlite":
        from detector.export.sqlite import copy
    else:
        from detector.export.arrow import copy
    first, last = (ColumnMask(one, mask, scanner.fingerprinter) for one in (whole, rest))
    cleaner = Cleaner(scanner, mask, first, last, Counter())
    try:
        copy(kind, source, target, cleaner)
        return cleaner.found + first.found + last.found
    except BaseException:
        target.unlink(missing_ok=True)
        raise
