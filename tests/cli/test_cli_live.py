"""Pipes that stay open, pipes that close, and Ctrl-C: on real processes."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import ANTHROPIC, COMMAND, KEY, RULES, SUPABASE, secret

PATIENCE = 20  # seconds, on a machine that is busy with something else
SCAN = ["scan", "--format", "jsonl"]  # with all rules: any of them could hold back a result


class Live:
    """A running command, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.out = b""

    def give(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(self, wanted: bytes) -> None:
        """Read until ``wanted`` came; the pipe to the command stays open."""
        assert self.process.stdout is not None
        until = time.monotonic() + PATIENCE
        while wanted not in self.out:
            left = until - time.monotonic()
            assert left > 0, f"nothing came; so far: {self.out!r}"
            if select.select([self.process.stdout], [], [], left)[0]:
                got = os.read(self.process.stdout.fileno(), 1 << 16)
                assert got, f"it ended; so far: {self.out!r}"
                self.out += got

    def end(self) -> tuple[int, bytes, str]:
        out, err = self.process.communicate(timeout=PATIENCE)
        assert b"Traceback" not in err, err
        return self.process.returncode, self.out + out, err.decode()


@contextmanager
def live(*arguments: str | Path):
    pipe = subprocess.PIPE
    command = [*COMMAND, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        yield Live(process)
    finally:
        process.kill()
        process.communicate()


def types(out: bytes) -> list[str]:
    return [json.loads(line)["type"] for line in out.splitlines()]


@pytest.mark.parametrize("wait_first", [False, True])
def test_a_key_in_a_pipe_that_stays_open_is_printed_at_once(wait_first: bool) -> None:
    with live(*SCAN, "-") as command:
        if wait_first:
            command.give(b"starting\n")
            time.sleep(1)
        for rule in (KEY, SUPABASE, ANTHROPIC):
            command.give(b"the next key is " + secret(rule) + b" for you\n")
            command.wait_for(b'"rule":"%s"' % rule.encode())
        assert types(command.out) == ["finding"] * 3
        assert command.process.poll() is None
        status, out, err = command.end()
    assert (status, err) == (1, "")
    assert types(out)[-1] == "summary"


def test_a_named_pipe_is_live_too(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with live(*SCAN, path) as command, path.open("wb", buffering=0) as fifo:
        fifo.write(b"k=" + secret(KEY) + b"\n")
        command.wait_for(KEY.encode())


def test_ctrl_c_reports_what_was_found_so_far() -> None:
    with live(*SCAN, "-") as command:
        command.give(b"k=" + secret(KEY) + b"\n")
        command.wait_for(KEY.encode())
        command.process.send_signal(signal.SIGINT)
        status, out, err = command.end()
    assert status == 2
    assert types(out) == ["finding", "summary"]
    assert "interrupted" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("format", ["text", "sarif"])
def test_a_report_that_is_whole_only_at_the_end_comes_after_ctrl_c(
    format, number, tmp_path
) -> None:
    path = tmp_path / "fifo"  # opened once the command is there to read it
    os.mkfifo(path)
    report = tmp_path / "report"
    arguments = ["scan", "--format", format, "--rules", RULES, "--output", report, path]
    with live(*arguments) as command, path.open("wb", buffering=0) as fifo:
        fifo.write(b"k=" + secret(KEY) + b"\n" + b"." * (2 << 20))  # returns once it was read
        command.process.send_signal(number)
        status, _, err = command.end()
    assert status == 2
    assert "interrupted" in err
    text = report.read_text()
    assert re.search(rf"{KEY}|personal access token", text)
    if format == "sarif":
        (run,) = json.loads(text)["runs"]
        assert [result["ruleId"] for result in run["results"]] == [KEY]


@pytest.mark.parametrize("delay", [0.06, 0.12, 0.2])
def test_ctrl_c_while_it_starts_is_2(delay: float) -> None:
    with live(*SCAN, "-") as command:
        time.sleep(delay)
        command.process.send_signal(signal.SIGINT)
        out, _ = command.process.communicate(timeout=PATIENCE)
    # Before Python itself is up, the signal ends it in Python's own way.
    assert command.process.returncode in (2, 1, -signal.SIGINT)
    assert b"finding" not in out


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_bytes(b"".join(b"k=" + secret(KEY, n) + b"\n" for n in range(3000)))
    shell = f"{' '.join(COMMAND)} {' '.join(SCAN)} {path} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, check=False)
    first, status = done.stdout.splitlines()
    assert json.loads(first)["rule"] == KEY
    assert int(status) in (0, 1)
    assert done.stderr == b""


def test_redact_passes_text_on_at_once() -> None:
    with live("redact") as command:
        command.give(b"good morning\n")
        command.wait_for(b"good morning\n")
        command.give(b"the key is " + secret(KEY) + b", take it\n")
        command.wait_for(b"the key is [redacted:github-pat], take it\n")
        command.give(b"bye")
        status, out, err = command.end()
    assert status == 0
    assert out == b"good morning\nthe key is [redacted:github-pat], take it\nbye"
    assert err == "detector: replaced 1: github-pat 1\n"


def test_redact_holds_back_what_may_become_a_secret() -> None:
    with live("redact") as command:
        command.give(b"first line\nthe key is " + secret(KEY)[:20])
        command.wait_for(b"first line\n")
        time.sleep(0.3)
        command.give(secret(KEY)[20:] + b"\n")
        command.wait_for(b"[redacted:github-pat]\n")
        assert secret(KEY)[:12] not in command.out


def test_ctrl_c_while_redacting_lets_nothing_out() -> None:
    with live("redact") as command:
        command.give(b"line\nthe key is " + secret(KEY)[:30])
        command.wait_for(b"line\n")
        command.process.send_signal(signal.SIGINT)
        status, out, _ = command.end()
    assert status == 2
    assert secret(KEY)[:12] not in out
