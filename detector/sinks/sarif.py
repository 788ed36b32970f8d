"""SARIF 2.1.0 (OASIS), for code scanning services and editors.

Results are written as they come. The rules that were met, and what was not scanned, stand
in the same run behind the results: the order of properties is free in JSON, and it is the
only order in which a stream of unknown length can be written.

Secrets are always masked: the format is made to be uploaded. ``byteOffset`` and
``byteLength`` are exact; ``startColumn`` counts bytes, which on a line with characters
outside ASCII is more than SARIF's own unit (so no ``columnKind`` is claimed).
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from typing import Any
from urllib.parse import quote, quote_from_bytes

import msgspec

from detector.sinks.output import Output, Stream, encodable, plain
from detector.types import Finding, Severity, Skipped, Summary, Sums

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

MAX_NOTIFICATIONS = 10_000
"""Inputs not scanned that are named one by one; the rest is counted."""

_LEVELS = {"info": "note", "low": "note", "medium": "warning", "high": "error", "critical": "error"}

# The bands of GitHub code scanning: over 9.0 critical, 7.0 high, 4.0 medium, above 0 low.
_SCORES = {"low": "2.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}

_BUFFER = 64 * 1024
_DRIVE = re.compile(r"[A-Za-z]:/")


class SarifSink:
    """Writes one SARIF log with one run; it is valid once :meth:`close` has returned."""

    def __init__(self, stream: Stream) -> None:
        self._output = Output(stream)
        head = {"$schema": SCHEMA, "version": "2.1.0"}
        # The log without its two closing braces, then the run up to its first result.
        self._pending = bytearray(_json(head)[:-1] + b',"runs":[{"results":[')
        self._separator = b"\n"
        self._rules: dict[str, tuple[int, Finding]] = {}
        self._notifications: list[dict[str, Any]] = []
        self._unnamed = 0

    def write(self, finding: Finding) -> None:
        """One result."""
        self._pending += self._separator
        self._pending += _json(_result(finding, self._rule(finding)))
        self._separator = b",\n"
        if len(self._pending) >= _BUFFER:
            self._flush()

    def skip(self, skipped: Skipped) -> None:
        """One input that was not scanned: a notification of the tool, written at the end."""
        if len(self._notifications) < MAX_NOTIFICATIONS:
            self._notifications.append(_notification(skipped))
        else:
            self._unnamed += 1

    def tabulate(self, sums: Sums) -> None:
        """SARIF has no place for sums: each finding says its table and column."""

    def close(self, summary: Summary) -> None:
        """The rules, the notifications and the end of the log."""
        notifications = self._notifications
        if self._unnamed:
            message = _message(f"{self._unnamed} more inputs were not scanned")
            notifications = [*notifications, {"level": "warning", "message": message}]
        rest = {
            "tool": {"driver": _driver([finding for _, finding in self._rules.values()])},
            "invocations": [
                {
                    "executionSuccessful": not notifications,
                    "toolExecutionNotifications": notifications,
                }
            ],
            "properties": {
                "bytesRead": summary.bytes_read,
                "bytesScanned": summary.bytes_scanned,
                "bytesSkipped": summary.bytes_skipped,
                "seconds": summary.seconds,
            },
        }
        self._pending += b"\n]," + _json(rest)[1:] + b"]}\n"
        self._flush()
        self._output.flush()

    def _rule(self, finding: Finding) -> int:
        """The index of the finding's rule. Each is kept with its worst finding, whose
        severity becomes the rule's: a check may find one token worse than the next."""
        known = self._rules.get(finding.rule)
        index = len(self._rules) if known is None else known[0]
        if known is None or Severity[known[1].severity] < Severity[finding.severity]:
            self._rules[finding.rule] = index, finding
        return index

    def _flush(self) -> None:
        pending, self._pending = self._pending, bytearray()
        self._output.write(pending)


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(finding.path)},
            "region": _region(finding),
        }
    }
    if column := [part for part in (finding.table, finding.field) if part]:
        location["logicalLocations"] = [{"fullyQualifiedName": ".".join(column), "kind": "member"}]
    related = _related(finding)
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": _message(f"{finding.name}: {finding.secret.masked}. {finding.why}".rstrip()),
        "locations": [location],
        **({"relatedLocations": [related]} if related else {}),
        "partialFingerprints": {"secretFingerprint/v1": finding.fingerprint},
        "rank": round(finding.confidence * 100, 1),
        "properties": {
            "severity": finding.severity,
            "privilege": finding.privilege,
            "confidence": finding.confidence,
            "check": finding.check,
            "row": finding.row,
            "decoded": finding.decoded,
            "claims": finding.claims,
            "reasons": finding.reasons,
            **({} if finding.origin is None else {"origin": finding.origin}),
        },
    }


