"""What decides over rights in a database: roles, schemas, tables, policies, routines, grants."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detector.exposure.tokens import Token

PUBLIC = "public"
"""The grantee PUBLIC. No role can have this name."""
OWNER = "\0owner"
"""The grantee that is whoever owns the thing."""
VERBS = ("select", "insert", "update", "delete")
ALL = frozenset((*VERBS, "truncate", "usage", "execute"))
"""The privileges that are looked at here."""

SUPERUSERS = frozenset(("postgres", "supabase_admin"))
BYPASSING = frozenset(("service_role",))
NAMED = frozenset(("anon", "authenticated"))
"""Supabase's roles, taken to be what they are there when no statement says it:
https://supabase.com/docs/guides/database/postgres/roles."""

Path = tuple[str, str]
"""Schema and name."""
Grants = dict[str, set[str]]


class Role(msgspec.Struct):
    """``defined``: what it may do was said. ``member_of``: by which groups, and whether it inherits
    from them; None as ``inherit`` says (before PostgreSQL 16)."""

    name: str
    superuser: bool = False
    bypass: bool = False
    inherit: bool = True
    defined: bool = False
    member_of: dict[str, bool | None] = {}


class Policy(msgspec.Struct):
    """``command``: one of :data:`VERBS`, or "all"."""

    name: str
    permissive: bool = True
    command: str = "all"
    roles: tuple[str, ...] = (PUBLIC,)
    using: list[Token] | None = None
    check: list[Token] | None = None


class Relation(msgspec.Struct):
    """``kind``: table, partitioned table, foreign table, view, materialised view.

    ``instead``: the verbs which triggers or rules stand for, of a view.
    """

    path: Path
    kind: str = "table"
    owner: str = ""
    row_security: bool = False
    forced: bool = False
    invoker: bool = False
    checked: bool = False
    grants: Grants = {}
    column_grants: dict[str, dict[str, set[str]]] = {}
    """Of a grantee, of a verb: columns."""
    columns: tuple[str, ...] = ()
    parents: list[Path] = []
    policies: dict[str, Policy] = {}
    body: list[Token] = []
    search_path: tuple[str, ...] = ()
    """Where the body's names without a schema are looked for."""
    instead: set[str] = set()

    @property
    def name(self) -> str:
        """With the schema."""
        return ".".join(self.path)

    @property
    def is_view(self) -> bool:
        """Whether its rows are those of a query."""
        return self.kind in ("view", "materialised view")


class Routine(msgspec.Struct):
    """``arguments``: tokens of each; ``search_path``: None when it is the caller's."""

    path: Path
    arguments: list[tuple[Token, ...]] = []
    owner: str = ""
    definer: bool = False
    language: str = "sql"
    body: str = ""
    trigger: bool = False
    search_path: tuple[str, ...] | None = None
    grants: Grants = {}

    @property
    def name(self) -> str:
        """With the schema, and parentheses."""
        return ".".join(self.path) + "()"


class Schema(msgspec.Struct):
    """A schema that is known."""

    name: str
    owner: str = ""
    grants: Grants = {}


class Model(msgspec.Struct):
    """A database's rights. ``granted``: grants are known, for at least one was read."""

    roles: dict[str, Role] = {}
    schemas: dict[str, Schema] = {}
    relations: dict[Path, Relation] = {}
    routines: dict[Path, list[Routine]] = {}
    roles_known: bool = False
    granted: bool = False
    complete: bool = True
    """Whether all statements were read."""

    def role(self, name: str) -> Role:
        """That role; made up when nobody defined it."""
        if name not in self.roles:
            self.roles[name] = Role(name, name in SUPERUSERS, name in BYPASSING, member_of={})
        return self.roles[name]

    def resolve(self, name: Sequence[str], search_path: Sequence[str]) -> Path:
        """The path of a name, that of an existing relation if there is one."""
        if len(name) > 1:
            return name[-2], name[-1]
        for schema in search_path:
            if (schema, name[0]) in self.relations:
                return schema, name[0]
        return (search_path[0] if search_path else PUBLIC), name[0]


def grant(grants: Grants, owner: str, grantee: str, privileges: frozenset[str]) -> None:
    """Add to a grantee's privileges."""
    grants.setdefault(grantee, set()).update(privileges)
    if owner and grantee == owner:
        grants.setdefault(OWNER, set()).update(privileges)


def revoke(grants: Grants, owner: str, grantee: str, privileges: frozenset[str]) -> None:
    """Take from a grantee's privileges."""
    for one in (grantee, OWNER) if owner and grantee == owner else (grantee,):
        if one in grants:
            grants[one] -= privileges
