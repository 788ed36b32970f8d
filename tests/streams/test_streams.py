"""Wrappers of streams: the chunks say in all the redaction of the whole, in their format."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, cut_at, example_of, rule_of, sample_of

from detector.scanner import Scanner
from detector.streams import (
    ChatStream,
    JsonText,
    MessageStream,
    SseStream,
    StreamError,
    aredact_chunks,
    aredact_sse,
    redact_chunks,
    redact_sse,
)
from streams.made import chat, chunk, message, pieces_of, said, sse, usage

IDS = [rule.id for rule in builtin_rules()]


def secret(name: str = "github-pat", seed: int = 1) -> str:
    return sample_of(name, seed).text.decode()


def example(rule_id: str, seed: int) -> str:
    return example_of(rule_id, seed)[0].decode("latin-1")[:800]


def fed(stream: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    out = [one for event in events for one in stream.feed(event)]
    return [*out, *stream.close()]


def redacted(text: str) -> str:
    return builtin_scanner().redact(text).text


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(st.sampled_from(IDS), min_size=3, max_size=3), seed=st.integers(0, 50))
def test_each_choice_says_the_redaction_of_the_whole(ids: list[str], seed: int) -> None:
    texts = [f"Sure, use {example(i, seed)} or so" for i in ids]
    values = [json.dumps({"cmd": example(i, seed), "n": 3}) for i in ids[:2]]
    chunks = chat(texts, values, random.Random(seed))
    out = fed(ChatStream(builtin_scanner()), chunks)
    got, arguments = said(out)
    assert list(got.values()) == [redacted(text) for text in texts]
    assert len(out) <= len(chunks) + len(texts)
    for index, value in enumerate(values):
        read = json.loads(arguments[index])
        assert list(read) == ["cmd", "n"]
        assert read["n"] == 3
        if builtin_scanner().scan(value):
            assert arguments[index] != value
    assert out[-1] == usage()


def test_what_is_clean_is_passed_on_as_it_is() -> None:
    chunks = chat(["Good morning. "], ['{"a": "b c "}'], random.Random(1))
    stream = ChatStream(builtin_scanner())
    out = fed(stream, chunks)
    assert said(out) == said(chunks)
    assert len(out) == len(chunks)
    assert not stream.findings
    assert stream.held == 0


def test_what_is_held_comes_before_the_finish_reason() -> None:
    out = fed(
        ChatStream(builtin_scanner()), [chunk(0, {"content": "so ghp_ab"}), chunk(0, {}, "stop")]
    )
    assert [one["choices"][0]["delta"] for one in out] == [
        {"content": "so "},
        {"content": "ghp_ab"},
        {},
    ]
    assert [one["choices"][0]["finish_reason"] for one in out] == [None, None, "stop"]


def test_a_stream_that_breaks_off_gives_its_rest() -> None:
    (_, rest) = fed(ChatStream(builtin_scanner()), [chunk(1, {"content": "so ghp_ab"})])
    assert rest["choices"] == [{"index": 1, "delta": {"content": "ghp_ab"}, "finish_reason": None}]


def test_a_call_is_whole_before_the_next_begins() -> None:
    value = json.dumps({"password": "correct-horse-7battery"})
    chunks = chat([""], [value, value], random.Random(2))
    stream, seen = ChatStream(builtin_scanner()), ""
    for one in chunks:
        for out in stream.feed(one):
            for choice in out["choices"]:
                for call in choice["delta"].get("tool_calls") or ():
                    if call["index"] == 1:
                        assert json.loads(seen)["password"].startswith("[redacted:")
                    else:
                        seen += call["function"]["arguments"]
    assert [finding.rule for finding in stream.findings] == ["generic-password"] * 2


def test_a_call_that_goes_on_behind_its_end_is_refused() -> None:
    calls = chat([""], ['{"a": "', '{"b": "'], random.Random(2))
    stream = ChatStream(builtin_scanner())
    for one in calls[:-3]:
        stream.feed(one)
    more = {"index": 0, "function": {"arguments": "x"}}
    with pytest.raises(StreamError) as caught:
        stream.feed(chunk(0, {"tool_calls": [more]}))
    assert caught.value.__cause__ is None
    with pytest.raises(StreamError):
        stream.feed(usage())


def test_log_probabilities_spell_nothing_out() -> None:
    token = secret()
    one = chunk(0, {"content": token})
    one["choices"][0]["logprobs"] = {"content": [{"token": token, "logprob": -1}]}
    out = fed(ChatStream(builtin_scanner()), [one, chunk(0, {}, "stop")])
    assert token not in json.dumps(out)


@settings(max_examples=100, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    rule_id=st.sampled_from(IDS),
    seed=st.integers(0, 50),
    ascii_only=st.booleans(),
)
def test_json_stays_json(value: Any, rule_id: str, seed: int, ascii_only: bool) -> None:
    """Any document, as any writer escapes it; and the document is the same but for the secret."""
    text = f"see {example(rule_id, seed)}\nover"
    document = json.dumps({"a": value, "b": text, "c": value}, ensure_ascii=ascii_only)
    whole = JsonText(builtin_scanner())
    at_once = whole.feed(document) + whole.close()
    growing = JsonText(builtin_scanner())
    pieces = pieces_of(document, random.Random(seed), 5)
    assert "".join(map(growing.feed, pieces)) + growing.close() == at_once
    read = json.loads(at_once)
    assert list(read) == ["a", "b", "c"]
    if not whole.findings:
        assert at_once == document


def test_escapes_do_not_hide_a_secret() -> None:
    token = secret()
    escaped = "".join(f"\\u{ord(char):04x}" for char in token)
    text = f'{{"x": "a\\n{escaped}\\n\\u00e9 \\ud83d\\ude00"}}'
    for size in (1, 3, len(text)):
        stream = JsonText(builtin_scanner())
        out = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))
        out += stream.close()
        assert out == '{"x": "a\\n[redacted:github-pat]\\n\\u00e9 \\ud83d\\ude00"}'


def test_a_number_that_is_a_secret_stays_a_number() -> None:
    number = random.Random(4).randrange(10**15, 10**16)
    scanner = Scanner([rule_of(r"code\": (?P<secret>[0-9]{16})")])
    stream = JsonText(scanner)
    out = stream.feed(f'{{"code": {number}, "next": true}}') + stream.close()
    assert stream.findings
    assert json.loads(out) == {"code": int("9" * 16), "next": True}


@settings(max_examples=30, deadline=None)
@given(rule_id=st.sampled_from(IDS), seed=st.integers(0, 50))
def test_messages_say_the_redaction_of_the_whole(rule_id: str, seed: int) -> None:
    text = f"Sure, use {example(rule_id, seed)} or so"
    events = message(text, json.dumps({"cmd": text}), random.Random(seed))
    out = fed(MessageStream(builtin_scanner()), events)
    deltas = [one["delta"] for one in out if one["type"] == "content_block_delta"]
    assert "".join(one.get("text", "") for one in deltas) == redacted(text)
    assert list(json.loads("".join(one.get("partial_json", "") for one in deltas))) == ["cmd"]
    kinds = [one["type"] for one in out]
    assert len(out) <= len(events) + 2
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert [kind for kind in kinds if kind != "content_block_delta"] == [
        one["type"] for one in events if one["type"] != "content_block_delta"
    ]


def through(raw: bytes, cuts: list[int]) -> bytes:
    return b"".join(redact_sse(cut_at(raw, cuts), builtin_scanner()))


@settings(max_examples=40, deadline=None)
@given(
    rule_id=st.sampled_from(IDS),
    seed=st.integers(0, 50),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=20),
    ends=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    kind=st.sampled_from(["chat", "message"]),
)
def test_events_cut_anywhere(
    rule_id: str, seed: int, cuts: list[int], ends: bytes, kind: str
) -> None:
    text, rng = f"use {example(rule_id, seed)} or so", random.Random(seed)
    if kind == "chat":
        raw = sse(chat([text], ["{}"], rng), done=True)
    else:
        raw = sse(message(text, "{}", rng), named=True)
    raw = raw.replace(b"\n", ends)
    out = through(raw, cuts)
    assert out == through(raw, [])
    payloads = [line[6:] for line in out.splitlines() if line.startswith(b"data: {")]
    events = [json.loads(payload) for payload in payloads]
    if kind == "chat":
        assert said(events)[0][0] == redacted(text)
        assert out.endswith(b"data: [DONE]" + 2 * ends)
    else:
        deltas = [one["delta"] for one in events if one["type"] == "content_block_delta"]
        assert "".join(one.get("text", "") for one in deltas) == redacted(text)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_no_payload_stays_byte_for_byte(size: int) -> None:
    raw = (
        b"\xef\xbb\xbf: a comment\r\nretry: 100\r\n\r\n"
        b"id: 7\nevent: x\ndata: {\"a\":\ndata:  1}\n\n"
        b"data\ndata:\n\nunknown: field\n\ndata: [DONE]\n\ndata: {\"cut\": "
    )  # fmt: skip
    assert through(raw, list(range(0, len(raw), size))) == raw


def test_payloads_of_no_known_format_are_text() -> None:
    token = secret()
    raw = f'id: 1\ndata: {{"key": "{token}"}}\n\ndata: my {token[:9]}\n\ndata: {token[9:]} end\n\n'
    out = through(raw.encode(), [3]).decode()
    assert out == (
        'id: 1\ndata: {"key": "[redacted:github-pat]"}\n\n'
        "data: my [redacted:github-pat]\n\ndata:  end\n\n"
    )


CLEAN = [
    "10",
    "20",
    "",
    " ",
    "g",
    "ghp_",
    "true",
    "null",
    '{"a": 1}',
    "[2]",
    "é",
    "a\nb",
    "-----BEGIN",
]


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(CLEAN)), max_size=9),
    cuts=st.lists(st.integers(0, 300), max_size=9),
)
def test_clean_events_arrive_as_they_were_sent(
    values: list[tuple[str, str]], cuts: list[int]
) -> None:
    raw = "".join(
        (f"event: {name}\n" if name else "") + f"data: {value}\n\n".replace("a\nb", "a\ndata: b")
        for name, value in values
        if value  # those of another name do not wait
    ).encode()
    assert through(raw, cuts) == raw


@settings(max_examples=60, deadline=None)
@given(rule_id=st.sampled_from(IDS), seed=st.integers(0, 50))
def test_words_of_plain_text_say_the_redaction_of_the_whole(rule_id: str, seed: int) -> None:
    text = f"Sure, use {example(rule_id, seed)} or so".replace("\r", "")
    words = pieces_of(text, random.Random(seed), 6)
    raw = "".join("data: " + word.replace("\n", "\ndata: ") + "\n\n" for word in words)
    out = through(raw.encode(), [seed, 40]).decode()
    events = out.removesuffix("\n\n").split("\n\n")
    assert len(events) == len(words)
    said = ("\n".join(line[6:] for line in event.split("\n")) for event in events)
    assert "".join(said) == redacted(text)


def test_what_keeps_a_connection_open_does_not_wait() -> None:
    token = secret()
    stream, beats = SseStream(builtin_scanner()), (b": still here\n\n", b"event: ping\ndata:\n\n")
    assert stream.feed(f"data: {token[:9]}\n\n".encode()) == b""
    for beat in beats:
        assert stream.feed(beat) == beat
    out = stream.feed(f"data: {token[9:]} end\n\n".encode()) + stream.close()
    assert out == b"data: [redacted:github-pat]\n\ndata:  end\n\n"
    assert [finding.rule for finding in stream.findings] == ["github-pat"]


def test_events_that_wait_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.streams.texts.MOST", 1000)
    stream = SseStream(builtin_scanner())
    out = stream.feed(b"data: ghp_\n\n" + b"data:\n\n" * 200)
    assert stream.failed
    assert b"ghp_" not in out


def test_an_error_ends_the_stream_with_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    token = secret()

    def fail(*_: object) -> None:
        raise RuntimeError(token)

    for raw, named in (
        (chat([token], [], random.Random(1)), False),
        (message(token, "{}", random.Random(1)), True),
    ):
        stream = SseStream(builtin_scanner())
        out = stream.feed(sse(raw[:2], named=named))
        with monkeypatch.context() as patched:
            patched.setattr("detector.redact.Redactor._advance", fail)
            out += stream.feed(sse(raw[2:], named=named))
        assert stream.failed
        assert stream.feed(b"data: more\n\n") == stream.close() == b""
        last = json.loads(out.rpartition(b"data: ")[2])
        assert last["error"]["type"] == "redaction_error"
        assert (b"event: error\n" in out) is named
        assert token.encode()[4:] not in out


def test_both_faces_say_the_same() -> None:
    chunks = chat([f"use {secret()} now"], [], random.Random(3))
    raw = sse(chunks, done=True)
    found: list[Any] = []

    async def over(items: list[Any]) -> Any:
        for item in items:
            yield item

    async def run() -> tuple[list[Any], list[bytes]]:
        one = [c async for c in aredact_chunks(over(chunks), builtin_scanner(), found=found.extend)]
        other = [c async for c in aredact_sse(over([raw]), builtin_scanner())]
        return one, other

    one, other = asyncio.run(run())
    assert one == list(redact_chunks(chunks, builtin_scanner()))
    assert other == list(redact_sse([raw], builtin_scanner()))
    assert [finding.rule for finding in found] == ["github-pat"]
    assert found[0].path == "choices[0].delta.content"
