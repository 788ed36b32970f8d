"""A policy over streams: what they are shown by is a scanner that knows the policy."""

from __future__ import annotations

from collections.abc import Sequence

from detector.cluster import Group, Settled
from detector.filter import Action, Filter, Verdict
from detector.filter.policy import strongest
from detector.hooks.values import note
from detector.scanner import Scanner


class StreamScanner(Scanner):
    """A filter's scanner for one stream: it does not see what the policy lets pass.

    So a :class:`~detector.redact.Redactor` and all of :mod:`detector.streams` that are made with
    it redact as the policy says. What went out cannot be called back: where the policy blocks or
    sets apart, the secret is redacted, ``withheld`` says why, and whoever feeds the stream is to
    end it there. ``channel`` and ``sender``: for the policy's conditions on them.
    """

    def __init__(
        self, filter: Filter, *, channel: str | None = None, sender: str | None = None
    ) -> None:
        vars(self).update(vars(filter.scanner))  # all of it is shared, nothing is built again
        self._scanner, self._policy, self._origin = filter.scanner, filter.policy, (channel, sender)
        self.withheld = ""
        """The note that stands at the end of a stream which may not go on."""

    def settled(self, sources: Sequence[Sequence[Group]]) -> Sequence[Sequence[Settled]]:
        """What is to be replaced of each source's groups."""
        settled = self._scanner.settled(sources)
        return [[cluster for cluster in clusters if self._goes(cluster)] for clusters in settled]

    def _goes(self, cluster: Settled) -> bool:
        findings = tuple(self._scanner.finding(one) for one in cluster.best())
        decided = [self._policy.decide(finding, *self._origin) for finding in findings]
        action = strongest([action for action, _ in decided])
        if action.strength >= Action.quarantine.strength:
            self.withheld = self.withheld or note(Verdict(action, None, findings))
        return action.strength >= Action.redact.strength
