"""Memory stays what it is, however long the input or its lines are."""

from __future__ import annotations

import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from commands import COMMAND, KEY, RULES, secret

MIB = 1 << 20
LIMIT = 200 * MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")


def peak(pid: int) -> int:
    """Bytes at most in memory so far; unlike rusage, without what the starter had."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kib) * 1024


def stream(block: bytes, count: int, last: bytes, *options: str) -> tuple[int, bytes]:
    """Write ``block`` so many times and then ``last`` to a scan; its peak, and its report."""
    command = [*COMMAND, "scan", "-", "--format", "jsonl", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(count):
            process.stdin.write(block)
        process.stdin.write(last)
        process.stdin.flush()
        # Its last finding is out, so everything was read, and it still waits for more.
        assert select.select([process.stdout], [], [], 60)[0]
        first = process.stdout.readline()
        used = peak(process.pid)
        process.stdin.close()
        return used, first + process.stdout.read()


LAST = b"\nk=" + secret(KEY) + b" \n"


def test_a_long_stream() -> None:
    block = (b"2026-01-31 12:00:00 INFO nothing to see here, please move on (id=%d)\n" % 17) * 15000
    used, report = stream(block, 300 * MIB // len(block), LAST, "--rules", RULES)
    assert report.count(b'"type":"finding"') == 1
    assert used < LIMIT


def test_one_line_of_a_gigabyte() -> None:
    used, report = stream(b'{"a":"nothing","b":[1,2,3]},' * 37500, 1024, LAST)
    assert b'"line":2,"column":3' in report
    assert used < LIMIT


def test_a_stream_that_is_nothing_but_beginnings() -> None:
    """Heads of the longest rule without end, each of which waits for its 16 KiB."""
    begun = b"-----BEGIN " + b"RSA PRIVATE KEY-----\n"
    used, report = stream(begun * 5000, 20, LAST, "--rules", RULES)
    assert KEY.encode() in report
    assert used < LIMIT
