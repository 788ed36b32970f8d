"""How sure we are: survivors in, one confidence each out, in one batch.

A scorer is any callable from :class:`Survivors` to an array of probabilities, so a
trained model can take this one's place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.checks import CHECKS
from detector.classifier import Classifier, Model
from detector.english import English
from detector.entropy import DIGIT, OTHER, WORTH, Floats, profile, profile_of
from detector.features import Candidates
from detector.rules import Rule
from detector.scene import Scene, moved, signs
from detector.types import CheckResult, CheckStatus
from detector.words import Words

PASSED = 0.99  # a 32-bit checksum fits by chance once in 4 * 10^9
FORMED = 0.6  # a random-looking password where a format has one, if the classifier says less
REASONS = 4  # that an explanation names at most
FAILED = 0.6  # reported all the same: the token may be cut, mistyped or of a newer format
PLACEHOLDER = 0.05  # a value that its vendor has published, or what a redaction left


# Measured on 10^5 random tokens a cell: none of 16 bytes or more below 0.5, fewer than
# one in 10^4 below 0.7. A run of one letter or "your-key-here" words fall far below.
NOT_RANDOM, DOUBTFUL = 0.5, 0.68

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Around(NamedTuple):
    """The bytes on both sides of a secret and the path it stands in, for the classifier."""

    before: bytes
    after: bytes
    path: str = ""

    def __repr__(self) -> str:
        return "Around()"  # another secret may stand there


class Survivors(NamedTuple):
    """Columns of what was verified. ``rules`` are all rules, ``rule`` is the index of each
    survivor's. ``near`` is the text between a provider's name and the value, for the rules
    that know only names, and ``around`` what stands around it, for the rules whose matches the
    classifier judges; both by the survivor's number. ``starts`` are positions in its source."""

    rules: Sequence[Rule]
    rule: Ints
    secrets: Sequence[bytes]
    results: Sequence[CheckResult]
    near: dict[int, bytes]
    around: Mapping[int, Around] = MappingProxyType({})
    starts: Sequence[int] = ()

    def __repr__(self) -> str:
        return f"Survivors({len(self.secrets)})"  # never the secrets


Scorer = Callable[[Survivors], Floats]


# Words of one case, or capitalised, between separators: "fading-circle-delay", "Cube_Grid_2".
_WORDS = re.compile(
    rb"(?:[A-Z]?[a-z]{1,14}|[A-Z]{2,14})(?:[-_.](?:[A-Z]?[a-z]{1,14}[0-9]{0,2}|[A-Z]{1,14}|[0-9]{1,4})){2,}\Z"
)
_MIXED = re.compile(rb"(?=[^A-Za-z]*[A-Za-z])(?=[^0-9]*[0-9]).{8}")
_STRONG = re.compile(rb"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[0-9A-Za-z_+/=-]{16,64}\Z")
_RUNS = re.compile(rb"[0-9A-Za-z]+")
_LETTERS = re.compile(rb"(?:[a-z_.-]+|[A-Z_.-]+)\Z")
_KEYISH = re.compile(rb"(?i:key|token|secret|auth|passw|api|cred|pat\b|bearer|login)")
_DIGESTISH = re.compile(
    rb"(?i:sha\d|md5|hash|digest|integrity|checksum|commit|revision|etag|uuid|guid|rev\b)"
)
_ADJACENT = re.compile(rb"\w[\s\"'`:=,|>(\[{\\-]{0,8}\Z")
# What this program's own redaction leaves: [redacted:rule], [rule:digits], stars, and a UUID.
_REDACTED = re.compile(
    rb"\[(?:redacted:)?[a-z0-9-]+(?::[0-9a-f]*)?\]?\Z|\*+\Z"
    rb"|0{8}-0{4}-4000-8[0-9a-f]{3}-[0-9a-f]{12}\Z"
)
_MASK = re.compile(rb"\[(?:redacted:)?[a-z0-9-]+:?\Z")
_CODES = {CheckStatus.none: 0, CheckStatus.passed: 1, CheckStatus.failed: 2}


