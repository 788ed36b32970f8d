from __future__ import annotations

import json
import os
import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector import baseline as module
from detector.baseline import MAX_PATHS, Baseline, Change
from detector.errors import BaselineError
from detector.fingerprint import Fingerprinter
from detector.types import Finding, Secret

fingerprint = Fingerprinter()


def make(value: int | bytes, path: str = "dump.sql", rule: str = "acme-token") -> Finding:
    raw = value if isinstance(value, bytes) else f"value number {value}".encode()
    return Finding(
        rule=rule,
        provider="acme",
        name="Acme API token",
        severity="high",
        privilege="full",
        confidence=0.9,
        path=path,
        start=0,
        end=len(raw),
        secret=Secret(raw),
        fingerprint=fingerprint(rule, raw),
    )


@pytest.fixture(autouse=True)
def _default_key(monkeypatch):
    monkeypatch.delenv("DETECTOR_KEY", raising=False)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "baseline.json"


def test_a_secret_is_known_wherever_it_stands(file):
    Baseline.from_findings(make(n) for n in range(3)).save(file)
    known = Baseline.load(file)
    assert len(known) == 3
    assert make(1, path="elsewhere.js") in known
    assert make(1, rule="other") not in known
    assert make(3) not in known


def test_the_file(file):
    findings = [make(1, "b.sql"), make(1, "a.sql"), make(1, "b.sql"), make(2, rule="z")]
    Baseline.from_findings(findings).save(file)
    assert (
        file.read_text()
        == f"""\
{{
"version": 1,
"key": "public",
"findings": [
{{"fingerprint":"{findings[0].fingerprint}","rule":"acme-token","count":3,"paths":["a.sql","b.sql"]}},
{{"fingerprint":"{findings[3].fingerprint}","rule":"z","count":1,"paths":["dump.sql"]}}
]
}}
"""
    )


def test_an_empty_one_is_json_too(file):
    Baseline().save(file)
    assert json.loads(file.read_text())["findings"] == []
    assert len(Baseline.load(file)) == 0


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcdefghij")), max_size=60), st.randoms()
)
def test_the_order_of_findings_does_not_matter(drawn, rng):
    findings = [make(value, path) for value, path in drawn]
    one = Baseline.from_findings(findings)._encode()
    rng.shuffle(findings)
    assert Baseline.from_findings(findings)._encode() == one
    for entry in json.loads(one)["findings"]:
        own = [f for f in findings if f.fingerprint == entry["fingerprint"]]
        assert entry["count"] == len(own)
        assert entry["paths"] == sorted({f.path for f in own})[:MAX_PATHS]


def test_update_adds_drops_and_renews(file):
    known = Baseline.from_findings([make(1), make(1), make(2)])
    change = known.update(iter([make(2, "new.sql"), make(3), make(4)]))
    assert change == Change(added=2, dropped=1, kept=1)
    assert [make(n) in known for n in (1, 2, 3, 4)] == [False, True, True, True]
    known.save(file)
    assert b'"count":1,"paths":["new.sql"]' in file.read_bytes()


def test_update_after_an_incomplete_run_drops_nothing():
    known = Baseline.from_findings([make(1), make(2)])
    assert known.update([make(2), make(3)], keep_gone=True) == Change(added=1, dropped=0, kept=1)
    assert all(make(n) in known for n in (1, 2, 3))


def test_absorbing_leaves_the_other_alone():
    known, found = Baseline(), Baseline.from_findings([make(1)])
    known.absorb(found)
    known.add(make(2))
    assert make(2) not in found
    with pytest.raises(BaselineError, match="key"):
        known.absorb(Baseline(key_id="other"))


def test_another_key_is_refused(file, monkeypatch):
    Baseline.from_findings([make(1)]).save(file)
    monkeypatch.setenv("DETECTOR_KEY", "a key of one's own")
    with pytest.raises(BaselineError, match=r"made with key 'public'.*DETECTOR_KEY"):
        Baseline.load(file)
    assert len(Baseline.load(file, key_id="public")) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'"\xff"', "not"),
        (b"[" * 100_000, "not"),
        (b"[]", "not a baseline"),
        (b"{}", "`version`"),
        (b'{"version": 2, "entries": {}}', "version 2; this program reads version 1"),
        (b'{"version": 1}', "`key`"),
        (b'{"version": 1, "key": "public", "findings": [{"rule": 1}]}', r"findings\[0\]"),
        (b'{"version": 1, "key": "public", "findings": [{"fingerprint": "a"}]}', "`rule`"),
    ],
)
def test_what_is_no_baseline_is_refused_in_clear_text(file, data, message):
    file.write_bytes(data)
    with pytest.raises(BaselineError, match=message) as caught:
        Baseline.load(file)
    assert str(caught.value).startswith(f"{file}: ")


def test_a_text_that_is_no_baseline_is_not_quoted(file):
    file.write_text("PASSWORD=swordfish")
    with pytest.raises(BaselineError) as caught:
        Baseline.load(file)
    assert "swordfish" not in str(caught.value) and caught.value.__cause__ is None


def test_missing_directories_and_large_files(tmp_path, file, monkeypatch):
    with pytest.raises(BaselineError, match="no such file; make one"):
        Baseline.load(file)
    with pytest.raises(BaselineError, match="cannot be read"):
        Baseline.load(tmp_path)
    with pytest.raises(BaselineError, match="cannot be written"):
        Baseline().save(tmp_path / "none" / "b.json")
    with pytest.raises(BaselineError, match="cannot be written"):
        Baseline().save(tmp_path)
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    file.write_bytes(b"x" * 11)
    with pytest.raises(BaselineError, match="larger"):
        Baseline.load(file)


def test_a_failed_save_leaves_the_old_file_and_no_other(file, monkeypatch):
    Baseline.from_findings([make(1)]).save(file)
    before = file.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(BaselineError, match="No space left"):
        Baseline.from_findings([make(2)]).save(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_mode_and_link_are_kept(file, tmp_path):
    Baseline().save(file)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~umask
    file.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    Baseline.from_findings([make(1)]).save(link)
    assert link.is_symlink() and len(Baseline.load(file)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_path_that_is_not_unicode(file):
    Baseline.from_findings([make(1, "caf\udce9.sql")]).save(file)
    assert len(Baseline.load(file)) == 1
