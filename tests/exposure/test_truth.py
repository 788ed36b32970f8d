"""What is said of each table is what the role can really do there: asked of a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from database import AUTH, FIELDS, called, dumped, facts_of, roles, roles_dumped
from servers import postgres, postgres_database

from detector.errors import UsageError
from detector.exposure import Exposure, exposure_of, exposure_of_catalog
from detector.sources import Entry, FileRef, open_entries
from detector.tables.census import Census
from detector.tables.sql import Sql

ASKED = ("anon", "authenticated", "service_role")
SUFFIX = uuid.uuid4().hex[:8]
READERS, BOSS, BYPASS, HERMIT = (f"{n}_{SUFFIX}" for n in ("readers", "boss", "bypass", "hermit"))

SECURITY = {
    "off": "",
    "on": "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY;",
    "forced": "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
}
COND = "owner = 'anon'"
POLICIES = {
    "none": "",
    "true": "CREATE POLICY p ON {t} USING (true);",
    "trivial": "CREATE POLICY p ON {t} USING (((1 = 1)) AND NOT false);",
    "false": "CREATE POLICY p ON {t} USING (false);",
    "null": "CREATE POLICY p ON {t} USING (NULL);",
    "cond": f"CREATE POLICY p ON {{t}} USING ({COND});",
    "user": "CREATE POLICY p ON {t} USING (current_user = 'anon');",
    "role": "CREATE POLICY p ON {t} USING ((SELECT auth.role()) = 'anon');",
    "roles": "CREATE POLICY p ON {t} USING (auth.role() IN ('authenticated', 'service_role'));",
    "jwt": "CREATE POLICY p ON {t} USING ((auth.jwt() ->> 'role'::text) = 'authenticated');",
    "signed": "CREATE POLICY p ON {t} USING (auth.uid() IS NOT NULL);",
    "own": "CREATE POLICY p ON {t} USING (auth.uid() = owner);",
    "own_in": "CREATE POLICY p ON {t}"
    " USING (auth.uid() IN (SELECT 'other' WHERE owner = 'other'));",
    "or": f"CREATE POLICY p ON {{t}} USING ({COND}); CREATE POLICY q ON {{t}} USING (true);",
    "restricted": "CREATE POLICY p ON {t} USING (true);"
    f"CREATE POLICY r ON {{t}} AS RESTRICTIVE USING ({COND});",
    "forbidden": "CREATE POLICY p ON {t} USING (true);"
    "CREATE POLICY r ON {t} AS RESTRICTIVE FOR SELECT USING (false);",
    "only_restrictive": "CREATE POLICY r ON {t} AS RESTRICTIVE USING (true);",
    "read": "CREATE POLICY p ON {t} FOR SELECT USING (true);",
    "insert": "CREATE POLICY p ON {t} FOR INSERT WITH CHECK (true);",
    "insert_cond": f"CREATE POLICY p ON {{t}} FOR INSERT WITH CHECK ({COND});",
    "update": "CREATE POLICY p ON {t} FOR UPDATE USING (true);",
    "update_check": f"CREATE POLICY p ON {{t}} FOR UPDATE USING (true) WITH CHECK ({COND});",
    "update_never": "CREATE POLICY p ON {t} FOR UPDATE USING (true) WITH CHECK (false);",
    "delete": "CREATE POLICY p ON {t} FOR DELETE USING (true);",
    "check": f"CREATE POLICY p ON {{t}} USING (true) WITH CHECK ({COND});",
    "check_only": "CREATE POLICY p ON {t} WITH CHECK (true);",
    "to_signed": "CREATE POLICY p ON {t} TO authenticated USING (true);",
    "to_anon": "CREATE POLICY p ON {t} FOR SELECT TO anon USING (true);",
    "to_group": f"CREATE POLICY p ON {{t}} TO {READERS} USING (true);",
    "between": "CREATE POLICY p ON {t} USING (owner BETWEEN 'a' AND 'b' AND true);",
    "case": "CREATE POLICY p ON {t} USING (CASE WHEN owner = 'anon' THEN true ELSE false END);",
}
GRANTS = {
    "nothing": "",
    "anon": "GRANT ALL ON {t} TO anon, authenticated;",
    "select": "GRANT SELECT ON TABLE {t} TO anon;",
    "write": "GRANT INSERT, UPDATE, DELETE ON {t} TO authenticated;",
    "public": "GRANT SELECT, INSERT ON {t} TO PUBLIC;",
    "columns": "GRANT SELECT (note), INSERT (note), UPDATE (note) ON {t} TO anon;",
    "group": f"GRANT SELECT, DELETE ON {{t}} TO {READERS};",
    "hermit": f"GRANT SELECT ON {{t}} TO {HERMIT};",
    "revoked": "GRANT ALL ON {t} TO anon, PUBLIC; REVOKE SELECT, DELETE ON {t} FROM anon, PUBLIC;",
    "revoked_public": "GRANT ALL ON {t} TO anon, PUBLIC; REVOKE ALL ON {t} FROM PUBLIC;",
    "owned": "ALTER TABLE {t} OWNER TO anon;",
    "owned_not": "ALTER TABLE {t} OWNER TO anon; REVOKE ALL ON {t} FROM anon;",
    "owned_group": f"ALTER TABLE {{t}} OWNER TO {READERS};",
}
SCHEMAS = {
    "open": "CREATE SCHEMA open; GRANT USAGE ON SCHEMA open TO anon, authenticated;",
    "hidden": "CREATE SCHEMA hidden;",
    "everybodys": "CREATE SCHEMA everybodys; GRANT USAGE ON SCHEMA everybodys TO PUBLIC;",
    "grouped": f"CREATE SCHEMA grouped; GRANT USAGE ON SCHEMA grouped TO {READERS};",
    "Odd.Name": 'CREATE SCHEMA "Odd.Name"; GRANT ALL ON SCHEMA "Odd.Name" TO anon;',
}


def _cases() -> dict[str, str]:
    """Names of tables, with what makes them so."""
    out = {}
    for security, on in SECURITY.items():
        for policy, made in list(POLICIES.items())[: 3 if security == "off" else None]:
            out[f"public.p_{security}_{policy}"] = on + made + GRANTS["anon"]
    for granted, given in GRANTS.items():
        for security, policy in (
            ("off", "none"),
            ("on", "true"),
            ("on", "cond"),
            ("forced", "none"),
        ):
            made = SECURITY[security] + POLICIES[policy]
            out[f"public.g_{granted}_{security}_{policy}"] = made + given
    for schema in SCHEMAS:
        for granted in ("nothing", "anon", "public", "group"):
            out[f'"{schema}".g_{granted}'] = GRANTS[granted]
    return out


CASES = _cases()
# A condition that nothing fulfils here: of a row without the column that it is about.
HAPPENS_TO_BE_FALSE = {("public.g_columns_on_cond", "insert", "anon")}

# A view and a table behind it each; {v} and {t}. The view's rows are those of the table.
VIEWS = {
    "owner": "CREATE VIEW {v} AS SELECT owner, note FROM {t};",
    "invoker": "CREATE VIEW {v} WITH (security_invoker = true) AS SELECT * FROM {t};",
    "boss": f"CREATE VIEW {{v}} AS SELECT * FROM {{t}}; ALTER VIEW {{v}} OWNER TO {BOSS};",
    "bypass": f"CREATE VIEW {{v}} AS SELECT * FROM {{t}}; ALTER VIEW {{v}} OWNER TO {BYPASS};",
    "stored": "CREATE MATERIALIZED VIEW {v} AS SELECT * FROM {t};",
    "left": "CREATE VIEW {v} AS SELECT a.* FROM {t} a LEFT JOIN (SELECT 1 AS one) o ON (true);",
    "twice": "CREATE VIEW {v}i WITH (security_invoker) AS SELECT * FROM {t};"
    "CREATE VIEW {v} AS SELECT * FROM {v}i;",
    "twice_owned": "CREATE VIEW {v}i AS SELECT * FROM {t};"
    "CREATE VIEW {v} WITH (security_invoker) AS SELECT * FROM {v}i;",
}
BEHIND = {
    "bare": "",
    "granted": "GRANT ALL ON {t} TO anon, authenticated;",
    "read": f"GRANT SELECT ON {{t}} TO anon, {BOSS};",
    "locked": SECURITY["on"] + "GRANT ALL ON {t} TO anon;",
    "cond": SECURITY["on"] + POLICIES["cond"] + f"GRANT ALL ON {{t}} TO anon, {BOSS}, {BYPASS};",
    "forced": SECURITY["forced"] + POLICIES["role"] + f"GRANT ALL ON {{t}} TO anon, {BOSS};",
    "bossed": f"ALTER TABLE {{t}} OWNER TO {BOSS};" + SECURITY["on"],
    "bossed_forced": f"ALTER TABLE {{t}} OWNER TO {BOSS};" + SECURITY["forced"],
}
VIEW_CASES = {
    f"public.v_{kind}_{behind}": (f"public.t_{kind}_{behind}", setting + view)
    for kind, view in VIEWS.items()
    for behind, setting in BEHIND.items()
}


class Call(NamedTuple):
    """``call``: what reads; ``state``: "" if it is no way to the table; ``certain``: as said."""

    name: str
    definition: str
    call: str
    state: str
    certain: bool = True


FUNCTIONS = [
    Call("f_sql", "() RETURNS SETOF {t} LANGUAGE sql SECURITY DEFINER SET search_path = public"
         " AS 'SELECT * FROM closed_table'", "SELECT * FROM f_sql()", "open"),
    Call("f_atomic", "() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER"
         " BEGIN ATOMIC SELECT note FROM {t}; END", "SELECT * FROM f_atomic()", "open"),
    Call("f_some", "(a text DEFAULT 'anon'::text) RETURNS SETOF {t} LANGUAGE sql SECURITY DEFINER"
         " AS $$ SELECT * FROM {t} WHERE owner = a $$", "SELECT * FROM f_some()", "filtered"),
    Call("f_plpgsql", "(a text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
         " RETURN QUERY SELECT note FROM {t} WHERE owner = a; END $$",
         "SELECT * FROM f_plpgsql('anon')", "filtered"),
    Call("f_dynamic", "(t text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
         " RETURN QUERY EXECUTE 'SELECT note FROM ' || t; END $$",
         "SELECT * FROM f_dynamic('{t}')", "unknown", certain=False),
    Call("f_invoker", "() RETURNS SETOF {t} LANGUAGE sql AS 'SELECT * FROM {t}'",
         "SELECT * FROM f_invoker()", ""),
    Call("f_revoked", "(integer, b text) RETURNS SETOF {t} LANGUAGE sql SECURITY DEFINER AS"
         " 'SELECT * FROM {t}'; REVOKE ALL ON FUNCTION f_revoked(integer, b text) FROM PUBLIC",
         "SELECT * FROM f_revoked(1, 'x')", ""),
    Call("f_boss", "() RETURNS SETOF {t} LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM {t}';"
         f" ALTER FUNCTION f_boss() OWNER TO {BOSS}", "SELECT * FROM f_boss()", ""),
    Call("f_comment", "() RETURNS SETOF integer LANGUAGE sql SECURITY DEFINER AS"
         " $$ SELECT 1 WHERE false -- FROM {t}\n $$", "SELECT * FROM f_comment()", ""),
]  # fmt: skip


def _script() -> str:
    parts = [AUTH, *SCHEMAS.values(), f"GRANT USAGE ON SCHEMA public TO {BOSS};"]
    for table, made in CASES.items():
        parts.append(_table(table) + made.replace("{t}", table))
    for view, (table, made) in VIEW_CASES.items():
        parts.append(_table(table) + made.replace("{t}", table).replace("{v}", view))
        parts.append(f"GRANT ALL ON {view} TO anon, authenticated;")
        if "twice" in view:
            parts.append(f"GRANT ALL ON {view}i TO authenticated;")
    parts.append(_table("public.closed_table"))
    for name, definition, *_ in FUNCTIONS:
        defined = definition.replace("{t}", "public.closed_table")
        parts.append(f"CREATE FUNCTION public.{name}{defined};")
    parts.append(
        "CREATE TABLE public.whole (owner text, note text) PARTITION BY LIST (owner);"
        "CREATE TABLE public.part PARTITION OF public.whole DEFAULT;"
        "ALTER TABLE public.part ENABLE ROW LEVEL SECURITY;"
        "INSERT INTO public.whole VALUES ('anon', 'a'), ('other', 'b');"
        "GRANT ALL ON public.whole TO anon;"
        "CREATE TABLE public.parent (owner text, note text);"
        "CREATE TABLE public.child () INHERITS (public.parent);"
        "INSERT INTO public.child VALUES ('anon', 'a'), ('other', 'b');"
        "GRANT SELECT ON public.parent TO anon;"
    )
    return "\n".join(parts)


def _table(name: str) -> str:
    return (
        f"CREATE TABLE {name} (owner text, note text);"
        f"INSERT INTO {name} VALUES ('anon', 'a'), ('other', 'b');"
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    extra = (READERS, BOSS, f"{BYPASS} BYPASSRLS", HERMIT, f"{HERMIT}_in NOINHERIT")
    with roles(postgres(), extra), psycopg.connect(postgres(), autocommit=True) as connection:
        connection.execute(f"GRANT {READERS} TO authenticated, {HERMIT}_in")
        connection.execute(f"GRANT {HERMIT} TO {HERMIT}_in")
        connection.execute(f"GRANT {HERMIT}_in TO service_role")
        with postgres_database(_script()) as url:
            yield url


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url) as connection:
        yield connection


def _statements(text: str) -> list[str]:
    """As a scan of a dump collects them."""
    census = Census()
    Sql().walk(Sql().begin(), text.encode(), (), census)
    return census.ddl


@pytest.fixture(scope="module")
def sayings(url: str) -> dict[str, Exposure]:
    """The same database's, by each way to hear of it."""
    text, who = dumped(url), roles_dumped(url)
    with psycopg.connect(url) as connection:
        catalog = exposure_of_catalog(connection)
    return {
        "dump": exposure_of(_statements(who + text)),
        "one text": exposure_of([who, text]),
        "catalog": catalog,
    }


