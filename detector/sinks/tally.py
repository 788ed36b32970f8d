"""Findings gathered for a report: per rule, with a few examples and exact counts.

However many findings come, what is kept is bounded: by rule a handful of examples, and
over all rules half a million 8-byte hashes to tell secrets apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.types import Finding, Severity, Skipped

EXAMPLES = 3
"""Secrets shown per group, and places shown per secret: the first that came."""

KEPT_HASHES = 1 << 19
"""Secrets counted exactly over all groups (about 50 MB); beyond, the largest are estimated."""

REASONS = 50
"""Distinct reasons for skipping that are told apart."""


class Distinct:
    """How many different strings there were: exact, and after :meth:`halve` an estimate.

    Adaptive sampling (Wegman; analysed by Flajolet, "On adaptive sampling", 1990): keep
    only hashes that end in ``n`` zero bits; their number times 2^n estimates the whole,
    here within about 0.5 %.
    """

    __slots__ = ("_bits", "_seen")

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._bits = 0

    def add(self, text: str) -> bool:
        """Count ``text``; True when one more hash is kept for it."""
        digest = hash(text)
        if digest & ((1 << self._bits) - 1):
            return False
        before = len(self._seen)
        self._seen.add(digest)
        return len(self._seen) > before

    def halve(self) -> int:
        """Forget about half; returns how many. The count becomes an estimate."""
        before = len(self._seen)
        self._bits += 1
        mask = (1 << self._bits) - 1
        self._seen = {digest for digest in self._seen if not digest & mask}
        return before - len(self._seen)

    @property
    def kept(self) -> int:
        """Hashes in memory."""
        return len(self._seen)

    @property
    def exact(self) -> bool:
        """Whether :attr:`count` is exact."""
        return not self._bits

    @property
    def count(self) -> int:
        """The number of different strings added."""
        return len(self._seen) << self._bits


@dataclass(slots=True)
class Example:
    """One secret: the first findings of it, and in how many places it stands."""

    findings: list[Finding]
    places: int = 0

    def add(self, finding: Finding) -> None:
        """One more place."""
        self.places += 1
        if len(self.findings) < EXAMPLES:
            self.findings.append(finding)


@dataclass(slots=True)
class Group:
    """All findings of one rule with the same severity and privilege (a check may find a
    token to be worth more or less than its rule says)."""

    first: Finding
    places: int = 0
    distinct: Distinct = field(default_factory=Distinct)
    examples: dict[str, Example] = field(default_factory=dict)

    def add(self, finding: Finding) -> bool:
        """Count one finding; True when one more hash is kept for it."""
        self.places += 1
        example = self.examples.get(finding.fingerprint)
        if example is None and len(self.examples) < EXAMPLES:
            example = self.examples[finding.fingerprint] = Example([])
        if example is not None:
            example.add(finding)
        return self.distinct.add(finding.fingerprint)

    @property
    def rank(self) -> tuple[int, bool, int, str]:
        """Sorts the worst first; equal ones by how many secrets."""
        severity = Severity[self.first.severity]
        admin = self.first.privilege == "admin"
        return -severity, not admin, -self.distinct.count, self.first.rule


@dataclass(slots=True)
class Skips:
    """Inputs skipped for one reason."""

    paths: list[str] = field(default_factory=list)
    count: int = 0
    nbytes: int = 0


class Tally:
    """Everything that a report needs of a run."""

    def __init__(self, kept_hashes: int = KEPT_HASHES) -> None:
        self.skips: dict[str, Skips] = {}
        self._groups: dict[tuple[str, str, str], Group] = {}
        self._kept_hashes = kept_hashes
        self._kept = 0

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        key = finding.rule, finding.severity, finding.privilege
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(finding)
        if group.add(finding):
            self._kept += 1
            if self._kept > self._kept_hashes:
                self._make_room()

    def skip(self, skipped: Skipped) -> None:
        """Count one skipped input."""
        known = skipped.reason in self.skips or len(self.skips) < REASONS
        skips = self.skips.setdefault(skipped.reason if known else "other reasons", Skips())
        skips.count += 1
        skips.nbytes += skipped.nbytes
        if len(skips.paths) < EXAMPLES:
            skips.paths.append(skipped.path)

    def groups(self, *, public: bool) -> list[Group]:
        """The groups that are publishable by design, or all others; worst first."""
        chosen = (g for g in self._groups.values() if (g.first.privilege == "public") == public)
        return sorted(chosen, key=lambda group: group.rank)

    def _make_room(self) -> None:
        # The largest group's estimate suffers least, and small groups stay exact.
        largest = max(self._groups.values(), key=lambda group: group.distinct.kept)
        self._kept -= largest.distinct.halve()
