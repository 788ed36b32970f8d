"""Mailboxes that the standard library writes: each secret once, in its mail, where it stands."""

from __future__ import annotations

import base64
import mailbox
import quopri
import random
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, sample_of

from detector.chats import mail
from detector.chats.mail import Mails, parts_of
from detector.run import run, work
from detector.run.run import Options, Run
from detector.scanner import Scanner
from detector.types import Finding, Skipped

RULES = ("github-pat", "openai-project-key")


@cache
def small() -> Scanner:
    return Scanner([rule for rule in builtin_rules() if rule.id in RULES])


def ran(path: Path, jobs: int = 1) -> list[Finding | Skipped]:
    return list(Run(small(), [str(path)], Options(jobs=jobs)))


def key(number: int) -> str:
    return sample_of(RULES[number % 2], number).secret.decode()


Truth = tuple[bytes, str | None, int, str, str, str, tuple[str, ...]]


def made(seed: int, count: int) -> tuple[list[EmailMessage], list[Truth]]:
    """Mails with a secret in each of their parts."""
    rng, mails, truth = random.Random(seed), [], []
    for row in range(1, count + 1):
        keys = [key(seed * 1000 + row * 10 + n) for n in range(4)]
        one = EmailMessage()
        one["From"] = f"Ädä {row} <ada{row}@example.org>"
        one["Date"] = f"Wed, 01 May 2024 12:00:{row % 60:02} +0200"
        one["Message-ID"] = f"<{row}@example.org>"
        one["X-Note"] = f"see {keys[0]}"
        encoding = rng.choice(["7bit", "base64", "quoted-printable"])
        odd = "" if encoding == "7bit" else " = ünï\t\n"
        text = f"Hello,{odd} my key is {keys[1]} and\nFrom there on {'x' * rng.randrange(90)} ok\n"
        charset = "us-ascii" if encoding == "7bit" else rng.choice(["utf-8", "latin-1", "utf-16"])
        if charset == "utf-16" and encoding != "base64":
            charset = "utf-8"
        one.set_content(text, charset=charset, cte=encoding)
        origin = (row, f"Ädä {row}", f"<{row}@example.org>", f"2024-05-01T10:00:{row % 60:02}Z")
        many = rng.random() < 0.5
        coded = () if encoding == "7bit" else (encoding,)
        field = "body[0]" if many else "body"
        truth += [(keys[0].encode(), "X-Note", *origin, ())]
        truth += [(keys[1].encode(), field, *origin, coded)]
        if many:
            one.add_attachment(f"token: {keys[2]}\n".encode(), maintype="text", subtype="plain")
            truth += [(keys[2].encode(), "body[1]", *origin, ("base64",))]
        mails.append(one)
    return mails, truth


def box(path: Path, mails: list[EmailMessage]) -> bytes:
    out = mailbox.mbox(path)
    for one in mails:
        out.add(one)
    out.close()
    return path.read_bytes()


def unpacked(packed: bytes) -> bytes:
    packed = packed.rstrip(b"=")
    whole = base64.b64decode(packed + b"A" * (-len(packed) % 4))
    return whole.replace(b"\0", b"")  # UTF-16


def told(finding: Finding, data: bytes) -> Truth:
    origin = dict(finding.origin or {})
    raw = data[finding.start : finding.end]
    if raw == finding.secret.reveal():
        assert not finding.decoded
    elif finding.decoded == ("quoted-printable",):
        assert quopri.decodestring(raw) == finding.secret.reveal()
    else:  # it begins anywhere in four characters; what was recoded has its part's span
        value = b"".join(raw.split())
        shown = [unpacked(b"A" * n + value) for n in range(4)]
        assert any(finding.secret.reveal()[1:-1] in one for one in shown)
    assert finding.line == data.count(b"\n", 0, finding.start) + 1
    assert finding.column == finding.start - data.rfind(b"\n", 0, finding.start)
    return (
        finding.secret.reveal(), finding.field, finding.row or 0, origin["author"],
        origin["message"], origin["time"], finding.decoded,
    )  # fmt: skip


def plain(truth: list[Truth]) -> list[Truth]:
    """Quoted-printable leaves a short secret as it is: whether it did shows in the bytes."""
    return sorted(one[:-1] for one in truth)  # type: ignore[misc]


def test_each_secret_once_in_its_mail(tmp_path):
    mails, truth = made(1, 30)
    data = box(tmp_path / "inbox.mbox", mails)
    found = ran(tmp_path / "inbox.mbox")
    assert not [one for one in found if isinstance(one, Skipped)]
    seen = [told(one, data) for one in found if isinstance(one, Finding)]
    assert plain(seen) == plain(truth)
    assert {one[-1] for one in seen} == {(), ("base64",), ("quoted-printable",)}
    assert all(one[-1] == real[-1] for one, real in zip(sorted(seen), sorted(truth), strict=True)
               if real[-1] != ("quoted-printable",))  # fmt: skip
    assert {one.table for one in found if isinstance(one, Finding)} == {"inbox.mbox"}


