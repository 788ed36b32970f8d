"""A short text that is there as a whole, with a hit or two in it: a message.

The same matches, checks and scores as a :class:`~detector.tracker.Tracker` has, without the window
that slides, the columns and the waiting: a third of the time. What only the longer way can
decide (a value with a name, a rule with keywords, a rule that takes too long, what is encoded) is
left to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.batch import rounded
from detector.checks import CHECKS
from detector.cluster import Settled, Survivor, by_place, clusters_of
from detector.machinery import Machinery
from detector.matcher import Place
from detector.prefilter import ID_BITS, ID_MASK
from detector.score import Judge
from detector.tracker import CONTEXT, KNOWN, UNCHECKED
from detector.types import CheckResult
from detector.verify import RuleTimeoutError

LONGEST = 1 << 14  # bytes: lines are counted from the beginning
MOST_HITS = 8


def brief(machinery: Machinery, raw: bytes, hits: Sequence[int]) -> Sequence[Settled] | None:
    """What is left of the matches in ``raw``, in which the engine has found ``hits``; None: the
    longer way is to be gone."""
    scorer = machinery.scorer
    if len(hits) > MOST_HITS or len(raw) > LONGEST or machinery.explain:
        return None
    if machinery.signs is not None or not isinstance(scorer, Judge):
        return None
    places = _places(machinery, raw, hits)
    if not places:
        return None if places is None else []
    out = []
    for place in places:
        start, end, number, _ = place
        rule, secret = machinery.rules[number], raw[start:end]
        result = _checked(machinery, place, secret, raw)
        confidence = rounded(scorer.one(rule, secret, result, None))
        if confidence >= machinery.min_confidence:
            line, column = raw.count(b"\n", 0, start) + 1, start - raw.rfind(b"\n", 0, start)
            out.append(Survivor(start, end, rule, secret, result, line, column, None, confidence))
    if len(out) > 1:
        out.sort(key=by_place)
        return clusters_of(out)
    return out


def _places(machinery: Machinery, raw: bytes, hits: Sequence[int]) -> list[Place] | None:
    """The matches, None where the longer way is to be gone."""
    table, verifier, rules = machinery.table, machinery.verifier, machinery.rules
    places: set[Place] = set()
    for hit in hits:
        head = hit & ID_MASK
        if table.named[head] or table.runs[head]:
            return None
        for candidate in table.candidates[head]:
            spec = rules[candidate.rule].spec
            if spec.judged or spec.names or spec.keywords:
                return None
            try:
                found = verifier.match(candidate, (hit >> ID_BITS) - candidate.length, raw)
            except RuleTimeoutError:
                return None
            if found is not None:
                start, end, begin = found
                places.add((start, end, candidate.rule, begin))
    return sorted(places)


def _checked(machinery: Machinery, place: Place, secret: bytes, raw: bytes) -> CheckResult:
    start, _, number, _ = place
    if not machinery.looked_at[number]:
        return UNCHECKED
    if machinery.allowlist.holds(number, secret):
        return KNOWN
    rule = machinery.rules[number]
    if not rule.checked:
        return UNCHECKED
    return CHECKS[rule.spec.check].check(secret, raw[max(0, start - CONTEXT) : start])
