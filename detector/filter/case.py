"""How a verdict is come to: what was found, what the policy says of it, and the copy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from detector.cluster import Settled
from detector.filter.leaves import Document, Edit, Leaf, Piece, places
from detector.filter.matches import Marks
from detector.filter.message import ObjectMessage, Ruler, applied
from detector.filter.policy import Action, Policy, strongest
from detector.filter.verdict import Verdict
from detector.mask import Mask, characters, replacement
from detector.scanner import Scanner
from detector.types import Finding

Found = tuple[Sequence[Sequence[Settled]], Sequence[str]]
"""What the scanner sees in some texts, and the rules that took too long."""


class Case:
    """One message that the engine hit something in, and what is done about it.

    ``origin``: its channel and sender. ``before``: the case whose copy the message is, if that
    is looked at again; places are those in the first message then.
    """

    def __init__(
        self,
        message: ObjectMessage,
        scanner: Scanner,
        policy: Policy,
        mask: Mask,
        origin: tuple[str | None, str | None],
        before: Case | None,
    ) -> None:
        self._message, self._scanner, self._policy = message, scanner, policy
        self._mask, self._origin, self._before = mask, origin, before
        self._decided: dict[int, tuple[Action, str]] = {}
        self._reported: list[tuple[Leaf, Piece, Finding]] = []
        self._edits: dict[Leaf, list[Edit]] = {}
        self._errors: list[str] = []
        self._known: set[tuple[int, int, int, str]] = set() if before is None else before._known
        self.lifted: dict[Leaf, list[Edit]] = {}
        """The edits, of outermost leaves. Empty: the message goes on as it is, or nowhere."""
        self._views = [view for view in message.views() if scanner.may_hold(view.raw)]

    @property
    def raws(self) -> list[bytes]:
        """What the scanner has to look at."""
        return [view.raw for view in self._views]

    def verdict(self, given: Any, so_far: Verdict | None, found: Found) -> Verdict:
        """The verdict on the message, which was given as that object. ``found``: in ``raws``,
        and the rules that took too long."""
        for leaf, clusters in self._looked(*found):
            for cluster in clusters:
                self._judge(leaf, cluster)
        findings = tuple(self._placed())
        actions = [*self._decided.values()]
        errors = list(dict.fromkeys(self._errors))
        if so_far is not None:
            findings = so_far.findings + findings
            actions.insert(0, (so_far.action, so_far.reason))
            errors = [so_far.error] if so_far.error else errors
        action, reason = max(actions, key=_strength, default=(Action.allow, ""))
        if errors and self._policy.on_error == "quarantine":
            action, reason = max((action, reason), _SET_APART, key=_strength)
        error = "; ".join(errors)
        if action.strength >= Action.quarantine.strength:
            return Verdict(action, None, findings, reason, error)
        if self._edits:
            given = self._edited()
        return Verdict(action, given, findings, reason, error)

    def _looked(
        self, found: Sequence[Sequence[Settled]], timeouts: Sequence[str]
    ) -> list[tuple[Leaf, list[Settled]]]:
        marks = Marks()
        for view, clusters in zip(self._views, found, strict=True):
            marks.take(view, clusters)
        self._views = []
        self._errors += [f"rule {rule} took too long" for rule in timeouts]
        return marks.clusters()

    def _judge(self, leaf: Leaf, cluster: Settled) -> None:
        if self._action(leaf, cluster).strength < Action.redact.strength:
            return
        if leaf.frozen:
            self._errors.append("a number reads as a secret, and no text can replace it")
            return
        start, end = cluster.start, cluster.end
        width = characters(leaf.raw[start:end]) if self._message.utf8 else None
        text = replacement(cluster, self._mask, self._scanner.fingerprinter, width=width)
        self._edits.setdefault(leaf, []).append((start, end, text))

    def _action(self, leaf: Leaf, cluster: Settled) -> Action:
        """What the policy says of the findings in a cluster."""
        actions = []
        for piece in cluster.best():
            assert isinstance(piece, Piece)  # noqa: S101  # what marks are made of
            if piece.match not in self._decided:
                finding = self._scanner.finding(piece)
                self._decided[piece.match] = self._policy.decide(finding, *self._origin)
                self._reported.append((leaf, piece, finding))
            actions.append(self._decided[piece.match][0])
        return strongest(actions)

    # findings

    def _placed(self) -> Iterator[Finding]:
        """The findings with their places in the message, in their order; at a second look
        those that the first has not told."""
        placed = []
        for leaf, piece, finding in self._reported:
            top, (start, end, _) = leaf.lifted((piece.start, piece.end, b""))
            start, end, first = self._first(top, start, end)
            place = (top.number, start, end, finding.rule)
            if place not in self._known:
                self._known.add(place)
                placed.append((top.number, start, end, first, leaf, finding))
        placed.sort(key=itemgetter(0, 1, 2))
        rulers: dict[Leaf, Ruler] = {}
        for _, start, end, first, leaf, finding in placed:
            if first not in rulers:
                rulers[first] = Ruler(first.raw, in_characters=self._message.in_characters)
            ruler = rulers[first]
            line, column = ruler.line(start)
            yield msgspec.structs.replace(
                finding,
                field=self._message.path(leaf, self._safe),
                line=line,
                column=column,
                start=ruler.offset(start),
                end=ruler.offset(end),
            )

    def _first(self, top: Leaf, start: int, end: int) -> tuple[int, int, Leaf]:
        """A span of an outermost leaf, in the leaf as it was in the first message."""
        before = self._before
        while before is not None:
            top = before._message.top(top.number)
            start, end = _unedited(before.lifted.get(top, []), start, end)
            before = before._before
        return start, end, top

    def _safe(self, name: str) -> str:
        return self._scanner.safe_name(name) or ""

    # the copy

    def _edited(self) -> Any:
        for document in {leaf.within: None for leaf in self._edits if leaf.within is not None}:
            self._keep_names_apart(document)
        for leaf, edits in self._edits.items():
            for edit in edits:
                top, made = leaf.lifted(edit)
                self.lifted.setdefault(top, []).append(made)
        for edits in self.lifted.values():
            edits.sort()
        return self._message.edited(self.lifted)

    def _keep_names_apart(self, document: Document) -> None:
        """Two names of one object that became the same are numbered: no value may be lost."""
        objects = [number for _, number in places(document.value)]
        touched = {
            objects[leaf.number]
            for leaf in self._edits
            if leaf.within is document and objects[leaf.number] >= 0
        }
        names = [
            (document.leaf(number), objects[number])
            for number in range(len(objects))
            if objects[number] in touched
        ]
        taken: dict[int, dict[bytes, int]] = {number: {} for number in touched}
        for leaf, number in names:
            if leaf not in self._edits:
                taken[number][leaf.raw] = 1
        for leaf, number in names:
            if leaf in self._edits:
                self._number(leaf, taken[number])

    def _number(self, leaf: Leaf, taken: dict[bytes, int]) -> None:
        """``taken``: the object's names, and how far the numbers behind each are used."""
        edits = self._edits[leaf]
        name = made = applied(leaf.raw, edits)
        while name in taken:
            taken[made] += 1
            name = made + b" %d" % taken[made]
        if name != made:
            edits.append((len(leaf.raw), len(leaf.raw), name[len(made) :]))
        taken[name] = 1


_SET_APART = (Action.quarantine, "errors set apart")


def _strength(decided: tuple[Action, str]) -> int:
    return decided[0].strength


def _unedited(edits: list[Edit], start: int, end: int) -> tuple[int, int]:
    """A span of an edited text in the text as it was; what touches a mask holds its secret."""
    begins, ends, shift = [], [], 0
    for begin, stop, text in edits:
        begins.append(begin + shift)
        shift += len(text) - (stop - begin)
        ends.append(stop + shift)
    low, high = bisect_right(begins, start) - 1, bisect_right(begins, end - 1) - 1
    out_low = start
    if low >= 0:
        stop = edits[low][1]
        out_low = stop + start - ends[low] if start >= ends[low] else edits[low][0]
    out_high = end
    if high >= 0:
        stop = edits[high][1]
        out_high = stop + max(0, end - ends[high])
    return out_low, out_high
