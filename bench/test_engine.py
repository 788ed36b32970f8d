"""The stages: the bare engine pass, the scan on top of it, and what a survivor costs.

Each bench asserts what it found before it says how long it took. Run: ``make bench``.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.corpora import corpus
from bench.planting import planted
from detector import Scanner

SLICE = 16 << 20  # bytes of a corpus: a turn takes milliseconds, counts stay large enough


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner()


def _slice(name: str) -> bytes:
    return corpus(name).read_bytes()[:SLICE]


def _planted(name: str, data: bytes) -> int:
    return sum(1 for truth, _ in planted(corpus(name)) if truth.end < len(data))


@pytest.mark.parametrize("name", ["chat", "oneline", "clean", "dump"])
def test_bare_pass(benchmark: BenchmarkFixture, scanner: Scanner, name: str) -> None:
    data = _slice(name)
    assert len(scanner.machinery.engine.find(data)) >= _planted(name, data)
    benchmark.extra_info["MB"] = len(data) / 1e6
    benchmark(scanner.machinery.engine.find, data)


@pytest.mark.parametrize("name", ["chat", "oneline", "clean", "dump"])
def test_scan(benchmark: BenchmarkFixture, scanner: Scanner, name: str) -> None:
    data = _slice(name)
    assert len(scanner.scan(data)) >= _planted(name, data) * 0.999
    benchmark.extra_info["MB"] = len(data) / 1e6
    benchmark(scanner.scan, data)


def test_one_line_is_no_slower_than_many(benchmark: BenchmarkFixture, scanner: Scanner) -> None:
    data = _slice("oneline").replace(b";", b"\n")
    assert len(scanner.scan(data)) == len(scanner.scan(data.replace(b"\n", b";")))
    benchmark(scanner.scan, data)


@pytest.mark.parametrize("name", ["chat", "oneline", "clean", "dump", "base64"])
def test_engines_agree(scanner: Scanner, name: str) -> None:
    """No bench, but it needs the corpora: the reference finds what the fast engine finds."""
    data = corpus(name).read_bytes()[: 4 << 20]
    assert Scanner(scanner.rules, engine="aho-corasick").scan(data) == scanner.scan(data)
