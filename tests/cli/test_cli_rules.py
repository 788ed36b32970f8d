"""``detector rules``."""

from __future__ import annotations

from pathlib import Path

from commands import KEY, OWN_RULE, run


def test_list_has_a_line_for_each() -> None:
    done = run("rules", "list")
    lines = done.out.decode().splitlines()
    assert done.status == 0
    assert f"{len(lines)} rules" in done.err
    assert len(lines) > 500
    (line,) = [line for line in lines if line.split()[0] == KEY]
    assert line.split()[1:3] == ["critical", "full"]
    assert len(run("rules", "list", "--rules", "github").out.splitlines()) < 20


def test_show_explains_one() -> None:
    done = run("rules", "show", KEY)
    assert done.status == 0
    text = done.out.decode()
    for part in (KEY, "ghp_", "Turn it off: https://", "Severity: critical"):
        assert part in text


def test_show_of_an_unknown_one_says_what_it_could_be() -> None:
    done = run("rules", "show", "github-pta")
    assert (done.status, done.out) == (2, b"")
    assert "did you mean" in done.err
    assert KEY in done.err


def test_check_of_ones_own_rules(tmp_path: Path) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text(OWN_RULE)
    assert (run("rules", "check", rules).status) == 0
    rules.write_text(OWN_RULE.replace("acme-tok-short", "acme-tok-k3Jd82hfmWq9sLx05PzV"))
    done = run("rules", "check", rules)
    assert done.status == 1
    assert done.out == b"acme-token: no_match[0]: gives a finding\n"
    assert "1 rules checked, 1 with problems" in done.err


def test_check_of_a_broken_file_is_2(tmp_path: Path) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text("provider = 'x'")
    done = run("rules", "check", rules)
    assert done.status == 2
    assert f"{rules}: field 'title'" in done.err