class Judge:
    """The built-in scorer: prior, check, name nearby, randomness, placeholders."""

    def __init__(
        self,
        rules: Sequence[Rule],
        engine: str = "auto",
        model: Model | None = None,
    ) -> None:
        """``model`` judges the matches of rules that leave this to it; needed if there are any."""
        self._prior = np.array([rule.spec.confidence for rule in rules], np.float64)
        self._proof = np.array(
            [rule.checked and CHECKS[rule.spec.check].proof for rule in rules], np.bool_
        )
        self._random = np.array([rule.spec.random for rule in rules], np.bool_)
        self._public = np.array(
            [len(rule.prefixes[0]) if len(rule.prefixes) == 1 else -1 for rule in rules], np.int64
        )
        self._longest = np.array([rule.spec.longest for rule in rules], np.bool_)
        self._wordless = np.array(
            [not (rule.spec.worded or rule.spec.names) for rule in rules], np.bool_
        )
        self._words = Words(engine)
        self._model = model
        self._english = English(model.lookups.bigrams[0]) if model is not None else None
        self._scene = Scene(model.lookups.passwords) if model is not None else None

    def __call__(self, survivors: Survivors) -> Floats:
        """One probability for each survivor."""
        rules, rule, secrets, results, near, around, _ = survivors
        prior = self._prior[rule]
        status = np.array([3 if r.placeholder else _CODES[r.status] for r in results], np.int8)
        for number in np.flatnonzero(~self._random[rule]).tolist():
            if _REDACTED.match(secrets[number]):
                status[number] = 3
        for number, sides in around.items():
            if _in_a_mask(sides.before):
                status[number] = 3
        score = np.where(status == 2, np.minimum(prior, FAILED), prior)
        for number, text in near.items():
            score[number] *= _nearness(text)
        random = np.flatnonzero(self._random[rule])
        if random.size:
            chosen = [secrets[number] for number in random.tolist()]
            score[random] *= self._looks(rules, rule[random], chosen)
        for number in np.flatnonzero(self._wordless[rule]).tolist():
            if not self._is_no_word(secrets[number]):
                score[number] *= 0.2
        if around and self._model is not None and self._scene is not None:
            numbers = list(around)
            failed = np.where(status[numbers] == 2, FAILED, 1)
            judged = self._judged(survivors, numbers, self._model, self._scene)
            score[numbers] = judged * failed
        proved = (status == 1) & self._proof[rule]
        score = np.where(proved, np.maximum(PASSED, prior), score)
        score = np.minimum(score, 1)
        return np.where(status == 3, PLACEHOLDER, score)

    def one(self, rule: Rule, secret: bytes, result: CheckResult, near: bytes | None) -> float:
        """The same in plain Python, for a survivor that the model does not judge: 2 microseconds
        instead of 40, since numpy is slow to begin."""
        spec = rule.spec
        if result.placeholder or (not spec.random and _REDACTED.match(secret)):
            return PLACEHOLDER
        prior: float = spec.confidence
        if result.status is CheckStatus.passed and rule.checked and CHECKS[spec.check].proof:
            return min(max(PASSED, prior), 1.0)
        score = min(prior, FAILED) if result.status is CheckStatus.failed else prior
        if near is not None:
            score *= _nearness(near)
        if spec.random:
            score *= self._look(rule, secret)
        if not (spec.worded or spec.names) and not self._is_no_word(secret):
            score *= 0.2
        return min(score, 1.0)

    def _look(self, rule: Rule, secret: bytes) -> float:
        """:meth:`_looks` of one."""
        prefixes = rule.prefixes
        body = secret[len(prefixes[0]) if len(prefixes) == 1 else rule.public(secret) :]
        if rule.spec.longest:
            body = max(_RUNS.findall(body), key=len, default=b"")
        random, classes = profile_of(body)
        factor = 1.0
        if random < NOT_RANDOM or _is_odd(body.translate(None, b"-_.: ")):
            factor = 0.2
        elif random < DOUBTFUL:
            factor = 0.7
        if self._words.holds(body):
            factor *= 0.2
        if (classes & OTHER or not classes & DIGIT) and (
            _WORDS.match(body) or (_LETTERS.match(body) and _too_few_kinds(rule, body))
        ):
            factor *= 0.3
        return factor

    def _judged(
        self, survivors: Survivors, numbers: Sequence[int], model: Model, scene: Scene
    ) -> Floats:
        """What the model says, or more where a format does; and of passwords that everybody
        knows, what stands around them."""
        judged = model(_candidates(survivors, numbers))
        weak = scene.weak([survivors.secrets[number] for number in numbers])
        out = np.maximum(judged, self._least(survivors, numbers, judged))
        if weak:
            sides = [survivors.around[numbers[place]] for place in weak]
            odds = [scene.odds(one.path, one.before, one.after) for one in sides]
            out[weak] = moved(judged[weak], np.array(odds, np.float32))
        return out

    def _least(self, survivors: Survivors, numbers: Sequence[int], judged: Floats) -> Floats:
        """Where a format says that a password stands, one that looks random is none of a
        manual's, whatever surrounds it; and so is a long one where only a name says it."""
        least = np.zeros(len(numbers), np.float32)
        rules, rule, secrets, *_ = survivors
        formed = [
            place
            for place in np.flatnonzero(judged < FORMED).tolist()
            if (
                _STRONG.match(secrets[numbers[place]]) or not rules[rule[numbers[place]]].spec.names
            )
            and self._is_no_word(secrets[numbers[place]])
        ]
        if formed:
            rows = np.array(numbers)[formed]
            chosen = [secrets[number] for number in rows.tolist()]
            least[formed] = np.where(self._looks(rules, rule[rows], chosen) >= 0.7, FORMED, 0)
        return least

    def _is_no_word(self, secret: bytes) -> bool:
        """Letters and digits, and letters that do not follow each other as in English."""
        return (
            self._english is not None and bool(_MIXED.match(secret)) and self._english(secret) <= 0
        )

    def explain(self, survivors: Survivors, number: int) -> tuple[str, ...]:
        """Why one survivor has its confidence, in words: what each reason changes, in log odds.

        A model's reasons come first, the weightiest before others; a rule's are its steps, and
        add up to the confidence."""
        rule, result = survivors.rules[survivors.rule[number]], survivors.results[number]
        said: list[str] = []
        if _is_known(survivors, number):
            return tuple(_weighed([("it is an example, or what a redaction left", PLACEHOLDER)]))
        if number not in survivors.around:
            return tuple(_weighed(self._steps(survivors, number)))
        before = now = rule.spec.confidence
        if self._model is not None and self._scene is not None:
            now = float(self._judged(survivors, [number], self._model, self._scene)[0])
        if isinstance(self._model, Classifier):
            one = _candidates(survivors, [number])
            (reasons,) = self._model.explain(one)
            said += [f"{reason.weight:+.1f} {reason.what}" for reason in reasons[:REASONS]]
            before = float(self._model(one)[0])
        steps = [(self._why_moved(survivors, number), now), *_checked(rule, result, now)]
        return (*said, *_weighed(steps, before))

    def _why_moved(self, survivors: Survivors, number: int) -> str:
        """Why a confidence is not the one that the model gave."""
        if self._scene is None or not self._scene.weak([survivors.secrets[number]]):
            return "it looks random, where by its format a secret stands"
        sides = survivors.around[number]
        seen = [sign.what for sign in signs(sides.path, sides.before, sides.after)]
        return f"a password that everybody knows, beside {', '.join(seen)}"

    def _steps(self, survivors: Survivors, number: int) -> list[tuple[str, float]]:
        """What a rule's survivor is taken for, and the confidence after that."""
        rule, secret = survivors.rules[survivors.rule[number]], survivors.secrets[number]
        now = rule.spec.confidence
        near = survivors.near.get(number)
        steps = [("its format" if near is None else "the provider's name before it", now)]
        if near is not None:
            steps.append(("the words between that name and it", now := now * _nearness(near)))
        if rule.spec.random:
            looks = float(self._looks(survivors.rules, survivors.rule[[number]], [secret])[0])
            steps.append(("how random it looks", now := now * looks))
        if self._wordless[survivors.rule[number]] and not self._is_no_word(secret):
            steps.append(("how far it reads like words", now := now * 0.2))
        return steps + _checked(rule, survivors.results[number], now)

    def _looks(self, rules: Sequence[Rule], rule: Ints, secrets: Sequence[bytes]) -> Floats:
        """A factor for how much a secret looks like a random one."""
        public = self._public[rule].tolist()
        bodies = [
            secret[count if count >= 0 else rules[rule[number]].public(secret) :]
            for number, (secret, count) in enumerate(zip(secrets, public, strict=True))
        ]
        for number in np.flatnonzero(self._longest[rule]).tolist():
            bodies[number] = max(_RUNS.findall(bodies[number]), key=len, default=b"")
        random, classes = profile(bodies)
        odd = (random < NOT_RANDOM) | oddities([body.translate(None, b"-_.: ") for body in bodies])
        factor = np.where(odd, 0.2, np.where(random < DOUBTFUL, 0.7, 1.0))
        factor *= np.where(self._words.in_each(bodies), 0.2, 1.0)
        # Words have separators, or no digit; most random tokens need no regex to tell.
        for number in np.flatnonzero((classes & OTHER > 0) | (classes & DIGIT == 0)).tolist():
            body = bodies[number]
            if _WORDS.match(body) or (
                _LETTERS.match(body) and _too_few_kinds(rules[rule[number]], body)
            ):
                factor[number] *= 0.3
        return factor