def _fact(table: str, role: str, real: tuple[str, ...]) -> tuple[str, ...]:
    """With "filtered" for a condition, whatever it is for these rows."""
    return tuple(
        "filtered" if (table, field, role) in HAPPENS_TO_BE_FALSE and fact == "closed" else fact
        for field, fact in zip(FIELDS, real, strict=True)
    )


def _said(exposure: Exposure, table: str, role: str) -> tuple[str, ...]:
    access = exposure.of(table.replace('"', ""), role)
    return tuple(getattr(access, field) for field in FIELDS)


@pytest.mark.parametrize("role", [*ASKED, f"{HERMIT}_in"], ids=[*ASKED, "hermit"])
def test_tables(connection, sayings, role):
    wrong = {}
    for table in CASES:
        real = facts_of(connection, table, role)
        for way, exposure in sayings.items():
            if (said := _said(exposure, table, role)) != _fact(table, role, real):
                wrong[table, way] = (said, tuple(real))
    assert not wrong
    assert len(CASES) > 120


@pytest.mark.parametrize("role", ASKED)
def test_views(connection, sayings, role):
    wrong = {}
    for view, (table, _) in VIEW_CASES.items():
        real = facts_of(connection, view, role)
        behind = facts_of(connection, table, role)
        for way, exposure in sayings.items():
            if (said := _said(exposure, view, role)) != real:
                wrong[view, way] = (said, tuple(real))
            if (reached := _by(exposure, table, view, role)) != _more(behind, real):
                wrong[table, way] = (reached, tuple(real), tuple(behind))
    assert not wrong


