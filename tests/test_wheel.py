"""The wheel: what is in it, what is not, and that it works without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_everything_that_is_needed_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for path in (ROOT / "detector").rglob("*.py"):
        assert path.relative_to(ROOT).as_posix() in names
    for folder in ("patterns", "models/classifier"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"detector/_data/{path.relative_to(ROOT).as_posix()}" in names
    assert "detector/py.typed" in names


def test_nothing_else_is_in_it(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    (info,) = tops - {"detector"}
    assert info.endswith(".dist-info")


def test_its_metadata(wheel: zipfile.ZipFile) -> None:
    (where,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    data = message_from_bytes(wheel.read(where))
    assert data["Name"] == "secrets-leak-detector"
    assert data["License-Expression"] == "Apache-2.0"
    assert data["Requires-Python"] == ">=3.11"
    assert b"CredData" in wheel.read(where.replace("METADATA", "licenses/NOTICE"))
    text = wheel.read(where.replace("METADATA", "licenses/LICENSE")).decode()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_it_works_without_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    site, empty = tmp_path / "site-packages", tmp_path / "empty"
    wheel.extractall(site)
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "tests" / "installed.py"],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
