"""Runs one command and tells what it cost: ``launch.py SECONDS COMMAND…``, one JSON object.

A process of its own, because on Linux a program's peak memory starts from that of whoever
started it, and the bench itself may hold a large truth in memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time


def main() -> None:
    limit, command = float(sys.argv[1]), sys.argv[2:]
    began = time.perf_counter()
    # The report is a file; what is said beside it may hold secrets and is dropped.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, limit)
    _, code, used = os.wait4(process.pid, 0)
    answer = {
        "seconds": time.perf_counter() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "status": os.waitstatus_to_exitcode(code),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
