"""Input and output that is broken, hostile or gone: reported, never a traceback, never a hang."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from commands import ANTHROPIC, COMMAND, KEY, RULES, SUPABASE, run, scan, secret

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc or /dev/full")
SECRETS = [secret(rule) for rule in (KEY, ANTHROPIC, SUPABASE)]


def text() -> bytes:
    return b"a=%s\n" % secret(KEY) + b"." * 5000 + b"\nb=%s\n" % secret(ANTHROPIC)


def noise(nbytes: int) -> bytes:
    return random.Random(7).randbytes(nbytes)


def check_silent(done) -> None:
    assert not any(value in done.out + done.err.encode() for value in SECRETS)


def test_a_missing_path_does_not_stop_the_rest(dump: Path, tmp_path: Path) -> None:
    done = scan(tmp_path / "gone", dump)
    assert done.status == 2
    (skip,) = done.skipped
    assert skip["path"] == str(tmp_path / "gone")
    assert skip["reason"] == "cannot be read: No such file or directory"
    assert f"skipped {tmp_path / 'gone'}" in done.err
    assert len(done.findings) == 2


@LINUX
def test_an_input_error_is_a_skip(dump: Path) -> None:
    # A regular file whose first read fails, for whoever reads.
    done = scan("/proc/self/mem", dump)
    assert done.status == 2
    assert [skip["path"] for skip in done.skipped] == ["/proc/self/mem"]
    assert len(done.findings) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_skip(dump: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.write_bytes(b"x")
    locked.chmod(0)
    done = scan(locked, dump)
    assert done.status == 2
    assert done.skipped[0]["reason"] == "cannot be opened: Permission denied"
    assert len(done.findings) == 2


def test_an_empty_file_and_an_empty_folder_are_complete(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    done = scan(tmp_path, tmp_path / "folder")
    assert (done.status, done.err) == (0, "")
    assert done.summary["bytes_scanned"] == 0
    assert scan("-", stdin=b"").status == 0


def test_a_binary_blob_is_scanned_as_it_lies(tmp_path: Path) -> None:
    blob = noise(300_000) + b"\0" + secret(KEY) + b"\0" + noise(300_000)
    (tmp_path / "blob").write_bytes(blob)
    (finding,) = scan(tmp_path / "blob").findings
    assert blob[finding["start"] : finding["end"]] == secret(KEY)


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_a_truncated_gzip_gives_what_is_there(keep: float, tmp_path: Path) -> None:
    packed = gzip.compress(b"a=" + secret(KEY) + b"\n" + noise(200_000))
    path = tmp_path / "dump.sql.gz"
    path.write_bytes(packed[: int(len(packed) * keep)])
    done = scan(path)
    assert done.status == 2
    assert [f["rule"] for f in done.findings] == [KEY]
    assert done.skipped[0]["reason"] == "gzip data is truncated"
    check_silent(done)


def test_a_truncated_tar_gives_what_is_there(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("a", text()), ("b", noise(50_000))):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    path = tmp_path / "x.tar"
    path.write_bytes(out.getvalue()[:30_000])
    done = scan(path)
    assert done.status == 2
    assert [f["path"] for f in done.findings] == [f"{path}!a"] * 2
    assert done.skipped[0]["path"] == f"{path}!b"
    assert done.skipped[0]["nbytes"] > 0


def test_a_zip_bomb_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("before.txt", text())
        archive.writestr("zeros", bytes(300 << 20))
        archive.writestr("after.txt", text())
    assert path.stat().st_size < 400_000
    done = scan(path)
    assert done.status == 2
    assert "expands more than" in done.skipped[0]["reason"]
    assert done.summary["bytes_scanned"] < 100 << 20
    assert done.findings[0]["path"] == f"{path}!before.txt"


@LINUX
@pytest.mark.parametrize("to_stdout", [False, True])
def test_a_full_disk_is_2(to_stdout: bool, dump: Path) -> None:
    command = [*COMMAND, "scan", "--format", "jsonl", "--rules", RULES, dump]
    if not to_stdout:
        command += ["--output", "/dev/full"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, stdout=full if to_stdout else None, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.stderr.count(b"\n") == 1


@LINUX
def test_redact_of_unreadable_input_is_2() -> None:
    done = run("redact", "--rules", RULES, "/proc/self/mem")
    assert (done.status, done.out) == (2, b"")
    assert "cannot be read: Input/output error" in done.err


def test_names_cannot_forge_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "x\n\x1b[2Jforged"
    folder.mkdir()
    (folder / "a").write_bytes(text())
    (folder / os.fsdecode(b"\xff")).write_bytes(text())
    for format in ("text", "jsonl", "sarif"):
        done = run("scan", "--format", format, "--rules", RULES, tmp_path, folder / "gone")
        assert done.status == 2
        assert "\x1b" not in done.err
        assert b"\x1b" not in done.out
        assert "\nforged" not in done.err
        check_silent(done)


def test_an_internal_error_does_not_show_data(dump: Path) -> None:
    code = (
        "import sys, detector.cli.scan as module\n"
        "def broken(*arguments, **options): raise LookupError(open(sys.argv[2], 'rb').read())\n"
        "module.make_sink = broken\n"
        "from detector.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", dump], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == b"detector: internal error: LookupError (DETECTOR_DEBUG=1 shows where)\n"
    assert done.stdout == b""


def test_no_claims_of_a_secret_in_a_report(dump: Path) -> None:
    done = scan(dump, "--stats", "--progress")
    check_silent(done)
    assert json.loads(done.out.splitlines()[0])["claims"] == {}
