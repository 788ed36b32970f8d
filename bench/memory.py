"""Peak memory over a long stream: ``python -m bench.memory [--gb 10]``, one JSON object.

Generated text goes through a pipe into ``detector scan -``, with one key in every megabyte.
All of them must be found before a number is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from random import Random

from bench.tokens import token
from bench.versus import RECORD, machine

MEGABYTE = 1_000_000
_LINE = b'{"id":%d,"from":"tidepool","content":"nothing to see here, please move on"}\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=10, help="how much, in 10^9 bytes")
    parser.add_argument("--record", action="store_true", help="into bench/record/ as well")
    options = parser.parse_args()
    count = int(options.gb * 1000)
    with tempfile.TemporaryFile() as report:
        began = time.perf_counter()
        used = _scan(count, report.fileno())
        seconds = time.perf_counter() - began
        report.seek(0)
        found = sum(b'"type":"finding"' in line for line in report)
    if found != count:
        sys.exit(f"found {found} of {count} keys")
    answer = {
        "gb": count / 1000,
        "found": found,
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "seconds": round(seconds, 2),
        "cpu": round(used.ru_utime + used.ru_stime, 2),
        "mb_per_second": round(count / seconds),
    }
    print(json.dumps(answer))
    if options.record:
        text = json.dumps({"machine": machine(), **answer}, indent=1)
        (RECORD / "memory.json").write_text(text + "\n")


def _scan(count: int, report: int) -> resource.struct_rusage:
    """Write so many megabytes into a scan; what it used."""
    command = [sys.executable, "-m", "detector", "scan", "-", "--format", "jsonl"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=report)
    assert process.stdin is not None
    filler = b"".join(_LINE % number for number in range(MEGABYTE // 70))
    rng = Random(1)
    for _ in range(count):
        key = b'{"content":"my key is ' + token("github", rng) + b', take it"}\n'
        process.stdin.write(filler[: MEGABYTE - len(key) - 1] + b"\n" + key)
    process.stdin.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 1:
        sys.exit(f"the scan failed: status {process.returncode}")
    return used


if __name__ == "__main__":
    main()