def _by(exposure: Exposure, table: str, name: str, role: str) -> tuple[str, ...] | None:
    """What a way gives of a table; None if it is said to be none."""
    found = [way for way in exposure.of(table, role).through if way.name == name]
    return tuple(getattr(found[0], field) for field in FIELDS) if found else None


def _more(behind: tuple[str, ...], real: tuple[str, ...]) -> tuple[str, ...] | None:
    """What the view gives, if it is more than the table's own name does."""
    order = ("closed", "filtered", "open")
    adds = any(order.index(v) > order.index(t) for v, t in zip(real, behind, strict=True))
    return tuple(real) if adds else None


def test_functions(connection, sayings):
    for name, _, call, state, certain in FUNCTIONS:
        rows = called(connection, "anon", call.replace("{t}", "public.closed_table"))
        assert (rows > 0) == bool(state), name
        assert state != "open" or rows == 2
        for exposure in sayings.values():
            found = [w for w in exposure.of("closed_table").through if w.name == f"public.{name}()"]
            assert [(w.read, w.certain) for w in found] == ([(state, certain)] if state else []), (
                name
            )


def test_parents(connection, sayings):
    """The rights on the table that is named count, not those on the one that has the rows."""
    for parent, child in (("whole", "part"), ("parent", "child")):
        real = facts_of(connection, f"public.{parent}", "anon")
        assert facts_of(connection, f"public.{child}", "anon") == ("closed",) * 4
        for exposure in sayings.values():
            assert _said(exposure, f"public.{child}", "anon") == ("closed",) * 4
            assert _said(exposure, f"public.{parent}", "anon") == real
            assert _by(exposure, f"public.{child}", f"public.{parent}", "anon") == real
            expected = "open to read and write" if parent == "whole" else "open to read"
            assert exposure.level(child) == expected


