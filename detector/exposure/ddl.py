"""Statements that define or grant something, to a model of the rights.

https://www.postgresql.org/docs/current/sql-commands.html, as pg_dump and pg_dumpall write them and
as people do in migrations. A statement of a known kind that cannot be read makes the model
incomplete; the others are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from detector.exposure.model import (
    ALL,
    OWNER,
    PUBLIC,
    VERBS,
    Grants,
    Model,
    Path,
    Policy,
    Relation,
    Routine,
    Schema,
    grant,
    revoke,
)
from detector.exposure.rights import Exposure
from detector.exposure.tokens import (
    NAME,
    SIGN,
    STRING,
    WORD,
    Cursor,
    Token,
    UnreadableError,
    split,
    statements_of,
)

MOST_TEXT = 16 << 20  # characters of statements; what comes behind is not looked at
MOST_THINGS = 1 << 16  # tables, routines and roles

_HEAD = re.compile(r"(?:\s+|--[^\n]*\n)*+(\w+)(?:\s+(\w+))?")
_CREATED = frozenset(
    re.findall(
        r"\w+",
        "table view materialized or recursive unlogged temporary temp global local foreign schema"
        " function procedure policy role user group rule trigger constraint",
    )
)
_ROUTINES = ("function", "procedure", "routine", "aggregate")


def exposure_of(statements: Iterable[str], *, complete: bool = True) -> Exposure:
    """What the DDL of a dump says of the rights on its tables.

    ``statements`` in the order of the dump; several may stand in one text. pg_dump's other
    formats keep the owner beside a definition: an ``ALTER TABLE … OWNER TO …`` has to be made of
    it. pg_dump writes no roles: with the output of ``pg_dumpall --roles-only`` before it,
    memberships and BYPASSRLS are known, else Supabase's layout is assumed. ``complete``: False
    when statements are missing. Never raises for what stands in them.
    """
    reader = _Reader()
    reader.model.complete = complete
    size = 0
    for text in statements:
        size += len(text)
        if size > MOST_TEXT or len(reader.model.relations) > MOST_THINGS:
            reader.model.complete = False
            break
        if _matters(text):
            for tokens in statements_of(text):
                reader.read(tokens)
    return Exposure(reader.model)


def _matters(text: str) -> bool:
    """Whether a text may say anything of rights: spares indexes, comments and types."""
    found = _HEAD.match(text)
    if found is None or text.count(";") > 1:
        return True
    first, second = found[1].lower(), (found[2] or "").lower()
    return first != "comment" and (first != "create" or second in _CREATED)


class _Default(NamedTuple):
    """Where default privileges count: a role, a schema ("" for all), a kind of things."""

    role: str
    schema: str
    kind: str


class _Changes(NamedTuple):
    added: set[tuple[str, str]]
    removed: set[tuple[str, str]]


class _Reader:
    """Applies statements to a model, one after the other."""

    def __init__(self) -> None:
        public = Schema(PUBLIC, grants={PUBLIC: {"usage"}, OWNER: set(ALL)})
        self.model = Model(schemas={PUBLIC: public})
        self._role = ""
        self._search_path: tuple[str, ...] = (PUBLIC,)
        self._defaults: dict[_Default, _Changes] = {}
        self._readers: dict[str, Callable[[Cursor], None]] = {
            "create": self._create,
            "alter": self._alter,
            "grant": self._grant,
            "revoke": self._revoke,
            "set": self._set,
            "reset": self._reset,
            "drop": self._drop,
        }

    def read(self, tokens: list[Token]) -> None:
        """One statement."""
        cursor = Cursor(tokens)
        reader = self._readers.get(cursor.next().text)
        if reader is None:
            return
        try:
            reader(cursor)
        except (UnreadableError, RecursionError):
            self.model.complete = False

    # --- who speaks, and where

    def _set(self, at: Cursor) -> None:
        at.one_of("session", "local")
        if at.one_of("role", "authorization"):
            token = at.next()
            self._role = (
                "" if token in (Token(WORD, "default"), Token(WORD, "none")) else token.text
            )
        elif at.word("search_path"):
            self._search_path = _path_list(at)

    def _reset(self, at: Cursor) -> None:
        if at.one_of("role", "session"):
            self._role = ""

    def _path(self, name: tuple[str, ...]) -> Path:
        return self.model.resolve(name, self._search_path)

    def _whose(self, at: Cursor) -> str:
        """A role that is named."""
        at.word("group")
        token = at.peek()
        name = at.identifier()
        if token.kind == WORD and name in ("current_user", "session_user", "current_role"):
            return self._role
        return name

    def _grantees(self, at: Cursor) -> list[str]:
        out = [self._whose(at)]
        while at.sign(","):
            out.append(self._whose(at))
        return out

    # --- definitions

    def _create(self, at: Cursor) -> None:
        at.word("or", "replace")
        at.one_of("global", "local")
        temporary = bool(at.one_of("temporary", "temp"))
        at.one_of("unlogged", "constraint", "recursive")
        if at.word("foreign", "table"):
            self._create_table(at, "foreign table")
        elif at.word("table"):
            if not temporary:
                self._create_table(at, "table")
        elif at.one_of("view") or at.word("recursive", "view"):
            self._create_view(at, "view")
        elif at.word("materialized", "view"):
            self._create_view(at, "materialised view")
        elif at.one_of("function", "procedure"):
            self._create_routine(at)
        elif at.word("policy"):
            self._create_policy(at)
        elif at.word("schema"):
            self._create_schema(at)
        elif at.one_of("role", "user", "group"):
            if not at.word("mapping"):
                self._role_options(at)
        elif at.word("rule"):
            self._create_rule(at)
        elif at.word("trigger"):
            self._create_trigger(at)

    def _create_schema(self, at: Cursor) -> None:
        at.word("if", "not", "exists")
        name = "" if at.word("authorization") else at.identifier()
        owner = self._role
        if not name or at.word("authorization"):
            owner = self._whose(at)
        name = name or owner
        if name not in self.model.schemas:
            grants = self._first_grants(owner, "", "schemas")
            self.model.schemas[name] = Schema(name, owner, grants)

    def _role_options(self, at: Cursor) -> None:
        role = self.model.role(at.identifier())
        if not role.defined:  # nothing more is assumed
            role.superuser = role.bypass = False
        role.defined = self.model.roles_known = True
        at.word("with")
        while at:
            option = at.next().text
            if option in ("superuser", "nosuperuser"):
                role.superuser = option == "superuser"
            elif option in ("bypassrls", "nobypassrls"):
                role.bypass = option == "bypassrls"
            elif option in ("inherit", "noinherit"):
                role.inherit = option == "inherit"
            elif option == "in" and at.one_of("role", "group"):
                for group in self._grantees(at):
                    role.member_of[group] = None
            elif option in ("role", "admin", "user"):
                for member in self._grantees(at):
                    self.model.role(member).member_of[role.name] = None

    def _create_table(self, at: Cursor, kind: str) -> None:
        at.word("if", "not", "exists")
        path = self._path(at.name())
        table = self._relation(path, kind)
        if at.word("partition", "of"):
            table.parents.append(self._path(at.name()))
        elif at.peek() == Token(SIGN, "("):
            table.columns = _columns(at.group())
        while at:
            if at.word("inherits"):
                names = Cursor(at.group()).names()
                table.parents += [self._path(name) for name in names]
            elif at.word("partition", "by"):
                table.kind = "partitioned table"
            else:
                at.next()

    def _create_view(self, at: Cursor, kind: str) -> None:
        at.word("if", "not", "exists")
        view = self._relation(self._path(at.name()), kind)
        if at.peek() == Token(SIGN, "("):
            at.group()
        view.invoker, view.search_path = False, self._search_path
        while at and not at.word("as"):
            if at.word("with"):
                _view_options(view, at.group())
            else:
                at.next()
        view.body = at.rest()
        ended = [token.text for token in view.body[-4:]]
        if ended[-2:] == ["check", "option"]:
            view.checked = True
            view.body = view.body[: -4 if ended[0] == "with" else -3]
        elif ended[-2:] == ["no", "data"] or (ended[-1:] == ["data"] and "with" in ended):
            view.body = view.body[: -3 if ended[-2:] == ["no", "data"] else -2]

    def _relation(self, path: Path, kind: str) -> Relation:
        """The one of that path; made if there is none, as CREATE … IF NOT EXISTS does."""
        if (one := self.model.relations.get(path)) is not None:
            return one
        grants = self._first_grants(self._role, path[0], "tables")
        one = Relation(path, kind, self._role, grants=grants)
        self.model.relations[path] = one
        return one

    def _create_routine(self, at: Cursor) -> None:
        path = self._path(at.name())
        arguments = _signature(at.group())
        known = self._routine(path, arguments, exact=True)
        if known:
            one = known[0]
            one.definer, one.search_path, one.body = False, None, ""
        else:
            grants = self._first_grants(self._role, path[0], "functions")
            one = Routine(path, arguments, self._role, grants=grants)
            self.model.routines.setdefault(path, []).append(one)
        self._routine_options(one, at)

    def _routine_options(self, one: Routine, at: Cursor) -> None:
        while at:
            if at.word("returns"):
                one.trigger = at.peek().text in ("trigger", "event_trigger")
            elif at.word("language"):
                one.language = at.next().text.lower()
            elif at.word("security", "definer"):
                one.definer = True
            elif at.word("security", "invoker"):
                one.definer = False
            elif at.word("set", "search_path"):
                one.search_path = _path_list(at)
            elif at.word("as"):
                one.body = at.next().text
            elif at.peek() in (Token(WORD, "begin"), Token(WORD, "return")):
                one.body = _written(at.rest())
                return
            else:
                at.next()

    def _routine(
        self, path: Path, arguments: list[tuple[Token, ...]] | None, *, exact: bool = False
    ) -> list[Routine]:
        """Those of a name that these arguments may mean."""
        all_of_name = self.model.routines.get(path, [])
        if arguments is None:
            return all_of_name
        found = [one for one in all_of_name if _same_arguments(one.arguments, arguments)]
        return found if found or exact else all_of_name

    def _create_policy(self, at: Cursor) -> None:
        policy = Policy(at.identifier())
        at.one_of("on")
        table = self._table(at.name())
        self._policy_parts(policy, at)
        table.policies[policy.name] = policy

    def _policy_parts(self, policy: Policy, at: Cursor) -> None:
        while at:
            if at.word("as"):
                policy.permissive = at.next().text != "restrictive"
            elif at.word("for"):
                policy.command = at.next().text
            elif at.word("to"):
                policy.roles = tuple(self._grantees(at))
            elif at.word("using"):
                policy.using = at.group()
            elif at.word("with", "check"):
                policy.check = at.group()
            else:
                raise UnreadableError

    def _table(self, name: tuple[str, ...]) -> Relation:
        return self._relation(self._path(name), "table")

    def _create_rule(self, at: Cursor) -> None:
        """``_RETURN`` makes a view of a table: so did pg_dump before version 10."""
        at.next()
        at.one_of("as")
        at.one_of("on")
        event = at.next().text
        at.one_of("to")
        view = self._table(at.name())
        while at and not at.word("do"):
            at.next()
        if not at.word("instead"):
            return
        if event == "select":
            view.kind, view.body, view.search_path = "view", at.rest(), self._search_path
        else:
            view.instead.add(event)

    def _create_trigger(self, at: Cursor) -> None:
        at.next()
        if not at.word("instead", "of"):
            return
        events = set()
        while at and not at.word("on"):
            events.add(at.next().text)
        self._table(at.name()).instead |= events & set(VERBS)

    # --- changes

    def _alter(self, at: Cursor) -> None:
        if at.word("default", "privileges"):
            self._alter_defaults(at)
        elif at.one_of("table", "view") or at.word("foreign", "table"):
            self._alter_relation(at, "table")
        elif at.word("materialized", "view"):
            self._alter_relation(at, "materialised view")
        elif at.one_of(*_ROUTINES):
            self._alter_routine(at)
        elif at.word("policy"):
            self._alter_policy(at)
        elif at.word("schema"):
            self._alter_schema(at)
        elif (
            at.one_of("role", "user", "group")
            and not at.word("mapping")
            and at.peek(1).text not in ("set", "reset", "rename", "in")
        ):
            self._role_options(at)

    def _alter_schema(self, at: Cursor) -> None:
        schema = self._schema(at.identifier())
        if at.word("owner", "to"):
            schema.owner = _moved(schema.grants, schema.owner, self._whose(at))

    def _schema(self, name: str) -> Schema:
        return self.model.schemas.setdefault(name, Schema(name, grants={OWNER: set(ALL)}))

    def _alter_relation(self, at: Cursor, kind: str) -> None:
        at.word("if", "exists")
        at.word("only")
        name = at.name()
        at.sign("*")
        path = self._path(name)
        known = path in self.model.relations
        one = self._relation(path, kind)
        if not known and at.peek().text not in ("enable", "force"):
            del self.model.relations[path]  # a sequence (pg_dump before 15), or not in this dump
            return
        for part in split(at.rest()):
            self._alter_part(one, Cursor(part))

    def _alter_part(self, one: Relation, at: Cursor) -> None:
        if at.word("owner", "to"):
            one.owner = _moved(one.grants, one.owner, self._whose(at))
        elif not (_row_security(one, at) or self._family(one, at)):
            self._alter_view_or_name(one, at)

    def _family(self, one: Relation, at: Cursor) -> bool:
        """Whether it was about parents or partitions."""
        if at.word("attach", "partition"):
            self._table(at.name()).parents.append(one.path)
        elif at.word("detach", "partition"):
            child = self._table(at.name())
            child.parents = [parent for parent in child.parents if parent != one.path]
        elif at.word("inherit"):
            one.parents.append(self._path(at.name()))
        elif at.word("no", "inherit"):
            parent = self._path(at.name())
            one.parents = [other for other in one.parents if other != parent]
        else:
            return False
        return True

    def _alter_view_or_name(self, one: Relation, at: Cursor) -> None:
        if at.peek() == Token(WORD, "set") and at.peek(1) == Token(SIGN, "("):
            at.next()
            _view_options(one, at.group())
        elif at.word("reset"):
            names = {token.text for token in at.group()}
            one.invoker = one.invoker and "security_invoker" not in names
        elif at.word("set", "schema"):
            self._moved_to(one, (at.identifier(), one.path[1]))
        elif at.word("rename", "to"):
            self._moved_to(one, (one.path[0], at.identifier()))

    def _moved_to(self, one: Relation, path: Path) -> None:
        del self.model.relations[one.path]
        for other in self.model.relations.values():
            other.parents = [path if parent == one.path else parent for parent in other.parents]
        one.path = path
        self.model.relations[path] = one

    def _alter_routine(self, at: Cursor) -> None:
        path = self._path(at.name())
        arguments = _signature(at.group()) if at.peek() == Token(SIGN, "(") else None
        for one in self._routine(path, arguments):
            options = Cursor(at.rest())
            if options.word("owner", "to"):
                one.owner = _moved(one.grants, one.owner, self._whose(options))
            else:
                self._routine_options(one, options)

    def _alter_policy(self, at: Cursor) -> None:
        name = at.identifier()
        at.one_of("on")
        table = self._table(at.name())
        policy = table.policies.setdefault(name, Policy(name))
        if at.word("rename", "to"):
            policy.name = at.identifier()
            table.policies[policy.name] = table.policies.pop(name)
        else:
            self._policy_parts(policy, at)

    def _drop(self, at: Cursor) -> None:
        materialised = at.one_of("materialized", "foreign")
        kind = at.next().text
        at.word("if", "exists")
        if kind in ("table", "view") or materialised:
            for name in at.names():
                self.model.relations.pop(self._path(name), None)
        elif kind == "policy":
            policy = at.identifier()
            at.one_of("on")
            if (table := self.model.relations.get(self._path(at.name()))) is not None:
                table.policies.pop(policy, None)
        elif kind in _ROUTINES:
            path = self._path(at.name())
            arguments = _signature(at.group()) if at.peek() == Token(SIGN, "(") else None
            gone = self._routine(path, arguments)
            kept = [one for one in self.model.routines.get(path, []) if one not in gone]
            self.model.routines[path] = kept

    # --- grants

    def _alter_defaults(self, at: Cursor) -> None:
        roles, schemas = [self._role], [""]
        while at.peek().text in ("for", "in"):
            if at.word("for"):
                at.one_of("role", "user")
                roles = self._grantees(at)
            elif at.word("in", "schema"):
                schemas = at.identifiers()
            else:
                raise UnreadableError
        giving = at.next().text == "grant"
        at.word("grant", "option", "for")
        listed, _ = _privileges(at)
        at.one_of("on")
        kind = {"routines": "functions"}.get(word := at.next().text, word)
        if not at.one_of("to", "from"):
            raise UnreadableError
        pairs = {(who, one) for who in self._grantees(at) for one in listed}
        for key in (_Default(role, schema, kind) for role in roles for schema in schemas):
            changes = self._defaults.setdefault(key, _Changes(set(), set()))
            gained, lost = (0, 1) if giving else (1, 0)
            changes[gained].update(pairs)
            changes[lost].difference_update(pairs)

    def _first_grants(self, owner: str, schema: str, kind: str) -> Grants:
        """Those of a new thing: of its owner, of PUBLIC on functions, and the default ones."""
        grants: Grants = {OWNER: set(ALL)}
        if kind == "functions":
            grants[PUBLIC] = {"execute"}
        for key, changes in self._defaults.items():
            if key.kind != kind or key.schema not in ("", schema):
                continue
            if owner and key.role and owner != key.role:
                continue
            if not key.schema:  # those of one schema only add
                for who, one in changes.removed:
                    revoke(grants, owner, who, frozenset((one,)))
            for who, one in changes.added:
                grant(grants, owner, who, frozenset((one,)))
        return grants

    def _grant(self, at: Cursor) -> None:
        self._change(at, "to")

    def _revoke(self, at: Cursor) -> None:
        if at.word("grant", "option", "for") or at.one_of("admin", "inherit", "set"):
            return
        self._change(at, "from")

    def _change(self, at: Cursor, direction: str) -> None:
        texts = [token.text for token in at.tokens if token.kind == WORD]
        if "on" not in texts:
            self._change_members(at, direction)
            return
        privileges, columns = _privileges(at)
        things = self._things(at)
        if not at.word(direction):
            raise UnreadableError
        grantees = self._grantees(at)
        self.model.granted = True
        act = grant if direction == "to" else revoke
        for thing in things:
            for who in grantees:
                act(thing.grants, thing.owner, who, privileges)
                if isinstance(thing, Relation):
                    _change_columns(thing, who, columns, privileges, giving=direction == "to")

    def _change_members(self, at: Cursor, direction: str) -> None:
        groups = at.identifiers()
        if not at.word(direction):
            raise UnreadableError
        members = self._grantees(at)
        inherits: bool | None = None
        while at:
            if at.word("inherit"):
                inherits = at.next().text in ("true", "option")
            else:
                at.next()
        for member in members:
            role = self.model.role(member)
            for group in groups:
                if direction == "to":
                    role.member_of[group] = inherits
                else:
                    role.member_of.pop(group, None)

    def _things(self, at: Cursor) -> list[Relation | Routine | Schema]:
        """What stands behind ON."""
        if not at.one_of("on"):
            raise UnreadableError
        if at.word("all"):
            kind = at.next().text
            at.word("in", "schema")
            schemas = at.identifiers()
            return self._all_of(kind, schemas)
        if at.word("schema"):
            return [self._schema(name) for name in at.identifiers()]
        if at.one_of(*_ROUTINES):
            return self._routines_listed(at)
        if _other_kind(at):
            return self._nothing(at)
        at.word("table")
        names = at.names()
        paths = [self._path(name) for name in names]
        return [one for path in paths if (one := self.model.relations.get(path)) is not None]

    def _all_of(self, kind: str, schemas: list[str]) -> list[Relation | Routine | Schema]:
        if kind == "tables":
            return [one for path, one in self.model.relations.items() if path[0] in schemas]
        if kind in ("functions", "routines", "procedures"):
            listed = self.model.routines.items()
            return [one for path, several in listed if path[0] in schemas for one in several]
        return []

    def _routines_listed(self, at: Cursor) -> list[Relation | Routine | Schema]:
        out: list[Relation | Routine | Schema] = []
        while True:
            path = self._path(at.name())
            arguments = _signature(at.group()) if at.peek() == Token(SIGN, "(") else None
            out += self._routine(path, arguments)
            if not at.sign(","):
                return out

    def _nothing(self, at: Cursor) -> list[Relation | Routine | Schema]:
        """Sequences, types, databases, …: nothing that is looked at here."""
        while at and at.peek().text not in ("to", "from"):
            at.next()
        return []


def _row_security(one: Relation, at: Cursor) -> bool:
    """Whether it was about row-level security."""
    if at.word("enable", "row", "level", "security"):
        one.row_security = True
    elif at.word("disable", "row", "level", "security"):
        one.row_security = False
    elif at.word("force", "row", "level", "security"):
        one.forced = True
    elif at.word("no", "force", "row", "level", "security"):
        one.forced = False
    else:
        return False
    return True


def _other_kind(at: Cursor) -> bool:
    token, behind = at.peek(), at.peek(1)
    if behind.kind not in (WORD, NAME) or behind.text in ("to", "from"):
        return False
    return token.kind == WORD and token.text != "table"


def _privileges(at: Cursor) -> tuple[frozenset[str], dict[str, set[str]]]:
    """Those on the whole thing, and those on columns: of each privilege, the columns."""
    whole: set[str] = set()
    columns: dict[str, set[str]] = {}
    while True:
        token = at.next()
        if token.kind != WORD:
            raise UnreadableError
        names = ALL if token.text == "all" else {token.text}
        if token.text == "all":
            at.word("privileges")
        if at.peek() == Token(SIGN, "("):
            listed = Cursor(at.group()).identifiers()
            for name in names:
                columns.setdefault(name, set()).update(listed)
        else:
            whole |= names & ALL
        if not at.sign(","):
            break
    return frozenset(whole), columns


def _change_columns(
    table: Relation, who: str, columns: dict[str, set[str]], whole: frozenset[str], *, giving: bool
) -> None:
    held = table.column_grants.setdefault(who, {})
    for verb, names in columns.items():
        if giving:
            held.setdefault(verb, set()).update(names)
        elif verb in held:
            held[verb] -= names
    if not giving:  # what is taken from the table is taken from its columns
        for verb in whole:
            held.pop(verb, None)


def _moved(grants: Grants, old: str, new: str) -> str:
    """The new owner; what was granted to the old one is granted to the new."""
    if old and old != new and old in grants:
        grants.setdefault(new, set()).update(grants.pop(old))
    return new


def _columns(tokens: list[Token]) -> tuple[str, ...]:
    constraints = frozenset(
        ("constraint", "primary", "unique", "check", "foreign", "exclude", "like")
    )
    return tuple(
        part[0].text
        for part in split(tokens)
        if part and not (part[0].kind == WORD and part[0].text in constraints)
    )


def _signature(tokens: list[Token]) -> list[tuple[Token, ...]]:
    """The tokens of each argument that a call has, without mode and default."""
    out = []
    for part in split(tokens):
        kept = []
        mode = part[0].text if part and part[0].kind == WORD else ""
        if mode in ("out", "table"):
            continue
        for token in part[1 if mode in ("in", "inout", "variadic") and len(part) > 1 else 0 :]:
            if token in (Token(WORD, "default"), Token(SIGN, "="), Token(SIGN, ":=")):
                break
            kept.append(token)
        if kept:
            out.append(tuple(kept))
    return out


def _same_arguments(ours: list[tuple[Token, ...]], theirs: list[tuple[Token, ...]]) -> bool:
    """With or without their names."""
    return len(ours) == len(theirs) and all(
        a == b or a[1:] == b or a == b[1:] or (len(a) == len(b) > 1 and a[1:] == b[1:])
        for a, b in zip(ours, theirs, strict=True)
    )


def _path_list(at: Cursor) -> tuple[str, ...]:
    """Behind ``SET search_path``. What follows is left."""
    if not (at.sign("=") or at.word("to")):
        return ()
    out = [at.next().text]
    while at.sign(","):
        out.append(at.next().text)
    return tuple(one for one in out if one)


def _view_options(view: Relation, tokens: list[Token]) -> None:
    for part in split(tokens):
        name, value = part[0].text, part[-1].text if len(part) > 1 else "true"
        if name == "security_invoker":
            view.invoker = value.lower() in ("true", "on", "1", "yes", "t", "y")
        elif name == "check_option":
            view.checked = True


def _written(tokens: list[Token]) -> str:
    """Tokens as text that gives the same tokens."""
    quoted = {NAME: '"', STRING: "'"}
    out = []
    for kind, text in tokens:
        quote = quoted.get(kind, "")
        out.append(quote + text.replace(quote, quote * 2) + quote if quote else text)
    return " ".join(out)
