"""``rules check``: every rule's claims, proved on the spot.

Samples match and counter-examples don't, a head stands in every sample, lengths are
bounded (the loader refuses others), and matching time grows linearly on input made
against the rule.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import regex

from detector.rules import Rule
from detector.rules.samples import draw
from detector.scanner import Scanner
from detector.types import Finding

SAMPLES = 8  # of each text, each from its own seed
QUIET = 0.2  # the least confidence with which rules are proved that the default leaves out
GROWTH = 4  # times the input ...
LINEAR = 2.5  # ... may take that times this: noise, not squares (those would take 16 times)
UNIT = 1 << 12  # bytes of the short adversarial input
TRIES = 64  # literals of it that are tried: a rule that is slow is slow at each
NOTICEABLE = 0.05  # seconds of processor time below which nothing is said


class Problem(NamedTuple):
    """What is wrong with a rule."""

    rule: str
    field: str
    message: str


def check_rules(rules: Sequence[Rule], *, timing: bool = True) -> Iterator[Problem]:
    """Everything that is wrong with these rules; nothing if all is well."""
    scanner, quiet = Scanner(rules), Scanner(rules, min_confidence=QUIET)
    for rule in rules:
        chosen = quiet if rule.spec.confidence < scanner.min_confidence else scanner
        yield from _check_samples(rule, chosen)
        yield from _check_counter_examples(rule, chosen)
        if timing:
            yield from _check_growth(rule)


def _found(rule: Rule, findings: Sequence[Finding]) -> bool:
    return any(finding.rule == rule.id for finding in findings)


def _check_samples(rule: Rule, scanner: Scanner) -> Iterator[Problem]:
    heads = [regex.compile(head.regex.encode()) for head in rule.heads.heads]
    for number, text in enumerate(rule.spec.match):
        if "{sample}" not in text:
            yield Problem(rule.id, f"match[{number}]", "has no {sample}")
            continue
        for seed in range(SAMPLES):
            token = draw(rule, random.Random(f"{rule.id}:{seed}"))
            filled = text.encode().replace(b"{sample}", token.text)
            if not any(head.search(filled) for head in heads):
                yield Problem(rule.id, f"match[{number}]", "no head stands in a sample")
                break
            findings = scanner.scan(filled)
            if not _found(rule, findings):
                others = ", ".join(sorted({f.rule for f in findings})) or "nothing"
                yield Problem(rule.id, f"match[{number}]", f"a sample gives {others} (seed {seed})")
                break
            if not any(f.secret.reveal() == token.secret for f in findings):
                yield Problem(rule.id, f"match[{number}]", f"found with another span (seed {seed})")
                break


def _check_counter_examples(rule: Rule, scanner: Scanner) -> Iterator[Problem]:
    for number, text in enumerate(rule.spec.no_match):
        if _found(rule, scanner.scan(text.encode())):
            yield Problem(rule.id, f"no_match[{number}]", "gives a finding")


def _check_growth(rule: Rule) -> Iterator[Problem]:
    compiled = regex.compile(rule.regex.encode())
    for name, unit in _adversaries(rule):
        short = _best_time(compiled, rule, unit * (UNIT // len(unit)))
        long = _best_time(compiled, rule, unit * (UNIT * GROWTH // len(unit)))
        if long > NOTICEABLE and long > short * GROWTH * LINEAR:
            yield Problem(rule.id, "pattern", f"time grows faster than the input on {name}")


def _adversaries(rule: Rule) -> Iterator[tuple[str, bytes]]:
    text = draw(rule, random.Random(rule.id)).text
    yield "its heads repeated", rule.heads.heads[0].literals[0].encode("latin-1")
    yield "its samples cut short", text[: max(1, len(text) - 1)]
    yield "its samples repeated", text


def _best_time(compiled: regex.Pattern[bytes], rule: Rule, text: bytes) -> float:
    """Seconds to try the rule at each of its literals, windows as the scanner has them."""
    literal = rule.heads.heads[0].literals[0].encode("latin-1")
    reach = rule.longest + 2
    best = float("inf")
    for _ in range(2):
        begin = time.process_time()
        position, tries = text.find(literal), 0
        while position >= 0 and tries < TRIES:
            tries += 1
            low = max(0, position - rule.heads.lead_hi)
            for start in range(low, position + 1):
                compiled.match(text, start, position + reach, timeout=5)
            position = text.find(literal, position + 1)
        best = min(best, time.process_time() - begin)
    return best
