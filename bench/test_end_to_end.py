"""The command as a user runs it: process start, reading, scanning, reporting."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.corpora import corpus
from bench.planting import planted


def _scan(path: Path, *options: str) -> dict[str, int]:
    """Run the command on one core; its summary."""
    command = [sys.executable, "-m", "detector", "scan", str(path), "--format", "jsonl", *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-500:]
    summary: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return summary


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("name", ["chat", "js", "dump"])
def test_command(benchmark: BenchmarkFixture, name: str, jobs: str) -> None:
    target = corpus(name)
    count = sum(1 for _ in planted(target))
    assert _scan(target, "--jobs", jobs)["findings"] >= count * 0.999
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        _scan, args=(target, "--jobs", jobs), rounds=3
    )


def test_start(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """From start to the first result on a small file, caches warm."""
    small = tmp_path / "small.txt"
    small.write_text("nothing here\n")
    assert _scan(small)["findings"] == 0
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        _scan, args=(small,), rounds=10
    )