def test_without_the_roles_nothing_is_called_closed_that_is_open(connection, url):
    """pg_dump says nothing of memberships and BYPASSRLS: where they decide, it is unknown, or said
    to be assumed."""
    exposure = exposure_of(_statements(dumped(url)))
    for table in CASES:  # anon is a member of nothing
        real = _fact(table, "anon", facts_of(connection, table, "anon"))
        assert _said(exposure, table, "anon") == real, table
    assert exposure.of("closed_table").assumptions
    for view in VIEW_CASES:
        real = facts_of(connection, view, "anon")
        for said, fact in zip(_said(exposure, view, "anon"), real, strict=True):
            assert said in (fact, "unknown"), view


def test_the_other_formats_say_the_same(url, sayings, tmp_path):
    """A table of contents, put back to text by pg_restore, in its order."""
    archive = tmp_path / "definitions"
    dumped(url, "-Fc", "-f", str(archive))
    text = subprocess.run(
        ["pg_restore", "-f", "-", str(archive)], capture_output=True, check=True, timeout=60
    ).stdout.decode()
    assert len(sayings["dump"].tables) > 100
    for said in (text, _definitions(archive)):
        exposure = exposure_of([roles_dumped(url), *_statements(said)])
        assert exposure.tables == sayings["dump"].tables
        for table in exposure.tables:
            for role in ASKED:
                assert exposure.of(table, role) == sayings["catalog"].of(table, role), table


