"""The scanner: rules, engine and scorer made ready once, used for any number of scans."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec

from detector.allow import Allowlist
from detector.batch import judged
from detector.brief import brief
from detector.classifier import Classifier, Model
from detector.cluster import Group, Settled, Survivor
from detector.errors import UsageError
from detector.fingerprint import Fingerprinter
from detector.machinery import Machinery
from detector.mask import Mask, Redacted, as_mask, replace_all
from detector.matcher import STRIDE
from detector.names import Names, Services
from detector.plain import PlainMatcher
from detector.prefilter import ID_BITS, Engine, HeadTable, make_engine
from detector.rules import Rule, RuleSet
from detector.score import Judge, Scorer
from detector.sieve import Sieve
from detector.tables.layout import NOWHERE
from detector.tracker import Tracker
from detector.types import Bytes, Finding, Secret
from detector.verify import Verifier

if TYPE_CHECKING:
    from detector.decode import Signs


class Scanner:
    """Finds secrets in bytes and text. Immutable, safe for threads, picklable.

    ``rules``: those of the package by default. ``min_confidence``: findings below are
    left out. ``engine``: ``auto``, ``hyperscan`` or ``aho-corasick``. ``key``: for
    fingerprints, else ``DETECTOR_KEY``, else a public default. ``scorer``: another
    judge of confidence than the built-in one. ``model``: another classifier than that of the
    package, for matches of the rules that have no format. ``explain``: findings say why.
    ``decode``: also find what is escaped, in pieces, encoded or wrapped; 1.5 times the work.
    """

    def __init__(
        self,
        rules: Sequence[Rule] | None = None,
        *,
        min_confidence: float = 0.5,
        engine: str = "auto",
        key: bytes | None = None,
        scorer: Scorer | None = None,
        model: Model | None = None,
        explain: bool = False,
        decode: bool = False,
    ) -> None:
        if not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence is between 0 and 1, not {min_confidence}")
        given = RuleSet.builtin() if rules is None else rules
        self.rules = RuleSet(rule for rule in given if _may_reach(rule, min_confidence))
        self.fingerprinter = Fingerprinter.from_environment() if key is None else Fingerprinter(key)
        table = HeadTable(self.rules)
        signs = _signs(table) if decode and table.heads else None
        allowlist = Allowlist(self.rules)
        if model is None and any(r.spec.judged or not r.spec.worded for r in self.rules):
            model = Classifier.builtin()
        self.machinery = Machinery(
            self.rules,
            table,
            _engine(engine, table, signs),
            Verifier(self.rules),
            PlainMatcher(self.rules, table),
            Names(self.rules, engine),
            allowlist,
            [rule.checked or allowlist.concerns(n) for n, rule in enumerate(self.rules)],
            scorer or Judge(self.rules, engine, model),
            min_confidence,
            Sieve(self.rules, model.lookups.bigrams[0]) if model is not None else None,
            Services(self.rules),
            explain,
            signs,
        )
        key = self.fingerprinter.key
        self._made_of = (self.rules, min_confidence, engine, key, scorer, model, explain, decode)
        self._find = self.machinery.engine.find
        self.safe_name = lru_cache(maxsize=8192)(self._without_secrets)
        """The name of a table, a field, a channel or a person as it may be shown."""

    @property
    def min_confidence(self) -> float:
        """Findings below are left out."""
        return self.machinery.min_confidence

    @property
    def engine(self) -> str:
        """The name of the engine in use."""
        return self.machinery.engine.name

    def scan(self, data: Bytes | str, *, path: str = "") -> list[Finding]:
        """All findings, by position. For ``str``, offsets count characters."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        hits = None
        if len(raw) <= STRIDE:
            hits = self._find(raw)
            if not hits:
                return []
        findings = self.findings(self._groups(raw, hits, path), path)
        return _in_characters(findings, data, raw) if isinstance(data, str) else findings

    def scan_many(self, items: Iterable[Bytes | str]) -> list[list[Finding]]:
        """The findings of each item; the engine and the model are asked for all at once, no match
        crosses two items."""
        given = list(items)
        raws = [i.encode("utf-8", "surrogatepass") if isinstance(i, str) else i for i in given]
        out: list[list[Finding]] = [[] for _ in given]
        numbers = self.hit_items(raws)
        settled = self.settled([self._groups(raws[number], None, "") for number in numbers])
        for number, clusters in zip(numbers, settled, strict=True):
            item, findings = given[number], self.findings(clusters, "")
            if isinstance(item, str):
                findings = _in_characters(findings, item, raws[number])
            out[number] = findings
        return out

    def redact(
        self, data: Bytes | str, *, mask: Mask | str = Mask.label, fit: bool = False
    ) -> Redacted[Any]:
        """``data`` with every secret replaced, and the findings; text stays text. ``fit``: by
        nothing longer than the secret."""
        mask = as_mask(mask)
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
        hits = None
        if len(raw) <= STRIDE:
            hits = self._find(raw)
            if not hits:
                return Redacted(data if isinstance(data, str) else raw, [])
        (clusters,) = self.settled([self._groups(raw, hits, "")])
        findings = self.findings(clusters, "")
        text = isinstance(data, str)
        clean = replace_all(raw, clusters, mask, self.fingerprinter, utf8=text, fit=fit)
        if isinstance(data, str):
            decoded = clean.decode("utf-8", "surrogatepass")
            return Redacted(decoded, _in_characters(findings, data, raw))
        return Redacted(clean, findings)

    def groups(self, raws: Sequence[Bytes], timeouts: list[str]) -> list[Sequence[Group]]:
        """What matches in each of these texts, for :meth:`settled`: many texts of many messages
        ask the model once. ``timeouts`` gets the rules that took too long."""
        groups: list[Sequence[Group]] = []
        for raw in raws:
            hits = self._find(raw) if len(raw) <= STRIDE else None
            slow: list[tuple[str, int]] = []
            groups.append(self._tracked(raw, hits, "", slow) if hits != [] else [])
            timeouts += [rule for rule, _ in slow]
        return groups

    def hits(self, raw: Bytes) -> list[int] | None:
        """What the engine finds in a text, None in one too long to be shown to it at once."""
        return self._find(raw) if len(raw) <= STRIDE else None

    def short(self, raw: bytes, hits: Sequence[int]) -> Sequence[Settled] | None:
        """What is left of the matches in a message, None where only the long way can tell."""
        return brief(self.machinery, raw, hits)

    def may_hold(self, raw: Bytes) -> bool:
        """Whether the engine hits anything at all in a text; where not, no part of it holds a
        finding. A microsecond for a message."""
        return len(raw) > STRIDE or bool(self._find(raw))

    def settled(self, sources: Sequence[Sequence[Group]]) -> Sequence[Sequence[Settled]]:
        """What is left of each source's groups: the model judges all their cases at once."""
        return judged(self.machinery, sources)

    def findings(self, groups: Sequence[Group], path: str) -> list[Finding]:
        """What to report of some groups. Cases that are left in them are judged now."""
        (clusters,) = self.settled([groups])
        return [self.finding(one, path) for cluster in clusters for one in cluster.best()]

    def _groups(self, raw: Bytes, hits: list[int] | None, path: str) -> list[Group]:
        slow: list[tuple[str, int]] = []
        groups = self._tracked(raw, hits, path, slow)
        for rule, position in slow:
            warnings.warn(f"rule {rule} took too long at byte {position}", stacklevel=3)
        return groups

    def _tracked(
        self, raw: Bytes, hits: list[int] | None, path: str, timeouts: list[tuple[str, int]]
    ) -> list[Group]:
        if hits is not None and isinstance(raw, bytes):
            short = brief(self.machinery, raw, hits)
            if short is not None:
                return [*short]
        tracker = Tracker(self.machinery, path=path, prompt=False)
        groups = tracker.advance(raw, len(raw), final=True, hits=hits)
        timeouts += tracker.timeouts
        return groups

    def hit_items(self, raws: Sequence[Bytes]) -> list[int]:
        """Which items hold a hit: all are shown to the engine in batches, as one buffer. The others
        hold no finding."""
        numbers: set[int] = set()
        begin = 0
        while begin < len(raws):
            stop, size = begin, 0
            while stop < len(raws) and (size < STRIDE or stop == begin):
                size += len(raws[stop])
                stop += 1
            ends = list(accumulate(map(len, raws[begin:stop])))
            hits = self._find(b"".join(raws[begin:stop]))
            numbers.update(begin + bisect_left(ends, hit >> ID_BITS) for hit in hits)
            begin = stop
        return sorted(numbers)

    def finding(self, one: Survivor, path: str = "") -> Finding:
        """What to report of one survivor."""
        rule, result = one.rule, one.result
        spec = rule.spec
        privilege = result.privilege or spec.privilege
        table, field, row, origin = one.cell or NOWHERE
        if one.cell is not None:
            table, field = self.safe_name(table), self.safe_name(field)
        return Finding(
            rule=spec.id,
            provider=rule.provider,
            name=spec.name,
            severity=spec.severity if result.severity is None else result.severity._name_,
            privilege=privilege._value_,
            confidence=one.confidence,
            path=path,
            start=one.start,
            end=one.end,
            line=one.line,
            column=one.column,
            table=table,
            field=field,
            row=row,
            secret=Secret(one.secret, rule.prefixes),
            fingerprint=self.fingerprinter(spec.id, one.secret),
            check=result.status._value_,
            claims=result.claims,
            why=spec.why,
            revoke=spec.revoke,
            reasons=one.reasons,
            decoded=one.decoded,
            origin=origin,
        )

    def _without_secrets(self, name: str | None) -> str | None:
        """In JSON a key can be a secret; a person writes one into a channel's topic."""
        return name if name is None or len(name) < 8 else self.redact(name).text

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, self._made_of


