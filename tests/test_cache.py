"""The cache is taken only if it is ours and whole; otherwise it is as if there were none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import KEY, run, secret

from detector import _cache

DATA = b"derived from the rules" * 100


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    where = tmp_path / "cache"
    monkeypatch.setenv("DETECTOR_CACHE_DIR", str(where))
    _cache._default_folder.cache_clear()
    yield where
    _cache._default_folder.cache_clear()


def test_what_is_stored_is_loaded(folder: Path) -> None:
    assert _cache.load("one") is None
    _cache.store("one", DATA)
    assert _cache.load("one") == DATA
    assert _cache.load("two") is None
    assert [path.name for path in folder.iterdir()] == ["one"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "one").stat().st_mode & 0o777 == 0o600


def test_empty_is_something_too(folder: Path) -> None:
    _cache.store("one", b"")
    assert _cache.load("one") == b""


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:10],
        lambda raw: raw[:-1],
        lambda raw: raw + b"x",
        lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
        lambda raw: bytes([raw[0] ^ 1]) + raw[1:],
        lambda raw: raw[:20] + bytes([raw[20] ^ 1]) + raw[21:],
        lambda raw: b"something else entirely",
    ],
)
def test_a_damaged_file_is_ignored_and_written_anew(damage, folder: Path) -> None:
    _cache.store("one", DATA)
    (folder / "one").write_bytes(damage((folder / "one").read_bytes()))
    assert _cache.load("one") is None
    _cache.store("one", DATA)
    assert _cache.load("one") == DATA


def test_a_file_under_another_key_is_ignored(folder: Path) -> None:
    _cache.store("one", DATA)
    (folder / "one").rename(folder / "two")
    assert _cache.load("two") is None


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_a_file_that_others_can_write_to_is_ignored(mode: int, folder: Path) -> None:
    _cache.store("one", DATA)
    (folder / "one").chmod(mode)
    assert _cache.load("one") is None
    _cache.store("one", DATA)
    assert _cache.load("one") == DATA
    assert (folder / "one").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_can_write_to_is_ignored(folder: Path) -> None:
    _cache.store("one", DATA)
    folder.chmod(0o777)
    assert _cache.load("one") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_ignored(folder: Path) -> None:
    _cache.store("one", DATA)
    os.chown(folder / "one", 12345, 12345)
    assert _cache.load("one") is None
    _cache.store("one", DATA)
    os.chown(folder, 12345, 12345)
    assert _cache.load("one") is None


def test_what_an_interrupted_writer_left_is_no_obstacle(folder: Path) -> None:
    _cache.store("one", DATA)
    (folder / f".two.{os.getppid()}").write_bytes(b"half")
    _cache.store("two", DATA)
    assert _cache.load("two") == DATA


@pytest.mark.parametrize("place", ["/dev/null/x", "file"])
def test_a_place_that_cannot_be_written_is_no_error(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    monkeypatch.setenv("DETECTOR_CACHE_DIR", str(tmp_path / place))
    _cache._default_folder.cache_clear()
    _cache.store("one", DATA)
    assert _cache.load("one") is None
    _cache._default_folder.cache_clear()


def test_the_command_with_a_cold_a_warm_a_damaged_and_no_cache(tmp_path: Path) -> None:
    where = tmp_path / "cache"
    text = b"k=" + secret(KEY) + b"\n"

    def scan(folder: Path) -> bytes:
        env = {**os.environ, "DETECTOR_CACHE_DIR": str(folder)}
        done = run("scan", "-", "--format", "jsonl", "--rules", "github", stdin=text, env=env)
        assert (done.status, done.err) == (1, "")
        return done.out.splitlines()[0]

    cold = scan(where)
    files = sorted(where.iterdir())
    assert len(files) >= 2  # the rules, and what the engine made of them
    assert scan(where) == cold
    for path in files:
        assert secret(KEY) not in path.read_bytes()
        path.write_bytes(path.read_bytes()[:-9])
    assert scan(where) == cold
    assert sorted(where.iterdir()) == files
    assert scan(Path("/dev/null/x")) == cold
