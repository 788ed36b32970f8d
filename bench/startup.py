"""From the start of the command to its first result: ``python -m bench.startup``.

The median of several runs over a file with one key, caches warm; then where the time goes:
the imports that cost most by themselves, and how much is left for everything else.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from bench.tokens import token
from bench.versus import RECORD, machine

RUNS = 15
SHOWN = 12
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.txt"
        path.write_bytes(b"my key is " + token("github", Random(1)) + b"\n")
        command = ["-m", "detector", "scan", "--format", "jsonl", str(path)]
        _first_result(command)  # fills the caches
        times = [_first_result(command) for _ in range(RUNS)]
        bare = [_first_output(["-c", "print(1)"]) for _ in range(RUNS)]
        print(f"first result after {_milliseconds(times)}, of {RUNS} runs")
        print(f"Python itself      {_milliseconds(bare)}")
        record = {
            "machine": machine(),
            "runs": RUNS,
            "first_result_ms": round(statistics.median(times) * 1e3),
            "python_ms": round(statistics.median(bare) * 1e3),
        }
        (RECORD / "startup.json").write_text(json.dumps(record, indent=1) + "\n")
        _print_imports(command)


def _milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e3:4.0f} ms (least {min(times) * 1e3:.0f})"


def _first_result(command: list[str]) -> float:
    return _first_output(command, b'"type":"finding"')


def _first_output(command: list[str], wanted: bytes = b"") -> float:
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
    if not line or wanted not in line:
        sys.exit("no result came: nothing to time")
    return seconds


def _print_imports(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=False
    )
    own: dict[str, int] = {}
    for microseconds, _, module in _IMPORT.findall(done.stderr):
        package = module.split(".")[0]
        own[package] = own.get(package, 0) + int(microseconds)
    print(f"imports            {sum(own.values()) / 1e3:4.0f} ms, by package, slower when timed:")
    for package, microseconds in sorted(own.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"  {package:<24} {microseconds / 1e3:6.1f} ms")


if __name__ == "__main__":
    main()
