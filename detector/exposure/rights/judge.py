"""One role's access to each table."""

from __future__ import annotations

from collections.abc import Mapping

from detector.exposure.model import VERBS, Relation
from detector.exposure.rights.access import DOES, FIELDS, RANK, Access, State, Way, listed
from detector.exposure.rights.rows import DOING, PRIVILEGES, Right
from detector.exposure.rights.ways import Ways


class Judge(Ways):
    """One role's."""

    def access(self, relation: Relation) -> Access:
        """What the role may do with it."""
        rights = {verb: self._by_name(relation, verb) for verb in VERBS}
        if self._ways is None:
            self._ways = self._all_ways()
        states = {FIELDS[verb]: right.state for verb, right in rights.items()}
        ways = [way for way in self._ways.get(relation.path, ()) if _adds(way, states)]
        emptied = self._held(relation.grants, relation.owner, self._user, "truncate")
        return Access(
            relation.name, self._role, relation.row_security, relation.forced, **states,
            policies={FIELDS[v]: r.policies for v, r in rights.items() if r.policies},
            columns={FIELDS[v]: r.columns for v, r in rights.items() if r.columns},
            truncate=bool(emptied and self._usage(relation.path[0], self._user)
                          and not relation.is_view),
            through=tuple(sorted(ways, key=lambda way: (way.kind, way.name))),
            reasons=_reasons(rights),
            assumptions=self._assumptions(),
        )  # fmt: skip

    def _assumptions(self) -> tuple[str, ...]:
        out = []
        if not self._model.roles_known:
            out.append("no role is defined: they are taken to be Supabase's, members of no other")
        if not self._model.granted:
            out.append("nothing is granted or revoked: written without privileges, it seems")
        if not self._model.complete:
            out.append("some definitions could not be read")
        return tuple(out)

    def _by_name(self, relation: Relation, verb: str) -> Right:
        """With the schema, that is looked at when a name is."""
        schema = relation.path[0]
        usage = self._usage(schema, self._user)
        if usage is False:
            return Right("closed", f"{self._role} has no USAGE on the schema {schema}", denied=True)
        right = self._right(relation, verb, self._user, self._caller)
        if usage is None and right.state != "closed":
            return Right("unknown", f"the rights on the schema {schema} are not known")
        return right


def _adds(way: Way, states: Mapping[str, State]) -> bool:
    """Whether it gives more than the table's own name."""
    if not way.certain:
        return any(state != "open" for state in states.values())
    return any(RANK[getattr(way, field)] > RANK[state] for field, state in states.items())


def _reasons(rights: Mapping[str, Right]) -> tuple[str, ...]:
    """One for each that is the same; only those that open something, if there are any."""
    shown = {v: r for v, r in rights.items() if r.state != "closed"} or dict(rights)
    grouped: dict[tuple[str, str], list[str]] = {}
    for verb, right in shown.items():
        grouped.setdefault((right.why, right.by), []).append(verb)
    out = []
    for (why, by), verbs in grouped.items():
        privileges = [verb.upper() for verb in verbs]
        held = ("privilege",) if verbs == list(VERBS) else privileges
        text = why.replace(PRIVILEGES, listed(held).replace(" and ", " or "))
        text = text.replace(DOING, listed(DOES[verb] for verb in verbs).replace(" and ", " or "))
        out.append(f"{text} and {by} has {listed(privileges)}" if by else text)
    return tuple(out)
