"""Messages of every kind: what is found in them, and what goes on."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from material import builtin_rules, builtin_scanner, sample_of

from detector import Action, Filter, Policy, Scanner, UsageError, Verdict

GITHUB, OPENAI = "github-pat", "openai-project-key"
LABEL, OPENAI_LABEL = f"[redacted:{GITHUB}]", f"[redacted:{OPENAI}]"


def token(rule: str = GITHUB, seed: int = 0) -> str:
    return sample_of(rule, seed).text.decode()


@pytest.fixture(scope="module")
def guard() -> Filter:
    return Filter(builtin_scanner())


def where(verdict: Verdict) -> list[tuple[str, str | None]]:
    return [(finding.rule, finding.field) for finding in verdict.findings]


# texts


def test_a_clean_message_is_the_very_same_object(guard: Filter) -> None:
    for message in (
        "",
        "hello",
        b"",
        b"hello",
        b"\xff\xfe",
        {},
        [],
        {"a": [1, None, "b"]},
        None,
        3,
    ):
        verdict = guard.check(message)
        assert verdict == Verdict(Action.allow, message)
        assert verdict.content is message
        assert (verdict.findings, verdict.reason, verdict.error) == ((), "", "")


def test_a_text_is_redacted_as_the_scanner_does_it(guard: Filter) -> None:
    text = f"é: {token()} and\n{token(OPENAI)}!"
    for message in (text, text.encode()):
        verdict = guard.check(message)
        redacted = guard.scanner.redact(message)
        assert (verdict.action, verdict.content) == (Action.redact, redacted.text)
        assert list(verdict.findings) == redacted.findings
        assert verdict.reason == "the policy's default"


def test_any_buffer_is_looked_at(guard: Filter) -> None:
    raw = b"it is " + token().encode()
    for message in (bytearray(raw), memoryview(raw)):
        assert guard.check(message).content == f"it is {LABEL}".encode()


def test_bytes_that_are_no_utf8_keep_every_other_byte(guard: Filter) -> None:
    raw = b"\xff{\xc3 " + token().encode() + b" \x80\xff"
    assert guard.check(raw).content == b"\xff{\xc3 " + LABEL.encode() + b" \x80\xff"
    assert guard.check(b'{"a": "' + raw + b'"}').content == (
        b'{"a": "\xff{\xc3 ' + LABEL.encode() + b' \x80\xff"}'
    )


def test_lone_surrogates_stay(guard: Filter) -> None:
    for text in ("\ud800", "\udfff {}", '{"\ud800": "{}"}'):
        message = text.replace("{}", f" {token()} ") if text.count("{}") else text + f" {token()}"
        verdict = guard.check(message)
        assert verdict.content == message.replace(token(), LABEL)
    assert guard.check({"a": "\ud800 " + token()}).content == {"a": "\ud800 " + LABEL}


def test_what_only_begins_like_json_is_a_text(guard: Filter) -> None:
    for text in (
        "{",
        '{"a": ',
        '["',
        '"quoted" and more ',
        "{'a': 1} ",
        "  [x] ",
        "[1] [2] ",
        '{"a": "\n" ',
    ):
        assert guard.check(text + token()).content == text + LABEL
        assert guard.check((text + token()).encode()).content == (text + LABEL).encode()


def test_json_keeps_every_other_byte(guard: Filter) -> None:
    """Blanks, escapes, names that come twice, numbers as they were written."""
    text = '\n{ "a\\u0041" :1e5,"k":"\\u00e9 \\"@\\" \\ud83d\\ude42\\/",'
    text += '"k":\t"x", "n":-0.10E+2, "n":NaN }\n'
    secret = text.replace("@", token())
    assert guard.check(secret).content == text.replace("@", LABEL)
    assert guard.check(secret.encode()).content == text.replace("@", LABEL).encode()
    marked = b"\xef\xbb\xbf" + secret.encode()
    assert guard.check(marked).content == marked.replace(token().encode(), LABEL.encode())


def test_a_secret_behind_escapes_is_seen(guard: Filter) -> None:
    hidden = "".join(f"\\u{ord(char):04x}" for char in token())
    assert guard.check(f'{{"a": "x {hidden} y"}}').content == f'{{"a": "x {LABEL} y"}}'
    assert (
        guard.check(f'{{"a": "{hidden}", "a": "last"}}').content
        == f'{{"a": "{LABEL}", "a": "last"}}'
    )


# objects


def chat() -> dict[str, Any]:
    """A conversation with one secret in each kind of place."""
    arguments = json.dumps(
        {"headers": {"token": token(GITHUB, 1)}, "note": 'a "b"\n' + token(OPENAI, 1)}
    )
    return {
        "model": "gpt",
        "temperature": 0.5,
        "stream": False,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "use " + token(GITHUB, 2)},
                                         {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]},
            {"role": "assistant", "content": None,
             "tool_calls": [{"id": "call_1", "function": {"name": "get", "arguments": arguments}}]},
        ],
    }  # fmt: skip


def test_a_conversation(guard: Filter) -> None:
    message = chat()
    before = copy.deepcopy(message)
    verdict = guard.check(message)
    assert message == before
    content = verdict.content
    assert content["messages"][1]["content"][0]["text"] == f"use {LABEL}"
    assert content["messages"][0] is message["messages"][0]
    call = content["messages"][2]["tool_calls"][0]["function"]
    assert json.loads(call["arguments"]) == {
        "headers": {"token": LABEL},
        "note": f'a "b"\n{OPENAI_LABEL}',
    }
    arguments = "messages[2].tool_calls[0].function.arguments"
    assert where(verdict) == [
        (GITHUB, "messages[1].content[0].text"), (GITHUB, arguments), (OPENAI, arguments),
    ]  # fmt: skip
    given = message["messages"][2]["tool_calls"][0]["function"]["arguments"]
    for finding in verdict.findings[1:]:
        assert given[finding.start : finding.end] == finding.secret.reveal().decode()


def test_a_conversation_in_bytes_says_the_same(guard: Filter) -> None:
    raw = json.dumps(chat()).encode()
    verdict, of_object = guard.check(raw), guard.check(chat())
    assert json.loads(verdict.content) == of_object.content
    assert where(verdict) == where(of_object)
    for finding in verdict.findings:
        assert raw[finding.start : finding.end] == finding.secret.reveal()


def test_a_secret_many_strings_deep_leaves_json_at_each_level(guard: Filter) -> None:
    message: Any = {"a": 'q"\\ ' + token()}
    for _ in range(4):
        message = {"a": json.dumps(message)}
    content = guard.check(message).content
    for _ in range(4):
        content = json.loads(content["a"])
    assert content == {"a": 'q"\\ ' + LABEL}


def test_names_that_are_secrets_stay_apart(guard: Filter) -> None:
    message = {token(GITHUB, 1): 1, "b": 2, token(GITHUB, 2): 3, LABEL + " 2": 4}
    redacted = [(LABEL, 1), ("b", 2), (LABEL + " 3", 3), (LABEL + " 2", 4)]
    verdict = guard.check(message)
    assert list(verdict.content.items()) == redacted
    assert not any(token(GITHUB, seed) in str(verdict.findings) for seed in (1, 2))
    raw = guard.check(json.dumps(message).encode()).content
    assert list(json.loads(raw).items()) == redacted


def test_a_name_tells_what_its_value_is(guard: Filter) -> None:
    drawn = "xK4mP9qR2tW7"
    for message in (
        {"password": drawn},
        {"name": "DB_PASSWORD", "value": drawn},
        {"a": {"api_key": drawn + drawn}},
    ):
        verdict = guard.check(message)
        assert verdict.action == "redact", message
        assert drawn not in str(verdict.content)
    assert guard.check({"comment": drawn}).action == "allow"


def test_types_of_containers_stay(guard: Filter) -> None:
    class Pair(NamedTuple):
        a: str
        b: int

    message = OrderedDict(b=(1, token()), a=Pair(token(), 2))
    content = guard.check(message).content
    assert content == OrderedDict(b=(1, LABEL), a=Pair(LABEL, 2))
    assert type(content) is OrderedDict
    assert type(content["a"]) is Pair


# secrets in parts


@pytest.mark.parametrize("cut", [1, 4, 30, 163])
def test_a_secret_over_two_parts(guard: Filter, cut: int) -> None:
    key = token(OPENAI)
    cut = min(cut, len(key) - 1)
    one, two = "my key is " + key[:cut], key[cut:] + ", thanks"
    for parts in (
        [one, two],
        [{"type": "text", "text": one}, {"type": "text", "text": two}],
        [{"type": "text", "text": one, "style": {"bold": True}}, {"text": two, "type": "text"}],
    ):
        message = {"elements": [{"type": "rich_text_section", "elements": parts}]}
        verdict = guard.check(message)
        texts = [part if isinstance(part, str) else part["text"]
                 for part in verdict.content["elements"][0]["elements"]]  # fmt: skip
        assert texts == [f"my key is {OPENAI_LABEL}", f"{OPENAI_LABEL}, thanks"]
        assert [finding.rule for finding in verdict.findings] == [OPENAI]
        assert verdict.findings[0].secret.reveal().decode() == key


def test_a_secret_over_many_parts_with_escapes(guard: Filter) -> None:
    key = sample_of("private-key").text.decode()
    parts = [key[at : at + 40] for at in range(0, len(key), 40)]
    verdict = guard.check({"content": parts})
    assert set(verdict.content["content"]) == {"[redacted:private-key]"}
    assert len(verdict.content["content"]) == len(parts)


def test_what_stands_between_parts_keeps_them_apart(guard: Filter) -> None:
    key = token()
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    message = [{"type": "text", "text": key[:20]}, image, {"type": "text", "text": key[20:]}]
    assert guard.check(message).action == "allow"


def test_a_word_behind_a_whole_key_stays(guard: Filter) -> None:
    """Joined, the next part's first word would belong to the key."""
    verdict = guard.check(["it is " + token(OPENAI), "thanks a lot"])
    assert verdict.content == [f"it is {OPENAI_LABEL}", "thanks a lot"]
    assert len(verdict.findings) == 1


