"""``detector findings label``, with answers through a pipe; and what training reads of it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from commands import Done, run, secret

from models.extra import of_findings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with two passwords and a token of a known format; and one in an archive."""
    folder = tmp_path / "project"
    folder.mkdir()
    first, second, third = (secret("github-pat", seed)[4:18].decode() for seed in range(3))
    (folder / "a.env").write_text(f"DB_PASSWORD={first}\nSMTP_PASSWORD={second}\n")
    (folder / "b.txt").write_bytes(b"token: " + secret("github-pat") + b"\n")
    (folder / "c.env").write_text(f"API_SECRET={third}\n")
    with tarfile.open(folder / "d.tar", "w") as archive:
        archive.add(folder / "c.env", "c.env")
    (folder / "c.env").unlink()
    return folder


@pytest.fixture
def report(project: Path) -> Path:
    path = project.parent / "found.jsonl"
    few = ("--rules", "generic,github")
    options = ("--format", "jsonl", "--precision", "recall", "--explain")
    done = run("scan", *few, *options, "--output", path, project)
    assert (done.status, done.err) == (1, "")
    return path


def label(report: Path, answers: str, *arguments: str | Path) -> Done:
    return run("findings", "label", report, *arguments, stdin=answers.encode())


def labels(path: Path) -> list[bool | None]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [line.get("label") for line in lines if line["type"] == "finding"]


def test_labels_are_added_and_nothing_else_changes(report: Path) -> None:
    before = report.read_bytes()
    done = label(report, "s\nn\ns\n")
    assert done.status == 0
    assert done.out.count(b" of 3  ") == 3
    assert b"generic-password  ****(14)  " in done.out
    assert b"\n  why: " in done.out
    assert "not asked about: 1 finding of rules" in done.err
    assert "3 labels: 2 secret, 1 not; 0 left" in done.err
    after = report.read_bytes()
    assert after.replace(b',"label":true', b"").replace(b',"label":false', b"") == before
    assert labels(report) == [True, False, None, True]


def test_stopping_and_going_on(report: Path) -> None:
    for answers in ("s\n", "s\nq\n", "S\n q \n"):  # an end of input is a q
        text = report.read_bytes()
        assert label(report, answers).status == 0
        assert labels(report)[0] is True
        report.write_bytes(text)
    label(report, "s\nk\n")
    done = label(report, "n\n")
    assert b"1 of 2  " in done.out
    assert labels(report) == [True, False, None, None]
    label(report, "s\n")
    assert b" of " not in label(report, "").out


def test_undo_asks_again(report: Path) -> None:
    label(report, "u\ns\ns\nu\nn\nhuh\n\nq\n")
    assert labels(report) == [True, False, None, None]


def test_another_file_to_write_to_can_be_gone_on_with(report: Path) -> None:
    before, out = report.read_bytes(), report.with_name("labelled.jsonl")
    label(report, "s\n", "--out", out)
    label(report, "n\n", "--output", out)
    assert labels(out) == [True, False, None, None]
    assert report.read_bytes() == before
    other = report.with_name("other.jsonl")
    other.write_bytes(b"\n".join(before.splitlines()[1:]) + b"\n")
    done = label(report, "s\n", "--out", other)
    assert (done.status, done.out) == (2, b"")
    assert "is of another scan" in done.err


def test_raw_lines_are_shown_only_when_asked_for(report: Path, project: Path) -> None:
    values = (project / "a.env").read_bytes().splitlines()
    hidden, shown = label(report, ""), label(report, "k\nk\nk\n", "--show-secrets")
    assert values[0] not in hidden.out
    assert all(value in shown.out for value in values)
    assert b"API_SECRET=" in shown.out  # inside the archive
    (project / "a.env").unlink()
    gone = label(report, "", "--show-secrets")
    assert b"not there any more as it was found" in gone.out


def test_a_report_with_raw_values_is_masked(project: Path) -> None:
    path = project.parent / "raw.jsonl"
    run("scan", "--format", "jsonl", "--show-secrets", "--output", path, project / "a.env")
    value = (project / "a.env").read_bytes().splitlines()[0].partition(b"=")[2]
    assert value in path.read_bytes()
    done = label(path, "s\n")
    assert value not in done.out
    assert b"****(14)" in done.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"no json\n", ":1: no line of"),
        (b'{"type":"summary"}\n[]\n', ":2: no line of"),
        (b'{"type":"finding","rule":"x"}\n', ":1: no line of"),
        (b'{"type":"finding","rule":"\xff"}\n', ":1: no line of"),
    ],
)
def test_what_is_no_report(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    done = label(path, "s\n")
    assert (done.status, done.out) == (2, b"")
    assert says in done.err
    if content is not None:
        assert path.read_bytes() == content


def test_what_training_reads_of_it(report: Path, project: Path) -> None:
    label(report, "s\nn\ns\n")
    said: list[str] = []
    examples = list(of_findings(report, said.append))
    assert [example.label for example in examples] == [1, 0, 1]
    for example in examples:
        assert example.before.endswith((b"DB_PASSWORD=", b"SMTP_PASSWORD=", b"API_SECRET="))
        assert len(example.value) == 14
        assert example.after[:1] == b"\n"
    assert examples[2].path == f"{project / 'd.tar'}!c.env"
    assert said == []
    first, *rest = (project / "a.env").read_bytes().splitlines(keepends=True)
    (project / "a.env").write_bytes(first.swapcase() + b"".join(rest))
    (project / "d.tar").unlink()
    assert [example.label for example in of_findings(report, said.append)] == [0]
    assert [line.partition(":")[2].partition(":")[0] for line in said] == ["1", "4"]
    assert all("as it was found" in line for line in said)


def test_what_training_cannot_use_is_said(report: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in report.read_bytes().splitlines()]
    for line in lines:
        line["label"] = True
    lines[0]["path"] = "-"
    report.write_text("".join(json.dumps(line) + "\n" for line in lines))
    said: list[str] = []
    assert len(list(of_findings(report, said.append))) == 2
    assert "standard input cannot be read again" in said[0]
    assert "does not judge github-pat" in said[1]
    with pytest.raises(ValueError, match="cannot be read"):
        list(of_findings(tmp_path / "gone"))


def test_a_compressed_file_and_a_path_from_elsewhere(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    packed = project / "a.env.gz"
    packed.write_bytes(gzip.compress((project / "a.env").read_bytes()))
    monkeypatch.chdir(project)
    run("scan", "--format", "jsonl", "--output", "found.jsonl", packed.name)
    label(project / "found.jsonl", "s\ns\n")
    monkeypatch.chdir(tmp_path)
    examples = list(of_findings(project / "found.jsonl", pytest.fail))
    assert [example.label for example in examples] == [1, 1]
    assert {example.group for example in examples} == {"own a.env.gz"}
