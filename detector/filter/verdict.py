"""The verdict on a message, and how it is come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from detector.cluster import Settled
from detector.filter.leaves import Edit, Leaf, Piece, places
from detector.filter.matches import Marks
from detector.filter.message import ObjectMessage, Ruler, applied
from detector.filter.policy import Action, Policy, strongest
from detector.mask import Mask, characters, replacement
from detector.scanner import Scanner
from detector.types import Finding


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a message.

    ``content`` is what may go on: the very same object if nothing was touched, else a copy
    without the secrets; None for ``quarantine`` and ``block``. In ``findings`` secrets print
    masked; ``field`` is the path inside of a JSON-like message, and ``start`` and ``end`` count
    in that field's text (in the message itself, if that is a text or bytes). ``reason`` says
    which rule of the policy decided, ``error`` what could not be looked at.
    """

    action: Action
    content: Any
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    error: str = ""

    def __repr__(self) -> str:
        found = ", ".join(finding.rule for finding in self.findings)
        return f"Verdict({self.action}, [{found}], reason={self.reason!r}, error={self.error!r})"

    def to_dict(self) -> dict[str, Any]:
        """For logs: everything but the content, the secrets masked."""
        found = [finding.to_dict() for finding in self.findings]
        return {
            "action": str(self.action),
            "reason": self.reason,
            "error": self.error,
            "findings": found,
        }


def failed(policy: Policy, message: Any, error: str) -> Verdict:
    """On a message that could not be looked at."""
    if policy.on_error == "allow":
        return Verdict(Action.allow, message, (), "errors let pass", error)
    return Verdict(Action.quarantine, None, (), "errors set apart", error)


class Case:
    """One message that the engine hit something in, and what is done about it."""

    def __init__(
        self,
        message: ObjectMessage,
        scanner: Scanner,
        policy: Policy,
        mask: Mask,
        origin: tuple[str | None, str | None],
    ) -> None:
        self._message, self._scanner, self._policy = message, scanner, policy
        self._mask, self._origin = mask, origin
        self._decided: dict[int, tuple[Action, str]] = {}
        self._reported: list[tuple[Leaf, Piece, Finding]] = []
        self._edits: dict[Leaf, list[Edit]] = {}
        self._names: dict[str, str] = {}
        self._errors: list[str] = []

    def verdict(self, given: Any) -> Verdict:
        """The verdict on the message, which was given as that object."""
        for leaf, clusters in self._looked():
            for cluster in clusters:
                self._judge(leaf, cluster)
        findings = tuple(self._placed())
        action, reason = max(
            self._decided.values(), key=lambda made: made[0].strength, default=(Action.allow, "")
        )
        error = "; ".join(dict.fromkeys(self._errors))
        stops = action.strength >= Action.quarantine.strength
        if error and not stops and self._policy.on_error == "quarantine":
            action, reason, stops = Action.quarantine, "errors set apart", True
        if stops:
            return Verdict(action, None, findings, reason, error)
        if not self._edits:
            return Verdict(action, given, findings, reason, error)
        return Verdict(action, self._edited(), findings, reason, error)

    def _looked(self) -> list[tuple[Leaf, list[Settled]]]:
        timeouts: list[str] = []
        marks = Marks()
        views = self._message.views
        found = self._scanner.clusters([view.raw for view in views], timeouts)
        for view, clusters in zip(views, found, strict=True):
            marks.take(view, clusters)
        self._errors += [f"rule {rule} took too long" for rule in timeouts]
        return marks.clusters()

    def _judge(self, leaf: Leaf, cluster: Settled) -> None:
        actions = []
        for piece in cluster.best():
            assert isinstance(piece, Piece)  # noqa: S101  # what marks are made of
            if piece.match not in self._decided:
                finding = self._scanner.finding(piece)
                self._decided[piece.match] = self._policy.decide(finding, *self._origin)
                self._reported.append((leaf, piece, finding))
            actions.append(self._decided[piece.match][0])
        if strongest(actions).strength < Action.redact.strength:
            return
        if leaf.frozen:
            self._errors.append("a number reads as a secret, and no text can replace it")
            return
        start, end = cluster.start, cluster.end
        width = characters(leaf.raw[start:end]) if self._message.utf8 else None
        text = replacement(cluster, self._mask, self._scanner.fingerprinter, width=width)
        self._edits.setdefault(leaf, []).append((start, end, text))

    # findings

    def _placed(self) -> Iterator[Finding]:
        """The findings with their places in the message, in their order."""
        reported = [
            (*leaf.lifted((piece.start, piece.end, b"")), leaf, finding)
            for leaf, piece, finding in self._reported
        ]
        reported.sort(key=lambda one: (one[0].number, one[1][:2]))
        rulers: dict[Leaf, Ruler] = {}
        for top, (start, end, _), leaf, finding in reported:
            if top not in rulers:
                rulers[top] = Ruler(top.raw, in_characters=self._message.in_characters)
            ruler = rulers[top]
            line, column = ruler.line(start)
            yield msgspec.structs.replace(
                finding,
                field=self._message.path(leaf, self._safe),
                line=line,
                column=column,
                start=ruler.offset(start),
                end=ruler.offset(end),
            )

    def _safe(self, name: str) -> str:
        return self._scanner.safe_name(name) or ""

    # the copy

    def _edited(self) -> Any:
        self._keep_names_apart()
        lifted: dict[Leaf, list[Edit]] = {}
        for leaf, edits in self._edits.items():
            for edit in edits:
                top, made = leaf.lifted(edit)
                lifted.setdefault(top, []).append(made)
        return self._message.edited(lifted)

    def _keep_names_apart(self) -> None:
        """Two names of one object that became the same are numbered: no value may be lost."""
        documents = {leaf.within: None for leaf in self._edits if leaf.within is not None}
        for document in documents:
            objects = [number for _, number in places(document.value)]
            touched = {
                objects[leaf.number]
                for leaf in self._edits
                if leaf.within is document and objects[leaf.number] >= 0
            }
            if not touched:
                continue
            taken: dict[int, set[bytes]] = {number: set() for number in touched}
            names = [
                (leaf, number)
                for leaf, number in zip(document.leaves, objects, strict=True)
                if number in touched
            ]
            for leaf, number in names:
                if leaf not in self._edits:
                    taken[number].add(leaf.raw)
            for leaf, number in names:
                if leaf in self._edits:
                    self._number(leaf, taken[number])

    def _number(self, leaf: Leaf, taken: set[bytes]) -> None:
        edits = self._edits[leaf]
        made, count = applied(leaf.raw, edits), 1
        name = made
        while name in taken:
            count += 1
            name = made + b" %d" % count
        if name != made:
            edits.append((len(leaf.raw), len(leaf.raw), name[len(made) :]))
        taken.add(name)
