"""Streams of chunks and events, as the services send them, and what they say in all."""

from __future__ import annotations

import json
import random
from typing import Any


def pieces_of(text: str, rng: random.Random, most: int = 8) -> list[str]:
    out, at = [], 0
    while at < len(text):
        size = rng.randint(1, most)
        out.append(text[at : at + size])
        at += size
    return out


def chunk(number: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": number, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }


def usage() -> dict[str, Any]:
    counts = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return {**chunk(0, {}), "choices": [], "usage": counts}


def chat(texts: list[str], arguments: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """A choice for each text, their tokens mixed; the first one calls a tool for each of the
    arguments."""
    lines = [
        [chunk(n, {"content": piece}) for piece in pieces_of(t, rng)] for n, t in enumerate(texts)
    ]
    out = [chunk(n, {"role": "assistant", "content": ""}) for n in range(len(texts))]
    while any(lines):
        out.append(rng.choice([line for line in lines if line]).pop(0))
    for index, text in enumerate(arguments):
        call = {"index": index, "id": f"call_{index}", "type": "function"}
        start = {**call, "function": {"name": "run", "arguments": ""}}
        out.append(chunk(0, {"tool_calls": [start]}))
        for piece in pieces_of(text, rng):
            more = {"index": index, "function": {"arguments": piece}}
            out.append(chunk(0, {"tool_calls": [more]}))
    out += [
        chunk(n, {}, "tool_calls" if arguments and not n else "stop") for n in range(len(texts))
    ]
    return [*out, usage()]


def said(chunks: list[dict[str, Any]]) -> tuple[dict[int, str], dict[int, str]]:
    """The texts by choice and the arguments by call; nothing comes behind a finish reason."""
    texts: dict[int, str] = {}
    arguments: dict[int, str] = {}
    ended = set()
    for one in chunks:
        for choice in one["choices"]:
            number, delta = choice["index"], choice.get("delta", {})
            assert number not in ended
            texts[number] = texts.get(number, "") + (delta.get("content") or "")
            for call in delta.get("tool_calls") or ():
                index = call["index"]
                arguments[index] = arguments.get(index, "") + call["function"]["arguments"]
            if choice["finish_reason"]:
                ended.add(number)
    return texts, arguments


def message(text: str, arguments: str, rng: random.Random) -> list[dict[str, Any]]:
    """A block of text and a tool's call, as Anthropic's events."""
    whole = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    tool = {"type": "tool_use", "id": "toolu_1", "name": "run", "input": {}}
    out: list[dict[str, Any]] = [{"type": "message_start", "message": whole}]
    blocks = (
        ({"type": "text", "text": ""}, "text_delta", "text", text),
        (tool, "input_json_delta", "partial_json", arguments),
    )
    for number, (block, kind, name, body) in enumerate(blocks):
        out.append({"type": "content_block_start", "index": number, "content_block": block})
        for piece in pieces_of(body, rng):
            delta = {"type": kind, name: piece}
            out.append({"type": "content_block_delta", "index": number, "delta": delta})
        out.append({"type": "content_block_stop", "index": number})
    stop = {"stop_reason": "tool_use", "stop_sequence": None}
    out.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 9}})
    return [*out, {"type": "message_stop"}]


def sse(events: list[dict[str, Any]], *, done: bool = False, named: bool = False) -> bytes:
    out = b": hello\n\n"
    for event in events:
        if named:
            out += f"event: {event['type']}\n".encode()
        out += f"data: {json.dumps(event)}\n\n".encode()
    return out + (b"data: [DONE]\n\n" if done else b"")
