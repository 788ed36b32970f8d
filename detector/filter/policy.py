"""What is to be done about a finding, as data: from TOML, a dictionary, or Python."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from detector.errors import UsageError
from detector.rules import Rule
from detector.types import Finding, Privilege, Severity


class Action(enum.StrEnum):
    """What becomes of a message, in order of strength: the strongest of its findings decides.

    ``allow``: it goes on; ``alert``: it goes on, and somebody should look; ``redact``: it goes
    on without the secret; ``quarantine``: it is kept where few can read it; ``block``: it goes
    nowhere.
    """

    allow = "allow"
    alert = "alert"
    redact = "redact"
    quarantine = "quarantine"
    block = "block"

    @property
    def strength(self) -> int:
        """0 to 4, for ``max``."""
        return _STRENGTH[self]


_STRENGTH = {action: number for number, action in enumerate(Action)}


def strongest(actions: Sequence[Action]) -> Action:
    """The one that decides; ``allow`` where there is none."""
    return max(actions, key=_STRENGTH.__getitem__, default=Action.allow)


T = TypeVar("T")

_Grade = Literal["info", "low", "medium", "high", "critical"]
_Words = str | tuple[str, ...]


class PolicyRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: it holds for a finding of which all its conditions hold, those not given do.

    Conditions take one value or a list. ``rule``, ``channel`` and ``sender`` are globs
    (``openai-*``); where a message has no channel, a rule with a condition on it does not hold.
    """

    action: Action
    name: str = ""
    severity: _Grade | tuple[_Grade, ...] = ()
    min_severity: _Grade = "info"
    privilege: Privilege | tuple[Privilege, ...] = ()
    provider: _Words = ()
    rule: _Words = ()
    min_confidence: float = 0.0
    channel: _Words = ()
    sender: _Words = ()

    def holds(self, finding: Finding, channel: str | None, sender: str | None) -> bool:
        """Whether this rule speaks of that finding."""
        return (
            _among(finding.severity, self.severity)
            and Severity[finding.severity] >= Severity[self.min_severity]
            and _among(finding.privilege, self.privilege)
            and _among(finding.provider, self.provider)
            and finding.confidence >= self.min_confidence
            and _like(finding.rule, self.rule)
            and _like(channel, self.channel)
            and _like(sender, self.sender)
        )


def _tuple(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words


def _among(value: str, words: str | tuple[str, ...]) -> bool:
    return not words or value in _tuple(words)


def _like(value: str | None, globs: str | tuple[str, ...]) -> bool:
    if not globs:
        return True
    return value is not None and any(fnmatchcase(value, glob) for glob in _tuple(globs))


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules in order; of each finding the first that holds decides, else ``default``.

    ``on_error``: what becomes of a message that could not be looked at, or not wholly:
    ``quarantine`` fails closed, ``allow`` fails open.

    Without rules of your own: keys that are public by design pass, since every visitor of the
    page has them and a snippet without them is of no use. Everything else is redacted, test
    keys too: those who need one have it, a text without it reads as well, and what got into
    a log or a model's context cannot be taken back. Nothing is blocked: who pasted a key by
    mistake still wants to be answered.
    """

    rules: tuple[PolicyRule, ...] = (
        PolicyRule(name="public by design", action=Action.allow, privilege=Privilege.public),
    )
    default: Action = Action.redact
    on_error: Literal["quarantine", "allow"] = "quarantine"
    file: str = ""
    """Where it was read from, for what is told of it."""

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """From a TOML file. Raises :class:`UsageError` that names file, rule and field."""
        try:
            data = tomllib.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: is no TOML: {error}") from None
        return cls.of(data, file=str(path))

    @classmethod
    def of(cls, data: Mapping[str, Any], *, file: str = "") -> Policy:
        """From a dictionary of what a file holds. Raises :class:`UsageError`."""
        where = file or "policy"
        rules = data.get("rules", [])
        if not isinstance(rules, list | tuple):
            raise UsageError(f"{where}: field 'rules': is no list of tables ([[rules]])")
        if "file" in data:
            raise UsageError(f"{where}: Object contains unknown field `file`")
        given = {key: value for key, value in data.items() if key != "rules"}
        policy = _converted(given | {"file": file}, Policy, where)
        if "rules" not in data:
            return policy
        made = tuple(_rule(entry, number, where) for number, entry in enumerate(rules, 1))
        return msgspec.structs.replace(policy, rules=made)

    def decide(
        self, finding: Finding, channel: str | None, sender: str | None
    ) -> tuple[Action, str]:
        """What is to be done about a finding, and the rule that says so, in words."""
        for number, rule in enumerate(self.rules, 1):
            if rule.holds(finding, channel, sender):
                return rule.action, f"rule '{rule.name}'" if rule.name else f"rule {number}"
        return self.default, "the policy's default"

    def check_names(self, known: Sequence[Rule]) -> None:
        """That every provider and rule named is one of the scanner's: a misspelt name would
        never hold, and nobody would see. Raises :class:`UsageError`."""
        providers = {rule.provider for rule in known}
        for number, one in enumerate(self.rules, 1):
            where = f"{self.file or 'policy'}: {_named(one.name, number)}"
            for provider in _tuple(one.provider):
                if provider not in providers:
                    raise UsageError(f"{where}: field 'provider': no provider '{provider}'")
            for glob in _tuple(one.rule):
                if not any(fnmatchcase(rule.id, glob) for rule in known):
                    raise UsageError(f"{where}: field 'rule': no rule is like '{glob}'")


def _named(name: object, number: int) -> str:
    return f"policy rule {number} ('{name}')" if name else f"policy rule {number}"


def _rule(entry: Any, number: int, where: str) -> PolicyRule:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    rule = _converted(entry, PolicyRule, f"{where}: {_named(name, number)}")
    if not 0 <= rule.min_confidence <= 1:
        raise UsageError(
            f"{where}: {_named(name, number)}: field 'min_confidence': is not from 0 to 1"
        )
    return rule


def _converted(data: Any, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        field = f"field '{path.rstrip('`')}': " if path else ""
        raise UsageError(f"{where}: {field}{what}") from None
