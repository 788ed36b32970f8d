"""Exports of chats: each finding in its message, whatever the cut, the archive and the damage."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made import RULES, Truth, discord, lines, slack, telegram, telegram_all, turns
from material import builtin_rules, sample_of

from detector.chats.layout import Chat, ChatLayout, chat_in
from detector.chats.shapes import Shape, said_by
from detector.chats.spans import LONGEST, Message
from detector.run import run, work
from detector.run.docket import Waiting, in_turn
from detector.run.messages import in_messages
from detector.run.run import Options, Run
from detector.run.unit import Result, Unit
from detector.scanner import Scanner
from detector.sources import FileRef
from detector.stream import Window
from detector.tables.sniff import HEAD, sniff
from detector.types import Finding, Skipped

MADE = {
    "chat.jsonl": lines,
    "training.jsonl": turns,
    "channel.json": discord,
    "result.json": telegram,
    "all/result.json": telegram_all,
}
COUNT = 40
ORIGIN = {"channel", "author", "message", "time"}


@cache
def small() -> Scanner:
    return Scanner([rule for rule in builtin_rules() if rule.id in RULES])


def truth_of(finding: Finding, name: str) -> Truth:
    origin = dict(finding.origin or {})
    table = None if finding.table == Path(name).stem else finding.table
    return Truth(
        finding.secret.reveal(), table, finding.field or "", finding.row or 0,
        origin["channel"], origin["author"], origin["message"], origin["time"],
    )  # fmt: skip


def ran(*paths: Path, jobs: int = 1, scanner: Scanner | None = None) -> list[Finding]:
    found = list(Run(scanner or small(), map(str, paths), Options(jobs=jobs)))
    assert not [one for one in found if isinstance(one, Skipped)]
    return [one for one in found if isinstance(one, Finding)]


def in_pieces(data: bytes, name: str, sizes: list[int]) -> list[Finding]:
    """As a stream of which so many bytes come at once, again and again."""
    dialect = chat_in(name, data[:HEAD], sniff(name, data[:HEAD]))
    assert isinstance(dialect, Chat)
    scanner, unit = small(), Unit((FileRef(name, "stream"),))
    layout = ChatLayout(dialect, dict, scanner.safe_name)
    window = Window(scanner, path=name, layout=layout)
    findings = partial(scanner.findings, path=name)

    def results() -> Iterator[Result | Waiting]:
        at = number = 0
        while at < len(data):
            part = data[at : at + min(sizes[number % len(sizes)], 1 << 16)]
            window.space()[: len(part)] = part
            yield Waiting(unit, window.commit(len(part)), findings)
            at, number = at + len(part), number + 1
        yield Waiting(unit, window.finish(), findings)

    found = in_turn(scanner, in_messages(results(), window, layout))
    return [one for one in found if isinstance(one, Finding)]


@pytest.mark.parametrize("name", MADE)
def test_each_message_is_told(tmp_path, name):
    data, truth = MADE[name](1, COUNT)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    found = ran(path)
    assert [truth_of(one, name) for one in found] == truth
    assert len(truth) > 10
    for one in found:
        assert data[one.start : one.end] == one.secret.reveal()


@settings(max_examples=40)
@given(st.sampled_from([*MADE]), st.lists(st.integers(1, 3000), min_size=1, max_size=6))
def test_any_cut_tells_the_same(name, sizes):
    data, truth = MADE[name](2, 8)
    assert [truth_of(one, name) for one in in_pieces(data, name, sizes)] == truth


@pytest.mark.parametrize("name", MADE)
def test_byte_by_byte(name):
    data, truth = MADE[name](3, 2)
    assert [truth_of(one, name) for one in in_pieces(data, name, [1])] == truth


@pytest.mark.parametrize("name", MADE)
def test_pieces_of_a_large_file(tmp_path, monkeypatch, name):
    data, truth = MADE[name](4, 60)
    path = tmp_path / Path(name).name
    path.write_bytes(data)
    for module in (run, work):
        monkeypatch.setattr(module, "PIECE", 7919)
    monkeypatch.setattr(work, "OVERLAP", 1024)
    whole = ran(path)
    assert ran(path, jobs=2) == whole
    assert [truth_of(one, name) for one in whole] == truth


def test_several_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "PIECE", 1 << 16)
    data, truth = discord(5, 500)
    path = tmp_path / "channel.json"
    path.write_bytes(data)
    assert len(data) > 2 * run.PIECE
    monkeypatch.setattr(run, "HEAD_START", 0)
    assert [truth_of(one, "channel.json") for one in ran(path, jobs=2)] == truth


def by_file(found: list[Finding]) -> dict[str, list[Truth]]:
    out: dict[str, list[Truth]] = {}
    for one in found:
        name = "/".join(one.path.replace("!", "/").split("/")[-2:])
        out.setdefault(name, []).append(truth_of(one, name))
    return out


def zipped(folder: Path, names: list[str]) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(folder / name, name)
    return path


@pytest.mark.parametrize("last", [False, True])
def test_slack_unpacked_and_zipped(tmp_path, last):
    truth = slack(tmp_path / "export", 6)
    assert by_file(ran(tmp_path / "export")) == truth
    folder = tmp_path / "export"
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.json")]
    names.sort(key=lambda name: ("/" in name) != last)
    assert by_file(ran(zipped(tmp_path / "export", names))) == truth


ODD_USERS = b'[1, null, {"id": []}, {"id": "U01ADA", "profile": 7}]'


@pytest.mark.parametrize("broken", [None, b"", b"[{", b"{}", ODD_USERS])
def test_slack_without_its_users(tmp_path, broken):
    truth = slack(tmp_path / "export", 7, days=1)
    for name in ("users.json", "channels.json", "dms.json"):
        if broken is None:
            (tmp_path / "export" / name).unlink()
        else:
            (tmp_path / "export" / name).write_bytes(broken)
    found = by_file(ran(tmp_path / "export"))
    assert {one.author for each in found.values() for one in each} <= {
        "U01ADA", "U02GRACE", "U03LIN", "deployer",
    }  # fmt: skip
    assert [one.secret for one in found["D1/2024-05-01.json"]] == [
        one.secret for one in truth["D1/2024-05-01.json"]
    ]
    assert {one.channel for one in found["D1/2024-05-01.json"]} == {"D1"}


@settings(max_examples=40)
@given(st.sampled_from([*MADE]), st.integers(0, 10**6), st.integers(0, 300))
def test_what_is_cut_off_or_broken_loses_no_secret(name, at, hole):
    data, truth = MADE[name](8, 8)
    at = HEAD + at % max(1, len(data) - HEAD) if len(data) > HEAD else len(data)
    broken = data[:at] + data[at + hole :]
    for one in (broken, data[:at]):
        found = in_pieces(one, name, [5000])
        before = [t for t in truth if t.secret in one]
        assert {t.secret for t in before} <= {f.secret.reveal() for f in found}
        assert {key for f in found for key in f.origin or ()} <= ORIGIN


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["id", "user", "author", "from", "role", "channel", "ts", "time", "text", "messages", "name"]
)


@given(
    st.sampled_from(["lines", "turns", "array", "slack", "discord", "telegram", "telegram-all"]),
    st.dictionaries(FIELDS, ODD, max_size=8),
    st.sampled_from(["text", "messages[1].content", "messages[99999999999].content", None]),
)
def test_odd_types_are_no_error(kind, one, field):
    text = json.dumps(one).encode()
    for said in (Message(text, text), Message(text[: len(text) // 2], text[:9])):
        origin = Shape(kind, own=True).origin(said_by(said), field, {})
        assert set(origin) == ORIGIN
        assert all(value is None or isinstance(value, str) for value in origin.values())


def test_a_message_without_end_tells_what_stands_in_front():
    key = sample_of("github-pat", 1).secret
    front = b'{"id": "m1", "user": "ada", "time": "noon", "text": "'
    data = front + b"x " * LONGEST + key + b' ", "channel": "late"}\n'
    for sizes in ([65536], [30011, 7]):
        (one,) = in_pieces(front + b'"}\n' + data, "chat.jsonl", sizes)
        assert one.origin == {"channel": None, "author": "ada", "message": "m1", "time": "noon"}


def test_names_carry_no_secrets(tmp_path):
    key, other = (sample_of("github-pat", n).secret.decode() for n in (1, 2))
    path = tmp_path / "chat.jsonl"
    one = {"user": f"ada {key}", "channel": f"c-{key}", "id": key, "time": key, "text": other}
    path.write_text(json.dumps(one))
    found = ran(path)
    assert found
    assert all(key not in str((one.origin, one.table, one.to_dict())) for one in found)


@pytest.mark.parametrize(
    "text",
    [
        b'{"time": "noon", "level": "info", "user": "ada", "message": "hi"}\n',  # a log
        b'{"id": 1, "user": "ada", "password": "x", "text": "y", "time": 1}\n',  # accounts
        b'{"id": 1, "title": "a"}\n',
    ],
)
def test_what_is_no_chat_stays_a_table(text):
    dialect = sniff("a.jsonl", text * 2)
    assert chat_in("a.jsonl", text * 2, dialect) is dialect is not None


def split(name: str, data: bytes, sizes: list[int], positions: list[int]) -> dict[int, Message]:
    """The message at each position, of what comes in pieces of such sizes."""
    dialect = chat_in(name, data[:HEAD], sniff(name, data[:HEAD]))
    assert isinstance(dialect, Chat)
    splitter = dialect.shape.splitter
    state, out, at, number = splitter.begin(), {}, 0, 0
    while at < len(data):
        end = min(len(data), at + sizes[number % len(sizes)])
        open_ = [p for p in positions if p < end and p not in out]
        state, found = splitter.walk(state, data[at:end], [max(0, p - at) for p in open_])
        out |= {p: one for p, one in zip(open_, found, strict=True) if one is not None}
        at, number = end, number + 1
    return out | {p: splitter.rest(state) for p in positions if p not in out}


@settings(max_examples=60)
@given(
    st.sampled_from([*MADE]),
    st.lists(st.integers(1, 700), min_size=1, max_size=6),
    st.integers(0, 10**6),
)
@example("channel.json", [1], 0)
@example("result.json", [3, 2], 0)
def test_any_cut_splits_the_same(name, sizes, cut):
    data, _ = MADE[name](9, 3)
    data = data[: len(data) - cut % 300]
    positions = [*range(0, len(data), 37)]
    whole = split(name, data, [len(data)], positions)
    assert split(name, data, sizes, positions) == whole
    assert len({one.text for one in whole.values()}) > 1