def _is_known(survivors: Survivors, number: int) -> bool:
    """Whether a secret is none: a published example, or what stands in a redacted one's place."""
    sides = survivors.around.get(number)
    return (
        survivors.results[number].placeholder
        or (sides is not None and _in_a_mask(sides.before))
        or (
            not survivors.rules[survivors.rule[number]].spec.random
            and bool(_REDACTED.match(survivors.secrets[number]))
        )
    )


def _checked(rule: Rule, result: CheckResult, now: float) -> list[tuple[str, float]]:
    """What a check makes of a confidence."""
    if result.status is CheckStatus.failed:
        prior = rule.spec.confidence
        failed = FAILED if rule.spec.judged else min(FAILED, prior) / prior
        return [("its check failed", now * failed)]
    if result.status is CheckStatus.passed and CHECKS[rule.spec.check].proof:
        return [("its check passed", max(PASSED, rule.spec.confidence))]
    return []


def _weighed(steps: Sequence[tuple[str, float]], before: float = 0.5) -> Iterator[str]:
    """How far each step moves the log odds, where that shows."""
    for what, after in steps:
        weight = _log_odds(after) - _log_odds(before)
        if abs(weight) >= 0.05:
            yield f"{weight:+.1f} {what}"
        before = after


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 0.001), 0.999)
    return math.log(inside / (1 - inside))


