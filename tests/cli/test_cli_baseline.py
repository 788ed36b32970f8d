"""``detector baseline``."""

from __future__ import annotations

import json
from pathlib import Path

from commands import ANTHROPIC, KEY, RULES, SUPABASE, run, scan, secret


def create(*arguments: str | Path):
    return run("baseline", "create", "--rules", RULES, *arguments)


def update(*arguments: str | Path):
    return run("baseline", "update", "--rules", RULES, *arguments)


def known(path: Path) -> list[str]:
    return sorted(entry["rule"] for entry in json.loads(path.read_text())["findings"])


def test_create_never_overwrites(dump: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    baseline.write_text("mine")
    done = create(baseline, dump)
    assert done.status == 2
    assert "update" in done.err
    assert baseline.read_text() == "mine"


def test_update_adds_and_drops(dump: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    assert create(baseline, dump).status == 0
    assert known(baseline) == sorted([KEY, ANTHROPIC])
    dump.write_bytes(b"a=" + secret(KEY) + b"\nc=" + secret(SUPABASE) + b"\n")
    done = update(baseline, dump)
    assert done.status == 0
    assert "1 new, 1 gone, 1 kept" in done.err
    assert known(baseline) == sorted([KEY, SUPABASE])
    assert scan(dump, "--baseline", baseline).status == 0


def test_update_drops_nothing_when_not_all_could_be_read(dump: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    create(baseline, dump)
    done = update(baseline, dump, tmp_path / "gone")
    assert done.status == 2
    dump.unlink()
    done = update(baseline, dump)
    assert done.status == 2
    assert "0 gone" in done.err
    assert known(baseline) == sorted([KEY, ANTHROPIC])


def test_update_needs_one(dump: Path, tmp_path: Path) -> None:
    done = update(tmp_path / "known.json", dump)
    assert done.status == 2
    assert "baseline create" in done.err
