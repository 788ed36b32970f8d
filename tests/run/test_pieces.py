"""A file scanned in pieces gives what it gives whole, wherever the cuts fall.

The pieces go through the same functions as in the workers, in this process, so that many
cuts can be tried; ``test_parallel`` does it with real workers.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import sample_of

from detector.rules import RuleSet
from detector.run import Options, Run
from detector.run import run as run_module
from detector.run.work import scan_unit
from detector.scanner import Scanner
from detector.types import Finding, Skipped

CHOSEN = "github-pat,anthropic-api-key,private-key,private-key-truncated,postgres-url,jwt,aws"
TOKENS = ("github-pat", "anthropic-api-key", "private-key", "postgres-url", "jwt")


class Here:
    """A pool without processes."""

    def __init__(self, scanner, _jobs, limits, owners=None) -> None:
        self.scanner, self.limits, self.owners = scanner, limits, owners

    def __enter__(self):
        return self

    def __exit__(self, *_exc) -> None: ...

    def map(self, units):
        for unit in units:
            for result in scan_unit(self.scanner, unit, self.limits, self.owners):
                yield unit, result


@pytest.fixture(scope="module")
def few() -> Scanner:
    return Scanner(RuleSet.builtin().select(CHOSEN))


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch) -> None:
    monkeypatch.setattr("detector.run.workers.Pool", Here)
    monkeypatch.setattr(run_module, "HEAD_START", 0)


def results(scanner: Scanner, path: Path, piece: int | None) -> list[Finding | Skipped]:
    if piece is None:
        return list(Run(scanner, [str(path)], Options(jobs=1)))
    before, run_module.PIECE = run_module.PIECE, piece
    try:
        run = Run(scanner, [str(path)], Options(jobs=2))
        found = list(run)
        assert run.summary.bytes_read == run.summary.bytes_scanned == path.stat().st_size
        return found
    finally:
        run_module.PIECE = before


def pieces(scanner: Scanner, path: Path, piece: int) -> None:
    whole = results(scanner, path, None)
    assert whole
    assert results(scanner, path, piece) == whole


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" "], ids=["LF", "CRLF", "one line"])
@pytest.mark.parametrize("rule", TOKENS)
def test_a_token_across_a_cut(rule: str, end: bytes, few: Scanner, tmp_path: Path) -> None:
    """The same token slides over the cut, byte by byte where it matters."""
    token = b"x: " + sample_of(rule).text + end
    piece = 100_000
    near = [*range(8), len(token) // 2, *range(len(token) - 8, len(token) + 3)]
    filler = (b"some words, and more of them" + end) * (piece // 20)
    data = bytearray()
    for number, before in enumerate(near, 1):
        data += filler[: piece * number - before - len(data)]
        data += token
    path = tmp_path / "file"
    path.write_bytes(data + filler)
    found = results(few, path, None)
    assert len(found) == len(near)
    assert results(few, path, piece) == found


@given(data=st.data())
def test_any_cut(data: st.DataObject, few: Scanner, tmp_path_factory) -> None:
    word = st.sampled_from([b"word ", b"\n", b"\r\n", b"=" * 700, b'"', b"-----", b"x" * 9000])
    token = st.builds(sample_of, st.sampled_from(TOKENS), st.integers(0, 9)).map(lambda s: s.text)
    parts = data.draw(st.lists(st.one_of(word, token), min_size=5, max_size=60))
    raw = b"".join(parts) + b"\n" + sample_of("github-pat").text + b"\n"
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(raw * 3)
    pieces(few, path, data.draw(st.integers(max(1, len(raw) // 9), len(raw))))


def test_many_small_files_go_in_groups(few: Scanner, tmp_path: Path) -> None:
    for number in range(700):
        lines = b"\n" * (number % 5) + sample_of("github-pat", number % 7).text
        (tmp_path / f"{number:04}").write_bytes(lines)
    whole = results(few, tmp_path, None)
    assert len(whole) == 700
    assert list(Run(few, [str(tmp_path)], Options(jobs=2))) == whole


def test_a_file_that_shrinks_between_the_pieces(few: Scanner, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"k=" + sample_of("github-pat").text + b"\n" + b"." * 400_000)
    run_module.PIECE, before = 100_000, run_module.PIECE
    try:
        run = Run(few, [str(path)], Options(jobs=2))
        items = iter(run)
        assert isinstance(next(items), Finding)
        with path.open("r+b") as file:
            file.truncate(150_000)
        rest = list(items)
    finally:
        run_module.PIECE = before
    assert all(isinstance(item, Skipped) for item in rest)
    assert {item.reason for item in rest} == {"became shorter while it was read"}
    assert run.summary.bytes_scanned + run.summary.bytes_skipped == 400_000 + 43