def _candidates(survivors: Survivors, numbers: Sequence[int]) -> Candidates:
    """What the classifier is shown of these survivors."""
    around = [survivors.around[number] for number in numbers]
    return Candidates(
        [survivors.secrets[number] for number in numbers],
        [sides.before for sides in around],
        [sides.after for sides in around],
        [sides.path for sides in around],
    )


def _in_a_mask(before: bytes) -> bool:
    """Whether this program's own redaction has left what follows."""
    opened = before.rfind(b"[", -80)
    return opened >= 0 and _MASK.match(before, opened) is not None


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


def oddities(tokens: Sequence[bytes]) -> Bools:
    """Whether a token holds a run of one byte or an ascending or descending sequence.

    Six in a row, nine in tokens of at most 16 different bytes: a random hex token of 64
    digits holds a run of six once in 20,000, of nine once in 10^8.
    """
    if len(tokens) < WORTH:
        return np.array([_is_odd(token) for token in tokens], np.bool_)
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
    last = np.flatnonzero(five) + 1
    ends = np.cumsum(lengths)
    row = np.searchsorted(ends, last, side="right")
    for number in np.unique(row[last - 5 >= ends[row] - lengths[row]]).tolist():
        out[number] = _is_odd(tokens[number])
    return out


def _is_odd(token: bytes) -> bool:
    # A run of six holds three bytes that begin at a multiple of four: a quarter of the work.
    for at in range(0, len(token) - 2, 4):
        a, b, c = token[at : at + 3]
        if a - b == b - c and -1 <= a - b <= 1:
            break
    else:
        return False
    return _straight_run(token) >= (9 if len(set(token)) <= 16 else 6)


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
