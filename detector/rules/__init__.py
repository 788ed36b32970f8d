"""Rules as data: reading them, and what can be derived from a pattern."""

from detector.rules.model import Head, Heads, Rule, RuleSpec
from detector.rules.ruleset import RuleSet


def load_rules() -> RuleSet:
    """The rules that travel with the package."""
    return RuleSet.builtin()


__all__ = ["Head", "Heads", "Rule", "RuleSet", "RuleSpec", "load_rules"]
