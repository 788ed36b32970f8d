"""Steps of a chain, in LangChain itself, in front of and behind one of its fake models."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from material import builtin_scanner
from planted import GITHUB, LABEL, remains, strict, token

from detector import Filter
from detector.filter import Action
from detector.hooks.langchain import redact_messages, redact_stream
from detector.hooks.values import WithheldError

SECRET = token()
GUARD = Filter(builtin_scanner())
STEP = redact_messages(GUARD)


def test_a_model_sees_no_secret() -> None:
    seen: list[Any] = []
    prompt = ChatPromptTemplate.from_messages([("system", "be kind"), ("human", "{question}")])
    model = GenericFakeChatModel(messages=iter([AIMessage(f"it is {SECRET}")]))

    def keep(value: Any) -> Any:
        seen.append(value)
        return value

    chain = prompt | STEP | RunnableLambda(keep) | model | STEP | StrOutputParser()
    assert chain.invoke({"question": f"is {SECRET} mine?"}) == f"it is {LABEL}"
    assert seen[0].to_messages() == [SystemMessage("be kind"), HumanMessage(f"is {LABEL} mine?")]


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        (f"a {SECRET}", f"a {LABEL}"),
        (HumanMessage(f"a {SECRET}"), HumanMessage(f"a {LABEL}")),
        (
            HumanMessage([{"type": "text", "text": f"a {SECRET}"}, "b"]),
            HumanMessage([{"type": "text", "text": f"a {LABEL}"}, "b"]),
        ),
        ([HumanMessage(SECRET), AIMessage("b")], [HumanMessage(LABEL), AIMessage("b")]),
        (
            AIMessage("", tool_calls=[{"name": "n", "args": {"a": [SECRET]}, "id": "1"}]),
            AIMessage("", tool_calls=[{"name": "n", "args": {"a": [LABEL]}, "id": "1"}]),
        ),
        ({"question": SECRET, "n": 1}, {"question": LABEL, "n": 1}),
    ],
)
def test_values_keep_their_types(value: Any, clean: Any) -> None:
    before = repr(value)
    assert STEP.invoke(value) == clean
    assert asyncio.run(STEP.ainvoke(value)) == clean
    assert repr(value) == before


def test_clean_values_are_the_very_same() -> None:
    for value in ("hello", HumanMessage("hello"), {"a": 1}):
        assert STEP.invoke(value) is value
    prompt = ChatPromptTemplate.from_messages([("human", "{a}")]).invoke({"a": "hello"})
    assert STEP.invoke(prompt) is prompt


def pieces(text: str, size: int) -> list[str]:
    return [text[begin : begin + size] for begin in range(0, len(text), size)]


def source(items: list[Any]) -> Any:
    def made(_: Any) -> Any:
        yield from items

    async def amade(_: Any) -> Any:
        for item in items:
            yield item

    return RunnableGenerator(made, amade)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_texts_that_stream(size: int) -> None:
    text = f"é: {SECRET}, and more. "
    chain = source(pieces(text, size)) | redact_stream(GUARD)
    out = list(chain.stream("x"))
    assert "".join(out) == text.replace(SECRET, LABEL)
    assert chain.invoke("x") == text.replace(SECRET, LABEL)

    async def streamed() -> str:
        return "".join([piece async for piece in chain.astream("x")])

    assert asyncio.run(streamed()) == text.replace(SECRET, LABEL)


@pytest.mark.parametrize("size", [1, 5, 100])
def test_messages_that_stream(size: int) -> None:
    said = f'"{SECRET}" \n end'
    chunks = [
        AIMessageChunk([{"type": name, name: piece, "index": index}], id="m")
        for index, name in enumerate(["thinking", "text"])
        for piece in pieces(said, size)
    ]
    call = {"name": "note", "id": "1", "index": 0, "type": "tool_call_chunk"}
    for piece in pieces(json.dumps({"text": said}), size):
        chunks.append(AIMessageChunk("", id="m", tool_call_chunks=[call | {"args": piece}]))
        call |= {"name": None, "id": None}
    out = list((source(chunks) | redact_stream(GUARD)).stream("x"))
    assert all(remains(SECRET, chunk.model_dump_json()) == [] for chunk in out)
    whole = out[0]
    for chunk in out[1:]:
        whole += chunk
    clean = said.replace(SECRET, LABEL)
    assert [one["args"] for one in whole.tool_calls] == [{"text": clean}]
    assert [block.get("text", block.get("thinking")) for block in whole.content] == [clean] * 2
    assert {chunk.id for chunk in out} == {"m"}


def test_what_a_provider_adds_to_a_stream() -> None:
    chunks = [
        AIMessageChunk("", additional_kwargs={"reasoning_content": piece, "tool_calls": [piece]})
        for piece in pieces(f"it is {SECRET} ", 3)
    ]
    out = list((source(chunks) | redact_stream(GUARD)).stream("x"))
    thought = "".join(one.additional_kwargs.get("reasoning_content", "") for one in out)
    assert thought == f"it is {LABEL} "
    assert not [one for one in out if "tool_calls" in one.additional_kwargs]


def test_a_clean_stream_is_the_very_same() -> None:
    chunks: list[Any] = [AIMessageChunk(word) for word in ("all ", "is ", "well ")]
    out = list((source(chunks) | redact_stream(GUARD)).stream("x"))
    assert [a is b for a, b in zip(out, chunks, strict=True)] == [True] * 3


def test_what_a_policy_blocks_is_raised() -> None:
    guard = strict(Action.block)
    with pytest.raises(WithheldError, match=GITHUB):
        redact_messages(guard).invoke(HumanMessage(SECRET))
    got: list[str] = []
    with pytest.raises(WithheldError, match=GITHUB):
        chain = source(pieces(f"it is {SECRET} ", 3)) | redact_stream(guard)
        got.extend(chain.stream("x"))
    assert remains(SECRET, "".join(got)) == []
    assert (source([SECRET]) | redact_stream(strict(Action.allow))).invoke("x") == SECRET