def _related(finding: Finding) -> dict[str, Any] | None:
    """Of a bundle the place in its source, which is what its people can change."""
    origin = finding.origin or {}
    if origin.get("path") is None:
        return None
    return {
        "id": 0,
        "message": _message("Comes from here, as the source map says."),
        "physicalLocation": {
            "artifactLocation": {"uri": uri(str(origin["path"]))},
            "region": {"startLine": origin["line"], "startColumn": origin["column"]},
        },
    }


def _region(finding: Finding) -> dict[str, int]:
    length = finding.end - finding.start
    region = {
        "byteOffset": finding.start,
        "byteLength": length,
        "startLine": finding.line,
        "startColumn": finding.column,
    }
    # Without an end the region is the rest of the line, which is all that can be said of a
    # key over several lines, or of something decoded.
    if not finding.decoded and len(finding.secret) == length:
        raw = finding.secret.reveal()
        if b"\n" not in raw and b"\r" not in raw:
            region["endColumn"] = finding.column + length
    return region


def _driver(worst: list[Finding]) -> dict[str, Any]:
    driver = {"name": "detector", "rules": [_descriptor(finding) for finding in worst]}
    try:
        driver["version"] = importlib.metadata.version("secrets-leak-detector")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return driver
    return driver


def _descriptor(finding: Finding) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "id": finding.rule,
        "name": finding.name,
        "shortDescription": {"text": finding.name},
        "fullDescription": {"text": finding.why or finding.name},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": ["security", "secret", finding.provider], "precision": "high"},
    }
    if finding.severity in _SCORES:
        descriptor["properties"]["security-severity"] = _SCORES[finding.severity]
    if finding.revoke:
        descriptor["helpUri"] = finding.revoke
        descriptor["help"] = {"text": f"{finding.why} Turn it off: {finding.revoke}".lstrip()}
    return descriptor


def _notification(skipped: Skipped) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": _message(f"Not scanned: {skipped.reason} ({skipped.nbytes} bytes)"),
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(skipped.path)}}}],
    }


def _message(text: str) -> dict[str, str]:
    """A message in plain text, where braces hold arguments and brackets make links."""
    text = text.replace("{", "{{").replace("}", "}}")
    return {"text": text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")}


def uri(path: str) -> str:
    """A path as a URI reference (RFC 3986): relative paths stay relative, every byte that
    is not plain is percent-encoded, ``!`` before an archive's member stays.

    Standard input is ``-``.
    """
    path = path.replace(os.sep, "/") or "-"
    drive = os.sep != "/" and _DRIVE.match(path)
    if drive or path.startswith("/"):
        # Exactly three slashes: with two, what follows would name a host.
        return "file:///" + _quoted(path.lstrip("/"), safe=":/!" if drive else "/!")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return _quoted(path or ".", safe="/!")


def _quoted(path: str, safe: str) -> str:
    try:
        return quote_from_bytes(path.encode("utf-8", "surrogateescape"), safe=safe)
    except UnicodeEncodeError:  # half a character of UTF-16: no bytes of a path
        return quote(encodable(path), safe=safe)


def _json(record: dict[str, Any]) -> bytes:
    try:
        return _encode(record)
    except (UnicodeEncodeError, RecursionError):
        return _encode(plain(record))


def _hook(value: object) -> object:
    return encodable(str(value))


_encode = msgspec.json.Encoder(enc_hook=_hook).encode
