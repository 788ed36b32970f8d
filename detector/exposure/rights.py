"""From a model of the rights to what a role may do, and the words for it.

The rules: https://www.postgresql.org/docs/current/ddl-priv.html (privileges),
https://www.postgresql.org/docs/current/ddl-rowsecurity.html (policies),
https://www.postgresql.org/docs/current/sql-createview.html (whose rights a view uses),
https://www.postgresql.org/docs/current/ddl-inherit.html (parents). Not looked at: triggers and
constraints that refuse a row, and what a routine that a routine calls may do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal, NamedTuple

import msgspec

from detector.exposure.fold import Caller, outcome
from detector.exposure.model import (
    BYPASSING,
    NAMED,
    OWNER,
    PUBLIC,
    SUPERUSERS,
    VERBS,
    Grants,
    Model,
    Path,
    Policy,
    Relation,
    Routine,
    Schema,
)
from detector.exposure.queries import Body, Query, body_of, query_of
from detector.exposure.tokens import Token

State = Literal["open", "filtered", "closed", "unknown"]
"""Every row; those that a condition lets through; none; not to be known from what was given."""
Level = Literal[
    "open to read and write", "open to read", "open to write", "filtered", "closed", "unknown"
]
DEEPEST = 24  # views over views, and parents of parents

_FIELDS = {"select": "read", "insert": "insert", "update": "update", "delete": "delete"}
_RANK: dict[State, int] = {"closed": 0, "filtered": 1, "unknown": 2, "open": 3}
_PEOPLE = {
    "anon": "anyone with the publishable key",
    "authenticated": "anyone who signs in",
    "PUBLIC": "every role of the database",
}
# In a reason, for all verbs that it holds for.
_PRIVILEGES, _DOING = "\0privileges", "\0doing"
_DOES = {"select": "read", "insert": "insert", "update": "change", "delete": "delete"}


class Way(msgspec.Struct, frozen=True):
    """Something by which more of a table can be had than by its own name.

    ``kind``: view, materialised view, parent table, function. ``certain``: False when it depends
    on text that is put together at run time.
    """

    name: str
    kind: str
    read: State
    insert: State
    update: State
    delete: State
    certain: bool
    reason: str


class Access(msgspec.Struct, frozen=True):
    """What a role may do with a table by its name; ``through``: by what else it gets more.

    ``policies``: of "read", "insert", "update", "delete", the policies that decide. ``columns``:
    of the same, the columns if not all. ``truncate``: the role may empty the table, policies or
    not. ``reasons`` in words. ``assumptions``: what was taken to be so without a statement.
    """

    table: str
    role: str
    row_security: bool
    forced: bool
    read: State
    insert: State
    update: State
    delete: State
    policies: Mapping[str, tuple[str, ...]] = {}
    columns: Mapping[str, tuple[str, ...]] = {}
    truncate: bool = False
    through: tuple[Way, ...] = ()
    reasons: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """The worst that holds, by its name or through something that is certain."""
        reads, *writes = (self._best(field) for field in _FIELDS.values())
        if reads == "open":
            return "open to read and write" if "open" in writes else "open to read"
        if "open" in writes:
            return "open to write"
        if "unknown" in (reads, *writes):
            return "unknown"
        return "filtered" if "filtered" in (reads, *writes) else "closed"

    @property
    def sentence(self) -> str:
        """For a person, without a full stop."""
        people = _PEOPLE.get(self.role, f"the role {self.role}")
        states: dict[State, list[str]] = {}
        for verb, field in _FIELDS.items():
            states.setdefault(getattr(self, field), []).append(verb)
        parts = [
            self._said(state, states[state])
            for state in ("open", "filtered", "unknown")
            if state in states
        ]
        told = f"{people} {' and '.join(parts)}" if parts else self._nobody(people)
        told = ": ".join([told, "; ".join(self.reasons)] if self.reasons else [told])
        return "; ".join([told, *(_way_said(way) for way in self.through)])

    def _best(self, field: str) -> State:
        ways = [getattr(way, field) for way in self.through if way.certain]
        return max((getattr(self, field), *ways), key=_RANK.__getitem__)

    def _said(self, state: State, verbs: list[str]) -> str:
        does = _listed([_DOES[verb] for verb in verbs])
        if state == "unknown":
            return f"may be able to {does} rows"
        if state == "filtered":
            fields = [_FIELDS[verb] for verb in verbs]
            named = dict.fromkeys(name for field in fields for name in self.policies.get(field, ()))
            what = "policies" if len(named) > 1 else "policy"
            by = f"{what} {_listed([_quoted(name) for name in named])}" if named else "a condition"
            return f"can {does} the rows that {by} {'let' if len(named) > 1 else 'lets'} through"
        limits = [self.columns[f] for verb in verbs if (f := _FIELDS[verb]) in self.columns]
        if len(limits) == len(verbs):
            return f"can {does} {_listed(sorted(set().union(*limits)))} of every row"
        return f"can {does} {'any row' if verbs == ['insert'] else 'every row'}"

    def _nobody(self, people: str) -> str:
        if people.startswith(("anyone", "every role")):
            whom = people.replace("anyone", "nobody", 1).replace("every role", "no role")
            return f"{whom} can read or write it"
        return f"{people} can neither read nor write it"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _quoted(name: str) -> str:
    return f'"{name}"'


def _way_said(way: Way) -> str:
    does = [_DOES[verb] for verb, field in _FIELDS.items() if getattr(way, field) != "closed"]
    if not way.certain:
        return f"it may be reached through the {way.kind} {way.name}: {way.reason}"
    rows = "rows" if "open" not in (way.read, way.insert, way.update, way.delete) else "every row"
    return f"one can {_listed(does)} {rows} through the {way.kind} {way.name}: {way.reason}"


class _Right(NamedTuple):
    """``denied``: a missing privilege makes it an error, where a policy just hides rows."""

    state: State
    why: str = ""
    by: str = ""
    """Who has the privilege."""
    policies: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    denied: bool = False


class Exposure:
    """What roles may do in a database. Answers are worked out when asked for and kept."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._judges: dict[str, _Judge] = {}
        self._named: dict[str, bool] = {}
        self._by_name = {one.name: one for one in model.relations.values()}
        self._alone: dict[str, Relation | None] = {}  # by name without schema, if only one has it
        for one in model.relations.values():
            self._alone[one.path[1]] = None if one.path[1] in self._alone else one

    @property
    def tables(self) -> list[str]:
        """Tables and views by name, in the order of the definitions."""
        return [relation.name for relation in self._model.relations.values()]

    @property
    def known(self) -> bool:
        """Whether anything was defined at all."""
        return bool(self._model.relations)

    @property
    def complete(self) -> bool:
        """Whether every statement was read; if not, what seems closed is unknown."""
        return self._model.complete

    def of(self, table: str, role: str = "anon") -> Access:
        """The access to a table or view, named as in ``tables``, or without its schema.

        ``role``: "PUBLIC" for what everybody may. It stands for a role that nothing names.
        """
        if role not in self._named:
            self._named[role] = self._names(role)
        if not self._named[role]:
            role = "PUBLIC"
        relation = self._find(table)
        if relation is None:
            return Access(table, role, False, False, "unknown", "unknown", "unknown", "unknown",
                          reasons=("no definition of it was seen",))  # fmt: skip
        if role not in self._judges:
            self._judges[role] = _Judge(self._model, role)
        return self._judges[role].access(relation)

    def level(self, table: str, role: str = "anon") -> Level:
        """:attr:`Access.level`."""
        return self.of(table, role).level

    def sentence(self, table: str, role: str = "anon") -> str:
        """:attr:`Access.sentence`."""
        return self.of(table, role).sentence

    def _names(self, role: str) -> bool:
        """Whether any statement names it."""
        if role in self._model.roles:
            return True
        model = self._model
        things: list[Relation | Schema | Routine] = [
            *model.relations.values(),
            *model.schemas.values(),
            *chain.from_iterable(model.routines.values()),
        ]
        if any(role in one.grants or role == one.owner for one in things):
            return True
        return any(
            role in relation.column_grants
            or any(role in p.roles for p in relation.policies.values())
            for relation in model.relations.values()
        )

    def _find(self, table: str) -> Relation | None:
        for name in (table, f"{PUBLIC}.{table}"):
            if name in self._by_name:
                return self._by_name[name]
        return self._alone.get(table)


