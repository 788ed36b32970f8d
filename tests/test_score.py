"""Confidence: random tokens high, what people write in their place low, failed checks kept."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, rule_of, sample_of

import detector.score as score_module
from detector.checks import CHECKS
from detector.rules import Rule
from detector.rules.samples import draw
from detector.rules.syntax import (
    ALNUM,
    Alt,
    Group,
    Mask,
    Node,
    One,
    Repeat,
    Seq,
    mask_of,
    parse,
)
from detector.scanner import Scanner
from detector.score import Survivors, oddities
from detector.types import CheckResult
from detector.words import Words

SAMPLES = 60
NEAR = b"_api_key="  # what stands between a provider's name and the value


def confidences(rule: Rule, secrets: Sequence[bytes]) -> list[float]:
    """What the built-in scorer says of these secrets of one rule, checks included."""
    check = CHECKS[rule.spec.check].check if rule.spec.check else None
    results = [check(secret, b"") if check else CheckResult() for secret in secrets]
    near = rule.spec.keywords[0].encode() + NEAR if rule.spec.keywords else b""
    rows = Survivors(
        builtin_rules(),
        np.full(len(secrets), numbers()[rule.id], np.int64),
        secrets,
        results,
        dict.fromkeys(range(len(secrets)), near) if near else {},
    )
    return list(builtin_scanner().machinery.scorer(rows).tolist())


@lru_cache(maxsize=1)
def numbers() -> dict[str, int]:
    """The place of each rule among all."""
    return {rule.id: number for number, rule in enumerate(builtin_rules())}


def test_samples_of_every_rule_score_high() -> None:
    """At most one in a thousand of a rule's own samples may fall below the default 0.5."""
    low: dict[str, int] = {}
    total = 0
    for rule in builtin_rules():
        rng = random.Random(f"score/{rule.id}")
        secrets = [draw(rule, rng).secret for _ in range(SAMPLES)]
        total += len(secrets)
        if count := sum(score < 0.5 for score in confidences(rule, secrets)):
            low[rule.id] = count
    assert sum(low.values()) <= total / 1000, low
    # Of one rule: two of 60 happen by chance where one in a thousand is the truth.
    assert not {rule: count for rule, count in low.items() if count > 2}


FILLERS = {
    "one letter": b"x",
    "one capital": b"X",
    "one digit": b"0",
    "counting": b"1234567890",
    "the alphabet": b"abcdefghijklmnopqrstuvwxyz",
    "the alphabet, capital": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "stars": b"*",
    "dots": b".",
    "dashes": b"-",
    "words": b"your-api-key-here-",
    "words with underscores": b"your_secret_key_",
    "capital words": b"YOUR_TOKEN_HERE_",
    "example": b"example",
    "capital example": b"EXAMPLE",
    "redacted": b"REDACTED",
    "placeholder": b"placeholder-",
    "change me": b"changeme",
    "hex example": b"deadbeef",
}


def written(node: Node, filler: bytes, at: list[int]) -> bytes | None:
    """A match in which every place that is free (a class of many bytes) is filled from
    ``filler``; None where the class does not allow that. ``at[0]`` counts the places."""
    match node:
        case One(mask):
            if mask.bit_count() <= 8:
                return bytes([(mask & -mask).bit_length() - 1])
            byte = filler[at[0] % len(filler)]
            at[0] += 1
            return bytes([byte]) if mask >> byte & 1 else None
        case Group(item):
            return written(item, filler, at)
        case Seq(items):
            parts = [written(item, filler, at) for item in items]
            return None if None in parts else b"".join(p for p in parts if p is not None)
        case Alt(options):
            return next((w for o in options if (w := written(o, filler, at)) is not None), None)
        case Repeat(item, lo, _):
            return written(Seq((item,) * lo), filler, at)


def secret_of(rule: Rule, filler: bytes) -> tuple[bytes, int] | None:
    """A placeholder of the rule's own shape, and how many bytes of it were free."""
    groups = [n for n in _walk(parse(rule.spec.pattern)) if isinstance(n, Group)]
    at = [0]
    text = written(groups[0], filler, at)
    return None if text is None else (text, at[0])


