"""Tables and views: which of their rows privileges and policies give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from detector.exposure.fold import Caller, outcome
from detector.exposure.model import BYPASSING, NAMED, PUBLIC, Model, Path, Policy, Relation
from detector.exposure.queries import Query, query_of
from detector.exposure.rights.access import State, listed, quoted
from detector.exposure.rights.privileges import Privileges, name_of
from detector.exposure.tokens import Token

DEEPEST = 24  # views over views, and parents of parents


# In a reason, for all verbs that it holds for.
PRIVILEGES, DOING = "\0privileges", "\0doing"


class Right(NamedTuple):
    """``denied``: a missing privilege makes it an error, where a policy just hides rows."""

    state: State
    why: str = ""
    by: str = ""
    """Who has the privilege."""
    policies: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    denied: bool = False


class Rows(Privileges):
    """Which rows of a table or view somebody gets by its name."""

    def __init__(self, model: Model, role: str) -> None:
        super().__init__(model, role)
        signed = role if role in NAMED | BYPASSING else ""
        self._caller = Caller("" if self._user == PUBLIC else role, signed)
        self._queries: dict[Path, Query] = {}

    def _right(
        self, relation: Relation, verb: str, user: str, caller: Caller, depth: int = 0
    ) -> Right:
        """What a user may do whose name for it was found."""
        columns: tuple[str, ...] = ()
        by = self._held(relation.grants, relation.owner, user, verb)
        if not by:
            columns, by = self._columns_held(relation, user, verb)
        unsure = not by and not (self._model.granted and self._model.complete)
        if not by and not unsure:
            return Right("closed", f"{name_of(user)} has no {PRIVILEGES} on it", denied=True)
        if relation.is_view:
            right = self._view(relation, verb, user, caller, depth)
        else:
            right = self._row_security(relation, verb, user, caller)
        if right.state == "closed":
            return right
        if unsure:
            return Right("unknown", "the dump says nothing of privileges")
        return right._replace(by=by, columns=columns or right.columns)

    def _row_security(self, relation: Relation, verb: str, user: str, caller: Caller) -> Right:
        if not relation.row_security or relation.kind == "foreign table":
            return Right("open", "row-level security is off")
        if self._bypasses(user):
            return Right("open", f"row-level security does not hold for {name_of(user)}")
        if relation.owner in self._circle(user) and not relation.forced:
            return Right("open", f"row-level security does not hold for {name_of(user)}, the owner")
        right = self._policies(relation, verb, user, caller)
        if right.state != "open" and self._may_bypass(user):
            return Right(
                "unknown", f"whether {name_of(user)} passes row-level security is not known"
            )
        return right

    def _policies(self, relation: Relation, verb: str, user: str, caller: Caller) -> Right:
        circle = self._circle(user) | {PUBLIC}
        ours = [
            policy
            for policy in relation.policies.values()
            if policy.command in (verb, "all") and circle & set(policy.roles)
        ]
        sides = {"insert": (_check,), "update": (_using, _check)}.get(verb, (_using,))
        state: State = "open"
        deciding: dict[str, None] = {}
        for side in sides:
            held = {p.name: outcome(side(p), caller) for p in ours if side(p) is not None}
            permissive = {p.name: held[p.name] for p in ours if p.permissive and p.name in held}
            restricting = {p.name: held[p.name] for p in ours if p.name in held.keys() - permissive}
            if False in restricting.values() or not set(permissive.values()) - {False}:
                return Right("closed", _closing(permissive, restricting, name_of(user)))
            always = [name for name, one in permissive.items() if one]
            conditions = [name for name, one in restricting.items() if one is None]
            if not always:
                conditions += [name for name, one in permissive.items() if one is None]
            if conditions:
                state = "filtered"
                deciding.update(dict.fromkeys(conditions))
            elif state == "open" and not deciding:
                deciding.update(dict.fromkeys(always[:1]))
        if state == "filtered":
            return Right("filtered", "row-level security is on", policies=tuple(deciding))
        named = quoted(next(iter(deciding)))
        return Right("open", f"row-level security is on, but policy {named} lets every row "
                      "through", policies=tuple(deciding))  # fmt: skip

    # --- views

    def _query(self, view: Relation) -> Query:
        if view.path not in self._queries:
            known = self._model.relations
            self._queries[view.path] = query_of(view.body, known, view.search_path)
        return self._queries[view.path]

    def _view(self, view: Relation, verb: str, user: str, caller: Caller, depth: int) -> Right:
        """What the tables behind a view make of the right to it."""
        if depth > DEEPEST:
            return Right("unknown", "it is a view over too many views")
        query = self._query(view)
        whose = f"it is a view with the rights of {name_of(view.owner)}"
        if view.kind == "materialised view":
            if verb == "select":
                return Right("open", "it is a materialised view: no policies hold for it")
            return Right("closed", "it is a materialised view: nobody writes into it")
        if verb in view.instead:
            return Right("filtered", "a trigger or rule of the view decides")
        if verb != "select" and (query.writable is None or (not query.plain and verb != "delete")):
            return Right("closed", "nothing can be written through such a view")
        checker = self._checker(view, caller)
        if view.invoker:
            whose = "it is a view with the rights of who asks"
        rights = [
            self._behind(query, path, verb, checker, caller, depth) for path in query.relations
        ]
        if any(right.denied for right in rights):
            return Right("closed", f"{whose}, who may not read all behind it", denied=True)
        states = {right.state for right in rights}
        policies = tuple(dict.fromkeys(name for right in rights for name in right.policies))
        if view.checked and query.condition and verb in ("insert", "update"):
            states.add("filtered")
        return Right(_together(states, every=verb != "select"), whose, policies=policies)

    def _checker(self, view: Relation, caller: Caller) -> str:
        """Whose rights count behind a view."""
        return self._invoker(caller) if view.invoker else view.owner

    def _invoker(self, caller: Caller) -> str:
        """The role that asks: PUBLIC has no name."""
        return caller.user or PUBLIC

    def _behind(
        self, query: Query, path: Path, verb: str, user: str, caller: Caller, depth: int
    ) -> Right:
        relation = self._model.relations[path]
        right = self._right(relation, verb, user, caller, depth + 1)
        if right.columns and not right.denied:
            hidden = set(relation.columns) - set(right.columns)
            if hidden & query.names or (query.every and hidden):
                return Right("closed", "it uses columns that it may not", denied=True)
        return right


def _together(states: set[State], *, every: bool) -> State:
    """Of the tables behind a view. ``every``: all must let it happen."""
    if states <= {"open"}:
        return "open"
    if "unknown" in states:
        return "closed" if every and "closed" in states else "unknown"
    return "closed" if states == {"closed"} or (every and "closed" in states) else "filtered"


def _using(policy: Policy) -> list[Token] | None:
    return policy.using


def _check(policy: Policy) -> list[Token] | None:
    return policy.using if policy.check is None else policy.check


def _closing(
    permissive: Mapping[str, bool | None], restricting: Mapping[str, bool | None], who: str
) -> str:
    for name, one in restricting.items():
        if one is False:
            named = quoted(name)
            return f"row-level security is on and restrictive policy {named} lets nothing through"
    if permissive:
        lets = "lets" if len(permissive) == 1 else "let"
        named = listed(map(quoted, permissive))
        return f"row-level security is on and {named} {lets} nothing through"
    return f"row-level security is on and no policy lets {who} {DOING}"