def _may_reach(rule: Rule, least: float) -> bool:
    """Whether a match could be sure enough: others need not be looked for."""
    spec = rule.spec
    return bool(spec.judged or spec.check or spec.keywords) or spec.confidence >= least


def _make(
    rules: Sequence[Rule],
    min_confidence: float,
    engine: str,
    key: bytes | None,
    scorer: Scorer | None,
    model: Model | None,
    explain: bool,
    decode: bool,
) -> Scanner:
    return Scanner(
        rules,
        min_confidence=min_confidence,
        engine=engine,
        key=key,
        scorer=scorer,
        model=model,
        explain=explain,
        decode=decode,
    )


def _signs(table: HeadTable) -> Signs:
    from detector.decode import signs_of  # only who decodes needs it

    return signs_of(table.heads)


def _engine(name: str, table: HeadTable, signs: Signs | None) -> Engine:
    """One pass for the rules' heads and for the signs of what is encoded; those of UTF-16 have one
    of their own."""
    if signs is None:
        return make_engine(name, table.heads)
    from detector.prefilter.nul import WithNul

    own = len(table.heads)
    numbers = [*range(own), *(own + number for number in signs.numbers)]
    engine = make_engine(name, [*table.heads, *signs.heads], numbers)
    wide = make_engine(name, signs.wide, [own + number for number in signs.wide_numbers])
    return WithNul(engine, wide)


def _in_characters(findings: list[Finding], text: str, raw: Bytes) -> list[Finding]:
    """Offsets in characters of ``text`` instead of bytes of ``raw``."""
    if not findings or len(text) == len(raw):
        return findings
    out, position, count = [], 0, 0

    def characters(offset: int) -> int:
        nonlocal position, count
        between = bytes(raw[position:offset])
        position, count = offset, count + len(between.decode("utf-8", "surrogatepass"))
        return count

    for finding in findings:
        start = characters(finding.start)
        out.append(msgspec.structs.replace(finding, start=start, end=characters(finding.end)))
    return out
