"""Why a finding has its confidence: a rule's steps add up, a model's reasons say which way."""

from __future__ import annotations

import math
import re

import pytest
from material import example_of, sample_of

from detector.rules import RuleSet
from detector.scanner import Scanner
from detector.score import PLACEHOLDER
from detector.types import Finding

REASON = re.compile(r"([+-][0-9]+\.[0-9]) [a-z][a-z ',]+")
FORMATS = ["github-pat", "openai-project-key", "mistral-api-key", "jwt", "private-key"]


@pytest.fixture(scope="module")
def explaining() -> Scanner:
    return Scanner(min_confidence=0, explain=True)


def one(findings: list[Finding], rule: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.rule == rule]
    assert finding.reasons
    assert all(REASON.fullmatch(reason) for reason in finding.reasons), finding.reasons
    return finding


def total(finding: Finding) -> float:
    return sum(float(reason.split()[0]) for reason in finding.reasons)


def odds(confidence: float) -> float:
    return math.log(confidence / (1 - confidence))


def test_nothing_is_said_unless_asked_for(scanner: Scanner) -> None:
    (finding, *_) = scanner.scan(example_of("github-pat")[0])
    assert finding.reasons == ()


@pytest.mark.parametrize("rule", FORMATS)
def test_a_rules_steps_add_up(rule: str, explaining: Scanner) -> None:
    for seed in range(8):
        finding = one(explaining.scan(example_of(rule, seed)[0]), rule)
        assert total(finding) == pytest.approx(odds(finding.confidence), abs=0.2)


def test_a_failed_check_is_a_step(explaining: Scanner) -> None:
    token = sample_of("github-pat").secret
    broken = token[:-1] + (b"a" if token[-1:] != b"a" else b"b")
    finding = one(explaining.scan(b"k: " + broken + b"\n"), "github-pat")
    assert finding.check == "failed"
    assert finding.reasons == ("+2.9 its format", "-2.5 its check failed")
    assert total(finding) == pytest.approx(odds(0.6), abs=0.1)


def test_what_does_not_look_random_is_told(explaining: Scanner) -> None:
    text = b"k: sk-ant-api03-" + b"a" * 93 + b"AA\n"
    finding = one(explaining.scan(text), "anthropic-api-key")
    assert [reason[5:] for reason in finding.reasons] == ["its format", "how random it looks"]
    assert total(finding) == pytest.approx(odds(finding.confidence), abs=0.2)


def test_what_is_known_to_be_none(explaining: Scanner) -> None:
    finding = one(explaining.scan(b"postgres://user:password@db.acme.io/x"), "postgres-url")
    assert finding.confidence == pytest.approx(PLACEHOLDER)
    assert total(finding) == pytest.approx(odds(PLACEHOLDER), abs=0.1)


def test_the_classifier_gives_reasons(explaining: Scanner) -> None:
    value = sample_of("github-pat").secret[4:20]
    finding = one(explaining.scan(b'db_password = "' + value + b'"\n'), "generic-password")
    assert finding.confidence > 0.5
    assert len(finding.reasons) <= 5
    weights = [abs(float(reason.split()[0])) for reason in finding.reasons[:4]]
    assert weights == sorted(weights, reverse=True)


def test_a_judged_check_that_failed_comes_last(explaining: Scanner) -> None:
    value = sample_of("github-pat").secret[4:28]
    text = b"curl -H 'Authorization: Basic " + value + b"' https://acme.io/"
    finding = one(explaining.scan(text), "basic-auth-header")
    assert finding.check == "failed"
    assert finding.reasons[-1].endswith("its check failed")
    assert finding.reasons[-1].startswith("-")


def test_another_judge_explains_nothing() -> None:
    rules = RuleSet.builtin().select("github")
    scanner = Scanner(rules, scorer=lambda survivors: survivors.rule * 0 + 0.7, explain=True)
    (finding, *_) = scanner.scan(example_of("github-pat")[0])
    assert finding.reasons == ()
