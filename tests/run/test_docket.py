"""Files that wait for each other before the model: few calls, and nothing else changes."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from commands import COMMAND
from material import builtin_rules, builtin_scanner, sample_of

from detector.batch import JUDGED
from detector.classifier import Classifier
from detector.entropy import Floats
from detector.features import Candidates
from detector.run import Options, Run, docket, work
from detector.run import run as run_module
from detector.run.unit import Unit
from detector.scanner import Scanner
from detector.sources import FileRef, Limits
from detector.types import Finding, Skipped

FILES = 400
BAD = "no-Model-c4n-take-this"


class Watched:
    """The model, which says how often it was asked, and fails on one value."""

    def __init__(self) -> None:
        self.model = Classifier.builtin()
        self.lookups = self.model.lookups
        self.asked: list[int] = []

    def __call__(self, candidates: Candidates) -> Floats:
        if BAD.encode() in candidates.values:
            raise ArithmeticError
        self.asked.append(len(candidates.values))
        return self.model(candidates)


def text_of(number: int) -> bytes:
    """A password, or a token with a format, or both, overlapping or not, or neither."""
    rng = random.Random(number)
    password = f'db_password = "{rng.randbytes(6).hex()}T!"\n'.encode()
    word = b'password = "changeme"\n'
    token = sample_of("github-pat", number % 5).text
    lines = b"nothing to see here\n" * rng.randrange(9)
    kinds = (password, token + b"\n", lines, b"api_key = '" + token + b"'\n", word + password)
    return lines + kinds[number % 5] + kinds[number * 7 // 5 % 5] + lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("docket")
    for number in range(FILES):
        (root / f"{number:03}.conf").write_bytes(text_of(number))
    (root / "100.txt").write_bytes(text_of(4).decode().encode("utf-16"))
    (root / "200.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(50):
            file.writestr(f"{number}.conf", text_of(number))
    (root / "300.zip").write_bytes(archive.getvalue())
    return root


def one_by_one(folder: Path) -> Iterator[Finding | Skipped]:
    for path in sorted(folder.iterdir()):
        yield from Run(builtin_scanner(), [str(path)])


def test_the_report_is_that_of_each_file_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = list(one_by_one(folder))
    plain = [path for path in sorted(folder.iterdir()) if path.suffix == ".conf"]
    found = [f for p in plain for f in builtin_scanner().scan(p.read_bytes(), path=str(p))]
    assert [f for f in alone if f.path.endswith(".conf") and "!" not in f.path] == found
    assert len(found) > FILES
    assert len([f for f in alone if "!" in f.path]) > 50
    assert list(Run(builtin_scanner(), [str(folder)])) == alone
    monkeypatch.setattr(run_module, "HEAD_START", 0)
    assert list(Run(builtin_scanner(), [str(folder)], Options(jobs=2))) == alone


def test_many_files_are_few_calls(folder: Path) -> None:
    model = Watched()
    found = list(Run(Scanner(builtin_rules(), model=model), [str(folder)]))
    assert found == list(one_by_one(folder))
    assert sum(model.asked) > FILES / 2
    assert len(model.asked) <= 2 + 2 * sum(model.asked) / JUDGED


def test_documents_given_at_once_share_calls() -> None:
    model = Watched()
    texts = [text_of(number) for number in range(200)]
    given = Scanner(builtin_rules(), model=model).scan_many(texts)
    assert given == [builtin_scanner().scan(text) for text in texts]
    assert len(model.asked) == 1


@pytest.mark.parametrize("bound", ["MATCHES", "BYTES"])
def test_what_waits_is_bounded(bound: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(Run(builtin_scanner(), [str(folder)]))
    monkeypatch.setattr(docket, bound, 30 if bound == "MATCHES" else 5_000)
    model = Watched()
    run = Run(Scanner(builtin_rules(), model=model), [str(folder)])
    items = iter(run)
    first = list(islice(items, 5))
    assert run.summary.bytes_scanned < 20_000
    assert first + list(items) == whole
    assert max(model.asked) < JUDGED / 2


def test_a_mistake_of_the_model_costs_one_file(folder: Path, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.conf").write_bytes(text_of(number))
    bad = tmp_path / "4.conf"
    bad.write_bytes(f'db_password = "{BAD}"\n'.encode())
    items = list(Run(Scanner(builtin_rules(), model=Watched()), [str(tmp_path)]))
    reason = "internal error: ArithmeticError"
    assert [item for item in items if isinstance(item, Skipped)] == [
        Skipped(path=str(bad), reason=reason, nbytes=bad.stat().st_size)
    ]
    right = [item for item in one_by_one(tmp_path) if item.path != str(bad)]
    assert [item for item in items if isinstance(item, Finding)] == right
    assert [item.path for item in items] == sorted(item.path for item in items)


def test_a_pipe_does_not_wait() -> None:
    command = [*COMMAND, "scan", "-", "--format", "jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text_of(0) + b"and the line after it, and one more\n" * 9)
        process.stdin.flush()
        assert b'"generic-password"' in process.stdout.readline()
        process.stdin.close()


def test_a_piece_does_not_read_on_for_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.conf"
    path.write_bytes(text_of(0) + b"nothing to see here, please move on\n" * 100_000)
    read: list[int] = []
    real = work.open_range

    def watched(file: FileRef, start: int) -> Any:
        reader = real(file, start)
        readinto = reader.readinto

        def counted(view: memoryview) -> int:
            read.append(readinto(view))
            return read[-1]

        monkeypatch.setattr(reader, "readinto", counted)
        return reader

    monkeypatch.setattr(work, "open_range", watched)
    unit = Unit((FileRef(str(path), "file", path.stat().st_size),), 0, 100_000)
    results = list(work.scan_unit(builtin_scanner(), unit, Limits()))
    assert any(isinstance(result, Finding) for result in results)
    assert sum(read) <= 100_000 + 2 * work.OVERLAP