@pytest.mark.parametrize("policy", [None, SMTP])
def test_a_single_mail(tmp_path, policy):
    (one,), truth = made(4, 1)
    path = tmp_path / "folder" / "one.eml"
    path.parent.mkdir()
    data = one.as_bytes(policy=policy)
    path.write_bytes(data)
    found = ran(path)
    assert plain([told(one, data) for one in found if isinstance(one, Finding)]) == plain(truth)
    assert {one.table for one in found if isinstance(one, Finding)} == {"folder"}


def test_large_mailboxes_and_small_reads(tmp_path, monkeypatch):
    mails, _ = made(2, 30)
    path = tmp_path / "inbox.mbox"
    box(path, mails)
    whole = ran(path)
    for module in (run, work):
        monkeypatch.setattr(module, "PIECE", 4096)
    assert ran(path, jobs=2) == whole
    monkeypatch.setattr(work, "READ", 4096)
    assert ran(path) == whole


@settings(max_examples=40)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=6))
def test_any_cut_splits_the_same(sizes):
    mails, _ = made(3, 6)
    parts = [b"From a@b Wed May 01 12:00:00 2024\n" + m.as_bytes() + b"\n" for m in mails]
    data = b"".join(parts)
    splitter, at, number = Mails("mbox"), 0, 0
    while at < len(data):
        at, number = at + sizes[number % len(sizes)], number + 1
        splitter.pass_to(data, 0, min(at, len(data)))
    splitter.finish()
    assert [one.data for one in splitter.done] == parts
    assert [one.start for one in splitter.done] == [
        len(b"".join(parts[:n])) for n in range(len(parts))
    ]
    assert [one.line for one in splitter.done] == [
        data.count(b"\n", 0, one.start) + 1 for one in splitter.done
    ]


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 10**6), st.integers(0, 200))
def test_damage_is_no_error_and_loses_nothing_that_stands_there(noise, at, hole):
    (one, *_), _ = made(6, 2)
    data = one.as_bytes()
    at %= len(data)
    broken = data[:at] + noise + data[at + hole :]
    _, body, parts = parts_of(broken)
    assert 0 <= body <= len(broken)
    for part in parts:
        assert 0 <= part.start <= part.end <= len(broken)
        ends = [(n, n + 1) for n in range(len(part.data))]
        for start, end in part.spans(broken, ends) if part.encoding else ():
            assert part.start <= start < end <= part.end


def test_of_a_long_mail_the_rest_is_scanned_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.setattr(mail, "LONGEST", 1000)
    text = [b"From a@b Wed May 01 12:00:00 2024\nMessage-ID: <1@x>\n\n"]
    text += [f"{'x ' * 200} {key(n)}\n".encode() for n in range(8)]
    text += [b"\nFrom a@b Wed May 01 12:00:00 2024\nMessage-ID: <2@x>\n\n", key(9).encode()]
    path = tmp_path / "inbox.mbox"
    path.write_bytes(data := b"".join(text))
    found = ran(path)
    seen = [told(one, data) for one in found if isinstance(one, Finding)]
    assert [(one[0].decode(), one[2], one[4]) for one in seen] == [
        *((key(n), 1, "<1@x>") for n in range(8)),
        (key(9), 2, "<2@x>"),
    ]
    skipped = sum(one.nbytes for one in found if isinstance(one, Skipped))
    assert skipped == data.index(b"\nFrom a@b") + 1 - 1000


def test_an_encoding_that_is_none_is_scanned_as_it_stands(tmp_path):
    path = tmp_path / "inbox.mbox"
    path.write_bytes(
        b"From a@b Wed May 01 12:00:00 2024\nContent-Transfer-Encoding: base64\n\n"
        + f"this is no base64: {key(1)}\n".encode()
    )
    (found,) = ran(path)
    assert isinstance(found, Finding)
    assert (found.secret.reveal().decode(), found.field, found.decoded) == (key(1), "body", ())


def test_an_archive_in_a_mail_is_told(tmp_path):
    (one, *_), _ = made(7, 1)
    one.add_attachment(b"PK\x05\x06" + bytes(18), maintype="application", subtype="zip")
    box(tmp_path / "inbox.mbox", [one])
    (skipped,) = [one for one in ran(tmp_path / "inbox.mbox") if isinstance(one, Skipped)]
    assert "archive" in skipped.reason
    assert skipped.nbytes == 22
