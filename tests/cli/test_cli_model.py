"""``--precision``, ``--explain`` and ``--model``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from commands import Done, run, secret

from detector.classifier import Classifier

BUNDLE = Path(__file__).parent.parent.parent / "models" / "classifier"
GENERIC = ("--rules", "generic")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A password that is one, words that may be one, and a string without a name."""
    path = tmp_path / "settings.py"
    value, nameless = secret("github-pat")[4:18].decode(), secret("github-pat")[4:36].decode()
    path.write_text(f'DB_PASSWORD = "{value}"\nf("{nameless}")\npassword = "letmein"\n')
    return path


def scan(*arguments: str | Path) -> Done:
    return run("scan", "--format", "jsonl", *GENERIC, *arguments)


def test_a_mode_is_a_threshold_of_the_bundle(settings: Path) -> None:
    thresholds = Classifier.builtin().config.thresholds
    assert set(thresholds) == {"high", "balanced", "recall"}
    for mode, least in thresholds.items():
        done = scan("--precision", mode, settings)
        assert done.findings == scan("--min-confidence", str(least), settings).findings
        assert all(finding["confidence"] >= least for finding in done.findings)
    assert scan(settings).findings == scan("--precision", "balanced", settings).findings


def test_recall_finds_what_has_no_name(settings: Path) -> None:
    rules = {finding["rule"] for finding in scan("--precision", "recall", settings).findings}
    assert "nameless-random-string" in rules
    assert "nameless-random-string" not in {f["rule"] for f in scan(settings).findings}


@pytest.mark.parametrize(
    "command", [["scan", "x"], ["redact", "x"], ["baseline", "create", "known.json", "x"]]
)
def test_both_at_once_is_wrong_use(command: list[str]) -> None:
    done = run(*command, "--precision", "high", "--min-confidence", "0.5")
    assert (done.status, done.out) == (2, b"")
    assert "--precision and --min-confidence say the same; give one of them" in done.err


def test_a_mode_that_there_is_not() -> None:
    done = run("scan", "x", "--precision", "perfect")
    assert done.status == 2
    assert "'high', 'balanced', 'recall'" in re.sub(r"[\s│]+", " ", done.err)


def test_redact_and_baseline_take_it_too(settings: Path, tmp_path: Path) -> None:
    counts = {}
    for mode in ("high", "recall"):
        done = run("redact", "--mask", "label", *GENERIC, "--precision", mode, settings)
        baseline = tmp_path / f"{mode}.json"
        run("baseline", "create", *GENERIC, "--precision", mode, baseline, settings)
        counts[mode] = done.out.count(b"[redacted:"), baseline.read_bytes().count(b"fingerprint")
    assert counts["high"][0] < counts["recall"][0]
    assert counts["high"][1] < counts["recall"][1]


def test_reasons_in_all_formats(settings: Path) -> None:
    (line, *_) = scan("--explain", settings).findings
    assert all(re.fullmatch(r"[+-]\d+\.\d [a-z ,]+", reason) for reason in line["reasons"])
    text = run("scan", *GENERIC, "--explain", settings).out.decode()
    first = line["reasons"][0]
    assert f"why: {first[0]} {first[5:]}" in " ".join(text.split())
    sarif = json.loads(run("scan", *GENERIC, "--explain", "--format", "sarif", settings).out)
    assert sarif["runs"][0]["results"][0]["properties"]["reasons"] == line["reasons"]


def test_no_reasons_unless_asked_for(settings: Path) -> None:
    assert all(finding["reasons"] == [] for finding in scan(settings).findings)
    assert b"why: " not in run("scan", *GENERIC, settings).out


def test_reasons_survive_the_workers(settings: Path) -> None:
    one, two = (scan("--explain", "--jobs", jobs, settings).findings for jobs in ("1", "2"))
    assert one == two


def test_a_model_of_ones_own(settings: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(BUNDLE, own)
    same = scan("--model", own, settings)
    assert (same.status, same.findings) == (1, scan(settings).findings)
    config = json.loads((own / "config.json").read_text())
    # One that is sure of nothing, and says where its modes begin.
    config |= {"slope": 0.0, "offset": 0.4, "thresholds": {"balanced": 0.55, "high": 0.65}}
    (own / "config.json").write_text(json.dumps(config))
    unsure = scan("--model", own, settings)
    assert {finding["confidence"] for finding in unsure.findings} == {0.599}
    assert scan("--model", own, "--precision", "high", settings).findings == []
    done = scan("--model", own, "--precision", "recall", settings)
    assert (done.status, done.out) == (2, b"")
    assert "the model's config.json has no threshold 'recall'" in done.err
    redacted = run("redact", "--model", own, *GENERIC, "--min-confidence", "0.7", settings)
    assert redacted.out == settings.read_bytes()


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("config.json", None, "config.json: No such file"),
        ("weights.npz", None, "weights.npz: No such file"),
        ("config.json", b"{}", "config.json: Object missing required field"),
        ("weights.npz", b"PK", "weights.npz: damaged"),
    ],
)
def test_a_damaged_model_is_refused(
    settings: Path, tmp_path: Path, file: str, content: bytes | None, says: str
) -> None:
    own = tmp_path / "own"
    shutil.copytree(BUNDLE, own)
    (own / file).unlink()
    if content is not None:
        (own / file).write_bytes(content)
    for command in (["scan"], ["redact"], ["baseline", "create", str(tmp_path / "known")]):
        done = run(*command, "--model", own, settings)
        assert (done.status, done.out) == (2, b"")
        assert says in done.err
