"""``detector redact``."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from commands import ANTHROPIC, KEY, RULES, run, secret


def redact(*arguments: str | Path, stdin: bytes = b""):
    return run("redact", "--rules", RULES, *arguments, stdin=stdin)


TEXT = b"a=%s\r\nb='%s'\n\xff\x00c=%s" % (secret(KEY), secret(ANTHROPIC), secret(KEY))


def replaced(first: bytes, second: bytes) -> bytes:
    return b"a=%s\r\nb='%s'\n\xff\x00c=%s" % (first, second, first)


def test_only_secrets_change() -> None:
    done = redact(stdin=TEXT)
    assert done.status == 0
    assert done.out == replaced(b"[redacted:github-pat]", b"[redacted:anthropic-api-key]")
    assert done.err == "detector: replaced 3: github-pat 2, anthropic-api-key 1\n"


def test_a_file_into_a_file(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(TEXT)
    done = redact(source, "--output", target)
    assert (done.status, done.out) == (0, b"")
    assert target.read_bytes() == redact(stdin=TEXT).out
    assert source.read_bytes() == TEXT


def test_stars_keep_the_length() -> None:
    done = redact("--mask", "stars", stdin=TEXT)
    assert done.out == replaced(b"*" * len(secret(KEY)), b"*" * len(secret(ANTHROPIC)))


def test_pseudonyms_are_equal_for_equal_secrets() -> None:
    done = redact("--mask", "pseudonym", stdin=TEXT)
    first, last = done.out.split(b"\r\n")[0][2:], done.out.split(b"\x00c=")[1]
    assert first == last
    assert first.startswith(b"[github-pat:")
    assert b"[anthropic-api-key:" in done.out


def test_nothing_to_redact_is_the_same_bytes(tmp_path: Path) -> None:
    raw = bytes(range(256)) * 5000
    done = redact(stdin=raw)
    assert (done.status, done.err) == (0, "")
    assert done.out == raw


def test_utf_16_stays_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "wide"
    path.write_bytes(("\ufeffZoë: " + secret(KEY).decode() + " 😀\r\n").encode("utf-16-le"))
    done = redact(path)
    assert done.out.decode("utf-16-le") == "\ufeffZoë: [redacted:github-pat] 😀\r\n"


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", TEXT)
    return out.getvalue()


@pytest.mark.parametrize("packed", [gzip.compress(TEXT), zipped()], ids=["gzip", "zip"])
def test_what_is_packed_is_refused(packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    path.write_bytes(packed)
    done = redact(path)
    assert (done.status, done.out) == (2, b"")
    assert "unpack it first" in done.err


def test_wrong_use(tmp_path: Path) -> None:
    for path, says in ((tmp_path, "folder"), (tmp_path / "gone", "No such file")):
        done = redact(path)
        assert (done.status, done.out) == (2, b"")
        assert says in done.err
    assert redact("--mask", "paint").status == 2


def test_onto_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(TEXT)
    done = redact(path, "--output", path)
    assert done.status == 2
    assert path.read_bytes() == TEXT