# verdicts


def test_nothing_of_a_verdict_shows_a_secret(guard: Filter) -> None:
    for message in (chat(), json.dumps(chat()), {token(): token()}):
        verdict = Filter(guard.scanner, Policy(default=Action.block)).check(message)
        assert verdict.content is None
        shown = f"{verdict!r} {verdict} {json.dumps(verdict.to_dict())} {verdict.findings}"
        for seed in range(3):
            assert token(GITHUB, seed) not in shown
            assert token(OPENAI, seed) not in shown
    assert token() not in repr(guard.check(f"a {token()}"))
    assert "secret text" not in repr(guard.check("secret text"))


@pytest.mark.parametrize("mask", ["label", "stars", "pseudonym"])
def test_masks(mask: str) -> None:
    guard = Filter(builtin_scanner(), mask=mask)
    text = f"é {token()}"
    assert guard.check(text).content == guard.scanner.redact(text, mask=mask).text
    assert guard.check({"a": text}).content == {"a": guard.check(text).content}
    raw = guard.check(json.dumps({"a": text}, ensure_ascii=False).encode()).content
    assert json.loads(raw) == guard.check({"a": text}).content


def test_wrong_use_is_told() -> None:
    with pytest.raises(UsageError, match="blots"):
        Filter(builtin_scanner(), mask="blots")


