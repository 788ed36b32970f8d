"""The examples run, say what they should, and hold no secret themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from detector import RuleSet, Scanner
from detector.prove import check_rules

EXAMPLES = Path(__file__).parent.parent / "examples"

PLANTED = {
    "dump.sql": {
        "moltbook-api-key": 6,
        "moltbook-claim-token": 6,
        "openai-project-key": 2,
        "supabase-project-url": 1,
    },
    "chat.jsonl": {
        "github-pat": 2,
        "anthropic-api-key": 1,
        "slack-webhook": 1,
        "supabase-database-url-pooler": 1,
    },
    "bundle.js": {
        "supabase-project-url": 2,
        "supabase-publishable-key": 1,
        "supabase-service-role-key": 1,
    },
}


def example(*arguments: object) -> subprocess.CompletedProcess[str]:
    script, *others = map(str, arguments)
    return subprocess.run(
        [sys.executable, EXAMPLES / script, *others], check=False, capture_output=True, text=True,
        encoding="utf-8", timeout=60, env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("examples") / "made" / "here"
    done = example("make_examples.py", where)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [str(where / name) for name in PLANTED]
    return where


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner()


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(
    name: str, folder: Path, scanner: Scanner
) -> None:
    data = (folder / name).read_bytes()
    findings = scanner.scan(data)
    assert Counter(finding.rule for finding in findings) == PLANTED[name]
    assert all(data[f.start : f.end] == f.secret.reveal() for f in findings)
    assert "failed" not in {finding.check for finding in findings}


def test_the_bundle_is_one_line_whose_keys_name_one_project(folder: Path, scanner: Scanner) -> None:
    data = (folder / "bundle.js").read_bytes()
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    found = {finding.rule: finding for finding in scanner.scan(data)}
    host = found["supabase-project-url"].secret.reveal().decode().removesuffix(".supabase.co")
    service, public = found["supabase-service-role-key"], found["supabase-publishable-key"]
    assert service.claims["project"] == public.claims["project"] == host
    assert (service.privilege, public.privilege) == ("admin", "public")


def test_the_dump_has_as_many_cells_as_columns(folder: Path) -> None:
    dump = (folder / "dump.sql").read_text("utf-8")
    tables = re.findall(
        r"^COPY public\.(\w+) \((.*?)\) FROM stdin;\n(.*?)^\\\.$", dump, re.M | re.S
    )
    assert [name for name, _, _ in tables] == ["owners", "agents", "messages"]
    for _, columns, rows in tables:
        for row in rows.splitlines():
            assert row.count("\t") == columns.count(",")


def test_the_chat_is_json_lines(folder: Path) -> None:
    lines = (folder / "chat.jsonl").read_text("utf-8").splitlines()
    assert all(json.loads(line).keys() == {"ts", "channel", "user", "text"} for line in lines)


def test_they_are_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    assert example("make_examples.py", tmp_path).returncode == 0
    for name in PLANTED:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("--help",)])
def test_wrong_use_is_told(arguments: tuple[str, ...]) -> None:
    done = example("make_examples.py", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")


def test_the_library_example(folder: Path, scanner: Scanner) -> None:
    done = example("library.py", folder)
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    assert "text 48:88 github-pat ghp_****(40)" in out
    assert "bytes admin Supabase service_role key, check passed" in out
    assert "message 4: anthropic-api-key" in out
    assert "dump.sql:31:50 moltbook-api-key" in out
    assert out.count("dump.sql:") == sum(PLANTED["dump.sql"].values())
    assert out.endswith("use mine: [redacted:github-pat], thanks\n")
    secrets = {
        finding.secret.reveal().decode()
        for name in PLANTED
        for finding in scanner.scan((folder / name).read_bytes())
    }
    assert not [secret for secret in secrets if secret in out]


def test_the_rules_of_ones_own_hold() -> None:
    rules = RuleSet.load(EXAMPLES / "custom_rules.toml")
    assert [rule.id for rule in rules] == ["acme-deploy-token", "acme-signing-secret"]
    assert list(check_rules(rules, timing=False)) == []
    assert len(RuleSet.builtin() + rules) == len(RuleSet.builtin()) + 2


def test_no_secret_stands_in_the_examples_themselves(scanner: Scanner) -> None:
    texts = [path.read_bytes() for path in EXAMPLES.iterdir() if path.is_file()]
    texts.append((EXAMPLES.parent / "README.md").read_bytes())
    found = [finding.rule for findings in scanner.scan_many(texts) for finding in findings]
    assert found == []
