"""Material for tests: built-in rules, drawn samples, small rules made on the spot.

No credential stands in a file: every token is drawn from its rule's pattern, from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from detector.rules import Rule, RuleSet
from detector.rules.model import RuleSpec, build
from detector.rules.samples import Sample, draw
from detector.scanner import Scanner
from detector.types import Finding


@lru_cache(maxsize=1)
def builtin_rules() -> RuleSet:
    """Those that the default confidence leaves in."""
    return RuleSet(rule for rule in RuleSet.builtin() if rule.spec.confidence >= 0.5)


@lru_cache(maxsize=1)
def builtin_scanner() -> Scanner:
    return Scanner(builtin_rules())


@lru_cache(maxsize=8192)
def sample_of(rule_id: str, seed: int = 0) -> Sample:
    """A whole match of the rule, and where in it the secret lies."""
    return draw(builtin_rules().by_id[rule_id], random.Random(f"{rule_id}/{seed}"))


@lru_cache(maxsize=8192)
def example_of(rule_id: str, seed: int = 0, number: int = 0) -> tuple[bytes, int, int]:
    """One of the rule's own ``match`` texts, filled; and the span of the secret in it.

    For a rule that knows only names, this is where its name comes from.
    """
    rule = builtin_rules().by_id[rule_id]
    sample = sample_of(rule_id, seed)
    text = rule.spec.match[number % len(rule.spec.match)].encode()
    before, _, after = text.partition(b"{sample}")
    start = len(before) + sample.start
    filled = before + sample.text + after.replace(b"{sample}", sample.text)
    return filled, start, start + len(sample.secret)


def rule_of(pattern: str, *, id: str = "test-rule", **fields: Any) -> Rule:
    """A rule from a pattern, everything else filled in."""
    spec: dict[str, Any] = {
        "id": id,
        "pattern": pattern,
        "name": "A rule of the tests",
        "privilege": "full",
        "severity": "high",
        "why": "Only the tests know it.",
        "revoke": "https://example.org/",
        "match": ("{sample}",),
        "no_match": ("nothing",),
    } | fields
    return build(msgspec.convert(spec, RuleSpec), "tests", "Tests", "tests.toml")


def cut_at(text: bytes, cuts: list[int]) -> Iterator[bytes]:
    """``text`` in pieces, cut at these places (any order, repeats give empty pieces)."""
    begin = 0
    for cut in sorted(cut % (len(text) + 1) for cut in cuts):
        yield text[begin:cut]
        begin = cut
    yield text[begin:]


def found(findings: list[Finding]) -> list[tuple[str, int, int]]:
    """Rule and span: what an assertion is easiest to read in."""
    return [(finding.rule, finding.start, finding.end) for finding in findings]