def test_a_filter_can_be_sent_to_another_process(guard: Filter) -> None:
    again = pickle.loads(pickle.dumps(guard))
    assert again.check(f"a {token()}").content == f"a {LABEL}"


# what cannot be looked at


@dataclass
class Thing:
    text: str


def cyclic() -> list[Any]:
    out: list[Any] = []
    out.append({"a": out})
    return out


def deep(levels: int) -> list[Any]:
    out: list[Any] = [token()]
    for _ in range(levels):
        out = [out]
    return out


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (Thing("x"), "the message holds an object of type Thing"),
        ({"a": [b"bytes"]}, "the message holds an object of type bytes"),
        ({(1, 2): "x"}, "the message holds a name of type tuple"),
        (cyclic(), "the message is nested deeper than 200 levels"),
        (deep(10_000), "the message is nested deeper than 200 levels"),
        ("[" * 100_000, "the message is nested deeper than 200 levels"),
        (json.dumps(deep(250)), "the message is nested deeper than 200 levels"),
        ({"a": json.dumps(deep(250))}, "the message is nested deeper than 200 levels"),
        ({"api_key": 839204829384729384}, "a number reads as a secret, and no text can replace it"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_fails_closed_or_open(message: Any, error: str) -> None:
    closed = Filter(builtin_scanner()).check(message)
    assert (closed.action, closed.content) == (Action.quarantine, None)
    assert (closed.error, closed.reason) == (error, "errors set apart")
    opened = Filter(builtin_scanner(), Policy(on_error="allow")).check(message)
    assert opened.content is message
    assert opened.error == error


def test_two_hundred_levels_are_looked_at(guard: Filter) -> None:
    assert guard.check(deep(199)).action == "redact"


def test_an_error_inside_shows_nothing(guard: Filter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError(token())

    monkeypatch.setattr(guard, "_hits", fail)
    verdict = guard.check(f"a {token()}")
    assert (verdict.action, verdict.content) == (Action.quarantine, None)
    assert verdict.error == "ValueError while looking at the message"


def test_a_rule_that_takes_too_long_sets_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.verify import RuleTimeoutError, Verifier

    def slow(*_: object, **__: object) -> None:
        raise RuleTimeoutError(GITHUB)

    monkeypatch.setattr(Verifier, "match", slow)
    verdict = Filter(Scanner([builtin_rules().by_id[OPENAI]])).check(f"a {token(OPENAI)} b")
    assert verdict.action == "quarantine"
    assert verdict.error == f"rule {GITHUB} took too long"


def test_a_large_message(guard: Filter) -> None:
    """Twenty megabytes, secrets at their ends and over the strides of the engine."""
    words = "all is well, and nobody had to stay late on Friday. " * 400
    body = [words] * 1000
    text = "".join([token(GITHUB, 1), " ", *body, token(GITHUB, 2)])
    verdict = guard.check(text)
    assert [f.start for f in verdict.findings] == [0, len(text) - 40]
    assert verdict.content == text.replace(token(GITHUB, 1), LABEL).replace(token(GITHUB, 2), LABEL)
    message = {"parts": [{"n": number, "body": {"is": part}} for number, part in enumerate(body)]}
    message["parts"][-1]["last"] = token()  # type: ignore[assignment]
    assert where(guard.check(message)) == [(GITHUB, "parts[999].last")]


def test_coroutines_see_the_same(guard: Filter) -> None:
    async def both() -> list[Verdict]:
        large = "x " * 100_000 + token()
        messages: list[Any] = [f"a {token()}", large, chat(), {"a": large}, [large], large.encode()]
        verdicts = await asyncio.gather(*map(guard.acheck, messages))
        assert verdicts == [guard.check(message) for message in messages]
        return verdicts

    assert all(verdict.action == "redact" for verdict in asyncio.run(both()))


def test_a_large_message_does_not_hold_up_a_loop(
    guard: Filter, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    check = Filter.check

    def seen(self: Filter, message: Any, **options: Any) -> Verdict:
        threads.append(threading.current_thread() is threading.main_thread())
        return check(self, message, **options)

    monkeypatch.setattr(Filter, "check", seen)
    asyncio.run(guard.acheck("small"))
    asyncio.run(guard.acheck({"a": ["x" * 70_000]}))
    assert threads == [True, False]


def test_eight_threads_come_to_the_same_verdicts(guard: Filter) -> None:
    messages: list[Any] = [f"number {n}: {token(GITHUB, n % 5)}" for n in range(100)]
    messages += [{"n": n, "t": ["clean", "é"]} for n in range(100)]
    messages += [
        {"content": [f"a {token(OPENAI, n)[:50]}", token(OPENAI, n)[50:]]} for n in range(20)
    ]
    expected = [guard.check(message) for message in messages]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(3):
            got = [guard.check(message) for message in messages]
            wrong.extend(n for n, (a, b) in enumerate(zip(got, expected, strict=True)) if a != b)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_clean_message_costs_one_call_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Filter(builtin_scanner())
    calls: list[int] = []
    find = guard.scanner._find
    monkeypatch.setattr(guard.scanner, "_find", lambda raw: calls.append(len(raw)) or find(raw))
    clean = {
        "messages": [{"role": "user", "content": f"message {n}, all is well"} for n in range(5)]
    }
    for message in ("all is well", b"all is well", clean, json.dumps(clean)):
        calls.clear()
        assert guard.check(message).action == "allow"
        assert len(calls) == 1


def test_json_that_is_too_large_is_set_apart(monkeypatch):
    monkeypatch.setattr("detector.filter.filter.MOST_JSON", 1000)
    messages = Filter()
    for large in ('{"a": "%s"}' % ("x" * 2000), ["x" * 600, {"a": "y" * 600, "b": token()}]):
        verdict = messages.check(large)
        assert (verdict.action, verdict.content) == (Action.quarantine, None)
        assert "JSON of more than" in verdict.error
    assert messages.check("x" * 2000).action is Action.allow
