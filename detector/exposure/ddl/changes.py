"""What ALTER and DROP make of it, rights apart."""

from __future__ import annotations

from detector.exposure.ddl.definitions import Definitions
from detector.exposure.ddl.parts import ROUTINES, moved, signature, view_options
from detector.exposure.model import Path, Policy, Relation
from detector.exposure.tokens import SIGN, WORD, Cursor, Token, split


class Changes(Definitions):
    """ALTER and DROP."""

    def _alter(self, at: Cursor) -> None:
        if at.one_of("table", "view") or at.word("foreign", "table"):
            self._alter_relation(at, "table")
        elif at.word("materialized", "view"):
            self._alter_relation(at, "materialised view")
        elif at.one_of(*ROUTINES):
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
            schema.owner = moved(schema.grants, schema.owner, self._whose(at))

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
            one.owner = moved(one.grants, one.owner, self._whose(at))
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
            view_options(one, at.group())
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
        arguments = signature(at.group()) if at.peek() == Token(SIGN, "(") else None
        for one in self._routine(path, arguments):
            options = Cursor(at.rest())
            if options.word("owner", "to"):
                one.owner = moved(one.grants, one.owner, self._whose(options))
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
        elif kind in ROUTINES:
            path = self._path(at.name())
            arguments = signature(at.group()) if at.peek() == Token(SIGN, "(") else None
            gone = self._routine(path, arguments)
            kept = [one for one in self.model.routines.get(path, []) if one not in gone]
            self.model.routines[path] = kept


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