def _definitions(archive: Path) -> str:
    """Of a table of contents, as a scan reads them."""
    with open_entries(FileRef(str(archive), "file")) as entries:
        entry = next(entries)
        assert isinstance(entry, Entry)
        return b"".join(part for part in entry.chunks(1 << 20) if isinstance(part, bytes)).decode()


def test_owners_in_a_table_of_contents_are_those_of_the_plain_dump(tmp_path):
    """With names that need quotes, and without the roles."""
    owner = f'bo"ss;{SUFFIX}'
    made = """
        CREATE SCHEMA "s; t"; CREATE TABLE "s; t"."a""b" (a text); CREATE TABLE public.t (a text);
        CREATE VIEW "s; t".v AS SELECT * FROM "s; t"."a""b";
        CREATE MATERIALIZED VIEW public.m AS SELECT * FROM public.t;
        CREATE FUNCTION public.f(wanted text, int) RETURNS SETOF public.t LANGUAGE sql
            SECURITY DEFINER AS 'SELECT * FROM public.t';
        GRANT USAGE ON SCHEMA "s; t" TO anon;
        GRANT SELECT ON "s; t".v TO anon; GRANT SELECT ON public.m TO anon;
    """
    owned = (
        "SCHEMA public", 'SCHEMA "s; t"', 'TABLE "s; t"."a""b"', 'VIEW "s; t".v', "TABLE public.t",
        "MATERIALIZED VIEW public.m", "FUNCTION public.f(text, int)",
    )  # fmt: skip
    quoted = '"' + owner.replace('"', '""') + '"'
    made += "".join(f"ALTER {one} OWNER TO {quoted};" for one in owned)
    with roles(postgres(), (quoted,)), postgres_database(made) as url:
        dumped(url, "-Fc", "-f", str(tmp_path / "custom"))
        dumped(url, "-Ft", "-f", str(tmp_path / "tar"))
        plain = exposure_of(_statements(dumped(url)))
    for name in ("custom", "tar"):
        text = _definitions(tmp_path / name)
        assert text.count(f" OWNER TO {quoted};\n") == len(owned)
        exposure = exposure_of(_statements(text))
        assert exposure.tables == plain.tables
        for table in plain.tables:
            for role in (*ASKED, "PUBLIC"):
                assert exposure.of(table, role) == plain.of(table, role), table
    assert {way.name for way in plain.of("t").through} == {"public.f()", "public.m"}


