"""The rights of a live PostgreSQL, from its catalogue, to a model.

https://www.postgresql.org/docs/current/catalogs.html. Read only, and everything that is set for it
is undone. Conditions and bodies are read as text, as from a dump.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from detector.errors import UsageError
from detector.exposure.model import (
    OWNER,
    PUBLIC,
    Grants,
    Model,
    Policy,
    Relation,
    Role,
    Routine,
    Schema,
)
from detector.exposure.rights import Exposure
from detector.exposure.tokens import tokens_of

_KINDS = {"r": "table", "p": "partitioned table", "f": "foreign table", "v": "view",
          "m": "materialised view"}  # fmt: skip
_COMMANDS = {"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}
# Whose things are looked at; put into queries, as are the other constants of this module only.
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_ROLES = "SELECT oid::bigint, rolname, rolsuper, rolbypassrls, rolinherit FROM pg_roles"
_MEMBERS = "SELECT member::bigint, roleid::bigint, {inherit} FROM pg_auth_members"
_DATABASE = "SELECT datdba::bigint FROM pg_database WHERE datname = current_database()"
_SCHEMAS = "SELECT n.oid::bigint, n.nspname, n.nspowner::bigint FROM pg_namespace n WHERE {ours}"
_RELATIONS = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.relowner::bigint, c.relrowsecurity,
  c.relforcerowsecurity, c.reloptions,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
  ARRAY(SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
  ARRAY(SELECT i.inhparent::bigint FROM pg_inherits i WHERE i.inhrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND {ours}"""
_POLICIES = """
SELECT polrelid::bigint, polname, polpermissive, polcmd::text, polroles::bigint[],
  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy"""
_ROUTINES = """
SELECT p.oid::bigint, n.nspname, p.proname, p.proowner::bigint, l.lanname,
  {body}, p.proconfig, p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prosecdef AND {ours}"""
_INSTEAD = """
SELECT tgrelid::bigint, tgtype::int FROM pg_trigger WHERE tgtype & 64 <> 0
UNION ALL SELECT ev_class::bigint, CASE ev_type WHEN '2' THEN 16 WHEN '3' THEN 4 ELSE 8 END
FROM pg_rewrite WHERE is_instead AND ev_type <> '1'"""
# aclexplode gives a line for each privilege; acldefault what stands for no list.
_ACL = """
SELECT t.oid::bigint, t.{owner}::bigint, x.grantee::bigint, lower(x.privilege_type)
FROM {table} t, aclexplode(coalesce(t.{acl}, acldefault('{kind}', t.{owner}))) x"""
_COLUMN_ACL = """
SELECT a.attrelid::bigint, a.attname, x.grantee::bigint, lower(x.privilege_type)
FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attacl IS NOT NULL AND NOT a.attisdropped"""


def exposure_of_catalog(connection: Any) -> Exposure:
    """What the catalogue behind a psycopg (3) connection says of the rights on its tables.

    Needs no privileges: the catalogues are open to everybody. The connection may be inside of a
    transaction or not. Raises :class:`~detector.errors.UsageError` without psycopg, and psycopg's
    own errors.
    """
    try:
        from psycopg.rows import tuple_row
    except ImportError:
        raise UsageError(
            "reading a live PostgreSQL needs psycopg: pip install 'secrets-leak-detector[postgres]'"
        ) from None
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute("SET LOCAL search_path = ''")  # so that all names come with a schema
        return Exposure(_Catalog(cursor, connection.info.server_version).model())


