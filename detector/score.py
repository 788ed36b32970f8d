"""How sure we are: survivors in, one confidence each out, in one batch.

A scorer is any callable from :class:`Survivors` to an array of probabilities, so a
trained model can take this one's place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from detector.entropy import Floats, randomness
from detector.rules import Rule
from detector.types import CheckResult, CheckStatus

PASSED = 0.99  # a 32-bit checksum fits by chance once in 4 * 10^9
FAILED = 0.6  # reported all the same: the token may be cut, mistyped or of a newer format

# Measured on 10^5 random tokens a cell: none of 16 bytes or more below 0.5, fewer than
# one in 10^4 below 0.7. A run of one letter or "your-key-here" words fall far below.
NOT_RANDOM, DOUBTFUL = 0.5, 0.68


class Survivors(NamedTuple):
    """Columns of what was verified. ``near`` is the text between a provider's name and the
    value for rules that know only names, else empty."""

    rules: Sequence[Rule]
    secrets: Sequence[bytes]
    results: Sequence[CheckResult]
    near: Sequence[bytes]


Bools = NDArray[np.bool_]
Scorer = Callable[[Survivors], Floats]

# Long words count anywhere: seven given letters stand in a random token of 40 once in 10^9.
# Short ones count between separators only: a random token holds "test" once in 25,000.
_ANYWHERE = (
    "example placeholder redacted changeme change-me change_me dummykey fakekey notreal not-real "
    "not_real insertyour insert-your insert_your your-own your_own yourapi your-api your_api "
    "your-key your_key yourkey your-token your_token your-secret your_secret yourproject "
    "your-project your_project replaceme replace-me replace_me replace-with replace_with xxxxxx "
    "samplekey sample-key sample_key testtest deadbeef"
).split()
_BETWEEN_SEPARATORS = "your test fake dummy sample mock todo here foo bar key".split()
_WORDS = re.compile(rb"[A-Za-z]{2,14}(?:[-_.][A-Za-z]{1,14}[0-9]{0,2}|[-_.][0-9]{1,4}){2,}\Z")
_LETTERS = re.compile(rb"(?:[a-z_.-]+|[A-Z_.-]+)\Z")
_KEYISH = re.compile(rb"(?i:key|token|secret|auth|passw|api|cred|pat\b|bearer|login)")
_DIGESTISH = re.compile(
    rb"(?i:sha\d|md5|hash|digest|integrity|checksum|commit|revision|etag|uuid|guid|rev\b)"
)
_ADJACENT = re.compile(rb"\w[\s\"'`:=,|>(\[{-]{0,8}\Z")


def score(survivors: Survivors) -> Floats:
    """The built-in scorer: prior, check, name nearby, randomness, placeholders."""
    rules, secrets, results, near = survivors
    bodies = [secret[rule.public(secret) :] for rule, secret in zip(rules, secrets, strict=True)]
    random = randomness(bodies).tolist()
    odd = oddities(bodies) | placeholders(bodies)
    out = np.empty(len(rules), np.float32)
    for i, (rule, result) in enumerate(zip(rules, results, strict=True)):
        out[i] = _one(rule, result, near[i], bodies[i], random[i], bool(odd[i]))
    return out


def _one(
    rule: Rule, result: CheckResult, near: bytes, body: bytes, random: float, odd: bool
) -> float:
    spec = rule.spec
    if result.placeholder:
        return 0.05
    if result.status is CheckStatus.passed:
        return max(PASSED, spec.confidence)
    prior = spec.confidence
    if result.status is CheckStatus.failed:
        prior = min(prior, FAILED)
    if spec.keywords:
        prior *= _nearness(near)
    if not spec.random:
        return prior
    if random < NOT_RANDOM or odd:
        prior *= 0.2
    elif random < DOUBTFUL:
        prior *= 0.7
    if _WORDS.match(body) or (_LETTERS.match(body) and _too_few_kinds(rule, body)):
        prior *= 0.3
    return prior


def _nearness(near: bytes) -> float:
    """How much the words between a provider's name and the value speak for a credential."""
    if _DIGESTISH.search(near):
        return 0.4
    if _KEYISH.search(near):
        return 1.2
    return 0.9 if _ADJACENT.search(near) else 0.6


def _too_few_kinds(rule: Rule, body: bytes) -> bool:
    """Whether letters of one case alone are words: chance gives that once in 10^5 at most."""
    return len(body) * math.log2(max(rule.letters, 26) / 26) > 17


@lru_cache(maxsize=1)
def _words() -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word in _ANYWHERE:
        automaton.add_word(word, 0)
    for word in _BETWEEN_SEPARATORS:
        automaton.add_word(word, len(word))
    automaton.make_automaton()
    return automaton


def placeholders(tokens: Sequence[bytes]) -> Bools:
    """Whether a token holds a word that people write in place of a secret."""
    out = np.zeros(len(tokens), np.bool_)
    text = b"\n".join([*tokens, b""]).decode("latin-1")
    ends = np.cumsum([len(token) + 1 for token in tokens])
    for last, length in _words().iter(text.lower()):
        if length and not (_separates(text, last - length) and _separates(text, last + 1)):
            continue
        out[np.searchsorted(ends, last, side="right")] = True
    return out


def _separates(text: str, index: int) -> bool:
    return index < 0 or text[index] in "-_\n"


def oddities(tokens: Sequence[bytes]) -> Bools:
    """Whether a token holds a run of one byte or an ascending or descending sequence.

    Six in a row, nine in tokens of at most 16 different bytes: a random hex token of 64
    digits holds a run of six once in 20,000, of nine once in 10^8.
    """
    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    out = np.zeros(len(tokens), np.bool_)
    flat = np.frombuffer(b"".join(tokens), np.uint8)
    if flat.size < 6:
        return out
    step = np.diff(flat.astype(np.int16))
    straight = np.abs(step) <= 1
    same = np.zeros(step.size, np.bool_)
    same[1:] = straight[1:] & (step[1:] == step[:-1])
    five = same.copy()
    for shift in range(1, 4):  # four equal steps in a row after the first: six bytes
        five[shift:] &= same[:-shift]
        five[:shift] = False
    for last in np.flatnonzero(five) + 1:
        row = int(np.searchsorted(np.cumsum(lengths), last, side="right"))
        begin = int(lengths[:row].sum())
        if not out[row] and last - 5 >= begin:
            out[row] = _straight_run(tokens[row]) >= (9 if len(set(tokens[row])) <= 16 else 6)
    return out


def _straight_run(token: bytes) -> int:
    """Length of the longest run of equal, ascending or descending bytes."""
    longest = run = 1
    before: int | None = None
    for a, b in pairwise(token):
        step = b - a
        if abs(step) > 1:
            run, before = 1, None
            continue
        run = run + 1 if step == before else 2
        before = step
        longest = max(longest, run)
    return longest
