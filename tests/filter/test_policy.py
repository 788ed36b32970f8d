"""Policies: what is said of a finding, and what is told of a file that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material import builtin_rules, builtin_scanner, sample_of

from detector import Action, Filter, Policy, UsageError

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


ALLOW = "[[rules]]\naction = 'allow'\n"


def text(*rules: str) -> str:
    return "\n".join(sample_of(rule).text.decode() for rule in rules)


def verdict(policy: dict[str, Any], message: Any, **origin: str) -> Any:
    return Filter(builtin_scanner(), Policy.of(policy)).check(message, **origin)


def test_without_a_policy_public_keys_pass_and_the_rest_is_redacted() -> None:
    public = next(rule.id for rule in builtin_rules() if rule.spec.id == "supabase-publishable-key")
    guard = Filter(builtin_scanner())
    message = text(public)
    passed = guard.check(message)
    assert (passed.action, passed.reason) == (Action.allow, "rule 'public by design'")
    assert passed.content is message
    assert [finding.rule for finding in passed.findings] == [public]
    both = guard.check(text(public, "github-pat"))
    assert both.action == "redact"
    assert text(public) in both.content
    assert len(both.findings) == 2


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"severity": "critical"}, True),
        ({"severity": ["low", "critical"]}, True),
        ({"severity": ["low", "medium"]}, False),
        ({"min_severity": "high"}, True),
        ({"privilege": "full"}, True),
        ({"privilege": ["admin", "limited"]}, False),
        ({"provider": "github"}, True),
        ({"provider": ["openai"]}, False),
        ({"rule": "github-*"}, True),
        ({"rule": ["openai-*", "github-pat"]}, True),
        ({"rule": "openai-*"}, False),
        ({"min_confidence": 0.6}, True),
        ({"min_confidence": 1.0}, False),
        ({"channel": "#ops-*"}, True),
        ({"channel": ["#dev", "#ops-?"]}, False),
        ({"sender": "bot-*"}, True),
        ({"sender": "BOT-*"}, False),
        ({"provider": "github", "sender": "nobody"}, False),
    ],
)
def test_conditions(conditions: dict[str, Any], holds: bool) -> None:
    policy = {"rules": [{"name": "it", "action": "block"} | conditions], "default": "alert"}
    seen = verdict(policy, text("github-pat"), channel="#ops-alarms", sender="bot-7")
    assert (seen.action, seen.reason) == (
        ("block", "rule 'it'") if holds else ("alert", "the policy's default")
    )


def test_a_message_without_a_channel_meets_no_condition_on_it() -> None:
    policy = {"rules": [{"action": "block", "channel": "*"}], "default": "alert"}
    assert verdict(policy, text("github-pat")).action == "alert"
    assert verdict(policy, text("github-pat"), channel="").reason == "rule 1"


def test_the_first_rule_decides_of_a_finding_and_the_strongest_of_a_message() -> None:
    policy = {
        "rules": [
            {"name": "first", "provider": "github", "action": "alert"},
            {"name": "second", "provider": ["github", "openai"], "action": "quarantine"},
        ]
    }
    message = text("github-pat")
    one = verdict(policy, message)
    assert (one.action, one.reason) == ("alert", "rule 'first'")
    assert one.content is message
    both = verdict(policy, text("github-pat", "openai-project-key"))
    assert (both.action, both.reason, both.content) == ("quarantine", "rule 'second'", None)
    assert len(both.findings) == 2


def test_what_is_only_alerted_is_not_redacted_beside_what_is() -> None:
    policy = {"rules": [{"provider": "github", "action": "alert"}]}
    content = verdict(policy, text("github-pat", "openai-project-key")).content
    assert content == text("github-pat") + "\n[redacted:openai-project-key]"


def test_actions_are_in_order_of_strength() -> None:
    assert [action.value for action in sorted(Action, key=lambda one: one.strength)] == [
        "allow", "alert", "redact", "quarantine", "block",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("rules = 3", "field 'rules': is no list of tables"),
        ("defualt = 'allow'", "unknown field `defualt`"),
        ("default = 'drop'", "field 'default': Invalid enum value 'drop'"),
        ("on_error = 'block'", "field 'on_error': Invalid enum value 'block'"),
        ("[[rules]]\nname = 'x'", "rule 1 ('x'): Object missing required field `action`"),
        (ALLOW + "[[rules]]\naction = 'nothing'", "rule 2: field 'action'"),
        (ALLOW + "chanel = 'x'", "rule 1: Object contains unknown field `chanel`"),
        (ALLOW + "min_severity = 'huge'", "rule 1: field 'min_severity'"),
        (ALLOW + "severity = ['huge']", "rule 1: field 'severity"),
        (ALLOW + "privilege = 'root'", "rule 1: field 'privilege'"),
        (ALLOW + "channel = 3", "rule 1: field 'channel'"),
        (ALLOW + "min_confidence = 2", "rule 1: field 'min_confidence'"),
        (ALLOW + "min_confidence = 'x'", "rule 1: field 'min_confidence'"),
        ("rules = [3]", "rule 1: Expected `object`, got `int`"),
        ("[[rules", "is no TOML"),
        (ALLOW + "name = 'y'\nprovider = 'opanai'", "rule 1 ('y'): field 'provider': no provider"),
        (ALLOW + "rule = ['jwt', 'opanai-*']", "rule 1: field 'rule': no rule is like 'opanai-*'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_names_rule_and_field(
    toml: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(toml)
    with pytest.raises(UsageError) as raised:
        Filter(builtin_scanner(), Policy.load(path))
    assert told in str(raised.value)
    assert str(raised.value).startswith(f"{path}: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Policy.load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is no TOML"):
        Policy.load(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("rule", "origin", "decided"),
    [
        ("github-pat", {}, (Action.redact, "the policy's default")),
        ("github-pat", {"channel": "#vault-eu"}, (Action.alert, "rule 'handed over'")),
        ("github-pat", {"sender": "bot-7"}, (Action.quarantine, "rule 'bots'")),
        ("supabase-service-role-key", {}, (Action.block, "rule 'owns everything'")),
        ("supabase-publishable-key", {}, (Action.allow, "rule 'public by design'")),
    ],
)  # fmt: skip
def test_the_example(rule: str, origin: dict[str, str], decided: tuple[Action, str]) -> None:
    guard = Filter(builtin_scanner(), Policy.load(EXAMPLES / "policy.toml"))
    seen = guard.check(text(rule), **origin)
    assert (seen.action, seen.reason) == decided
