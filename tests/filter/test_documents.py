"""Laws of redacted messages, over random documents with planted secrets."""

from __future__ import annotations

import copy
import json
import re
from functools import lru_cache
from typing import Any

from documents import assert_same_but_for_texts, documents
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_scanner

from detector import Action, Filter, Policy
from detector.filter.rendering import Rendering, plain_text

EVERYTHING = Policy(rules=(), default=Action.redact, on_error="allow")


@lru_cache(maxsize=1)
def strict() -> Filter:
    """Redacts public keys, too, so that what is clean is clean."""
    return Filter(builtin_scanner(), EVERYTHING)


def as_text(message: Any) -> str:
    """What a scanner is shown of a message: with blanks between its parts the model may say
    something else of a doubtful password."""
    if isinstance(message, str):
        return message
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


@settings(max_examples=150)
@given(documents)
def test_a_document_is_equal_but_for_its_secrets(message: Any) -> None:
    before = copy.deepcopy(message)
    verdict = strict().check(message)
    assert repr(message) == repr(before)
    assert_same_but_for_texts(message, verdict.content)
    if verdict.action == "allow":
        assert verdict.content is message
        assert not verdict.findings


@settings(max_examples=150)
@given(documents)
def test_a_redacted_document_is_clean(message: Any) -> None:
    first = strict().check(message)
    again = strict().check(first.content)
    assert not again.findings or first.error  # an error: of a number, which stays
    if not first.error:
        assert again.content is first.content
        assert not builtin_scanner().scan(as_text(first.content))


@settings(max_examples=150)
@given(documents, st.sampled_from([None, 0, 2]), st.booleans())
def test_bytes_of_json_stay_json(message: Any, indent: int | None, ascii_only: bool) -> None:
    raw = json.dumps(message, indent=indent, ensure_ascii=ascii_only).encode()
    verdict = strict().check(raw)
    if verdict.action == "allow":
        assert verdict.content is raw
    assert_same_but_for_texts(json.loads(raw), json.loads(verdict.content))
    assert not strict().check(verdict.content).findings or verdict.error
    of_text = strict().check(raw.decode())
    assert of_text.content.encode() == verdict.content
    for finding in verdict.findings:
        # Of a secret in parts it is the first one. What the model judges it may take for a secret
        # at one place and not at another.
        piece = raw[finding.start : finding.end]
        doubtful = finding.provider == "generic" or len(piece) < 12
        assert doubtful or piece not in verdict.content or verdict.error


@settings(max_examples=150)
@given(documents, st.booleans())
def test_what_a_scan_of_the_json_text_finds_is_found(message: Any, ascii_only: bool) -> None:
    found = builtin_scanner().scan(as_text(message))
    verdict = strict().check(message)
    left = as_text(verdict.content)
    for finding in found:
        secret = finding.secret.reveal().decode()
        assert verdict.findings
        assert verdict.error or len(secret) < 8 or secret not in left, finding.rule


@settings(max_examples=150)
@given(documents)
def test_the_quick_way_sees_all_that_the_rendering_shows(message: Any) -> None:
    """Where it is taken nothing but the one text is looked at, and that is the same text."""
    if (quick := plain_text(message)) is not None:
        assert unrepeated(quick) == unrepeated(Rendering(message).shown())


def unrepeated(text: bytes) -> bytes:
    """Without numbers with a fraction, which are written in more than one way."""
    return re.sub(rb"null|NaN|-?Infinity|-?[0-9.]+(?:e[+-]?[0-9]+|\.[0-9]+)", b"n", text)
