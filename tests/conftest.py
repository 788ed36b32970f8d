"""What the tests of the core share: the built-in rules and one scanner over them.

This file stands at the root of the tests, so that ``import material`` works from every folder
below it.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from material import builtin_rules, builtin_scanner

from detector.rules import RuleSet
from detector.scanner import Scanner

# The machine may be slow and shared: what is tested are results, never times.
settings.register_profile("detector", deadline=None)
# A landing must not depend on a draw: there the same examples come every time, and new ones
# are looked for where people work.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "detector")


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return builtin_rules()


@pytest.fixture(scope="session")
def scanner() -> Scanner:
    return builtin_scanner()
