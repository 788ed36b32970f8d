"""Workers: the same report in the same order as without, and what happens when one dies."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from commands import ANTHROPIC, COMMAND, KEY, RULES, SUPABASE, Done, scan, secret
from material import sample_of

from detector.run.run import HEAD_START
from detector.run.work import PIECE

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")


def large(path: Path, end: bytes) -> int:
    """A plain file of eight pieces, with secrets around every place where it is cut."""
    line = b"INSERT INTO messages VALUES (17, 'nothing to see here, please move on')" + end
    filler = line * (PIECE // len(line) + 1)
    keys = [sample_of("private-key", 1).text, secret(KEY), secret(ANTHROPIC)]
    planted = 0
    with path.open("wb") as file:
        for number in range(1, 8):
            cut = number * PIECE
            for before, key in ((3000, keys[0]), (900 if number % 2 else 1200, keys[0])):
                file.write(filler[: cut - before - file.tell()] + end + key + end)
                planted += 1
            for key in (keys[1], keys[2]):
                file.write(b"k='" + key + b"'" + end)
                planted += 1
            # One that the cut goes through, or that begins or ends there.
            if (room := cut - number * 10 - file.tell()) > 0:
                file.write(filler[:room] + b" " + secret(SUPABASE) + end)
                planted += 1
        file.write(filler[: PIECE // 4])
    return planted


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(5):
            file.writestr(f"{number}.txt", b"\n" * number + b"k=" + secret(KEY, number))
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("parallel")
    for number in range(600):
        (root / f"a{number:03}.txt").write_bytes(
            b"\n" * (number % 3) + secret(KEY, number % 9) + b" "
        )
    (root / "b.zip").write_bytes(archive())
    (root / "c.gz").write_bytes(gzip.compress(archive() + b"\n" + secret(KEY)))
    (root / "d.txt").write_bytes(("Zoë 😀\r\n" + secret(KEY).decode()).encode("utf-16"))
    large(root / "e.sql", b"\n")
    (root / "f.txt").write_bytes(secret(KEY) + b"\r\n")
    (root / "g.gz").write_bytes(gzip.compress(random.Random(1).randbytes(9999))[:5000])
    large(root / "h.sql", b"\r\n")
    (root / "i.txt").write_bytes(secret(KEY) + b"\n")
    return root


def start(*paths: Path, jobs: int = 2) -> subprocess.Popen[bytes]:
    """A scan that has used up its head start, so that workers read the ``paths``."""
    arguments = ["scan", "--format", "jsonl", "--rules", RULES, "--jobs", str(jobs), "-"]
    pipe = subprocess.PIPE
    command = [*COMMAND, *arguments, *map(str, paths)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"k=" + secret(KEY) + b"\n")
    process.stdin.flush()
    process.stdout.readline()  # the run has begun
    time.sleep(HEAD_START)
    process.stdin.close()
    process.stdin = None
    return process


def report(*paths: Path, jobs: int) -> Done:
    with start(*paths, jobs=jobs) as process:
        out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err.decode())


def without_time(done: Done) -> list[str]:
    return sorted(json.dumps(line | {"seconds": 0}, sort_keys=True) for line in done.lines)


def test_the_report_does_not_depend_on_the_number_of_workers(folder: Path) -> None:
    alone, together = (report(folder, jobs=jobs) for jobs in (1, 2))
    assert alone.status == together.status == 2  # one archive is cut short
    assert [line["reason"] for line in alone.skipped] == ["gzip data is truncated"]
    assert alone.summary["findings"] > 600 + 10 + 2 * 28
    assert without_time(together) == without_time(alone)
    assert together.findings == alone.findings  # in the same order
    raw = (folder / "h.sql").read_bytes()
    position, line = 0, 1
    for finding in together.findings:
        if finding["path"] == str(folder / "h.sql"):
            start = finding["start"]
            line += raw.count(b"\n", position, start)
            position = start
            assert finding["line"] == line
            assert finding["column"] == start - raw.rfind(b"\n", 0, start)


def test_a_run_that_is_soon_over_needs_no_workers(folder: Path) -> None:
    alone, together = (scan(folder / "c.gz", folder, "--jobs", jobs) for jobs in ("1", "2"))
    assert together.findings == alone.findings
    assert without_time(together) == without_time(alone)


def test_standard_input_behind_large_files(folder: Path) -> None:
    key = b"k=" + secret(SUPABASE) + b"\n"
    done = scan(folder / "e.sql", "-", folder / "f.txt", "--jobs", "2", stdin=key)
    assert [f["path"] for f in done.findings][-2:] == ["-", str(folder / "f.txt")]


def workers(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile
    return found


def wait_for_workers(process: subprocess.Popen[bytes], number: int) -> list[int]:
    until = time.monotonic() + 20
    while len(found := workers(process.pid)) < number:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    return found


@LINUX
def test_a_killed_worker_is_a_skip(folder: Path) -> None:
    with start(folder / "e.sql", folder / "f.txt") as process:
        victim = min(wait_for_workers(process, 2))
        os.kill(victim, signal.SIGSTOP)  # so that its piece is not done before it dies
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"Traceback" not in err
    lines = [json.loads(line) for line in out.splitlines()]
    (skip,) = [line for line in lines if line["type"] == "skipped"]
    assert skip["path"] == str(folder / "e.sql")
    assert skip["reason"] == "the worker died (status -9)"
    assert skip["nbytes"] == PIECE
    # Everything outside that piece is there, and on the right lines.
    rest = [line for line in lines if line["type"] == "finding"]
    whole = scan(folder / "e.sql", folder / "f.txt", "--jobs", "1").findings
    lost = [finding for finding in whole if finding not in rest]
    assert rest == [finding for finding in whole if finding not in lost]
    assert len({finding["start"] // PIECE for finding in lost}) <= 1
    assert rest[-1]["path"] == str(folder / "f.txt")


@LINUX
@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_stops_the_workers_and_reports(late: bool, folder: Path) -> None:
    with start(folder / "e.sql", folder / "f.txt") as process:
        stopped, other = wait_for_workers(process, 2)
        if late:
            os.kill(stopped, signal.SIGSTOP)  # so that the run cannot end before Ctrl-C
            time.sleep(0.5)
        for pid in (process.pid, other):  # as a terminal does
            with suppress(ProcessLookupError):  # the other may have done its part by now
                os.kill(pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == b"detector: interrupted: what was found so far follows\n"
    assert json.loads(out.splitlines()[-1])["type"] == "summary"
    assert not any(Path(f"/proc/{pid}").exists() for pid in (stopped, other))
