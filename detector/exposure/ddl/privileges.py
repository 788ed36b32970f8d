"""Who is granted what."""

from __future__ import annotations

from detector.exposure.ddl.parts import ROUTINES, signature
from detector.exposure.ddl.speaker import Changed, Default, Speaker
from detector.exposure.model import ALL, Relation, Routine, Schema, grant, revoke
from detector.exposure.tokens import NAME, SIGN, WORD, Cursor, Token, UnreadableError

Thing = Relation | Routine | Schema


class Privileges(Speaker):
    """GRANT, REVOKE, ALTER DEFAULT PRIVILEGES."""

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
        for key in (Default(role, schema, kind) for role in roles for schema in schemas):
            changes = self._defaults.setdefault(key, Changed(set(), set()))
            gained, lost = (0, 1) if giving else (1, 0)
            changes[gained].update(pairs)
            changes[lost].difference_update(pairs)

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

    def _things(self, at: Cursor) -> list[Thing]:
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
        if at.one_of(*ROUTINES):
            return self._routines_listed(at)
        if _other_kind(at):
            return self._nothing(at)
        at.word("table")
        names = at.names()
        paths = [self._path(name) for name in names]
        return [one for path in paths if (one := self.model.relations.get(path)) is not None]

    def _all_of(self, kind: str, schemas: list[str]) -> list[Thing]:
        if kind == "tables":
            return [one for path, one in self.model.relations.items() if path[0] in schemas]
        if kind in ("functions", "routines", "procedures"):
            listed = self.model.routines.items()
            return [one for path, several in listed if path[0] in schemas for one in several]
        return []

    def _routines_listed(self, at: Cursor) -> list[Thing]:
        out: list[Thing] = []
        while True:
            path = self._path(at.name())
            arguments = signature(at.group()) if at.peek() == Token(SIGN, "(") else None
            out += self._routine(path, arguments)
            if not at.sign(","):
                return out

    def _nothing(self, at: Cursor) -> list[Thing]:
        """Sequences, types, databases, …: nothing that is looked at here."""
        while at and at.peek().text not in ("to", "from"):
            at.next()
        return []


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
