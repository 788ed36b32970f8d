"""Files that change, vanish or grow while they are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from material import sample_of

from detector.rules import RuleSet
from detector.run import Options, Run, work
from detector.scanner import Scanner
from detector.types import Finding, Skipped

KEY = sample_of("github-pat").text


@pytest.fixture(scope="module")
def few() -> Scanner:
    return Scanner(RuleSet.builtin().select("github-pat"))


def begun(few: Scanner, *paths: Path) -> tuple[Run, object]:
    """A run that has given its first finding and goes on when asked."""
    run = Run(few, [str(path) for path in paths], Options(jobs=1))
    items = iter(run)
    assert isinstance(next(items), Finding)
    return run, items


def test_a_file_that_grows_is_read_to_its_end(few: Scanner, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"k=" + KEY + b"\n" + b"." * (5 << 20))
    run, items = begun(few, path)
    with path.open("ab") as file:
        file.write(b"\nk=" + KEY + b"\n")
    (finding,) = items
    assert finding.line == 3
    assert run.summary.bytes_scanned == path.stat().st_size
    assert run.summary.bytes_skipped == 0


def test_a_file_that_shrinks_is_a_skip(few: Scanner, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"k=" + KEY + b"\n" + b"." * (5 << 20))
    size = path.stat().st_size
    run, items = begun(few, path)
    os.truncate(path, 3 << 20)
    (skip,) = items
    assert isinstance(skip, Skipped)
    assert skip.reason == "became shorter while it was read"
    assert run.summary.bytes_scanned + run.summary.bytes_skipped == size


def test_a_file_that_vanishes_is_a_skip(few: Scanner, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"k=" + KEY + b"\n")
    _, items = begun(few, tmp_path)
    (tmp_path / "b").unlink()
    skip, finding = items
    assert skip.path == str(tmp_path / "b")
    assert skip.reason == "cannot be opened: No such file or directory"
    assert finding.path == str(tmp_path / "c")


def test_a_pipe_in_a_files_place_does_not_hang(few: Scanner, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"k=" + KEY + b"\n")
    _, items = begun(few, tmp_path)
    (tmp_path / "b").unlink()
    os.mkfifo(tmp_path / "b")
    (skip,) = items
    assert skip.reason == "cannot be opened: no longer a regular file"


def test_a_mistake_of_the_program_costs_one_file(
    few: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"k=" + KEY + b"\n")
    real = work.open_entries

    def broken(file, limits):
        if file.path.endswith("b"):
            raise LookupError(KEY)
        return real(file, limits)

    monkeypatch.setattr(work, "open_entries", broken)
    first, skip, last = Run(few, [str(tmp_path)], Options(jobs=1))
    assert (first.path[-1], last.path[-1]) == ("a", "c")
    assert skip == Skipped(
        path=str(tmp_path / "b"), reason="internal error: LookupError", nbytes=len(KEY) + 3
    )
    monkeypatch.setenv("DETECTOR_DEBUG", "1")
    with pytest.raises(LookupError):
        list(Run(few, [str(tmp_path)], Options(jobs=1)))
