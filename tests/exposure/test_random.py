"""Rights put together at random, as migrations do it: what is said is what holds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from database import AUTH, FIELDS, facts_of, roles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import postgres, postgres_database

from detector.exposure import exposure_of, exposure_of_catalog

SUFFIX = uuid.uuid4().hex[:8]
GROUP, OWNER, BYPASS = (f"{name}_{SUFFIX}" for name in ("group", "owner", "bypass"))
TABLE = "CREATE TABLE app.t (owner text, note text)"
ROWS = "INSERT INTO app.t VALUES ('anon', 'a'), ('other', 'b')"
VIEW = "CREATE VIEW app.v {options} AS SELECT * FROM app.t"

grantees = st.sampled_from(["anon", "authenticated", "PUBLIC", GROUP, OWNER])
privileges = st.sampled_from(["ALL", "SELECT", "INSERT", "UPDATE, DELETE", "SELECT, UPDATE"])
# Conditions that hold for one of two rows, so that "filtered" can be seen, or for all or none.
conditions = st.sampled_from(
    ["true", "false", "1 = 1", "owner = 'anon'", "NULL", "auth.role() = 'anon'", "NOT false",
     "auth.uid() IS NOT NULL", "owner = 'anon' OR true", "owner = 'anon' AND current_user = 'anon'",
     "(SELECT auth.uid()) IS NULL", "auth.role() = ANY (ARRAY['anon', 'x'])"]
)  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> str:
    command = draw(st.sampled_from(["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]))
    kind = draw(st.sampled_from(["PERMISSIVE", "PERMISSIVE", "RESTRICTIVE"]))
    to = draw(st.sampled_from(["", "TO anon", f"TO {GROUP}, authenticated", "TO PUBLIC"]))
    using = "" if command == "INSERT" else f"USING ({draw(conditions)})"
    check = command in ("ALL", "INSERT", "UPDATE") and draw(st.booleans())
    checked = f"WITH CHECK ({draw(conditions)})" if check or command == "INSERT" else ""
    return f"CREATE POLICY {{name}} ON app.t AS {kind} FOR {command} {to} {using} {checked}"


changes = st.one_of(
    st.builds("GRANT {} ON app.t TO {}".format, privileges, grantees),
    st.builds("REVOKE {} ON TABLE app.t FROM {}".format, privileges, grantees),
    st.builds("GRANT {} ON app.v TO {}".format, privileges, grantees),
    st.builds("REVOKE {} ON app.v FROM {}".format, privileges, grantees),
    st.builds("GRANT SELECT (note) ON app.{} TO {}".format, st.sampled_from("tv"), grantees),
    st.builds("REVOKE SELECT (note) ON app.t FROM {}".format, grantees),
    st.builds("GRANT {} ON ALL TABLES IN SCHEMA app TO {}".format, privileges, grantees),
    st.builds("ALTER TABLE app.t OWNER TO {}".format, st.sampled_from([OWNER, GROUP, "anon"])),
    st.builds("ALTER VIEW app.v OWNER TO {}".format, st.sampled_from([OWNER, GROUP, BYPASS])),
    st.builds("GRANT {} TO {}".format, st.just(GROUP), st.sampled_from(["anon", "authenticated"])),
    st.builds(
        "ALTER VIEW app.v SET (security_invoker = {})".format, st.sampled_from(["on", "false"])
    ),
    st.builds(
        "ALTER TABLE app.t {} ROW LEVEL SECURITY".format,
        st.sampled_from(["ENABLE", "DISABLE", "FORCE", "NO FORCE", "ENABLE", "ENABLE"]),
    ),
    policies(),
)
defaults = st.lists(
    st.builds(
        "ALTER DEFAULT PRIVILEGES {} {} ON TABLES TO {}".format,
        st.sampled_from(["", "IN SCHEMA app", "FOR ROLE postgres"]),
        st.builds("GRANT {}".format, privileges),
        grantees,
    ),
    max_size=1,
)
usages = st.sampled_from(["PUBLIC", "PUBLIC", "anon", GROUP, "service_role"])


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection]:
    with (
        roles(postgres(), (GROUP, OWNER, f"{BYPASS} BYPASSRLS")),
        postgres_database(AUTH) as url,
        psycopg.connect(url) as connection,
    ):
        yield connection


def _roles(connection: psycopg.Connection) -> list[str]:
    """Statements that make the roles of the server; somebody else may have made some."""
    rows = connection.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles")
    return [
        f"CREATE ROLE {name} {'' if superuser else 'NO'}SUPERUSER {'' if bypass else 'NO'}BYPASSRLS"
        for name, superuser, bypass in rows
    ]


@given(
    defaults,
    usages,
    st.sampled_from(["", "WITH (security_invoker)"]),
    st.lists(changes, max_size=9),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_said_holds(connection, first, usage, options, then):
    statements = [
        "CREATE SCHEMA app",
        f"GRANT USAGE ON SCHEMA app TO {usage}",
        *first,
        TABLE,
        VIEW.format(options=options),
        *(change.replace("{name}", f"p{n}") for n, change in enumerate(then)),
    ]
    with connection.transaction(force_rollback=True):
        for statement in statements:
            connection.execute(statement)
            if statement == TABLE:
                connection.execute(ROWS)
        known = [*_roles(connection), "SET ROLE postgres"]
        sayings = {
            "statements": exposure_of([*known, *statements]),
            "one text": exposure_of([";\n".join([*known, *statements]) + ";"]),
            "catalog": exposure_of_catalog(connection),
        }
        for role in ("anon", "authenticated", "service_role"):
            for table in ("app.t", "app.v"):
                real = tuple(facts_of(connection, table, role))
                for way, exposure in sayings.items():
                    access = exposure.of(table, role)
                    said = tuple(getattr(access, field) for field in FIELDS)
                    assert said == real, (way, role, table)
                    assert access.sentence
