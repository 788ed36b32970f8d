"""Events of OpenAI's Responses API: a secret cut over deltas leaves in none of them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, example_of, sample_of
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from detector.streams import ResponseStream, redact_chunks, redact_sse
from streams.made import pieces_of

IDS = [rule.id for rule in builtin_rules()]
TEXT, CALL = "response.output_text", "response.function_call_arguments"


def events(text: str, arguments: str, rng: random.Random) -> list[dict[str, Any]]:
    """A response with a text and a call, their deltas mixed."""
    places = [
        (TEXT, {"item_id": "msg_1", "output_index": 0, "content_index": 0}, text),
        (CALL, {"item_id": "fc_1", "output_index": 1}, arguments),
    ]
    waiting = [(kind, place, pieces_of(whole, rng)) for kind, place, whole in places]
    out: list[dict[str, Any]] = []
    while waiting:
        kind, place, pieces = rng.choice(waiting)
        more = {"logprobs": []} if kind == TEXT else {}
        if pieces:
            out.append({"type": f"{kind}.delta", **place, **more, "delta": pieces.pop(0)})
        else:
            waiting.remove((kind, place, pieces))
            name = "text" if kind == TEXT else "arguments"
            whole = text if kind == TEXT else arguments
            done = {"name": "call"} if kind == CALL else more
            out.append({"type": f"{kind}.done", **place, **done, name: whole})
    part = {"type": "output_text", "text": text, "annotations": []}
    content = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "part": part}
    out.append({"type": "response.content_part.done", **content})
    return [{**event, "sequence_number": number} for number, event in enumerate(out)]


def said(out: list[dict[str, Any]], kind: str) -> str:
    return "".join(one["delta"] for one in out if one["type"] == f"{kind}.delta")


def redacted(text: str) -> str:
    return builtin_scanner().redact(text).text


@settings(max_examples=40, deadline=None)
@given(ids=st.lists(st.sampled_from(IDS), min_size=2, max_size=2), seed=st.integers(0, 50))
def test_deltas_say_the_redaction_of_the_whole(ids: list[str], seed: int) -> None:
    first, second = (example_of(i, seed)[0].decode("latin-1")[:800] for i in ids)
    text, arguments = f"Sure, use {first} or so", json.dumps({"cmd": second, "n": 3})
    given_events = events(text, arguments, random.Random(seed))
    stream = ResponseStream(builtin_scanner())
    out = [one for event in given_events for one in stream.feed(event)] + stream.close()
    assert said(out, TEXT) == redacted(text)
    assert json.loads(said(out, CALL))["n"] == 3
    (done,) = (one for one in out if one["type"] == f"{TEXT}.done")
    (part,) = (one for one in out if one["type"] == "response.content_part.done")
    assert done["text"] == part["part"]["text"] == redacted(text)
    assert len(out) <= len(given_events) + 2
    for number, one in enumerate(out):  # what was held is out before its end is
        if one["type"].endswith(".done") and "part" not in one:
            kind = one["type"].removesuffix(".done")
            assert not any(later["type"] == f"{kind}.delta" for later in out[number:])


def test_a_secret_is_told_once_and_what_is_clean_stays_as_it_is() -> None:
    key = sample_of("github-pat", 1).text.decode()
    stream = ResponseStream(builtin_scanner())
    for event in events(f"use {key}, please", "{}", random.Random(1)):
        stream.feed(event)
    assert [one.rule for one in stream.findings] == ["github-pat"]
    clean = {"type": "response.created", "response": {"id": "resp_1", "output": []}}
    (out,) = ResponseStream(builtin_scanner()).feed(clean)
    assert out is clean


def test_log_probabilities_are_left_out() -> None:
    event = {
        "type": f"{TEXT}.delta", "item_id": "m", "output_index": 0, "content_index": 0,
        "delta": "hello ", "logprobs": [{"token": "hello", "logprob": -0.1}],
    }  # fmt: skip
    (out,) = ResponseStream(builtin_scanner()).feed(event)
    assert out["logprobs"] == []


@pytest.mark.parametrize("seed", range(3))
def test_objects_of_the_library_and_events_on_the_wire(seed: int) -> None:
    key = sample_of("openai-project-key", seed).text.decode()
    text = f"the key is {key} as you asked"
    given_events = events(text, json.dumps({"key": key}), random.Random(seed))
    adapter: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    objects = [adapter.validate_python(event) for event in given_events]
    out = list(redact_chunks(objects, builtin_scanner()))
    assert said([one.model_dump() for one in out], TEXT) == redacted(text)
    raw = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in given_events).encode()
    wire = b"".join(redact_sse([raw[n : n + 7] for n in range(0, len(raw), 7)], builtin_scanner()))
    payloads = [json.loads(line[6:]) for line in wire.decode().split("\n") if line[:5] == "data:"]
    assert said(payloads, TEXT) == redacted(text)
    assert key[10:] not in wire.decode()
