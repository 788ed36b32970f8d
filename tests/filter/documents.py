"""Random documents with planted secrets, and what must hold of a redacted one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from material import builtin_rules, example_of, sample_of

IDS = [rule.id for rule in builtin_rules()]
OWN_FORMAT = [
    "github-pat",
    "openai-project-key",
    "anthropic-api-key",
    "slack-bot-token",
    "stripe-secret-key",
    "private-key",
    "jwt",
    "aws-access-key",
]
KEYS = ["text", "content", "name", "password", "api_key", "value", "type", "url", "é", "a b", ""]

words = st.text(st.sampled_from('abc dé"\\\n{}[]:,\u2028🙂/'), max_size=12)


@st.composite
def secrets(draw: st.DrawFn) -> str:
    """Text with a secret of any rule in it, as the rule's examples write it."""
    if draw(st.booleans()):
        text = sample_of(draw(st.sampled_from(OWN_FORMAT)), draw(st.integers(0, 9))).text
        return draw(words) + " " + text.decode("latin-1") + " " + draw(words)
    filled = example_of(draw(st.sampled_from(IDS)), draw(st.integers(0, 9)))[0]
    return filled.decode("latin-1")


@st.composite
def named(draw: st.DrawFn) -> dict[str, Any]:
    """A field whose name says what its value is."""
    name = draw(st.sampled_from(["password", "api_key", "dbPassword", "client_secret", "token"]))
    drawn = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=12)
    return {name: draw(drawn), "id": draw(st.integers())}


@st.composite
def split(draw: st.DrawFn) -> list[Any]:
    """A secret in parts of one message."""
    text = sample_of(draw(st.sampled_from(OWN_FORMAT)), draw(st.integers(0, 9))).text.decode()
    cut = draw(st.integers(1, len(text) - 1))
    parts = ["it is " + text[:cut], text[cut:] + " ok"]
    kind = draw(st.sampled_from(["plain", "openai", "slack"]))
    if kind == "plain":
        return parts
    return [{"type": "text" if kind == "slack" else "input_text", "text": part} for part in parts]


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.one_of(st.sampled_from(KEYS), words, secrets())
    objects = st.dictionaries(names, children, max_size=4)
    return st.one_of(
        st.lists(children, max_size=4),
        objects,
        st.builds(tuple, st.lists(children, max_size=3)),
        objects.map(json.dumps),
        objects.map(lambda value: json.dumps(value, indent=1, ensure_ascii=False)),
    )


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9999, 9999),
    st.floats(),
    words,
    secrets(),
    named(),
    split(),
)
documents = st.recursive(leaves, nested, max_leaves=10)


def assert_same_but_for_texts(one: Any, other: Any) -> None:
    """Equal in everything but strings; those are equal, or redacted and as much JSON as before."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert len(one) == len(other)
        for a, b in zip(one.items(), other.items(), strict=True):
            assert_same_but_for_texts(a, b)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same_but_for_texts(a, b)
    elif isinstance(one, str):
        if one != other:
            assert "[redacted" in other
            if (inside := loaded(one)) is not None:
                assert_same_but_for_texts(inside, loaded(other))
    else:
        assert repr(one) == repr(other)


def loaded(text: str) -> Any:
    """What a string that is an object, a list or a string in JSON says."""
    if text.lstrip()[:1] not in tuple('{["'):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
