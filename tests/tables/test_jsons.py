"""Places in JSON: the truth is what was given to Python's json module, however it is cut."""

from __future__ import annotations

import json
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walked import located

from detector.tables import bits
from detector.tables.census import Census
from detector.tables.jsons import KEY, LEVELS, JsonArray, JsonLines
from detector.tables.layout import NOWHERE, Cell

MARK = re.compile(rb"MARK\d+_")
NASTY = ["", '"', "\\", '\\"', "x\\", "[", "]}", "{", "a,b", "a:b", "\n", "é", "\u2028", "\0", "'"]
texts = st.one_of(st.sampled_from(NASTY), st.text('a\\"[]{},:\n', max_size=6))
keys = st.one_of(st.sampled_from(["id", "note", "user name", *NASTY]), texts)
values = st.recursive(
    st.one_of(texts, st.none(), st.booleans(), st.integers(), st.just("MARK")),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
objects = st.lists(st.dictionaries(keys, values, max_size=5), max_size=6)
cut_points = st.lists(st.integers(0, 10**6), max_size=8)
ways = st.sampled_from(
    [
        {},
        {"indent": 2},
        {"separators": (",", ":")},
        {"ensure_ascii": False, "indent": "\t", "separators": (" ,", " : ")},
    ]
)


class _Marks:
    """Numbers the marks in a value, and knows what leads to each."""

    def __init__(self):
        self.places = {}

    def put(self, value, table, row, path=()):
        match value:
            case dict():
                return {k: self.put(v, table, row, (*path, k)) for k, v in value.items()}
            case list():
                return [self.put(v, table, row, (*path, n)) for n, v in enumerate(value)]
            case str() if "MARK" in value:
                mark = f"MARK{len(self.places)}_"
                self.places[mark.encode()] = Cell(table, self._field(path), row)
                return value.replace("MARK", mark)
        return value

    def _field(self, path):
        out = ""
        for n, part in enumerate(path):
            out += f"[{part}]" if isinstance(part, int) else "." * (n > 0) + part
        return out if out and "\0" not in path else None


def _columns(rows):
    return tuple(dict.fromkeys(key for row in rows for key in row))


@given(rows=objects, way=ways, cuts=cut_points)
@settings(max_examples=200, deadline=None)
def test_an_array(rows, way, cuts):
    marks = _Marks()
    rows = [marks.put(row, "users", n) for n, row in enumerate(rows, 1)]
    text = json.dumps(rows, **way).encode()
    census = Census()
    assert located(MARK, JsonArray("users"), text, [], census) == marks.places
    if rows:
        table = census.tables["users"]
        assert (table.rows, table.columns) == (len(rows), _columns(rows))
        assert len(table.samples) == len(rows)
    census = Census()
    assert located(MARK, JsonArray("users"), text, cuts, census) == marks.places
    assert sum(table.rows for table in census.tables.values()) == len(rows)


@given(
    tables=st.dictionaries(
        keys.filter(lambda k: "\0" not in k), st.one_of(objects, values), max_size=4
    ),
    way=ways,
    cuts=cut_points,
)
@settings(max_examples=200, deadline=None)
def test_an_object_of_arrays(tables, way, cuts):
    marks, document = _Marks(), {}
    for key, rows in tables.items():
        if isinstance(rows, list):
            document[key] = [marks.put(row, key, n) for n, row in enumerate(rows, 1)]
        else:
            document[key] = marks.put(rows, "file", None, (key,))
    text = json.dumps(document, **way).encode()
    census = Census()
    assert located(MARK, JsonArray("file"), text, []) == marks.places
    assert located(MARK, JsonArray("file"), text, cuts, census) == marks.places
    counts = {
        key: sum(isinstance(row, dict | list) for row in rows)
        for key, rows in document.items()
        if isinstance(rows, list)
    }
    assert {n: t.rows for n, t in census.tables.items()} == {n: c for n, c in counts.items() if c}


@given(
    rows=objects,
    between=st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \t\n", b" \n", b"\r\n\r\n"]),
    ended=st.booleans(),
    broken=st.sampled_from([b"", b'{"a": "open\n', b'{"a": [[1,\n', b"}}]\n", b'\\"\n', b'"\\\n']),
    cuts=cut_points,
)
@settings(max_examples=200, deadline=None)
def test_lines(rows, between, ended, broken, cuts):
    marks = _Marks()
    first = marks.put({"id": "MARK"}, "users", 1)
    rows = [marks.put(row, "users", n) for n, row in enumerate(rows, 3 if broken else 2)]
    text = json.dumps(first).encode() + b"\n" + broken
    text += between.join(json.dumps(row).encode() for row in rows) + between * ended
    census = Census()
    assert located(MARK, JsonLines("users"), text, []) == marks.places
    assert located(MARK, JsonLines("users"), text, cuts, census) == marks.places
    assert census.tables["users"].rows == 1 + len(rows) + bool(broken)


@pytest.mark.parametrize("dialect", [JsonArray("t"), JsonLines("t")])
def test_each_byte_on_its_own(dialect):
    row = {'a"\\': {"tags": ["x", "MARK"], "n": -1}, "é": "MARK", "": [{"k": 'MARK"'}, ["MARK"]]}
    marks = _Marks()
    rows = [marks.put(row, "t", n) for n in range(1, 4)]
    lines = isinstance(dialect, JsonLines)
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, ensure_ascii=False)
    text = text.encode()
    assert located(MARK, dialect, text, range(len(text))) == marks.places


