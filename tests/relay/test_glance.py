"""The glance at a batch never says no where the filter says yes, and many are as one."""

from __future__ import annotations

import json

from flowing import filtering, key, other_key
from hypothesis import given
from hypothesis import strategies as st

from detector.filter import Action
from detector.relay.examiner import Question, answers
from detector.relay.glance import suspects

words = st.text(st.sampled_from('abc dé"\\\n{}[]:, 🙂'), max_size=8)
secrets = st.one_of(
    st.integers(0, 5).map(key), st.integers(0, 5).map(lambda n: f"it is {other_key(n)}")
)
texts = st.one_of(words, st.just("hello there"), secrets)


@st.composite
def halves(draw):
    secret = draw(secrets)
    cut = draw(st.integers(1, len(secret) - 1))
    parts = [secret[:cut], secret[cut:]]
    return draw(st.sampled_from([parts, [{"type": "text", "text": part} for part in parts]]))


documents = st.recursive(
    st.one_of(texts, halves(), st.integers(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(["text", "a"]), words), inner, max_size=3),
        inner.map(json.dumps),
    ),
    max_leaves=6,
)


@st.composite
def bodies(draw):
    if draw(st.integers(0, 4)) == 0:
        return draw(texts).encode()
    style = draw(st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}]))
    body = json.dumps(draw(documents), ensure_ascii=draw(st.booleans()), **style).encode()
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


@given(st.lists(bodies(), max_size=6))
def test_whatever_the_filter_finds_was_suspect(batch):
    filter = filtering()
    seen = set(suspects(filter.scanner, [(body, []) for body in batch]))
    verdicts = [filter.check(body) for body in batch]
    found = {n for n, one in enumerate(verdicts) if one.findings or one.error}
    assert found <= seen


@given(st.lists(bodies(), max_size=6))
def test_many_are_judged_as_one_by_one(batch):
    filter = filtering()
    assert filter.check_many(batch) == [filter.check(body) for body in batch]


@given(st.lists(st.tuples(bodies(), st.lists(texts, max_size=2)), max_size=4))
def test_answers_are_those_of_the_filter(batch):
    filter = filtering()
    questions = [Question(body, "c", [f"h: {t}".encode() for t in more]) for body, more in batch]
    found = {one.number: one for one in answers(filter, questions)}
    for number, question in enumerate(questions):
        verdicts = [filter.check(text) for text in (question.body, *question.texts)]
        actions = [one.action for one in verdicts]
        if number not in found:
            assert set(actions) == {Action.allow}
        else:
            assert found[number].action == max(actions, key=lambda one: one.strength)


def test_plain_documents_are_no_suspects():
    batch = [json.dumps({"id": n, "text": "all is well", "tags": ["a", "b"]}) for n in range(50)]
    batch[7] = json.dumps({"id": 7, "text": f"take {key()}"})
    filter = filtering()
    assert suspects(filter.scanner, [(body.encode(), [b"trace: 1"]) for body in batch]) == [7]
    one = [(b"{}", [b"trace: 1", f"token: {key()}".encode()])]
    assert suspects(filter.scanner, one) == [0]


def test_a_deep_document_is_left_to_the_filter():
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    (answer,) = answers(filtering(), [Question(deep, "", [])])
    assert answer.action is Action.quarantine