def _walk(node: Node) -> list[Node]:
    inner: tuple[Node, ...] = ()
    match node:
        case Group(item) | Repeat(item):
            inner = (item,)
        case Seq(items) | Alt(items):
            inner = items
    return [node, *(found for item in inner for found in _walk(item))]


@pytest.mark.parametrize("kind", FILLERS)
def test_placeholders_of_every_shape_score_low(kind: str) -> None:
    """``ghp_xxxx…``, ``sk-your-api-key-here``: of every rule that has random secrets and an
    alphabet that can spell it, over sixteen free bytes or more."""
    high = []
    for rule in builtin_rules():
        if not rule.spec.random:
            continue
        shaped = secret_of(rule, FILLERS[kind])
        if shaped is None or shaped[1] < 16:
            continue
        (score,) = confidences(rule, [shaped[0]])
        if score >= 0.5:
            high.append((rule.id, round(score, 2)))
    assert not high


def broken(rule: Rule, secret: bytes, rng: random.Random) -> bytes | None:
    """The same with two letters or digits near its end exchanged for others of their kind."""
    kinds = (b"0123456789", b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    out = bytearray(secret)
    places = [i for i in range(len(secret) // 2, len(secret)) if secret[i : i + 1].isalnum()]
    for place in rng.sample(places, min(2, len(places))):
        kind = next(k for k in kinds if out[place] in k)
        out[place] = rng.choice([b for b in kind if b != out[place]])
    return bytes(out) if re.fullmatch(rule.spec.pattern.encode(), bytes(out)) else None


def test_a_failed_check_is_reported_and_says_so() -> None:
    """A token may be cut, mistyped or of a newer format: lower, but never dropped."""
    failed = 0
    for rule in builtin_rules():
        if not rule.spec.check or rule.spec.keywords:
            continue
        rng = random.Random(f"broken/{rule.id}")
        for seed in range(3):
            text = broken(rule, sample_of(rule.id, seed).secret, rng)
            if text is None:
                continue
            for finding in builtin_scanner().scan(text):
                if finding.check == "failed":
                    failed += 1
                    assert 0.5 <= finding.confidence <= 0.6, rule.id
    assert failed > 50


def test_a_passed_check_outweighs_what_a_token_looks_like() -> None:
    """A checksum that fits is proof, also of a token that reads like words."""
    for rule in builtin_rules():
        proof = rule.spec.check and CHECKS[rule.spec.check].proof
        if proof and not rule.spec.keywords:
            (finding, *_) = builtin_scanner().scan(sample_of(rule.id, 1).text) or [None]
            if finding is not None and finding.check == "passed":
                assert finding.confidence >= 0.99, rule.id


def test_the_name_nearby_decides_for_rules_that_know_only_names() -> None:
    """The same 32 hex digits: a key where a key is named, none where a digest is."""
    rule = rule_of(r"(?P<secret>[0-9a-f]{32})", keywords=("acmecloud",), confidence=0.7)
    scanner = Scanner([rule], min_confidence=0)
    value = random.Random(9).randbytes(16).hex()

    def confidence(text: str) -> float:
        return max((f.confidence for f in scanner.scan(text.format(value))), default=0.0)

    assert confidence("ACMECLOUD_API_KEY={}") > 0.7
    assert confidence("ACMECLOUD_TOKEN: '{}'") > 0.7
    assert confidence("acmecloud token md5={}") < 0.5
    assert confidence("acmecloud_key_sha256 = {}") < 0.5


def test_confidence_is_a_probability() -> None:
    """Also where a name nearby raises the prior of a rule that is sure already."""
    for prior in (0.6, 0.85, 1.0):
        rule = rule_of(r"(?P<secret>[0-9a-f]{32})", keywords=("acmecloud",), confidence=prior)
        value = random.Random(9).randbytes(16).hex()
        (finding,) = Scanner([rule]).scan(f"acmecloud_api_key={value}")
        assert prior <= finding.confidence <= 1


@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_min_confidence_is_a_sharp_edge(value: float) -> None:
    texts = [sample_of(rule.id, 2).text for rule in list(builtin_rules())[::9]]
    for found in Scanner(builtin_rules(), min_confidence=value).scan_many(texts):
        assert all(finding.confidence >= value for finding in found)


# A batch says of each what it says of it alone: else findings would depend on neighbours,
# and on where a stream was cut.

ALPHABETS = [
    b"0123456789abcdef",
    b"ab",
    b"abcdefghijklmnopqrstuvwxyz0123456789-_",
    bytes(range(256)),
]
tokens = st.lists(
    st.sampled_from(ALPHABETS).flatmap(
        lambda alphabet: st.lists(st.sampled_from(alphabet), max_size=48).map(bytes)
    ),
    max_size=80,
)


@settings(max_examples=150)
@given(tokens)
def test_runs_are_seen_in_a_batch_as_in_one(batch: list[bytes]) -> None:
    assert oddities(batch).tolist() == [bool(oddities([token])[0]) for token in batch]
    assert oddities(batch).tolist() == [has_run(token) for token in batch]


def has_run(token: bytes) -> bool:
    """By the book: six in a row that stay, rise or fall by one; nine where few bytes differ."""
    need = 9 if len(set(token)) <= 16 else 6
    for begin in range(len(token) - need + 1):
        steps = {
            b - a for a, b in zip(token[begin:], token[begin + 1 : begin + need], strict=False)
        }
        if len(steps) == 1 and steps <= {-1, 0, 1}:
            return True
    return False


@settings(max_examples=60)
@given(tokens)
def test_words_are_seen_in_a_batch_as_in_one(batch: list[bytes]) -> None:
    words = builtin_words()
    mixed = [token.replace(b"a", b"-test-").replace(b"b", b"Example") for token in batch]
    assert words.in_each(mixed).tolist() == [bool(words.in_each([one])[0]) for one in mixed]


@lru_cache(maxsize=1)
def builtin_words() -> Words:
    return Words()


@pytest.mark.parametrize(
    ("token", "is_placeholder"),
    [
        (b"YOUR_API_KEY", True),
        (b"my-test-key", True),
        (b"4fQxExAmPlE9d", True),
        (b"test", True),
        (b"key", True),
        (b"aTEST9-x", False),
        (b"latest-fakery", False),
        (b"9d8-keys-3", False),
        (b"", False),
        (b"\n", False),
    ],
)
def test_words_that_people_write_in_place_of_a_secret(token: bytes, is_placeholder: bool) -> None:
    """Short words count between separators only, long ones anywhere, in any case."""
    for batch in ([token], [b"9fQ", token, b"7dk"], [token] * 3):
        place = batch.index(token)
        assert bool(builtin_words().in_each(batch)[place]) is is_placeholder


def test_a_batch_of_scores_is_each_ones_own() -> None:
    rule = builtin_rules().by_id["gitlab-pat"]
    rng = random.Random(3)
    secrets = [draw(rule, rng).secret for _ in range(100)]
    secrets += [b"glpat-" + filler * 20 for filler in (b"x", b"ab", b"test-")]
    alone = [confidences(rule, [secret])[0] for secret in secrets]
    assert [round(s, 3) for s in confidences(rule, secrets)] == [round(s, 3) for s in alone]


def test_another_scorer_can_take_its_place() -> None:
    def judge(survivors: Survivors) -> np.ndarray:
        return np.linspace(0.6, 0.7, len(survivors.secrets), dtype=np.float32)

    scanner = Scanner(builtin_rules(), scorer=judge)
    found = scanner.scan(sample_of("github-pat").text + b" " + sample_of("github-pat", 1).text)
    assert [f.confidence for f in found] == [0.6, 0.7]


def test_alphabets_that_these_tests_rest_on() -> None:
    """The fillers are what they are called: a class of letters and digits can spell some."""
    mask: Mask = ALNUM
    assert all(mask >> byte & 1 for byte in FILLERS["example"])
    assert not mask_of(FILLERS["stars"]) & mask


def test_masked_tokens_cost_what_others_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each odd token is looked at once, however many there are: a masked dump has thousands."""
    looked_at = []
    monkeypatch.setattr(score_module, "_is_odd", lambda token: looked_at.append(token) or True)
    tokens = [b"x" * 36] * 500
    assert score_module.oddities(tokens).all()
    assert len(looked_at) == 500
