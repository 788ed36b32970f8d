"""Places in dumps: where each marked value stands, however the text is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walked import located

from detector.tables.census import Census
from detector.tables.layout import Cell
from detector.tables.sql import Sql, State

MARK = re.compile(rb"MARK\d+_")
NASTY = [
    "",
    "it's",
    "a\tb",
    "line\nbreak",
    "back\\slash",
    "\\",
    "end\\'",
    "(x), (y)",
    ");\n",
    "\\.",
    "';--",
    '"',
    "`",
    "E'x",
    "é",
    ";",
    "INSERT INTO",
    "--",
    "$$",
]

values = st.one_of(st.sampled_from(NASTY), st.text(max_size=6), st.none(), st.integers(0, 99))
rows = st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=6)


def _copy_value(value):
    if value is None:
        return "\\N"
    text = str(value).replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _pg_value(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _escaped_value(value):
    if value is None or isinstance(value, int):
        return _pg_value(value)
    return "E'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _my_value(value):
    if value is None or isinstance(value, int):
        return _pg_value(value)
    text = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + text.replace("\n", "\\n").replace("\0", "\\0") + "'"


def _inserts(table, columns, rows, value, per, listed):
    heads = f" ({', '.join(columns)})" if listed else ""
    out = []
    for start in range(0, len(rows), per):
        tuples = ",\n".join(f"({', '.join(map(value, row))})" for row in rows[start : start + per])
        out.append(f"INSERT INTO {table}{heads} VALUES {tuples};\n")
    return "".join(out)


def _copy(table, columns, rows):
    lines = ["\t".join(map(_copy_value, row)) + "\n" for row in rows]
    return f"COPY {table} ({', '.join(columns)}) FROM stdin;\n{''.join(lines)}\\.\n\n"


WAYS = {
    "copy": (Sql(), _copy),
    "inserts": (Sql(), lambda *a: _inserts(*a, _pg_value, 1, False)),
    "inserts, columns": (Sql(), lambda *a: _inserts(*a, _pg_value, 1, True)),
    "rows per insert": (Sql(), lambda *a: _inserts(*a, _pg_value, 3, True)),
    "escaped": (Sql(), lambda *a: _inserts(*a, _escaped_value, 2, True)),
    "mysql": (Sql(backslashes=True), lambda *a: _inserts(*a, _my_value, 100, False)),
}
COLUMNS = ("id", '"Full Name"', "note")
NAMES = ("id", "Full Name", "note")


def _dump(way, tables):
    """The text, and the place of each mark in it."""
    dialect, render = WAYS[way]
    number, places, parts = 0, {}, ["-- a dump; it's\nSET x = 'y';\n"]
    for table, table_rows in tables:
        marked = []
        for row_number, row in enumerate(table_rows, 1):
            column = number % 3
            mark = f"MARK{number}_"
            value = mark if row[column] is None else mark + str(row[column])
            marked.append([*row[:column], value, *row[column + 1 :]])
            places[mark.encode()] = Cell(f"public.{table}", NAMES[column], row_number)
            number += 1
        parts.append(
            f"CREATE TABLE public.{table} (\n    id integer NOT NULL DEFAULT nextval('a,b'),\n"
            '    "Full Name" numeric(10,2),\n    note text,\n    CONSTRAINT c CHECK ((id > 0))\n);'
            "\n"
        )
        parts.append(render(f"public.{table}", COLUMNS, marked))
        parts.append("CREATE FUNCTION f() RETURNS void AS $_$ BEGIN; '; END $_$;\n")
    return dialect, "".join(parts).encode("utf-8", "replace"), places


@pytest.mark.parametrize("way", WAYS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_each_value_has_its_place_however_the_text_is_cut(way, data):
    given_rows = data.draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), rows),
            min_size=1,
            max_size=3,
            unique_by=lambda t: t[0],
        )
    )
    dialect, text, places = _dump(way, given_rows)
    assert located(MARK, dialect, text, []) == places
    cuts = data.draw(st.lists(st.integers(0, 10**6), max_size=8))
    census = Census()
    assert located(MARK, dialect, text, cuts, census) == places
    assert {n: t.rows for n, t in census.tables.items()} == {
        f"public.{n}": len(r) for n, r in given_rows
    }


@pytest.mark.parametrize("way", WAYS)
def test_each_byte_on_its_own(way):
    dialect, text, places = _dump(
        way, [("a", [["x", None, "it's"], [1, "tab\t", "\\"]]), ("b", [["\\.", "é", ");"]])]
    )
    assert located(MARK, dialect, text, range(len(text))) == places


def test_many_places_and_few_are_the_same():
    for way in WAYS:
        dialect, text, places = _dump(
            way, [("a", [["x", NASTY[n % len(NASTY)], "y"] for n in range(200)])]
        )
        assert located(MARK, dialect, text, []) == places
        assert located(MARK, dialect, text, range(0, len(text), 40)) == places


def test_a_state_does_not_change_what_it_came_from():
    begun = State()
    Sql().walk(begun, b"COPY a (b) FROM stdin;\nx\n", ())
    assert begun == State()
