"""What a scanner is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from detector.allow import Allowlist
from detector.names import Names, Services
from detector.plain import PlainMatcher
from detector.prefilter import Engine, HeadTable
from detector.rules import Rule
from detector.score import Scorer
from detector.sieve import Sieve
from detector.verify import Verifier

if TYPE_CHECKING:  # only who decodes needs it
    from detector.decode import Signs


class Machinery(NamedTuple):
    """Made ready once; shared by all scans, changed by none."""

    rules: Sequence[Rule]
    table: HeadTable
    engine: Engine
    verifier: Verifier
    plain: PlainMatcher
    names: Names
    allowlist: Allowlist
    looked_at: Sequence[bool]  # by rule: there is a check, or a value known to everybody
    scorer: Scorer
    min_confidence: float
    sieve: Sieve | None  # None: no rule's matches are for a model to judge
    services: Services
    explain: bool = False
    signs: Signs | None = None  # None: nothing is decoded
