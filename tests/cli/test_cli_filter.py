"""``detector filter``."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from pathlib import Path

import pytest
from commands import ANTHROPIC, COMMAND, KEY, RULES, Done, run, secret

CLEAN = b'{"user": "ann", "text": "all is well"}\r\n'


def filtered(*arguments: str | Path, stdin: bytes = b"") -> Done:
    return run("filter", "--rules", RULES, *arguments, stdin=stdin)


def message(rule: str = KEY, **fields: str) -> bytes:
    return json.dumps(fields | {"text": f"it is {secret(rule).decode()}"}).encode() + b"\n"


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def test_clean_messages_go_on_as_they_are() -> None:
    given = CLEAN + b"no JSON \xff\n\n" + b"without an end"
    done = filtered(stdin=given)
    assert (done.status, done.out) == (0, given)
    assert done.err == (
        "detector: 4 messages: 4 let through, 0 to be looked at, 0 redacted, 0 set apart,"
        " 0 blocked\n"
    )


def test_secrets_are_replaced_and_counted() -> None:
    done = filtered(stdin=CLEAN + message() + b"or " + secret(ANTHROPIC) + b"\n")
    assert done.status == 1
    assert done.out == (
        CLEAN + b'{"text": "it is [redacted:github-pat]"}\nor [redacted:anthropic-api-key]\n'
    )
    assert done.err.endswith(
        "2 redacted, 0 set apart, 0 blocked; github-pat 1, anthropic-api-key 1\n"
    )


def test_each_end_of_a_message(tmp_path: Path) -> None:
    rules = policy(
        tmp_path,
        "[[rules]]\nsender='ann'\naction='alert'\n[[rules]]\nsender='bob'\naction='block'\n"
        "[[rules]]\nname='ops'\nchannel='#ops'\naction='quarantine'\n",
    )
    kept = tmp_path / "kept.jsonl"
    lines = [message(user=user, channel="#x") for user in ("ann", "bob", "eve")]
    lines.append(message(user="eve", channel="#ops"))
    done = filtered(
        "--policy", rules, "--quarantine", kept, "--sender-key", "user", "--channel-key", "channel",
        stdin=b"".join(lines),
    )  # fmt: skip
    assert done.status == 1
    assert done.out == lines[0] + lines[2].replace(secret(KEY), b"[redacted:github-pat]")
    assert done.err.splitlines() == [
        "detector: message 1: to be looked at: rule 1",
        "detector: message 2: blocked: rule 2",
        "detector: message 4: set apart: rule 'ops'",
        "detector: 4 messages: 0 let through, 1 to be looked at, 1 redacted, 1 set apart, "
        "1 blocked; github-pat 4",
    ]
    (record,) = map(json.loads, kept.read_text().splitlines())
    assert record["message"].encode() + b"\n" == lines[3]
    assert (record["type"], record["number"], record["reason"]) == ("quarantined", 4, "rule 'ops'")
    assert record["findings"][0]["secret"] == "ghp_****(40)"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_cannot_be_looked_at_is_set_apart_and_told(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    deep = b"[" * 300 + b"]" * 300 + b"\n"
    done = filtered("--quarantine", kept, stdin=deep + CLEAN)
    assert (done.status, done.out) == (2, CLEAN)
    assert "message 1: set apart: the message is nested deeper than 200 levels" in done.err
    assert json.loads(kept.read_text())["message"].encode() + b"\n" == deep
    again = filtered("--quarantine", kept, stdin=deep)
    assert again.status == 2
    assert len(kept.read_text().splitlines()) == 2
    dropped = filtered(stdin=deep)
    assert (dropped.status, dropped.out) == (2, b"")
    assert "message 1: dropped, there is no --quarantine: " in dropped.err


def test_bytes_that_are_no_text_are_kept_whole(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    line = b"\xff " + secret(KEY)
    rules = policy(tmp_path, "default = 'quarantine'")
    assert filtered("--policy", rules, "--quarantine", kept, stdin=line).status == 1
    assert base64.b64decode(json.loads(kept.read_text())["base64"]) == line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_a_full_quarantine_stops_everything() -> None:
    deep = b"[" * 300 + b"]" * 300 + b"\n"
    done = filtered("--quarantine", "/dev/full", stdin=CLEAN + deep + CLEAN)
    assert (done.status, done.out) == (2, CLEAN)
    assert "No space left on device" in done.err


def test_wrong_use_is_told(tmp_path: Path) -> None:
    for arguments, told in (
        (["--policy", tmp_path / "none"], "No such file"),
        (["--policy", policy(tmp_path, "defualt = 'x'")], "unknown field `defualt`"),
        (["--quarantine", tmp_path / "no" / "folder"], "cannot be written"),
    ):
        done = filtered(*arguments, stdin=CLEAN)  # type: ignore[arg-type]
        assert (done.status, done.out) == (2, b"")
        assert told in done.err


def test_a_message_goes_on_before_the_next_one_comes() -> None:
    with subprocess.Popen(
        [*COMMAND, "filter", "--rules", RULES],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(message())
            process.stdin.flush()
            assert process.stdout.readline() == b'{"text": "it is [redacted:github-pat]"}\n'
        process.stdin.close()
        assert process.wait() == 1
