"""Statements as people write them, and what stands for nothing known. No server is asked here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.exposure import exposure_of

TABLE = "CREATE TABLE public.t (id integer, note text);"
GIVEN = "GRANT SELECT ON t TO anon;"
GIVEN_READERS = "GRANT SELECT ON t TO readers;"
LOCKED = "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
ROLES = "CREATE ROLE anon; CREATE ROLE postgres SUPERUSER; SET ROLE postgres;"


@pytest.mark.parametrize(
    ("statements", "level"),
    [
        ("", "unknown"),
        ("CREATE INDEX i ON public.t (id);", "unknown"),
        (TABLE, "unknown"),
        (TABLE + "GRANT SELECT ON public.t TO anon;", "open to read"),
        (TABLE + "GRANT INSERT ON t TO PUBLIC;", "open to write"),
        (TABLE + "GRANT ALL PRIVILEGES ON TABLE public.t TO anon;", "open to read and write"),
        (TABLE + "GRANT SELECT ON public.t TO postgres;", "closed"),
        (TABLE + 'GRANT SELECT ON public.t TO "anon" WITH GRANT OPTION GRANTED BY postgres;',
         "open to read"),
        (TABLE + "GRANT ALL ON ALL TABLES IN SCHEMA public TO anon; DROP TABLE t;", "unknown"),
        ("GRANT ALL ON ALL TABLES IN SCHEMA public TO anon;" + TABLE, "closed"),
        ("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO anon;" + TABLE
         + "GRANT USAGE ON SCHEMA public TO anon;", "open to read"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE other GRANT SELECT ON TABLES TO anon;"
         "SET ROLE postgres;"
         + TABLE + "GRANT USAGE ON SCHEMA public TO anon;", "closed"),
        (TABLE + "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO anon;"
         "GRANT USAGE ON SCHEMA public TO anon;", "closed"),
        (TABLE + GIVEN + "REVOKE USAGE ON SCHEMA public FROM PUBLIC;", "closed"),
        (TABLE + GIVEN + "ALTER TABLE ONLY t ENABLE ROW LEVEL SECURITY;", "closed"),
        (TABLE + GIVEN + LOCKED
         + "CREATE POLICY \"Everyone's\" ON t FOR SELECT USING (true);", "open to read"),
        (TABLE + GIVEN + LOCKED
         + "CREATE POLICY p ON t USING (true); DROP POLICY p ON t;", "closed"),
        (TABLE + GIVEN + LOCKED
         + "CREATE POLICY p ON t USING (true); ALTER POLICY p ON t USING (id = 1);", "filtered"),
        (TABLE + GIVEN + "GRANT ALL ON t TO anon nonsense ( ;", "open to read and write"),
        (TABLE + "GRANT SELECT (note) ON t TO anon; REVOKE SELECT ON t FROM anon;", "closed"),
        (TABLE + GIVEN + "REVOKE SELECT (note) ON t FROM anon;", "open to read"),
        (TABLE + "GRANT SELECT ON ( TO anon;", "unknown"),
        (ROLES + TABLE + GIVEN_READERS + "GRANT readers TO anon;", "open to read"),
        (ROLES + TABLE + GIVEN_READERS + "GRANT readers TO anon WITH INHERIT FALSE;", "closed"),
        (ROLES + TABLE + GIVEN_READERS + "GRANT readers TO anon; REVOKE readers FROM anon;",
         "closed"),
        (ROLES + TABLE + "GRANT SELECT ON t TO r; ALTER ROLE anon SUPERUSER;",
         "open to read and write"),
        (ROLES + TABLE + "GRANT pg_read_all_data TO anon; GRANT SELECT ON t TO postgres;",
         "open to read"),
        (ROLES + "SET search_path = app; CREATE SCHEMA app; CREATE TABLE t (a text);"
         + GIVEN + "GRANT USAGE ON SCHEMA app TO anon;", "open to read"),
        ("CREATE TABLE elsewhere.t (a text); GRANT SELECT ON elsewhere.t TO anon;", "unknown"),
        (TABLE + "ALTER TABLE t RENAME TO u; GRANT SELECT ON u TO anon; ALTER TABLE u RENAME TO t;",
         "open to read"),
        ("CREATE TABLE t (a text DEFAULT 'x; GRANT ALL ON t TO anon;');"
         "GRANT SELECT ON t TO postgres;",
         "closed"),
        (TABLE + "/* GRANT /* nested */ ALL ON t TO anon; */ -- GRANT ALL ON t TO anon;\n"
         "GRANT SELECT ON t TO postgres;", "closed"),
    ],
)  # fmt: skip
def test_levels(statements, level):
    assert exposure_of([statements]).level("t") == level
    separate = [part + ";" for part in statements.split(";") if "'x" not in statements and part]
    if separate and "/*" not in statements:
        assert exposure_of(separate).level("public.t") in (level, "unknown")


def test_sentences():
    given_to_anon = "GRANT SELECT, INSERT ON t TO anon, authenticated;"
    locked = "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
    policy = "CREATE POLICY mine ON t FOR SELECT USING (id = 1);"
    assert exposure_of([TABLE, given_to_anon]).sentence("t") == (
        "anyone with the publishable key can read and insert every row: "
        "row-level security is off and anon has SELECT and INSERT"
    )
    assert exposure_of([TABLE, given_to_anon, locked, policy]).sentence("t", "authenticated") == (
        'anyone who signs in can read the rows that policy "mine" lets through: '
        "row-level security is on and authenticated has SELECT"
    )
    assert exposure_of([TABLE, given_to_anon, locked]).sentence("t") == (
        "nobody with the publishable key can read or write it: row-level security is on and no "
        "policy lets anon read or insert; anon has no UPDATE or DELETE on it"
    )
    assert exposure_of([TABLE, "GRANT SELECT (note) ON t TO anon;"]).sentence("t") == (
        "anyone with the publishable key can read note of every row: "
        "row-level security is off and anon has SELECT"
    )
    view = "CREATE VIEW v AS SELECT * FROM t; GRANT SELECT ON v TO anon;"
    assert exposure_of([TABLE, "REVOKE ALL ON t FROM anon;", view]).sentence("t") == (
        "nobody with the publishable key can read or write it: anon has no privilege on it; "
        "one can read every row through the view public.v: it has the rights of its owner"
    )


def test_what_a_function_puts_together_may_reach_what_it_names_or_anything():
    head = f"{TABLE} CREATE TABLE u (a text); REVOKE ALL ON t FROM anon;"
    body = "LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE {}; END $$;"
    any_of = exposure_of([head, "CREATE FUNCTION f(q text) RETURNS void " + body.format("q")])
    assert [way.certain for way in any_of.of("t").through + any_of.of("u").through] == [False] * 2
    assert "may be reached" in any_of.sentence("t")
    named = exposure_of(
        [head, "CREATE FUNCTION f() RETURNS void " + body.format("'DELETE FROM t'")]
    )
    assert named.of("t").through
    assert not named.of("u").through
    revoked = "REVOKE ALL ON FUNCTION f(text) FROM PUBLIC;"
    closed = exposure_of(
        [head, "CREATE FUNCTION f(q text) RETURNS void " + body.format("q"), revoked]
    )
    assert not closed.of("t").through


def test_definitions_that_are_missing_are_not_taken_for_closed():
    statements = [TABLE, "GRANT SELECT ON t TO postgres;"]
    assert exposure_of(statements).level("t") == "closed"
    cut = exposure_of(statements, complete=False)
    assert cut.level("t") == "unknown"
    assert not cut.complete


def test_the_order_of_views_over_views_has_no_end():
    views = [f"CREATE VIEW v{n} AS SELECT * FROM v{n - 1};" for n in range(1, 200)]
    around = "CREATE VIEW v0 AS SELECT * FROM v199;"
    exposure = exposure_of([around, *views, around, "GRANT SELECT ON v199 TO anon;"])
    assert exposure.level("v199") == "unknown"


WORDS = """
CREATE TABLE VIEW POLICY FUNCTION GRANT REVOKE ALTER ON TO FROM ALL SELECT t anon PUBLIC ( ) , ; AS
USING WITH CHECK OWNER SCHEMA DEFAULT PRIVILEGES ROLE 'x' $$ " . BEGIN ATOMIC END IN SET search_path
= DROP OR REPLACE RETURNS INHERITS PARTITION OF FOR SECURITY DEFINER LANGUAGE
"""
words = st.sampled_from(WORDS.split())


@given(st.lists(st.lists(words, max_size=14).map(" ".join), max_size=6))
def test_nothing_in_a_statement_is_an_error(statements):
    exposure = exposure_of([TABLE, *statements])
    for role in ("anon", "PUBLIC"):
        for table in exposure.tables:
            assert exposure.sentence(table, role)
            assert exposure.level(table, role)


@pytest.mark.parametrize(
    "text",
    [
        "GRANT " + "E'\\'" * 200_000,
        "GRANT " + "".join(f"$t{n}$ " for n in range(100_000)),
        "GRANT " + "/*" * 300_000,
        "CREATE VIEW v AS " + "(" * 300_000,
        "CREATE POLICY p ON t USING " + "(" * 100_000 + ")" * 100_000 + ";",
    ],
)
def test_long_statements_take_time_in_proportion(text):
    """Ends at all: what was quadratic took minutes."""
    exposure = exposure_of([TABLE, text])
    assert exposure.of("t").read == "unknown"
