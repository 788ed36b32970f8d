"""The READMEs keep their word: their blocks run, their tables are complete, their numbers are
those of a record."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from detector import Finding, RuleSet

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BENCH_README = (ROOT / "bench" / "README.md").read_text("utf-8")
TIMING = re.compile(r"[\d.e-]+ s, [\d.,]+ (?:bytes|[kMGT]B)/s")


class Command(NamedTuple):
    """A shell command, the exit status its comment states, and the output shown below it."""

    line: str
    status: int
    output: str


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[Command]:
    found = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        line, _, comment = line.partition("  # exits ")
        found.append(Command(line, int(comment or 0), output))
    return found


def as_pattern(output: str) -> re.Pattern[str]:
    """What is shown, whatever the times were and the line breaks that they lead to; ``...``
    stands for anything."""
    words = [".*".join(map(re.escape, word.split("..."))) for word in timeless(output).split()]
    return re.compile(" ".join(words).replace(" .* ", " .*").replace(" .*", ".*"), re.DOTALL)


def timeless(output: str) -> str:
    return TIMING.sub("TIME", " ".join(output.split()))


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "DETECTOR_KEY")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A folder with the three inputs and the examples."""
    where = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", where / "examples")
    run("python examples/make_examples.py .", where, environment)
    return where


def run(line: str, where: Path, environment: dict[str, str], status: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        ["bash", "-c", line], cwd=where, env=environment, capture_output=True, check=False,
        text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert done.returncode == status, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout, done.stderr


@pytest.mark.parametrize("block", blocks(README, "console"), ids=lambda b: b.split("\n")[0][2:])
def test_what_the_console_blocks_show(
    block: str, folder: Path, environment: dict[str, str]
) -> None:
    for command in commands(block):
        out, err = run(command.line, folder, environment, command.status)
        shown = as_pattern(command.output).fullmatch(timeless(out + err))
        assert shown, f"{command.line} now prints:\n{out}{err}"


def test_the_python_blocks_run(folder: Path, environment: dict[str, str]) -> None:
    together = "\n".join(blocks(README, "python"))
    script = folder / "readme_blocks.py"
    script.write_text(together, "utf-8")
    out, _ = run(f"python -W error -W ignore::ResourceWarning {script.name}", folder, environment)
    assert "moltbook-api-key moltbook_sk_****(44)" in out
    assert "dump.sql 31 moltbook-api-key" in out
    assert "\n6 15\n" in out


def test_the_examples_readme_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (block,) = blocks((ROOT / "examples" / "README.md").read_text("utf-8"), "console")
    for command in commands(block):
        run(command.line, tmp_path, environment, command.status)


# The tables


def tabled_flags(heading: str, until: str) -> set[str]:
    section = README[README.index(heading) : README.index(until)]
    return set(re.findall(r"`(?:-h|(--[a-z-]+))[` ]", section)) - {""}


def real_flags(command: str, environment: dict[str, str]) -> set[str]:
    out, _ = run(f"detector {command} --help", ROOT, environment | {"COLUMNS": "200"})
    return set(re.findall(r"^│ +(?:\*)? *(--[a-z-]+)", out, re.MULTILINE))


@pytest.mark.parametrize(
    ("command", "heading", "until"),
    [
        ("scan", "\n`detector scan`:", "\n`detector redact` shares"),
        ("redact", "\n`detector redact` shares", "\n| exit status"),
    ],
)
def test_every_flag_is_in_its_table(
    command: str, heading: str, until: str, environment: dict[str, str]
) -> None:
    tabled = tabled_flags(heading, until) - {"--no-progress"}  # its row's other half
    assert tabled == real_flags(command, environment)


def test_every_field_of_a_finding_is_in_its_table() -> None:
    section = README[README.index("| field |") : README.index("**Privilege.**")]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(
        Finding.__struct_fields__
    )


def test_the_numbers_of_rules() -> None:
    rules = RuleSet.builtin()
    said = {
        "More than 700 rules": len(rules) > 700,
        "more than 250 providers": len({rule.provider for rule in rules}) > 250,
        "More than a hundred of the rules": sum(bool(rule.spec.check) for rule in rules) > 100,
    }
    assert all(phrase in " ".join(README.split()) for phrase in said)
    assert all(said.values()), said


def test_the_links_lead_somewhere() -> None:
    pages = [ROOT / folder / "README.md" for folder in (".", "patterns", "bench", "models")]
    for page in [*pages, ROOT / "detector" / "DESIGN.md"]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_field_of_a_rule_is_in_the_schema() -> None:
    from detector.rules import RuleSpec

    page = (ROOT / "patterns" / "README.md").read_text("utf-8")
    missing = {name for name in RuleSpec.__struct_fields__ if not re.search(rf"\b{name}\b", page)}
    assert not missing


# The speed tables


RECORD = {
    "machine": {"cores": 2, "cpu": "a processor", "python": "3.11.7"},
    "versions": {"kingfisher-bin": "9.9"},
    "files": [
        {"peer": peer, "corpus": corpus, "share": share, "mb_cpu_s": speed, "failed": failed,
         "status": 0, "bytes": size, "planted": planted, "found": found, "extra": 3}
        for peer, corpus, share, size, speed, failed, planted, found in (
            ("detector", "dump", 1.0, 10**8, 1234.5, False, 601_000, 601_000),
            ("detector", "js", 1.0, 10**8, 2.345, True, 0, 0),
            ("detector", "contexts", 1.0, 10**6, 2.345, False, 1000, 500),
            ("kingfisher", "dump", 0.05, 10**8, 61.25, False, 601_000, 600_999),
            ("kingfisher", "js", 0.05, 10**8, 300.4, False, 0, 0),
        )
    ],
    "process": [{"engine": "detector", "corpus": "chat", "mb_cpu_s": 2000.0, "findings": 1500}],
    "messages": [
        {"engine": "detector", "with_secret": secret, "wall_p50_us": 1.234, "wall_p99_us": 210.0}
        for secret in (False, True)
    ],
}  # fmt: skip


def test_the_tables_say_what_the_record_says(tmp_path: Path) -> None:
    import json

    from bench.readme_table import newest, tables

    for name in ("2026-01-02", "2026-01-10", "trial"):
        (tmp_path / f"versus-{name}.json").write_text(json.dumps(RECORD))
    path = newest(tmp_path)
    assert path is not None
    assert path.name == "versus-2026-01-10.json"
    lines = tables(path).splitlines()
    dump = [line for line in lines if line.startswith(("| **detector**", "| kingfisher"))]
    assert dump[0] == "| **detector** | 1,234 (100 %) | failed (0) | (50 %) |"
    assert dump[1] == "| kingfisher 9.9, on 5% | 61.2 (99.9 %) | 300 (3 extra) |  |"
    assert dump[2] == "| **detector** | 2,000 (1,500) |"
    assert dump[3] == "| **detector** | 1.23 | 210 | 1.23 | 210 |"


def test_the_readme_has_the_tables_of_the_newest_record() -> None:
    from bench.readme_table import inserted, newest, tables

    assert inserted(README, tables(newest())) == README


def test_a_readme_without_markers_is_refused() -> None:
    from bench.readme_table import inserted

    with pytest.raises(ValueError, match="markers"):
        inserted("no markers here", "")


def test_no_speed_stands_outside_the_markers() -> None:
    """Of speeds only the run that is shown may speak: it is a real one."""
    from bench.readme_table import MARKED

    prose = re.sub(r"^```.*?^```$", "", MARKED.sub("", README), flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"\d\s*[kMG]B/s", prose)
