"""What is reported where there is nothing: published bundles and minified code, texts of
interfaces, manuals, lock files, prose, base64.

More than 300 MB. Each finding is printed with what stands around it, so that a person can say
whether it is right; those that are get named here. The rest may come once in 10 MB.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bench.corpora import corpus
from bench.planting import files
from detector import Finding, Scanner

CORPORA = ("js", "minified", "locales", "lockfiles", "docs", "clean")
AROUND = 40  # bytes shown on both sides of a value
MOST = 1.0  # in 10 MB
RIGHT: frozenset[str] = frozenset()  # fingerprints of what a person would call right


class Scanned(NamedTuple):
    """How many bytes of a corpus, and what was found in them, a line each."""

    name: str
    size: int
    alarms: list[str]

    def __str__(self) -> str:
        rate = len(self.alarms) / self.size * 1e7
        return (
            f"{self.name:10} {self.size / 1e6:6.1f} MB {len(self.alarms):4} alarms"
            f" {rate:6.2f} in 10 MB"
        )


def scanned(name: str, scanner: Scanner) -> Scanned:
    target = corpus(name)
    size, alarms = 0, []
    for path in files(target):
        data = path.read_bytes()
        size += len(data)
        shown = path.relative_to(target.parent).as_posix()
        alarms += [
            f"{shown}:{found.line}:{found.column} {found.rule} {found.secret} {found.confidence}"
            f"\n    {_around(data, found)}"
            for found in scanner.scan(data, path=shown)
            if found.fingerprint not in RIGHT
        ]
    return Scanned(name, size, alarms)


def _around(data: bytes, found: Finding) -> str:
    """The bytes on both sides, printable; the value is masked wherever it stands in them."""
    before = data[max(0, found.start - AROUND) : found.start]
    after = data[found.end : found.end + AROUND]
    value, mask = found.secret.reveal(), f"<{found.secret}>".encode()
    return ascii(
        (before.replace(value, mask) + mask + after.replace(value, mask)).decode("latin-1")
    )


def test_false_alarms() -> None:
    scanner = Scanner()
    results = [scanned(name, scanner) for name in CORPORA]
    size = sum(result.size for result in results)
    alarms = [alarm for result in results for alarm in result.alarms]
    print("", *alarms, "", *results, Scanned("together", size, alarms), sep="\n")
    assert size > 200_000_000
    assert len(alarms) <= MOST * size / 1e7


@pytest.mark.parametrize("name", ["base64"])
def test_none_in_noise(name: str) -> None:
    assert scanned(name, Scanner()).alarms == []
