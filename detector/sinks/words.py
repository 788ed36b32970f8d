"""Numbers, sizes and places in words, for the report."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from detector.sinks.output import printable
from detector.types import Finding, Summary

_MAX_TIME = 1 << 37  # seconds since 1970, in the year 6325
_MAX_VALUE = 60  # characters of a table's name or a claim
_MASK = re.compile(r"\*{4}\([0-9]+\)\Z")
_WEIGHT = re.compile(r"^([+-])[0-9.]+ ")  # of a reason, in log odds


def many(number: int, noun: str, *, exact: bool = True) -> str:
    """``1 secret``, ``1,234 secrets``, without a noun ``1,234``; an estimate is ``about 1,230``."""
    if not exact:
        # To three digits: an estimate should not look exact.
        return f"about {many(round(number, 3 - len(str(number))), noun)}"
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(nbytes: float) -> str:
    """``999 bytes``, ``12.3 MB``: decimal units, three digits."""
    if nbytes < 999.5:
        return many(round(nbytes), "byte")
    units = ["kB", "MB", "GB", "TB", "PB"]
    nbytes /= 1000
    while nbytes >= 999.5 and len(units) > 1:
        nbytes /= 1000
        units.pop(0)
    return f"{nbytes:.3g} {units[0]}"


def speed(summary: Summary) -> str:
    """``1.2 GB in 0.81 s, 1.48 GB/s``."""
    scanned = size(summary.bytes_scanned)
    if summary.bytes_read not in (0, summary.bytes_scanned):
        scanned += f" from {size(summary.bytes_read)}"
    if not summary.seconds:
        return f"{scanned} scanned"
    rate = size(summary.bytes_scanned / summary.seconds)
    return f"{scanned} in {summary.seconds:.3g} s, {rate}/s"


def clipped(text: str) -> str:
    """``text`` printable, and no longer than a line has room for."""
    text = printable(text)
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "…"


def name(path: str) -> str:
    """A path as a person reads it."""
    return "standard input" if path in ("", "-") else printable(path)


def place(finding: Finding) -> str:
    """``dump.sql:12:40``, as editors and terminals know it."""
    return f"{name(finding.path)}:{finding.line}:{finding.column}"


def context(finding: Finding) -> str:
    """Where in the data, and under which encodings: ``messages.content, row 7, in base64``; of a
    message ``#general, Ada, 2024-05-01T12:00:00Z, text, row 7``; of a bundle
    ``← src/client.ts:12:5``."""
    origin = finding.origin or {}
    parts = list(_said(origin))
    source = origin.get("path")
    if source is not None and not finding.path.endswith(f"!{source}"):
        parts.append(f"← {printable(str(source))}:{origin['line']}:{origin['column']}")
    table = None if origin.get("channel") else finding.table
    column = [part for part in (table, finding.field) if part]
    if column:
        parts.append(".".join(map(clipped, column)))
    if finding.row is not None:
        parts.append(f"row {finding.row:,}")
    if finding.decoded:
        parts.append("in " + " in ".join(map(clipped, reversed(finding.decoded))))
    return ", ".join(parts)


def _said(origin: Mapping[str, Any]) -> Iterator[str]:
    """Of a message the channel, the author and the time."""
    if channel := origin.get("channel"):
        yield "#" + clipped(str(channel)).removeprefix("#")
    for key in ("author", "time"):
        if value := origin.get(key):
            yield clipped(str(value))


def reasons(given: Iterable[str]) -> str:
    """``+ what stands right before it, - the file it stands in``: which way, and not how far."""
    return ", ".join(_WEIGHT.sub(r"\1 ", printable(reason)) for reason in given)


def masked(secret: str) -> str:
    """A secret as a report has it: masked, also where the report was made with raw values."""
    return printable(secret) if _MASK.search(secret) else f"****({len(secret.encode())})"


def claim(key: str, value: str | float) -> str:
    """``role service_role``; the times of a JSON web token (RFC 7519) as days; ``shipped``."""
    if key in ("exp", "iat", "nbf") and isinstance(value, int | float) and 0 < value < _MAX_TIME:
        value = datetime.datetime.fromtimestamp(value, datetime.UTC).date().isoformat()
    if value is True:
        return clipped(str(key))
    return f"{clipped(str(key))} {clipped(str(value))}"
