"""What a role can really do: statements tried on a server, as that role, and undone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psycopg

from detector.exposure.model import VERBS

ROLES = ("anon", "authenticated", "service_role")
VALUES = ("anon", "other")  # of the rows' column "owner": there is one row of each
WRITTEN = (("note", "x"), ("owner", "anon"), ("owner", "other"))
FIELDS = ("read", "insert", "update", "delete")

# As Supabase has them, so that conditions mean here what they mean there.
AUTH = """
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO PUBLIC;
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT current_setting('test.role', true) $$;
CREATE FUNCTION auth.uid() RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT nullif(current_setting('test.sub', true), '') $$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE
  AS $$ SELECT jsonb_build_object('role', auth.role(), 'sub', auth.uid()) $$;
"""


class Facts(NamedTuple):
    """Each "open", "filtered" or "closed"; what somebody may say in between, too."""

    read: str
    insert: str
    update: str
    delete: str


@contextmanager
def roles(url: str, extra: Sequence[str] = ()) -> Iterator[None]:
    """Supabase's roles, made where they are missing; and ``extra``, what follows CREATE ROLE. Those
    that were made are dropped, unless something else on the server has come to need them."""
    with psycopg.connect(url, autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        made = []
        for definition in (*ROLES[:2], "service_role BYPASSRLS", *extra):
            name = definition.split()[0]
            if name in there:
                continue
            try:
                connection.execute(f"CREATE ROLE {definition}")
                made.append(name)
            except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                pass  # by another test, at the same time
    try:
        yield
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            for name in reversed(made):
                with suppress(psycopg.errors.DependentObjectsStillExist):
                    connection.execute(f"DROP ROLE {name}")


def facts_of(connection: psycopg.Connection[Any], table: str, role: str) -> Facts:
    """By trying. The table is ``(owner, note)`` with a row for each of :data:`VALUES`."""
    as_role(connection, role)
    tried = (_read, _insert, _update, _delete)
    facts = Facts(*(_summed(attempt(connection, table)) for attempt in tried))
    connection.execute("RESET ROLE")
    return facts


def _summed(results: list[bool]) -> str:
    if all(results):
        return "open"
    return "filtered" if any(results) else "closed"


def _rows(connection: psycopg.Connection[Any], statement: str) -> int:
    """How many rows a statement has or changes; -1 if it is refused."""
    try:
        with connection.transaction(force_rollback=True):
            return connection.execute(statement).rowcount
    except psycopg.Error:
        return -1


def as_role(connection: psycopg.Connection[Any], role: str) -> None:
    """Speak as a role, with its claims."""
    sub = "other" if role == "authenticated" else ""
    connection.execute(f'SET ROLE "{role}"')
    connection.execute(
        "SELECT set_config('test.role', %s, true), set_config('test.sub', %s, true)", (role, sub)
    )


def _read(connection: psycopg.Connection[Any], table: str) -> list[bool]:
    """Columns may be granted: the one of which most can be read counts."""
    best = max(_rows(connection, f"SELECT {column} FROM {table}") for column in ("owner", "note"))
    return [best > n for n in range(len(VALUES))]


def _insert(connection: psycopg.Connection[Any], table: str) -> list[bool]:
    whole = [
        _rows(connection, f"INSERT INTO {table} (owner, note) VALUES ('{value}', 'new')") == 1
        for value in VALUES
    ]
    one = _rows(connection, f"INSERT INTO {table} (note) VALUES ('new')") == 1
    return whole if any(whole) else [one]


def _update(connection: psycopg.Connection[Any], table: str) -> list[bool]:
    counts = {
        (column, value): _rows(connection, f"UPDATE {table} SET {column} = '{value}'")
        for column, value in WRITTEN
    }
    notes = [count for (column, _), count in counts.items() if column == "note"]
    owners = [count for (column, _), count in counts.items() if column == "owner"]
    one_column = max(*notes, *owners) > 0 and len(_granted_columns(connection, table)) == 1
    kept = max(notes, owners, key=max) if one_column else notes + owners
    return [count > n for count in kept for n in range(len(VALUES))]


def _granted_columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM unnest(ARRAY['owner', 'note']) AS name"
        " WHERE has_column_privilege(%s, name, 'UPDATE')",
        (table,),
    )
    return [name for (name,) in rows]


def _delete(connection: psycopg.Connection[Any], table: str) -> list[bool]:
    count = _rows(connection, f"DELETE FROM {table}")
    return [count > n for n in range(len(VALUES))]


def called(connection: psycopg.Connection[Any], role: str, call: str) -> int:
    """How many rows a call gives; -1 if it is refused."""
    as_role(connection, role)
    rows = _rows(connection, call)
    connection.execute("RESET ROLE")
    return rows


def dumped(url: str, *options: str) -> str:
    """The definitions, by pg_dump."""
    done = subprocess.run(
        ["pg_dump", "-s", "-d", url, *options], capture_output=True, check=True, timeout=120
    )
    return done.stdout.decode()


def roles_dumped(url: str) -> str:
    """The roles of the server, by pg_dumpall, without passwords."""
    done = subprocess.run(
        ["pg_dumpall", "--roles-only", "--no-role-passwords", "-d", url],
        capture_output=True,
        check=True,
        timeout=120,
    )
    return done.stdout.decode()


assert len(FIELDS) == len(VERBS)
