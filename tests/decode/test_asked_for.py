"""Decoders cost nothing where nobody asks for them, and are asked for in one place."""

from __future__ import annotations

import base64
import mailbox
import pickle
import subprocess
import sys
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path

import pytest
from commands import KEY, RULES, run, scan, secret
from material import builtin_rules, sample_of

from bench.disguises import CONTEXTS, DISGUISES
from detector import Finding, Scanner
from detector.brief import brief
from detector.rules import RuleSet
from detector.run import Options, Run
from detector.run import run as run_module

TEXT = b"a = atob('" + base64.b64encode(b"'" + secret(KEY) + b"'") + b"');\n"


@lru_cache(maxsize=2)
def scanner(*, decode: bool = True) -> Scanner:
    return Scanner(RuleSet(r for r in builtin_rules() if r.id == KEY), decode=decode)


def ran(path: Path, jobs: int = 1, *, decode: bool = True) -> list[Finding]:
    found = list(Run(scanner(decode=decode), [str(path)], Options(jobs=jobs)))
    assert all(isinstance(one, Finding) for one in found)
    return found  # type: ignore[return-value]


def test_by_default_the_engine_has_no_signs() -> None:
    plain = Scanner(scanner().rules)
    assert plain.machinery.signs is None
    assert not plain.machinery.engine.find(TEXT)
    assert scanner().machinery.engine.find(TEXT)
    assert plain.scan(TEXT) == []
    assert plain.redact(TEXT).text == TEXT


def test_by_default_no_decoder_is_imported() -> None:
    code = (
        "import sys, detector\n"
        "detector.Scanner(detector.RuleSet.builtin().select('github')).scan('ghp_1')\n"
        "print([m for m in sys.modules if m.startswith('detector.deco')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("decode", [False, True])
def test_a_copy_has_the_same_setting(decode: bool) -> None:
    copy = pickle.loads(pickle.dumps(scanner(decode=decode)))
    assert (copy.machinery.signs is not None) == decode
    assert copy.scan(TEXT) == scanner(decode=decode).scan(TEXT)


def test_a_message_goes_the_long_way() -> None:
    raw = b"my key: " + sample_of(KEY, 1).secret + b" "
    for decode, is_long in ((False, False), (True, True)):
        one = scanner(decode=decode)
        assert (brief(one.machinery, raw, one.machinery.engine.find(raw)) is None) == is_long
        assert [found.decoded for found in one.scan(raw)] == [()]
    (found,) = scanner().scan("é " + TEXT.decode())
    assert found.decoded == ("base64",)
    assert [len(found) for found in scanner().scan_many([TEXT, raw, b"none"])] == [1, 1, 0]


def test_workers_have_it_and_pieces_tell_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = CONTEXTS["script"]
    hidden = (hide(sample_of(KEY, n).secret) for n, hide in enumerate(DISGUISES.values()))
    path = tmp_path / "bundle.js"
    path.write_bytes(b"\n".join(before + one + after + b" " * 300 for one in hidden))
    whole = ran(path)
    assert len(whole) >= len(DISGUISES)
    monkeypatch.setattr(run_module, "HEAD_START", 0)
    monkeypatch.setattr(run_module, "PIECE", 1000)
    assert ran(path, jobs=2) == whole
    assert ran(path, jobs=2, decode=False) == []


def test_of_a_mail_each_is_told_once(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "keys"
    mail.set_content("plain " + secret(KEY).decode() + "\n" + TEXT.decode(), cte="base64")
    mail.add_attachment(TEXT.decode(), cte="7bit")
    box = mailbox.mbox(tmp_path / "all.mbox")
    box.add(mail)
    box.close()
    found = ran(tmp_path / "all.mbox")
    chains = [("base64",), ("base64", "base64"), ("base64",)]
    assert sorted(one.decoded for one in found) == sorted(chains)
    assert {one.secret.reveal() for one in found} == {secret(KEY)}


@pytest.mark.parametrize(
    "line",
    [
        "INSERT INTO notes VALUES (1, '\\x%s');",
        "INSERT INTO notes VALUES (1, 0x%s);",
        "COPY notes (id, body) FROM stdin;\n1\t\\\\x%s\n\\.",
    ],
)
def test_digits_of_a_dump_are_told_once(tmp_path: Path, line: str) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(line % (b"key " + secret(KEY) + b" and " + TEXT).hex() + "\n")
    assert [one.decoded for one in ran(path)] == [("hex",), ("hex", "base64")]


def test_the_flags(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_bytes(TEXT)
    assert scan("--rules", RULES, path).status == 0
    done = scan("--rules", RULES, "--decode", path)
    assert done.status == 1
    assert KEY in done.out.decode()
    assert run("redact", "--rules", RULES, stdin=TEXT).out == TEXT
    clean = run("redact", "--rules", RULES, "--decode", stdin=TEXT).out
    assert clean.startswith(b"a = atob('")
    assert b"[redacted:github-pat]" in clean
    assert TEXT[20:-20] not in clean
