"""Views, parents and functions by which more of a table is had than by its own name."""

from __future__ import annotations

from collections.abc import Mapping

from detector.exposure.fold import Caller
from detector.exposure.model import VERBS, Model, Path, Relation, Routine
from detector.exposure.queries import Body, body_of
from detector.exposure.rights.access import FIELDS, RANK, State, Way
from detector.exposure.rights.privileges import name_of
from detector.exposure.rights.rows import DEEPEST, Rows


class Ways(Rows):
    """By what else the rows of a table are had."""

    def __init__(self, model: Model, role: str) -> None:
        super().__init__(model, role)
        self._reached: dict[tuple[Path, str, str, Caller], dict[Path, State]] = {}
        self._children: dict[Path, list[Path]] = {}
        for path, relation in model.relations.items():
            for parent in relation.parents:
                self._children.setdefault(parent, []).append(path)
        self._ways: dict[Path, list[Way]] | None = None

    def _reach(
        self, path: Path, verb: str, user: str, caller: Caller, depth: int = 0
    ) -> dict[Path, State]:
        """The tables whose rows are had by a name, and which of their rows."""
        key = (path, verb, user, caller)
        if key not in self._reached:
            self._reached[key] = {}  # nothing, where it comes back to itself
            relation = self._model.relations[path]
            self._reached[key] = self._reach_anew(relation, verb, user, caller, depth)
        return self._reached[key]

    def _reach_anew(
        self, relation: Relation, verb: str, user: str, caller: Caller, depth: int
    ) -> dict[Path, State]:
        right = self._right(relation, verb, user, caller, depth)
        if right.state in ("closed", "unknown") or depth > DEEPEST:
            return {}
        if not relation.is_view:
            out: dict[Path, State] = {relation.path: right.state}
            if verb != "insert" or relation.kind == "partitioned table":
                out |= dict.fromkeys(self._below(relation.path), right.state)
            return out
        if verb in relation.instead:
            return {}
        if relation.kind == "materialised view":  # filled by its owner
            user, caller = relation.owner, Caller(relation.owner, "")
        else:
            user = self._checker(relation, caller)
        return self._reach_behind(relation, verb, user, caller, depth)

    def _reach_behind(
        self, view: Relation, verb: str, user: str, caller: Caller, depth: int
    ) -> dict[Path, State]:
        query = self._query(view)
        out: dict[Path, State] = {}
        for path in query.relations if verb == "select" else filter(None, (query.writable,)):
            limit = query.rows[path]
            if verb == "insert":
                limit = "filtered" if view.checked and query.condition else "open"
            for table, state in self._reach(path, verb, user, caller, depth + 1).items():
                least = min(state, _state(limit), key=RANK.__getitem__)
                out[table] = max(out.get(table, "closed"), least, key=RANK.__getitem__)
        return {table: state for table, state in out.items() if state != "closed"}

    def _below(self, path: Path) -> list[Path]:
        """All that inherit from it."""
        out: dict[Path, None] = {}
        new = [path]
        while new:
            for child in self._children.get(new.pop(), ()):
                if child not in out:
                    out[child] = None
                    new.append(child)
        return list(out)

    def _all_ways(self) -> dict[Path, list[Way]]:
        out: dict[Path, list[Way]] = {}
        for path, relation in self._model.relations.items():
            if (relation.is_view or path in self._children) and self._usage(path[0], self._user):
                reached = {
                    verb: self._reach(path, verb, self._user, self._caller) for verb in VERBS
                }
                self._add_ways(out, relation, reached)
        for several in self._model.routines.values():
            for routine in several:
                if self._runs(routine):
                    self._add_routine(out, routine)
        return out

    def _add_ways(
        self, out: dict[Path, list[Way]], by: Relation, reached: dict[str, dict[Path, State]]
    ) -> None:
        kind = by.kind if by.is_view else "parent table"
        if by.is_view and by.kind != "view":
            reason = f"it was filled with the rights of {name_of(by.owner)}"
        elif not by.is_view:
            reason = "only the rights on the table that is named count"
        elif by.invoker:
            reason = "a view behind it has the rights of another"
        else:
            reason = f"it has the rights of {name_of(by.owner)}"
        for table in dict.fromkeys(path for tables in reached.values() for path in tables):
            if table != by.path:
                states = {verb: reached[verb].get(table, "closed") for verb in VERBS}
                out.setdefault(table, []).append(_way(by.name, kind, states, reason))

    def _runs(self, routine: Routine) -> bool:
        """Whether the role may call it and gets other rights by that."""
        return (
            routine.definer
            and not routine.trigger
            and bool(self._usage(routine.path[0], self._user))
            and bool(self._held(routine.grants, routine.owner, self._user, "execute"))
        )

    def _add_routine(self, out: dict[Path, list[Way]], routine: Routine) -> None:
        known: dict[Path, object] = {**self._model.relations}
        body = body_of(routine.language, routine.body, known, routine.search_path)
        caller = Caller(routine.owner, self._caller.signed)
        states: dict[Path, dict[str, State]] = {}
        for mention in body.mentions:
            if self._usage(mention.path[0], routine.owner) is False:
                continue
            for table, state in self._reach(
                mention.path, mention.verb, routine.owner, caller
            ).items():
                whole = mention.path == body.whole and state == "open"
                held = states.setdefault(table, {})
                now: State = "open" if whole else "filtered"
                held[mention.verb] = max(now, held.get(mention.verb, now), key=RANK.__getitem__)
        reason = (
            f"SECURITY DEFINER: it has the rights of {name_of(routine.owner)}, and its code decides"
        )
        for table, verbs in states.items():
            out.setdefault(table, []).append(_way(routine.name, "function", verbs, reason))
        self._add_dynamic(out, routine, body, states)

    def _add_dynamic(
        self,
        out: dict[Path, list[Way]],
        routine: Routine,
        body: Body,
        states: Mapping[Path, object],
    ) -> None:
        """SQL that is put together: the tables that its texts name, or any."""
        if not body.dynamic:
            return
        named = [path for path in self._model.relations if path[1] in body.texts]
        reason = (f"SECURITY DEFINER: it runs statements it puts together, with the rights of "
                  f"{name_of(routine.owner)}")  # fmt: skip
        caller = Caller(routine.owner, self._caller.signed)
        for path in named or self._model.relations:
            for table in self._may_reach(path, routine.owner, caller):
                if table not in states:
                    way = Way(routine.name, "function", "unknown", "unknown", "unknown", "unknown",
                              False, reason)  # fmt: skip
                    if way not in out.get(table, ()):
                        out.setdefault(table, []).append(way)

    def _may_reach(self, path: Path, user: str, caller: Caller) -> list[Path]:
        found = (self._reach(path, verb, user, caller) for verb in VERBS)
        return list(dict.fromkeys(table for tables in found for table in tables))


def _way(name: str, kind: str, states: Mapping[str, State], reason: str) -> Way:
    """A certain one, from what is had by each verb."""
    had = {field: states.get(verb, "closed") for verb, field in FIELDS.items()}
    return Way(name, kind, **had, certain=True, reason=reason)


def _state(text: str) -> State:
    return "open" if text == "open" else "closed" if text == "closed" else "filtered"
