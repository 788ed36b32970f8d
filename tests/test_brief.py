"""The short ways for messages say what the long ones say."""

from __future__ import annotations

import random

import numpy as np
import pytest

from detector import Filter, Policy, RuleSet, Scanner
from detector.brief import brief
from detector.rules.samples import draw
from detector.score import Survivors
from detector.tracker import Tracker
from detector.types import CheckResult, CheckStatus

RULES = RuleSet.builtin()
AROUND = ["{}", "key: {}, can you?", "a\nb\n é {} {}", "x{}y", "token={}", "`{}`\n\n", "is {}-test"]


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(key=b"test")


def texts(seed: int) -> list[str]:
    """Each rule's sample in some context, two of them now and then, cut and broken ones too."""
    rng = random.Random(seed)
    out = []
    for rule in RULES:
        token = draw(rule, rng).text.decode("utf-8", "replace")
        if rng.random() < 0.3:
            token = token[: rng.randrange(len(token)) + 1] + rng.choice(["", "A", "_", "0"])
        context = rng.choice(AROUND)
        out.append(context.format(*[token] * context.count("{}")))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_a_short_text_has_the_same_matches(scanner: Scanner, seed: int):
    went = 0
    for text in texts(seed):
        raw = text.encode("utf-8", "surrogatepass")
        hits = scanner.machinery.engine.find(raw)
        short = brief(scanner.machinery, raw, hits)
        if short is None:
            continue
        went += 1
        tracker = Tracker(scanner.machinery, prompt=False)
        groups = tracker.advance(raw, len(raw), final=True, hits=hits)
        (long,) = scanner.settled([groups])
        assert [one.best() for one in short] == [one.best() for one in long]
        assert [(c.start, c.end) for c in short] == [(c.start, c.end) for c in long]
    assert went > 400


def test_one_survivor_is_judged_as_many_are(scanner: Scanner):
    judge, rng = scanner.machinery.scorer, random.Random(5)
    numbers = [n for n, rule in enumerate(scanner.rules) if not rule.spec.judged] * 2
    secrets = [draw(scanner.rules[n], rng).secret for n in numbers]
    odd = [b"", b"x", b"aaaaaaaaaaaa", b"abcdefghijkl", b"your-key-here", b"[redacted:x]", b"****"]
    secrets = [rng.choice(odd) if rng.random() < 0.2 else secret for secret in secrets]
    results = [
        CheckResult(rng.choice([*CheckStatus]), placeholder=rng.random() < 0.05) for _ in numbers
    ]
    near = {
        k: rng.choice([b"_API_KEY=", b" sha256 ", b" is "])
        for k, n in enumerate(numbers)
        if scanner.rules[n].spec.keywords
    }
    many = judge(Survivors(scanner.rules, np.array(numbers), secrets, results, near))
    one = [
        judge.one(scanner.rules[n], secrets[k], results[k], near.get(k))
        for k, n in enumerate(numbers)
    ]
    assert one == pytest.approx(many.tolist(), abs=1e-6)


@pytest.mark.parametrize("mask", ["label", "stars", "pseudonym"])
@pytest.mark.parametrize("policy", [{}, {"default": "alert"}, {"default": "block"}], ids=str)
def test_a_plain_text_has_the_same_verdict(scanner: Scanner, mask: str, policy: dict):
    messages = Filter(scanner, Policy.of(policy), mask=mask)
    some = texts(9)[:: 1 if mask == "label" else 5]
    given = [text.encode() if n % 3 == 0 else text for n, text in enumerate(some)]
    for message, long in zip(given, messages.check_many(given), strict=True):
        short = messages.check(message)
        assert (short.to_dict(), short.content) == (long.to_dict(), long.content)