def test_long_strings_are_cut_in_their_escapes():
    marks = _Marks()
    long = "x" * KEY + '"' + "x" * KEY  # one quote: two would even out
    row = {"a": long + "MARK", "b": ['"' * KEY, "MARK"], "\\" * 9: "MARK"}
    rows = [marks.put(row, "t", n) for n in (1, 2)]
    text = json.dumps(rows).encode()
    assert located(MARK, JsonArray("t"), text, range(len(text))) == marks.places
    text = "\n".join(map(json.dumps, rows)).encode()
    assert located(MARK, JsonLines("t"), text, range(len(text))) == marks.places


@pytest.mark.parametrize("size", [64, 1000])
@pytest.mark.parametrize("dialect", [JsonArray("t"), JsonLines("t")])
def test_a_stride_is_taken_apart_in_pieces(size, dialect, monkeypatch):
    marks = _Marks()
    rows = [marks.put({"a": "MARK", "b": [{"c": "MARK"}]}, "t", n + 1) for n in range(99)]
    lines = isinstance(dialect, JsonLines)
    text = ("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)).encode()
    monkeypatch.setattr(bits, "PIECE", size)
    census = Census()
    assert located(MARK, dialect, text, [2000], census) == marks.places
    assert census.tables["t"].rows == 99


def test_many_places_and_few_are_the_same():
    marks = _Marks()
    rows = [
        marks.put({"id": "MARK", "deep": {"x": ["a", n, "MARK"]}}, "t", n + 1) for n in range(200)
    ]
    for dialect, text in (
        (JsonArray("t"), json.dumps(rows, indent=1)),
        (JsonLines("t"), "\n".join(map(json.dumps, rows))),
    ):
        assert located(MARK, dialect, text.encode(), []) == marks.places
        assert located(MARK, dialect, text.encode(), range(0, len(text), 40)) == marks.places


def test_samples_are_in_the_order_in_which_keys_appear():
    text = b'\xef\xbb\xbf{"id": 1.50, "a": null}\n{"b": [1, {"x": "y"}], "id": "\\u00e9"}\n'
    census = Census()
    JsonLines("t").walk(JsonLines("t").begin(), text, (), census)
    table = census.tables["t"]
    assert table.columns == ("id", "a", "b")
    assert table.samples == [
        (b"1.50", None, None),
        ("é".encode(), None, b'[1,{"x":"y"}]'),
    ]


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_what_is_too_deep_or_too_long_has_a_row_and_no_field(extra):
    deep: object = "MARK0_"
    for _ in range(LEVELS - 1 + extra):  # the array of rows is one level
        deep = {"a": deep}
    text = json.dumps([{}, deep]).encode()
    field = None if extra > 0 else ".".join("a" * (LEVELS - 1 + extra))
    for cuts in ([], range(len(text))):
        assert located(MARK, JsonArray("t"), text, cuts) == {b"MARK0_": Cell("t", field, 2)}
    key = "k" * (KEY - 2 + extra)
    text = json.dumps([{key: ["MARK0_"], "b": "MARK1_"}]).encode()
    for cuts in ([], range(len(text))):
        assert located(MARK, JsonArray("t"), text, cuts) == {
            b"MARK0_": Cell("t", None if extra > 0 else f"{key}[0]", 1),
            b"MARK1_": Cell("t", "b", 1),
        }


def test_a_key_is_in_the_object_that_holds_it():
    text = b'[{"a": {"MARK0_": 1}, "MARK1_": 2}] MARK2_'
    for cuts in ([], range(len(text))):
        assert located(MARK, JsonArray("t"), text, cuts) == {
            b"MARK0_": Cell("t", "a", 1),
            b"MARK1_": Cell("t", None, 1),
            b"MARK2_": NOWHERE,
        }


@pytest.mark.parametrize("dialect", [JsonArray("t"), JsonLines("t")])
@given(
    text=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from([*b'{}[]":,\\\n\r \ta1', "ab", b"k" * 300, b" " * 300]), max_size=80
        ).map(
            lambda parts: b"".join(
                bytes([p]) if isinstance(p, int) else p.encode() if isinstance(p, str) else p
                for p in parts
            )
        ),
    ),
    cuts=cut_points,
)
@settings(max_examples=400, deadline=None)
def test_no_bytes_raise_and_no_cut_matters(dialect, text, cuts):
    everywhere = list(range(len(text) + 1))
    whole_census, census = Census(), Census()
    whole = dialect.walk(dialect.begin(), text, everywhere, whole_census)[1]
    state, pieces, begin = dialect.begin(), [], 0
    for end in sorted({len(text), *(cut % (len(text) + 1) for cut in cuts)}):
        state, places = dialect.walk(state, text[begin:end], range(end - begin), census)
        pieces += places
        begin = end
        assert len(state.held) <= KEY
    assert pieces == whole[: len(text)]
    assert {n: t.rows for n, t in census.tables.items()} == {
        n: t.rows for n, t in whole_census.tables.items()
    }
    assert pickle.loads(pickle.dumps((dialect, state))) == (dialect, state)
