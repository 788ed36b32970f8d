"""The labelled data as training and bench see it: on made-up files, and on the real ones if
they are there."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from models import creddata
from models.creddata import Row, Unit

FILES = {
    "data/r1/src/a.py": 'user = "bob"\npassword = "Zqxkvwbt"\nagain = "Zqxkvwbt"\n',
    "data/r1/b.yml": "key: qz-wkvbxtpl-77%20\r\nother: é qzkw!2\r\n",
    "data/r2/a.py": 'password = "Zqxkvwbt"\n',
}


def label(file: str, line: int, value: str, label: str = "T", **more) -> dict:
    text = FILES[file].split("\n")[line - 1]
    start = text.find(value) if value else -1
    return {
        "repo": file.split("/")[1], "file": file, "ext": ".x", "l0": line, "l1": line,
        "label": label, "vs": start, "ve": start + len(value) if value else -1, "line": text,
        "line_off": 0, "cats": ["Password"], **more,
    }  # fmt: skip


ROWS = [
    label("data/r1/src/a.py", 1, "bob", "F"),
    label("data/r1/src/a.py", 2, "Zqxkvwbt", orig_common=True, orig_word=True),
    label("data/r1/src/a.py", 3, "Zqxkvwbt", orig_common=True, orig_word=True),
    label("data/r1/b.yml", 1, "qz-wkvbxtpl-77%20", orig_common=False, orig_word=True),
    label("data/r1/b.yml", 2, "qzkw!2", orig_common=False, orig_word=False),
    label("data/r2/a.py", 1, "Zqxkvwbt", orig_common=True, orig_word=False),
]


def put(root: Path, rows: list[dict] = ROWS) -> Path:
    split = {"r1": {"role": "train"}, "r2": {"role": "val"}}
    (root / "split.json").write_text(json.dumps(split))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (root / "units.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    with tarfile.open(root / "files.tar.gz", "w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return root


def test_roles_choose_what_is_loaded(tmp_path: Path) -> None:
    data = creddata.load(put(tmp_path), ["val"])
    assert data.roles == {"r2": "val"}
    assert list(data.files) == ["data/r2/a.py"]
    assert [row.repo for row in data.rows] == ["r2"]
    assert len(creddata.load(tmp_path).rows) == len(ROWS)


def test_data_that_is_not_there_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DETECTOR_CREDDATA", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="none: set DETECTOR_CREDDATA"):
        creddata.load()


def test_a_unit_is_true_if_any_of_its_rows_is() -> None:
    rows = [
        Row("r", "data/r/f", ".x", 1, 2, kind, -1, -1, cats, "", 0)
        for kind, cats in (("F", ("Key",)), ("T", ("Salt", "Token")), ("X", ("API",)))
    ]
    (unit,) = creddata.units(rows)
    assert unit == Unit("data/r/f", 1, 2, True, frozenset({"Salt", "Token"}))
    (unit,) = creddata.units(rows[::2])
    assert unit == Unit("data/r/f", 1, 2, False, frozenset({"Key", "API"}))


def test_values_are_put_back_in_place(tmp_path: Path) -> None:
    data = creddata.load(put(tmp_path))
    assert creddata.files(data, "published") == data.files
    files = creddata.files(data, "original")
    assert files == creddata.files(creddata.load(tmp_path), "original")
    assert files != creddata.files(data, "original", seed=2)
    for path, content in files.items():
        old, new = data.files[path].split(b"\n"), content.split(b"\n")
        assert [len(line) for line in old] == [len(line) for line in new]
    _, one, same, _ = files["data/r1/src/a.py"].split(b"\n")
    assert one.split(b'"')[1] == same.split(b'"')[1] != b"Zqxkvwbt"
    first, second, _ = files["data/r1/b.yml"].decode().split("\r\n")
    assert first.startswith("key: qz-")
    assert first.endswith("-77%20")
    assert "wkvbxtpl" not in first
    assert second == "other: é qzkw!2"


def test_a_value_that_is_not_there_is_refused(tmp_path: Path) -> None:
    wrong = ROWS[1] | {"l0": 1, "l1": 1}
    with pytest.raises(ValueError, match=r"a\.py:1: the labelled value is not there"):
        creddata.files(creddata.load(put(tmp_path, [wrong])), "original")


@pytest.mark.parametrize("old", ["zqxkvwbt", "Zqxkv123", "918273", "QZXK", "zq$xk", "qzxkvbwptm"])
def test_a_common_password_has_the_shape_of_the_old_value(old: str) -> None:
    for seed in range(20):
        new = creddata.common(old, Random(seed))
        assert new is not None
        assert len(new) == len(old)
        assert all(n.isalnum() or n in old for n in new)
        assert not any(o.islower() and n.isupper() for o, n in zip(old, new, strict=True))
        assert sum(o.isdigit() != n.isdigit() for o, n in zip(old, new, strict=True)) <= 1


def test_no_common_password_is_so_long() -> None:
    assert creddata.common("q" * 50, Random(1)) is None
    row = Row("r", "f", ".x", 1, 1, "T", 0, 50, (), "qzkx_" * 10, 0, orig_common=True)
    assert len(creddata.original(row)) == 50


@pytest.mark.parametrize(
    "kept", ["0f" * 20, "%5Bab%5D", "12-34", "a1b2c3d4-0000-1111-2222-abcdefabcdef", r"\qz"]
)
def test_what_is_no_word_stays(kept: str) -> None:
    assert creddata.worded(kept, Random(1)) == kept


def test_words_keep_their_case_and_length() -> None:
    new = creddata.worded("Qzxkv_WKVBX.zqxkvwbtpqzxkvwbtp!9", Random(1))
    first, rest = new.split("_")
    second, third = rest.split(".")
    assert (first.istitle(), second.isupper(), third[:-2].islower()) == (True, True, True)
    assert (len(first), len(second), third[-2:], len(third)) == (5, 5, "!9", 20)


def test_folds_divide_no_repository_and_are_balanced() -> None:
    sizes = Random(1).choices(range(1, 40), k=30)
    units = [
        Unit(f"data/r{repo:02}/f", line, line, line % 2 == 0, frozenset())
        for repo, size in enumerate(sizes)
        for line in range(size)
    ]
    fold = creddata.folds(units, k=5, seed=3)
    assert fold == creddata.folds(units[::-1], k=5, seed=3)
    assert set(fold) == {unit.repo for unit in units}
    true = Counter(fold[unit.repo] for unit in units if unit.positive)
    assert sorted(true) == [0, 1, 2, 3, 4]
    assert max(true.values()) - min(true.values()) <= 2


@pytest.fixture(scope="module")
def real() -> creddata.Data:
    try:
        return creddata.load(roles=["val"])
    except FileNotFoundError as error:
        # Where CI has brought the shared folder along, the data belongs to it.
        if os.environ.get("CI") == "true" and creddata.BESIDE.parent.is_dir():
            pytest.fail(str(error))
        pytest.skip(f"{error}; it is not part of this project")


def test_the_real_files_keep_their_lines_in_both_forms(real: creddata.Data) -> None:
    files = creddata.files(real, "original")
    changed = [path for path in files if files[path] != real.files[path]]
    assert len(changed) > 100
    for path in changed:
        old, new = real.files[path].split(b"\n"), files[path].split(b"\n")
        assert [len(line) for line in old] == [len(line) for line in new]


def test_the_record_was_made_from_these_files(real: creddata.Data) -> None:
    from bench.quality import RECORD, described

    assert json.loads(RECORD.read_bytes())["data"] == described(real, "val")
