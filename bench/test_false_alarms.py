"""What is reported where there is nothing: published bundles, lock files, prose, base64.

More than 200 MB. Each finding is printed; a new one fails until it is named here as right.
"""

from __future__ import annotations

from pathlib import Path

from bench.corpora import corpus
from bench.planting import files
from detector import Scanner

CORPORA = ("js", "lockfiles", "clean", "base64")
RIGHT: frozenset[str] = frozenset()  # fingerprints of what a person would call right


def _findings(path: Path, scanner: Scanner) -> tuple[int, list[str]]:
    data = path.read_bytes()
    alarms = [
        f"{path.name}:{found.line}:{found.column} {found.rule} {found.secret} {found.confidence}"
        for found in scanner.scan(data)
        if found.fingerprint not in RIGHT
    ]
    return len(data), alarms


def test_no_false_alarms() -> None:
    scanner = Scanner()
    results = [_findings(path, scanner) for name in CORPORA for path in files(corpus(name))]
    scanned = sum(size for size, _ in results) / 1e6
    alarms = [alarm for _, found in results for alarm in found]
    print(f"{scanned:.0f} MB scanned, {len(alarms)} false alarms", *alarms, sep="\n")
    assert scanned > 200
    assert not alarms
