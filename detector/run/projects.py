"""What of one Supabase project was found anywhere in a run, joined.

A project's reference stands in its host, in the claims of its JWTs and in the user of its database
at the pooler; its newer keys prove it by their sums. A publishable key is nothing by itself: with
a table of the same project that ``anon`` may read it is a way in for whoever has the bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.checks.supabase import belongs
from detector.run.verdicts import source_of
from detector.types import Finding, ProjectSummary, Secret, TableSummary

PROJECTS = 1024  # joined at most; what comes then is reported as any finding is
PATHS = 16  # remembered of each kind
UNBOUND = 4096  # different keys that wait for their project at most

_HOST = "supabase-project-url"
_SUMMED = ("supabase-publishable-key", "supabase-secret-key")


class _Project:
    def __init__(self) -> None:
        self.sources: dict[str, None] = {}
        self.public: dict[str, None] = {}
        self.server: dict[str, None] = {}

    def add(self, path: str, privilege: str, *, is_key: bool) -> None:
        _note(self.sources, source_of(path))
        if is_key:
            _note(self.public if privilege == "public" else self.server, path)


class Projects:
    """``add`` findings; ``joined`` at the end."""

    def __init__(self) -> None:
        self._projects: dict[str, _Project] = {}
        self._unbound: dict[str, tuple[Secret, str, dict[str, None]]] = {}

    def add(self, finding: Finding) -> None:
        """One finding; all but those of Supabase are passed over."""
        if finding.provider != "supabase":
            return
        is_key = finding.rule != _HOST
        project = finding.claims.get("project")
        if not is_key:
            project = finding.secret.reveal()[:20].decode("ascii", "replace")
        if isinstance(project, str):
            self._project(project).add(finding.path, finding.privilege, is_key=is_key)
        elif finding.rule in _SUMMED and (
            finding.fingerprint in self._unbound or len(self._unbound) < UNBOUND
        ):
            fresh: dict[str, None] = {}
            known = (finding.secret, finding.privilege, fresh)
            _note(self._unbound.setdefault(finding.fingerprint, known)[2], finding.path)

    def joined(self, tables: Sequence[TableSummary]) -> Iterator[ProjectSummary]:
        """Projects of which a key was found, with the tables that are open in their dumps."""
        self._bind()
        for ref, project in self._projects.items():
            if project.public or project.server:
                its = [one for one in tables if source_of(one.path) in project.sources]
                opened = [one.table for one in its if one.open]
                yield ProjectSummary(
                    project=ref,
                    public=tuple(project.public),
                    server=tuple(project.server),
                    open_tables=tuple(opened),
                    means=_means(project, opened),
                )

    def _bind(self) -> None:
        """Keys that were met before their project's reference was."""
        for fingerprint, (secret, privilege, paths) in [*self._unbound.items()]:
            for ref, project in self._projects.items():
                if belongs(secret.reveal(), ref):
                    for path in paths:
                        project.add(path, privilege, is_key=True)
                    del self._unbound[fingerprint]
                    break

    def _project(self, ref: str) -> _Project:
        if ref not in self._projects and len(self._projects) >= PROJECTS:
            return _Project()  # that nobody keeps
        return self._projects.setdefault(ref, _Project())


def _note(known: dict[str, None], path: str) -> None:
    if len(known) < PATHS:
        known[path] = None


def _means(project: _Project, opened: list[str]) -> str:
    """What somebody can do who has what was found."""
    said = []
    if project.server:
        where = next(iter(project.server))
        said.append(f"Whoever has {where} is past row level security: reads and changes all.")
    if project.public and opened:
        where = next(iter(project.public))
        tables = ", ".join(opened[:4]) + (" and others" if len(opened) > 4 else "")
        said.append(f"Whoever has {where} can use {tables}: open to anon, for whom its key speaks.")
    elif project.public and not project.server:
        where = next(iter(project.public))
        said.append(
            f"The key in {where} is made for every visitor: it opens what row level security lets "
            "through. No open table of this project was seen: scan its dump or database too."
        )
    return " ".join(said)