def test_the_dump_and_the_catalogue_say_the_same_in_the_same_words(sayings):
    for table in sayings["catalog"].tables:
        for role in (*ASKED, "PUBLIC"):
            from_dump = sayings["dump"].of(table, role)
            from_catalog = sayings["catalog"].of(table, role)
            assert from_dump.sentence == from_catalog.sentence
            assert from_dump == from_catalog


def test_a_dump_without_privileges_is_unknown(url):
    exposure = exposure_of(_statements(dumped(url, "--no-privileges", "--no-owner")))
    assert exposure.level("p_off_none") == "unknown"
    assert exposure.level("p_on_none") == "closed"
    assert exposure.of("p_off_none").assumptions


def test_public_stands_for_a_role_that_nothing_names(sayings):
    for exposure in sayings.values():
        assert exposure.of("g_public_off_none", "nobody").role == "PUBLIC"
        assert exposure.level("g_public_off_none", "nobody") == "open to read and write"
        assert exposure.level("p_off_none", "nobody") == "closed"


def test_the_catalogue_needs_psycopg(connection, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg.rows", None)
    with pytest.raises(UsageError, match=r"pip install .*\[postgres\]"):
        exposure_of_catalog(connection)


def test_the_catalogue_is_left_as_it_was(url):
    """In a transaction and out of one, and by a role that may do nothing."""
    for autocommit in (True, False):
        with psycopg.connect(url, autocommit=autocommit) as connection:
            connection.execute("SET search_path = public")
            connection.execute("SET ROLE anon")
            assert exposure_of_catalog(connection).level("g_select_off_none") == "open to read"
            assert connection.execute("SHOW search_path").fetchone() == ("public",)
            assert connection.execute("SHOW transaction_read_only").fetchone() == ("off",)
