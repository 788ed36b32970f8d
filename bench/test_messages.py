"""What one message of 200 bytes costs, and one of 500 in a batch."""

from __future__ import annotations

import random

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.corpora import corpus
from detector import Scanner
from detector.rules import RuleSet
from detector.rules.samples import draw


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner()


@pytest.fixture(scope="module")
def clean() -> list[str]:
    text = corpus("clean").read_text()
    return [text[at : at + 200] for at in range(0, 100_000, 200)]


@pytest.fixture(scope="module")
def dirty(clean: list[str]) -> list[str]:
    rules, rng = RuleSet.builtin().by_id, random.Random(1)
    keys = [draw(rules[name], rng).text.decode() for name in ("openai-project-key", "github-pat")]
    return [f"{text[:50]} {keys[n % 2]}, can you try it?" for n, text in enumerate(clean)]


def test_clean_message(benchmark: BenchmarkFixture, scanner: Scanner, clean: list[str]) -> None:
    assert scanner.scan(clean[0]) == []
    benchmark(scanner.scan, clean[0])


def test_message_with_a_key(
    benchmark: BenchmarkFixture, scanner: Scanner, dirty: list[str]
) -> None:
    assert [finding.rule for finding in scanner.scan(dirty[0])] == ["openai-project-key"]
    benchmark(scanner.scan, dirty[0])


def test_redacted_message(benchmark: BenchmarkFixture, scanner: Scanner, dirty: list[str]) -> None:
    assert scanner.scan(scanner.redact(dirty[0]).text) == []
    benchmark(scanner.redact, dirty[0])


def test_batch_of_500(benchmark: BenchmarkFixture, scanner: Scanner, clean: list[str]) -> None:
    assert scanner.scan_many(clean) == [[]] * len(clean)
    benchmark(scanner.scan_many, clean)
