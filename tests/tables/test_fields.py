"""The values of chosen fields: however a text is cut, what its own readers say stands in them."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leak import SCALE, leaked

from bench.database import TABLES, Counts, Text
from bench.database import rows as rows_of
from detector.tables import bits, spans
from detector.tables.csvs import Csv
from detector.tables.fields import Fields
from detector.tables.jsons import JsonArray, JsonLines
from detector.tables.sniff import sniff
from detector.tables.sql import Sql
from detector.tables.sql.copying import copied

cut_points = st.lists(st.integers(0, 10**6), max_size=8)
DIALECTS = {
    "sql": Sql(),
    "mysql": Sql(backslashes=True),
    "csv": Csv("t", header=("a", "b")),
    "tsv": Csv("t", b"\t", b"", ("a", "b"), backslashes=True),
    "spaced": Csv("t", b";", spaced=True),
    "jsonl": JsonLines("t"),
    "json": JsonArray("t"),
}
HEADS = {
    "sql": ["COPY t (a, b) FROM stdin;\n", "INSERT INTO t (a, b) VALUES (", ""],
    "mysql": ["INSERT INTO `t` VALUES (", ""],
    "jsonl": ['{"a": ', ""],
    "json": ['[{"a": ', '{"t": [{"a": ', ""],
}
PIECES = st.one_of(
    st.sampled_from(["a", "é", " ", "\t", "\n", "\r\n", "\\", "\\.", "\\N", "NULL", "null", ":"]),
    st.sampled_from(["'", '"', ",", ";", "(", ")", "[", "]", "{", "}", "''", '""', "'x'", '"x"']),
    st.sampled_from(["E'", "),(", "', '", ");\n", "\\.\n", '", "', '"a":', '"b":', '},{"a":']),
    st.just('}\n{"a":'),
)


def _any(_table, _field):
    return True


def _cut(text, cuts):
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[begin:end] for begin, end in pairwise(edges)]


def _values(dialect, parts, wanted=_any, **options):
    fields = Fields(dialect, wanted, **options)
    return [one for part in parts for one in fields.feed(part)] + fields.finish()


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_cut_changes_nothing_and_cells_are_those_of_places(name, data):
    dialect = DIALECTS[name]
    head = data.draw(st.sampled_from(HEADS.get(name, [""])))
    text = (head + "".join(data.draw(st.lists(PIECES, max_size=40)))).encode()
    whole = _values(dialect, [text])
    assert _values(dialect, _cut(text, data.draw(cut_points))) == whole
    assert _values(dialect, [text[n : n + 1] for n in range(len(text))]) == whole
    for one in whole:
        assert one.raw == text[one.start : one.end]
        inside = range(one.start, max(one.end, one.start + 1))
        _, cells = dialect.walk(dialect.begin(), text, inside)
        assert {cell[:3] for cell in cells} == {one[:3]}


values = st.text("a\"',;\\\t\n é{[0N", max_size=6)
tables = st.lists(st.tuples(values, values), max_size=8)


@given(rows=tables, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), cuts=cut_points)
def test_what_the_csv_module_reads(rows, quoting, cuts):
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows([("a", "b"), *rows])
    found = _values(DIALECTS["csv"], _cut(out.getvalue().encode(), cuts))
    expected = {
        (field, n): one
        for n, row in enumerate(rows, 1)
        for field, one in zip("ab", row, strict=True)
        if one or quoting == csv.QUOTE_ALL
    }
    got = {(v.field, v.row): v.raw.replace(b'""', b'"').decode() for v in found}
    assert got == expected


cells = st.one_of(values, st.integers(), st.booleans(), st.none())
objects = st.lists(
    st.dictionaries(st.sampled_from(["a", 'q"', "é", "c"]), cells | st.lists(cells, max_size=3)),
    max_size=6,
)


def _leaves(rows):
    for n, row in enumerate(rows, 1):
        for key, one in row.items():
            nested = one if isinstance(one, list) else None
            for m, leaf in enumerate([one] if nested is None else nested):
                if leaf is not None:
                    yield (key if nested is None else f"{key}[{m}]", n), leaf


@given(rows=objects, lines=st.booleans(), indent=st.sampled_from([None, 1]), cuts=cut_points)
def test_what_the_json_module_reads(rows, lines, indent, cuts):
    dialect = JsonLines("t") if lines else JsonArray("t")
    text = "".join(json.dumps(r) + "\n" for r in rows) if lines else json.dumps(rows, indent=indent)
    parts = _cut(text.encode(), cuts)
    strings = {key: one for key, one in _leaves(rows) if isinstance(one, str)}
    got = {(v.field, v.row): v.raw.decode() for v in _values(dialect, parts)}
    assert {key: json.loads(f'"{got[key]}"') for key in strings} == strings
    others = {k: json.dumps(one) for k, one in _leaves(rows) if k not in strings}
    assert {key: raw for key, raw in got.items() if key not in strings} == others
    for keys in ({"a"}, {'q"'}, {"é", "c"}):
        few = _values(dialect, parts, keys=keys)
        assert {(v.field, v.row) for v in few} == {key for key in got if key[0] in keys}


def test_pieces_that_are_taken_apart_at_once_make_no_difference(monkeypatch):
    rows = [{"a": f"x{n}", "b": {"c": n}} for n in range(40)]
    text = json.dumps(rows).encode()
    whole = _values(JsonArray("t"), [text])
    assert len(whole) == 80
    monkeypatch.setattr(bits, "PIECE", 7)
    assert _values(JsonArray("t"), [text]) == whole
    table = b"a,b\n" + b'"x\ny",2\n' * 40
    assert len(_values(DIALECTS["csv"], [table])) == 80


def test_of_a_value_that_is_too_long_the_begin_is_given(monkeypatch):
    monkeypatch.setattr(spans, "MOST", 100)
    text = b'a,b\n"' + b"x" * 1000 + b'",2\n'
    for parts in ([text], _cut(text, range(0, 1000, 7))):
        long, short = _values(DIALECTS["csv"], parts)
        assert (long.start, long.raw) == (5, b"x" * 99)
        assert (short.row, short.raw) == (1, b"2")


def test_no_value_shows_in_a_repr():
    fields = Fields(JsonLines("t"), _any)
    (one,) = fields.feed(b'{"a": "hidden", "b": "hidd')
    fields.finish()
    assert "hidden" not in repr(one)
    assert "hidd" not in repr(fields)


def _expected(table, column):
    """The truth of one column by row, as text; without NULLs."""
    at = list(table.columns).index(column)
    for number, row in enumerate(rows_of(table, Counts.of(SCALE)), 1):
        one = row[at].value if isinstance(row[at], Text) else row[at]
        if one is not None:
            yield number, str(one)


SAID = {
    "plain": lambda raw: copied(raw).decode(),
    "inserts": lambda raw: raw.replace(b"''", b"'").decode(),
    "column-inserts": lambda raw: raw.replace(b"''", b"'").decode(),
    "sqlite-dump": lambda raw: raw.replace(b"''", b"'").decode(),
    "mysql": lambda raw: copied(raw).decode(),  # escapes like COPY, as far as text has any
    "csv": lambda raw: raw.replace(b'""', b'"').decode(),
    "tsv": lambda raw: raw.replace(b'""', b'"').decode(),
    "jsonl": lambda raw: json.loads(b'"%s"' % raw),
    "json": lambda raw: json.loads(b'"%s"' % raw),
}


@pytest.mark.parametrize("name", SAID)
def test_the_leaked_database(name):
    tables = {table.name: table for table in TABLES}
    chosen = {("agents", "owner_id"), ("agents", "api_key"), ("messages", "body")}
    chosen = {(t, c) for t, c in chosen if c in tables[t].columns}
    assert len(chosen) >= 2
    found = {key: {} for key in chosen}
    for path in sorted(leaked(name).format(name).iterdir()):
        text = path.read_bytes()
        dialect = sniff(str(path), text[:4096])
        given_values = _values(
            dialect, _cut(text, range(0, len(text), 77_777)),
            lambda table, field: (table.rpartition(".")[2], field) in chosen,
        )  # fmt: skip
        for one in given_values:
            if not one.raw.startswith(b"replace("):  # what SQLite writes for newlines
                found[one.table.rpartition(".")[2], one.field][one.row] = SAID[name](one.raw)
    for table, column in chosen:
        expected = dict(_expected(tables[table], column))
        if name == "sqlite-dump":
            expected = {row: text for row, text in expected.items() if "\n" not in text}
        assert found[table, column] == expected