class _Judge:
    """One role's."""

    def __init__(self, model: Model, role: str) -> None:
        self._model = model
        self._role = role
        self._user = PUBLIC if role == "PUBLIC" else role
        signed = role if role in NAMED | BYPASSING else ""
        self._caller = Caller("" if self._user == PUBLIC else role, signed)
        self._circles: dict[str, frozenset[str]] = {}
        self._queries: dict[Path, Query] = {}
        self._reached: dict[tuple[Path, str, str, Caller], dict[Path, State]] = {}
        self._children: dict[Path, list[Path]] = {}
        for path, relation in model.relations.items():
            for parent in relation.parents:
                self._children.setdefault(parent, []).append(path)
        self._ways: dict[Path, list[Way]] | None = None

    def access(self, relation: Relation) -> Access:
        """What the role may do with it."""
        rights = {verb: self._by_name(relation, verb) for verb in VERBS}
        if self._ways is None:
            self._ways = self._all_ways()
        states = {_FIELDS[verb]: right.state for verb, right in rights.items()}
        ways = [way for way in self._ways.get(relation.path, ()) if _adds(way, states)]
        emptied = self._held(relation.grants, relation.owner, self._user, "truncate")
        return Access(
            relation.name, self._role, relation.row_security, relation.forced, **states,
            policies={_FIELDS[v]: r.policies for v, r in rights.items() if r.policies},
            columns={_FIELDS[v]: r.columns for v, r in rights.items() if r.columns},
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

    def _by_name(self, relation: Relation, verb: str) -> _Right:
        """With the schema, that is looked at when a name is."""
        schema = relation.path[0]
        usage = self._usage(schema, self._user)
        if usage is False:
            return _Right(
                "closed", f"{self._role} has no USAGE on the schema {schema}", denied=True
            )
        right = self._right(relation, verb, self._user, self._caller)
        if usage is None and right.state != "closed":
            return _Right("unknown", f"the rights on the schema {schema} are not known")
        return right

    # --- privileges

    def _circle(self, user: str) -> frozenset[str]:
        """The role and those whose rights it has as a member."""
        if user not in self._circles:
            found, new = {user}, [user]
            while new:
                role = self._model.roles.get(new.pop())
                for group, inherits in role.member_of.items() if role else ():
                    if (
                        group not in found
                        and role
                        and (role.inherit if inherits is None else inherits)
                    ):
                        found.add(group)
                        new.append(group)
            self._circles[user] = frozenset(found)
        return self._circles[user]

    def _superuser(self, user: str) -> bool:
        role = self._model.roles.get(user)
        return role.superuser if role else user in SUPERUSERS

    def _bypasses(self, user: str) -> bool:
        role = self._model.roles.get(user)
        return self._superuser(user) or (role.bypass if role else user in BYPASSING)

    def _may_bypass(self, user: str) -> bool:
        """Whether it isn't known that it does not: an owner of which only the name was seen."""
        role = self._model.roles.get(user)
        return not (role and role.defined) and user not in NAMED | {self._user, PUBLIC}

    def _held(self, grants: Grants, owner: str, user: str, privilege: str) -> str:
        """By whom a user has a privilege: "" for not at all."""
        if self._superuser(user):
            return f"{user}, a superuser,"
        circle = self._circle(user)
        if owner in circle and privilege in grants.get(OWNER, ()):
            return f"{owner or 'the owner'}, the owner," if owner != user else user or "the owner"
        for who in (user, PUBLIC, *sorted(circle)):
            if privilege in grants.get(who, ()):
                return _whom(who, user)
        for who, verbs in (
            ("pg_read_all_data", ("select", "usage")),
            ("pg_write_all_data", ("insert", "update", "delete", "usage")),
        ):
            if who in circle and privilege in verbs:
                return _whom(who, user)
        return ""

    def _usage(self, schema: str, user: str) -> bool | None:
        """None: nothing is known of that schema."""
        one = self._model.schemas.get(schema)
        if one is None:
            return True if self._superuser(user) else None
        if self._held(one.grants, one.owner, user, "usage"):
            return True
        # Without a single GRANT there may have been one; the default of "public" is known.
        return False if self._model.granted and self._model.complete else None

    def _columns_held(
        self, relation: Relation, user: str, verb: str
    ) -> tuple[tuple[str, ...], str]:
        found: dict[str, None] = {}
        by = ""
        for who in (user, PUBLIC, *sorted(self._circle(user))):
            for column in sorted(relation.column_grants.get(who, {}).get(verb, ())):
                found[column] = None
                by = by or _whom(who, user)
        return tuple(found), by

    # --- tables

    def _right(
        self, relation: Relation, verb: str, user: str, caller: Caller, depth: int = 0
    ) -> _Right:
        """What a user may do whose name for it was found."""
        columns: tuple[str, ...] = ()
        by = self._held(relation.grants, relation.owner, user, verb)
        if not by:
            columns, by = self._columns_held(relation, user, verb)
        unsure = not by and not (self._model.granted and self._model.complete)
        if not by and not unsure:
            return _Right("closed", f"{_name(user)} has no {_PRIVILEGES} on it", denied=True)
        if relation.is_view:
            right = self._view(relation, verb, user, caller, depth)
        else:
            right = self._row_security(relation, verb, user, caller)
        if right.state == "closed":
            return right
        if unsure:
            return _Right("unknown", "the dump says nothing of privileges")
        return right._replace(by=by, columns=columns or right.columns)

    def _row_security(self, relation: Relation, verb: str, user: str, caller: Caller) -> _Right:
        if not relation.row_security or relation.kind == "foreign table":
            return _Right("open", "row-level security is off")
        if self._bypasses(user):
            return _Right("open", f"row-level security does not hold for {_name(user)}")
        if relation.owner in self._circle(user) and not relation.forced:
            return _Right("open", f"row-level security does not hold for {_name(user)}, the owner")
        right = self._policies(relation, verb, user, caller)
        if right.state != "open" and self._may_bypass(user):
            return _Right(
                "unknown", f"whether {_name(user)} passes row-level security is not known"
            )
        return right

    def _policies(self, relation: Relation, verb: str, user: str, caller: Caller) -> _Right:
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
                return _Right("closed", _closing(permissive, restricting, _name(user)))
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
            return _Right("filtered", "row-level security is on", policies=tuple(deciding))
        named = _quoted(next(iter(deciding)))
        return _Right("open", f"row-level security is on, but policy {named} lets every row "
                      "through", policies=tuple(deciding))  # fmt: skip

    # --- views

    def _query(self, view: Relation) -> Query:
        if view.path not in self._queries:
            known = self._model.relations
            self._queries[view.path] = query_of(view.body, known, view.search_path)
        return self._queries[view.path]

    def _view(self, view: Relation, verb: str, user: str, caller: Caller, depth: int) -> _Right:
        """What the tables behind a view make of the right to it."""
        if depth > DEEPEST:
            return _Right("unknown", "it is a view over too many views")
        query = self._query(view)
        whose = f"it is a view with the rights of {_name(view.owner)}"
        if view.kind == "materialised view":
            if verb == "select":
                return _Right("open", "it is a materialised view: no policies hold for it")
            return _Right("closed", "it is a materialised view: nobody writes into it")
        if verb in view.instead:
            return _Right("filtered", "a trigger or rule of the view decides")
        if verb != "select" and (query.writable is None or (not query.plain and verb != "delete")):
            return _Right("closed", "nothing can be written through such a view")
        checker = self._checker(view, caller)
        if view.invoker:
            whose = "it is a view with the rights of who asks"
        rights = [
            self._behind(query, path, verb, checker, caller, depth) for path in query.relations
        ]
        if any(right.denied for right in rights):
            return _Right("closed", f"{whose}, who may not read all behind it", denied=True)
        states = {right.state for right in rights}
        policies = tuple(dict.fromkeys(name for right in rights for name in right.policies))
        if view.checked and query.condition and verb in ("insert", "update"):
            states.add("filtered")
        return _Right(_together(states, every=verb != "select"), whose, policies=policies)

    def _checker(self, view: Relation, caller: Caller) -> str:
        """Whose rights count behind a view."""
        return self._invoker(caller) if view.invoker else view.owner

    def _invoker(self, caller: Caller) -> str:
        """The role that asks: PUBLIC has no name."""
        return caller.user or PUBLIC

    def _behind(
        self, query: Query, path: Path, verb: str, user: str, caller: Caller, depth: int
    ) -> _Right:
        relation = self._model.relations[path]
        right = self._right(relation, verb, user, caller, depth + 1)
        if right.columns and not right.denied:
            hidden = set(relation.columns) - set(right.columns)
            if hidden & query.names or (query.every and hidden):
                return _Right("closed", "it uses columns that it may not", denied=True)
        return right

    # --- ways

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
                least = min(state, _state(limit), key=_RANK.__getitem__)
                out[table] = max(out.get(table, "closed"), least, key=_RANK.__getitem__)
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
            reason = f"it was filled with the rights of {_name(by.owner)}"
        elif not by.is_view:
            reason = "only the rights on the table that is named count"
        elif by.invoker:
            reason = "a view behind it has the rights of another"
        else:
            reason = f"it has the rights of {_name(by.owner)}"
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
                held[mention.verb] = max(now, held.get(mention.verb, now), key=_RANK.__getitem__)
        reason = (
            f"SECURITY DEFINER: it has the rights of {_name(routine.owner)}, and its code decides"
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
                  f"{_name(routine.owner)}")  # fmt: skip
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
    had = {field: states.get(verb, "closed") for verb, field in _FIELDS.items()}
    return Way(name, kind, **had, certain=True, reason=reason)


def _state(text: str) -> State:
    return "open" if text == "open" else "closed" if text == "closed" else "filtered"


def _together(states: set[State], *, every: bool) -> State:
    """Of the tables behind a view. ``every``: all must let it happen."""
    if states <= {"open"}:
        return "open"
    if "unknown" in states:
        return "closed" if every and "closed" in states else "unknown"
    return "closed" if states == {"closed"} or (every and "closed" in states) else "filtered"


def _adds(way: Way, states: Mapping[str, State]) -> bool:
    """Whether it gives more than the table's own name."""
    if not way.certain:
        return any(state != "open" for state in states.values())
    return any(_RANK[getattr(way, field)] > _RANK[state] for field, state in states.items())


def _using(policy: Policy) -> list[Token] | None:
    return policy.using


def _check(policy: Policy) -> list[Token] | None:
    return policy.using if policy.check is None else policy.check


def _closing(
    permissive: Mapping[str, bool | None], restricting: Mapping[str, bool | None], who: str
) -> str:
    for name, one in restricting.items():
        if one is False:
            named = _quoted(name)
            return f"row-level security is on and restrictive policy {named} lets nothing through"
    if permissive:
        lets = "lets" if len(permissive) == 1 else "let"
        named = _listed(map(_quoted, permissive))
        return f"row-level security is on and {named} {lets} nothing through"
    return f"row-level security is on and no policy lets {who} {_DOING}"


def _name(user: str) -> str:
    return {"": "its owner", PUBLIC: "PUBLIC"}.get(user, user)


def _whom(who: str, user: str) -> str:
    if who in (user, PUBLIC):
        return _name(who)
    return f"{_name(user)}, as a member of {who},"


def _reasons(rights: Mapping[str, _Right]) -> tuple[str, ...]:
    """One for each that is the same; only those that open something, if there are any."""
    shown = {v: r for v, r in rights.items() if r.state != "closed"} or dict(rights)
    grouped: dict[tuple[str, str], list[str]] = {}
    for verb, right in shown.items():
        grouped.setdefault((right.why, right.by), []).append(verb)
    out = []
    for (why, by), verbs in grouped.items():
        privileges = [verb.upper() for verb in verbs]
        held = ("privilege",) if verbs == list(VERBS) else privileges
        text = why.replace(_PRIVILEGES, _listed(held).replace(" and ", " or "))
        text = text.replace(_DOING, _listed(_DOES[verb] for verb in verbs).replace(" and ", " or "))
        out.append(f"{text} and {by} has {_listed(privileges)}" if by else text)
    return tuple(out)
