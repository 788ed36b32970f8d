"""What is said of whole columns and tables when a run has seen them all.

Columns in which no rule fired are judged by their name and a sample of their values; a column is
one finding, whatever number of rows it has. Who else may read a table is told from the definitions
of its source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from detector.fingerprint import Fingerprinter
from detector.tables.census import TableCensus
from detector.types import Finding, Secret, Severity, TableSummary

if TYPE_CHECKING:
    from detector.exposure import Exposure
    from detector.profile import ColumnProfile

SELDOM = 0.5  # share of rows with findings from which on a column needs no judgement of its own
ROLES = ("anon", "authenticated")
_OPEN = ("open to read and write", "open to read", "open to write")


class _Rule(NamedTuple):
    id: str
    name: str
    severity: str
    why: str


_RULES = {
    "tokens": _Rule(
        "unknown-token-column", "Column of tokens of an unknown format", "high",
        "Drawn at random, under a name or with a prefix that says that they open something.",
    ),
    "passwords": _Rule(
        "plaintext-password-column", "Column of plaintext passwords", "critical",
        "Signs in as every user in it, and wherever else they use the same password.",
    ),
}  # fmt: skip
_REVOKE = "https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html"


def profiles(
    path: str, census: TableCensus, share: Callable[[str, str, str], float]
) -> Iterator[tuple[str, ColumnProfile]]:
    """Of a table's columns those that hold unknown tokens or plaintext passwords, with the
    source's path. ``share``: of a column's rows, how many have a finding already."""
    from detector.profile import judge_column  # only who has tables needs it

    for field, values in census.sampled().items():
        found = share(path, census.name, field)
        profile = judge_column(census.name, field, values, rows=census.rows, found=found)
        if profile.kind in _RULES and found < SELDOM:
            yield path, profile


def column_findings(
    judged: Iterable[tuple[str, ColumnProfile]], fingerprinter: Fingerprinter, least: float
) -> Iterator[Finding]:
    """One for each column that is sure enough."""
    for path, profile in judged:
        if profile.confidence >= least:
            yield _finding(path, profile, _RULES[profile.kind], fingerprinter)


def _finding(
    path: str, profile: ColumnProfile, rule: _Rule, fingerprinter: Fingerprinter
) -> Finding:
    claims: dict[str, Any] = {"rows": round(profile.rows * (1 - profile.nulls))}
    if profile.what:
        claims["format"] = profile.what
    place = f"{profile.table}\0{profile.name}".encode("utf-8", "surrogatepass")
    return Finding(
        rule=rule.id,
        provider="generic",
        name=rule.name,
        severity=rule.severity,
        privilege="full",
        confidence=profile.confidence,
        path=path,
        start=0,
        end=0,
        table=profile.table,
        field=profile.name,
        secret=profile.example or Secret(b""),
        fingerprint=fingerprinter(rule.id, place),
        claims=claims,
        why=rule.why,
        revoke=_REVOKE if profile.kind == "passwords" else "",
        reasons=profile.reasons,
    )


class _Known(NamedTuple):
    is_open: bool
    short: str
    sentence: str


class Exposures:
    """Who may read the tables of each source, as far as its definitions were seen by now."""

    def __init__(self) -> None:
        self._by_source: dict[str, Exposure] = {}
        self._known: dict[tuple[str, str], _Known | None] = {}

    def learn(self, path: str, exposure: Exposure) -> None:
        """Of one source, a dump or a database."""
        self._by_source[source_of(path)] = exposure
        self._known.clear()

    def define(self, path: str, ddl: list[str], *, complete: bool) -> None:
        """The statements of one source."""
        from detector.exposure import exposure_of  # only who has definitions needs it

        exposure = exposure_of(ddl, complete=complete)
        if exposure.known:
            self.learn(path, exposure)

    def raised(self, finding: Finding) -> Finding:
        """With what strangers may do with its table: one severity more where it is open."""
        if finding.table is None or finding.privilege == "public":
            return finding
        known = self._of(finding.path, finding.table)
        if known is None or not known.is_open:
            return finding
        return msgspec.structs.replace(
            finding,
            severity=_WORSE[finding.severity],
            claims={**finding.claims, "exposure": known.short},
        )

    def summed(self, table: TableSummary) -> TableSummary:
        """With a sentence on who may read it."""
        known = self._of(table.path, table.table)
        if known is None:
            return table
        return msgspec.structs.replace(table, exposure=known.sentence, open=known.is_open)

    def _of(self, path: str, table: str) -> _Known | None:
        """The widest access that a stranger has, None where nothing is known. Worked out once: a
        dump may ask for each of a million rows."""
        key = (path, table)
        if key not in self._known:
            self._known[key] = self._looked_up(path, table)
        return self._known[key]

    def _looked_up(self, path: str, table: str) -> _Known | None:
        exposure = self._by_source.get(source_of(path))
        if exposure is None:
            return None
        # Of two that may do the same the first is named: anon is everybody.
        accesses = [exposure.of(table, role) for role in reversed(ROLES)]
        levels = {access.level: access for access in accesses}
        level = min(levels, key=_WIDEST.index)
        if level == "unknown":
            return None
        access = levels[level]
        return _Known(level in _OPEN, f"{level} for {access.role}", access.sentence)


_WORSE = {one.name: Severity(min(one + 1, Severity.critical)).name for one in Severity}
_WIDEST = (*_OPEN, "filtered", "closed", "unknown")


def source_of(path: str) -> str:
    """The dump that a member of it stands in: `dump.pgdump!public.agents`, `dump.tar!12.dat!…`,
    and of pg_dump's directory format the folder: `folder/12.dat.gz!…`."""
    container, mark, _ = path.rpartition("!")
    if not mark:
        return path
    at = max(container.rfind(separator) for separator in ("!", "/", os.sep))
    if _PART.fullmatch(container, at + 1):
        return container[:at] if at > 0 else container[: at + 1] or "."
    return container


_PART = re.compile(r"(?:toc|\d{1,10})\.dat(?:\.\w+)?", re.ASCII)
