"""A stream redacted as a policy says."""

from __future__ import annotations

from typing import TypeVar

from detector.cluster import Group
from detector.filter import Action, Filter, Verdict
from detector.filter.policy import strongest
from detector.hooks.values import note
from detector.redact import Redactor
from detector.types import Finding

T = TypeVar("T", bytes, str)


class PolicyRedactor(Redactor[T]):
    """A :class:`~detector.redact.Redactor` that leaves in place what the policy lets pass.

    What went out cannot be called back: where the policy blocks or sets apart, the secret is
    redacted, ``withheld`` says why, and whoever feeds the stream is to end it there.
    ``channel`` and ``sender``: for the policy's conditions on them.
    """

    def __init__(
        self, filter: Filter, *, channel: str | None = None, sender: str | None = None
    ) -> None:
        super().__init__(filter.scanner, mask=filter.mask)
        self._filter, self._origin = filter, (channel, sender)
        self.withheld = ""
        """The note that stands at the end of a stream which may not go on."""

    def _take(self, groups: list[Group]) -> None:
        before = len(self._ready)
        super()._take(groups)
        new = self._ready[before:]
        self._ready[before:] = [
            cluster
            for cluster in new
            if self._decided([self._scanner.finding(one) for one in cluster.best()])
        ]
        self.findings.clear()  # on a long stream they would be many
        if self._filter.policy.on_error == "quarantine" and self.skipped:
            self._withhold(Verdict(Action.quarantine, None, error=self.skipped[0].reason))

    def _decided(self, findings: list[Finding]) -> bool:
        """Whether they are to be replaced."""
        decided = [self._filter.policy.decide(finding, *self._origin) for finding in findings]
        action = strongest([action for action, _ in decided])
        if action.strength >= Action.quarantine.strength:
            self._withhold(Verdict(action, None, tuple(findings)))
        return action.strength >= Action.redact.strength

    def _withhold(self, verdict: Verdict) -> None:
        self.withheld = self.withheld or note(verdict)
