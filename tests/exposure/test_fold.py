"""Conditions: what is said to be always or never true is so, whatever the row."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detector.exposure.fold import Caller, outcome
from detector.exposure.tokens import tokens_of

ANON, SIGNED = Caller("anon", "anon"), Caller("authenticated", "authenticated")
NOBODY = Caller("", "")


@pytest.mark.parametrize(
    ("condition", "anon", "signed"),
    [
        ("true", True, True),
        ("((true))", True, True),
        ("1 = 1", True, True),
        ("1 <> 1", False, False),
        ("'a'::text = 'a'::text", True, True),
        ("'t'::boolean", True, True),
        ("NULL::boolean", False, False),
        ("(SELECT true)", True, True),
        ("owner = 'anon'", None, None),
        ("is_public", None, None),
        ("NOT is_public", None, None),
        ("is_public OR true", True, True),
        ("is_public AND false", False, False),
        ("is_public IS NOT NULL", None, None),
        ("auth.role() = 'anon'", True, False),
        ("auth.role() = 'authenticated'::text", False, True),
        ("(( SELECT auth.role() AS role) = 'anon'::text)", True, False),
        ("auth.role() = ANY (ARRAY['anon'::text, 'authenticated'::text])", True, True),
        ("auth.role() = ANY ((ARRAY['x'::character varying])::text[])", False, False),
        ("auth.role() <> ALL (ARRAY['anon'::text])", None, None),
        ("auth.role() IN ('service_role')", False, False),
        ("auth.role() NOT IN ('service_role')", True, True),
        ("auth.uid() IS NOT NULL", False, True),
        ("auth.uid() IS NULL", True, False),
        ("auth.uid() = user_id", False, None),
        ("( SELECT auth.uid() AS uid) = user_id", False, None),
        ("auth.uid() = user_id OR is_public", None, None),
        ("(auth.uid() = user_id) IS NOT TRUE", True, None),
        ("auth.uid() IN (SELECT m.id FROM members m)", False, None),
        ("NOT (auth.uid() IN (SELECT m.id FROM members m))", None, None),
        ("auth.uid()::text = (storage.foldername(name))[1]", False, None),
        ("((auth.jwt() ->> 'role'::text) = 'anon'::text)", True, False),
        ("((auth.jwt() -> 'app_metadata'::text) ->> 'admin'::text) = 'yes'", None, None),
        ("EXISTS (SELECT 1 FROM m WHERE m.id = auth.uid())", None, None),
        ("CURRENT_USER = 'anon'::name", True, False),
        ("current_setting('x', true) = 'anon'", None, None),
        ("x BETWEEN 1 AND 2 OR true", True, True),
        ("x BETWEEN 1 AND 2 AND false", False, False),
        ("x LIKE 'a%'", None, None),
        ("CASE WHEN true THEN true ELSE false END", None, None),
        ("-1 = 1", None, None),
        ("1 + 1 = 2", None, None),
        ("x IS DISTINCT FROM y", None, None),
        ("", None, None),
        ("true true", None, None),
        ("(true", None, None),
        ("(" * 5000 + "true" + ")" * 5000, None, None),
        ("NOT " * 5001 + "true", False, False),
    ],
)
def test_what_a_condition_can_be(condition, anon, signed):
    tokens = tokens_of(condition)
    assert (_outcome(tokens, ANON), _outcome(tokens, SIGNED)) == (anon, signed)


def _outcome(tokens, caller):
    try:
        return outcome(tokens, caller)
    except ValueError:  # what cannot be read: nothing that the server would take
        return None


names = st.sampled_from(["a", "b", "c"])
leaves = st.one_of(
    st.sampled_from(
        ["true", "false", "NULL", "1 = 1", "'x' = 'y'", "1 <> 1", "a", "b", "c", "NULL = a"]
    ),
    st.builds("{} = {}".format, names, names),
    st.builds("{} IN ({}, false)".format, names, names),
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("{} OR {} AND {}".format, inner, inner, inner).map(lambda e: f"({e})"),
        st.builds("(NOT {})".format, inner),
        st.builds("(({}) IS NOT NULL)".format, inner),
        st.builds("(({}) IS NULL)".format, inner),
        st.builds("(({}) IS TRUE)".format, inner),
        st.builds("(({}) IS NOT FALSE)".format, inner),
    ),
    max_leaves=8,
)


@given(expressions)
@example("(NOT (a AND NULL))")
def test_a_proof_holds_for_every_row(condition):
    """SQLite has the same three-valued logic; all rows that there can be are asked."""
    said = outcome(tokens_of(condition), NOBODY)
    rows = ((a, b, c) for a in (0, 1, None) for b in (0, 1, None) for c in (0, 1, None))
    database = sqlite3.connect(":memory:")
    held = {
        database.execute(
            f"SELECT count(*) FROM (SELECT ? AS a, ? AS b, ? AS c) WHERE {condition}", row
        ).fetchone()[0]
        for row in rows
    }
    database.close()
    assert said is None or held == {int(said)}


@given(st.text(alphabet="()'\"$aeE\\-*/,;=:[] \n", max_size=60))
def test_any_text_is_read_to_its_end(text):
    _outcome(tokens_of(text), ANON)
