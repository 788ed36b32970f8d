"""Tests an installed detector as its users have it: ``python installed.py``, no arguments.

Run from an empty folder, outside of any checkout: by ``.ci/run`` in a venv of its own that
holds the wheel, by ``test_wheel.py`` on the unpacked wheel. Every answer is compared with
what was planted; the first that differs ends it.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import detector
from detector._data_path import data_path
from detector.rules.samples import draw

RULES = ("github-pat", "openai-project-key", "supabase-secret-key", "private-key")
COMMAND = (sys.executable, "-m", "detector")


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, check=False)


def main() -> None:
    package = Path(detector.__file__).parent
    assert "site-packages" in package.parts, package
    for kind in ("patterns", "models"):
        assert package in data_path(kind).parents, data_path(kind)

    version = run("--version")
    assert version.stdout.split() == [b"detector", detector.__version__.encode()], version

    scanner = detector.Scanner()
    keys = [draw(scanner.rules.by_id[rule], random.Random(rule)) for rule in RULES]
    text = b"\n".join(b"key: " + key.text for key in keys) + b"\n"
    found = scanner.scan(text)
    assert [f.rule for f in found] == list(RULES), found
    assert [f.secret.reveal() for f in found] == [key.secret for key in keys]
    assert not any(key.secret in scanner.redact(text).text for key in keys)

    Path("sample.txt").write_bytes(text)
    scan = run("scan", "sample.txt", "--format", "jsonl")
    assert scan.returncode == 1, scan
    lines = [json.loads(line) for line in scan.stdout.splitlines()]
    told = [line["fingerprint"] for line in lines if line["type"] == "finding"]
    assert told == [f.fingerprint for f in found], lines
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["bytes_scanned"] == len(text)
    assert not any(key.secret in scan.stdout + scan.stderr for key in keys)
    print(f"{len(found)} of {len(keys)} keys by library and command, {len(scanner.rules)} rules")  # noqa: T201


if __name__ == "__main__":
    main()
