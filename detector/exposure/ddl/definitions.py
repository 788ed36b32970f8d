"""What CREATE makes."""

from __future__ import annotations

from detector.exposure.ddl.parts import columns_of, path_list, signature, view_options, written
from detector.exposure.ddl.speaker import Speaker
from detector.exposure.model import VERBS, Policy, Routine, Schema
from detector.exposure.tokens import SIGN, WORD, Cursor, Token, UnreadableError


class Definitions(Speaker):
    """CREATE."""

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
            table.columns = columns_of(at.group())
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
                view_options(view, at.group())
            else:
                at.next()
        view.body = at.rest()
        ended = [token.text for token in view.body[-4:]]
        if ended[-2:] == ["check", "option"]:
            view.checked = True
            view.body = view.body[: -4 if ended[0] == "with" else -3]
        elif ended[-2:] == ["no", "data"] or (ended[-1:] == ["data"] and "with" in ended):
            view.body = view.body[: -3 if ended[-2:] == ["no", "data"] else -2]

    def _create_routine(self, at: Cursor) -> None:
        path = self._path(at.name())
        arguments = signature(at.group())
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
                one.search_path = path_list(at)
            elif at.word("as"):
                one.body = at.next().text
            elif at.peek() in (Token(WORD, "begin"), Token(WORD, "return")):
                one.body = written(at.rest())
                return
            else:
                at.next()

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
