"""Who speaks, and what is known of what they speak of."""

from __future__ import annotations

from typing import NamedTuple

from detector.exposure.ddl.parts import path_list, same_arguments
from detector.exposure.model import (
    ALL,
    OWNER,
    PUBLIC,
    Grants,
    Model,
    Path,
    Relation,
    Routine,
    Schema,
    grant,
    revoke,
)
from detector.exposure.tokens import WORD, Cursor, Token


class Default(NamedTuple):
    """Where default privileges count: a role, a schema ("" for all), a kind of things."""

    role: str
    schema: str
    kind: str


class Changed(NamedTuple):
    """Grantees with a privilege each, beyond those that the server itself gives."""

    added: set[tuple[str, str]]
    removed: set[tuple[str, str]]


class Speaker:
    """Whose statements they are, and the model that they make."""

    def __init__(self) -> None:
        public = Schema(PUBLIC, grants={PUBLIC: {"usage"}, OWNER: set(ALL)})
        self.model = Model(schemas={PUBLIC: public})
        self._role = ""
        self._search_path: tuple[str, ...] = (PUBLIC,)
        self._defaults: dict[Default, Changed] = {}

    def _set(self, at: Cursor) -> None:
        at.one_of("session", "local")
        if at.one_of("role", "authorization"):
            token = at.next()
            self._role = (
                "" if token in (Token(WORD, "default"), Token(WORD, "none")) else token.text
            )
        elif at.word("search_path"):
            self._search_path = path_list(at)

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

    def _relation(self, path: Path, kind: str) -> Relation:
        """The one of that path; made if there is none, as CREATE … IF NOT EXISTS does."""
        if (one := self.model.relations.get(path)) is not None:
            return one
        grants = self._first_grants(self._role, path[0], "tables")
        one = Relation(path, kind, self._role, grants=grants)
        self.model.relations[path] = one
        return one

    def _routine(
        self, path: Path, arguments: list[tuple[Token, ...]] | None, *, exact: bool = False
    ) -> list[Routine]:
        """Those of a name that these arguments may mean."""
        all_of_name = self.model.routines.get(path, [])
        if arguments is None:
            return all_of_name
        found = [one for one in all_of_name if same_arguments(one.arguments, arguments)]
        return found if found or exact else all_of_name

    def _table(self, name: tuple[str, ...]) -> Relation:
        return self._relation(self._path(name), "table")

    def _schema(self, name: str) -> Schema:
        return self.model.schemas.setdefault(name, Schema(name, grants={OWNER: set(ALL)}))

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