class _Catalog:
    def __init__(self, cursor: Any, version: int) -> None:
        self._cursor = cursor
        self._version = version
        self._names: dict[int, str] = {0: PUBLIC}

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        self._cursor.execute(query)
        return cast("list[tuple[Any, ...]]", self._cursor.fetchall())

    def model(self) -> Model:
        """All of it."""
        model = Model(roles_known=True, granted=True)
        self._roles(model)
        self._schemas(model)
        by_oid = self._relations(model)
        self._policies(by_oid)
        self._routines(model)
        return model

    def _roles(self, model: Model) -> None:
        for oid, name, superuser, bypass, inherit in self._rows(_ROLES):
            self._names[oid] = name
            model.roles[name] = Role(name, superuser, bypass, inherit, defined=True)
        inherit = "inherit_option" if self._version >= 160000 else "NULL::boolean"
        for member, group, inherits in self._rows(_MEMBERS.format(inherit=inherit)):
            groups = model.roles[self._names[member]].member_of
            groups[self._names[group]] = inherits or groups.get(self._names[group], inherits)
        ((owner,),) = self._rows(_DATABASE)
        if self._version >= 140000:  # everybody's member of it who owns the database
            model.roles[self._names[owner]].member_of["pg_database_owner"] = True

    def _owner(self, oid: int) -> str:
        return self._names.get(oid, str(oid))

    def _grants(self, table: str, acl: str, kind: str, owner: str) -> dict[int, Grants]:
        """By the number of the thing."""
        out: dict[int, Grants] = {}
        query = _ACL.format(table=table, acl=acl, kind=kind, owner=owner)
        for oid, whose, grantee, privilege in self._rows(query):
            grants = out.setdefault(oid, {})
            for who in (self._owner(grantee), *([OWNER] if grantee == whose else [])):
                grants.setdefault(who, set()).add(privilege)
        return out

    def _schemas(self, model: Model) -> None:
        grants = self._grants("pg_namespace", "nspacl", "n", "nspowner")
        model.schemas.clear()
        for oid, name, owner in self._rows(_SCHEMAS.format(ours=_OURS)):
            model.schemas[name] = Schema(name, self._owner(owner), grants.get(oid, {}))

    def _relations(self, model: Model) -> dict[int, Relation]:
        grants = self._grants("pg_class", "relacl", "r", "relowner")
        rows = self._rows(_RELATIONS.format(ours=_OURS))
        out: dict[int, Relation] = {}
        for oid, schema, name, kind, owner, on, forced, options, body, columns, _ in rows:
            settings = dict(one.split("=", 1) for one in options or ())
            out[oid] = model.relations[schema, name] = Relation(
                (schema, name), _KINDS[kind], self._owner(owner), on, forced,
                settings.get("security_invoker", "off") in ("on", "true", "1", "yes"),
                "check_option" in settings, grants.get(oid, {}),
                columns=tuple(columns), body=tokens_of(body or ""),
            )  # fmt: skip
        for row in rows:
            out[row[0]].parents = [out[oid].path for oid in row[-1] if oid in out]
        for oid, column, grantee, privilege in self._rows(_COLUMN_ACL):
            if oid in out:
                held = out[oid].column_grants.setdefault(self._owner(grantee), {})
                held.setdefault(privilege, set()).add(column)
        for oid, kinds in self._rows(_INSTEAD):
            if oid in out and out[oid].kind == "view":
                bits = {"insert": 4, "delete": 8, "update": 16}
                out[oid].instead |= {verb for verb, bit in bits.items() if kinds & bit}
        return out

    def _policies(self, by_oid: dict[int, Relation]) -> None:
        for oid, name, permissive, command, roles, using, check in self._rows(_POLICIES):
            if oid in by_oid:
                by_oid[oid].policies[name] = Policy(
                    name, permissive, _COMMANDS[command], tuple(self._owner(one) for one in roles),
                    None if using is None else tokens_of(using),
                    None if check is None else tokens_of(check),
                )  # fmt: skip

    def _routines(self, model: Model) -> None:
        grants = self._grants("pg_proc", "proacl", "f", "proowner")
        body = (
            "p.prosrc"
            if self._version < 140000
            else "coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)"
        )
        for oid, schema, name, owner, language, text, settings, trigger in self._rows(
            _ROUTINES.format(body=body, ours=_OURS)
        ):
            path = (schema, name)
            model.routines.setdefault(path, []).append(
                Routine(path, [], self._owner(owner), True, language, text or "", trigger,
                        _search_path(settings), grants.get(oid, {}))
            )  # fmt: skip


def _search_path(settings: Sequence[str] | None) -> tuple[str, ...] | None:
    for one in settings or ():
        if one.startswith("search_path="):
            return tuple(token.text for token in tokens_of(one[12:]) if token.text not in ("", ","))
    return None
