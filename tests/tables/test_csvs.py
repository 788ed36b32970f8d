"""Places in delimited text: the truth is Python's csv module, however the text is cut."""

from __future__ import annotations

import csv
import io
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walked import located

from detector.tables import bits
from detector.tables.census import Census
from detector.tables.csvs import Csv
from detector.tables.layout import Cell

MARK = re.compile(rb"MARK\d+_")
NASTY = [
    "",
    '"',
    '""',
    "it's",
    "a,b",
    "a;b",
    "tab\there",
    "two\nlines",
    "cr\r\nlf",
    "é",
    " x ",
    "|",
]
values = st.one_of(st.sampled_from(NASTY), st.text('a,";|\t\n é', max_size=6))
ragged = st.lists(st.lists(values, min_size=1, max_size=5), min_size=1, max_size=8)
cut_points = st.lists(st.integers(0, 10**6), max_size=8)


def _truth(text, header, **options):
    """Places of the marks, and the rows of data, as the csv module reads the text."""
    lines = io.StringIO(text.decode(), newline="\n")
    table = [row for row in csv.reader(lines, **options) if row]
    places = {}
    for number, row in enumerate(table, 1 if header is None else 0):
        for n, value in enumerate(row):
            field = header[n] if header and n < len(header) else f"column {n + 1}"
            for mark in MARK.findall(value.encode()):
                places[mark] = Cell("users", field, number or None)
    return places, table if header is None else table[1:]


def _marked(rows):
    number = 0
    for row in rows:
        for n in range(number % 2, len(row), 2):
            row[n] += f"MARK{number}_"
            number += 1
    return rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@given(rows=ragged, headed=st.booleans(), mark=st.booleans(), cuts=cut_points)
@settings(max_examples=25, deadline=None)
def test_what_the_csv_module_wrote(delimiter, quoting, end, rows, headed, mark, cuts):
    header = ("id", "Full, Name", 'a "b"') if headed else None
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows(([header] if header else []) + _marked(rows))
    text = out.getvalue().encode()
    places, table = _truth(text, header, delimiter=delimiter)
    dialect = Csv("users", delimiter.encode(), header=header)
    if mark:
        text = b"\xef\xbb\xbf" + text
    assert located(MARK, dialect, text, []) == places
    census = Census()
    assert located(MARK, dialect, text, cuts, census) == places
    assert census.tables["users"].rows == len(table)
    assert all(
        tuple(v.encode() for v in row) in census.tables["users"].samples
        for row in (table[:-1] if not cuts else [])
    )


@given(
    parts=st.lists(st.sampled_from(['"', ",", "\n", "\r\n", '""', "a", " ", "MARK"]), max_size=40),
    cuts=cut_points,
    headed=st.booleans(),
    spaced=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_as_the_csv_module_does(parts, cuts, headed, spaced):
    text = "".join(f"MARK{n}_" if p == "MARK" else p for n, p in enumerate(parts))
    if spaced:  # the module passes over any number of spaces
        text = re.sub(" +", "", text).replace(",", ", ")
    header = ("x", "y") if headed else None
    places, table = _truth(text.encode(), header, skipinitialspace=spaced)
    dialect = Csv("users", header=header, spaced=spaced)
    census = Census()
    assert located(MARK, dialect, text.encode(), []) == places
    assert located(MARK, dialect, text.encode(), cuts, census) == places
    rows = census.tables["users"].rows if "users" in census.tables else 0
    assert rows == len(table)


@given(
    parts=st.lists(
        st.sampled_from(["\\", "\t", "\n", "\\\n", "\\\t", "\\\\", "\\N", "a", '"', "MARK"]),
        max_size=40,
    ),
    cuts=cut_points,
)
@settings(max_examples=200, deadline=None)
def test_backslashes_escape_where_they_do(parts, cuts):
    text = "".join(f"MARK{n}_" if p == "MARK" else p for n, p in enumerate(parts)).encode()
    expected, row, field, at, fresh = {}, 1, 0, 0, True
    while at < len(text):
        if found := MARK.match(text, at):
            expected[found[0]] = Cell("t", f"column {field + 1}", row)
        if text[at] == 92:
            at += 2
            fresh = False
            continue
        if text[at] == 10:
            row, field, fresh = row + (not fresh), 0, True
        else:
            field += text[at] == 9
            fresh = False
        at += 1
    marks = {m for m in expected if b"\\" + m not in text}  # its first byte is escaped
    dialect = Csv("t", b"\t", quote=b"", backslashes=True)
    for each in ([], cuts, range(len(text))):
        found = located(MARK, dialect, text, each)
        assert {m: found[m] for m in marks} == {m: expected[m] for m in marks}


def test_escaped_values_are_sampled_as_what_they_stand_for():
    text = b"1\tone\\\ttab\t\\N\n2\tback\\\\slash\ttwo\\\nlines\n"
    census = Census()
    dialect = Csv("t", b"\t", quote=b"", backslashes=True)
    dialect.walk(dialect.begin(), text, (), census)
    assert census.tables["t"].columns == ("column 1", "column 2", "column 3")
    assert census.tables["t"].samples == [
        (b"1", b"one\ttab", None),
        (b"2", b"back\\slash", b"two\nlines"),
    ]


def test_each_byte_on_its_own():
    text = b'\xef\xbb\xbf"id","note"\r\n\r\n1,"a ""MARK1_"", b\r\n\r\nMARK2_"\r\n\r\n2,5"'
    text += b" MARK3_,MARK4_"
    dialect = Csv("users", header=("id", "note"))
    places = {
        b"MARK1_": Cell("users", "note", 1),
        b"MARK2_": Cell("users", "note", 1),
        b"MARK3_": Cell("users", "note", 2),
        b"MARK4_": Cell("users", "column 3", 2),
    }
    assert located(MARK, dialect, text, []) == places
    assert located(MARK, dialect, text, range(len(text))) == places


@pytest.mark.parametrize("size", [64, 1000])
def test_a_stride_is_taken_apart_in_pieces(size, monkeypatch):
    text = "".join(f'{n},"MARK{n}_ ""x"", y",MARK{n + 1000}_\n' for n in range(200)).encode()
    places, _ = _truth(text, None)
    monkeypatch.setattr(bits, "PIECE", size)
    census = Census()
    assert located(MARK, Csv("users"), text, [5000], census) == places
    assert census.tables["users"].rows == 200


def test_many_places_and_few_are_the_same():
    text = "".join(f'{n},"MARK{n}_ ""x"", y",MARK{n + 1000}_\n' for n in range(200)).encode()
    places, _ = _truth(text, None)
    assert located(MARK, Csv("users"), text, []) == places
    assert located(MARK, Csv("users"), text, range(0, len(text), 40)) == places


def test_rows_of_old_macintosh_files_end_with_returns():
    text = b'id,note\r1,MARK1_\r\r2,"MARK2_\rMARK3_"\r3,x'
    census = Census()
    dialect = Csv("users", header=("id", "note"), newline=b"\r")
    assert located(MARK, dialect, text, range(len(text)), census) == {
        b"MARK1_": Cell("users", "note", 1),
        b"MARK2_": Cell("users", "note", 2),
        b"MARK3_": Cell("users", "note", 2),
    }
    assert census.tables["users"].rows == 3


@given(
    text=st.one_of(st.binary(max_size=200), st.binary(max_size=9).map(lambda b: b * 30)),
    cuts=cut_points,
    quote=st.sampled_from([b"", b'"', b"'"]),
    headed=st.booleans(),
    backslashes=st.booleans(),
    spaced=st.booleans(),
)
@settings(deadline=None)
def test_no_bytes_raise_and_no_cut_matters(text, cuts, quote, headed, backslashes, spaced):
    header = ("id",) if headed else None
    dialect = Csv("t", b",", quote, header, backslashes, spaced)
    everywhere = list(range(len(text) + 1))
    whole = dialect.walk(dialect.begin(), text, everywhere, Census())[1]
    state, pieces, begin = dialect.begin(), [], 0
    for end in sorted({len(text), *(cut % (len(text) + 1) for cut in cuts)}):
        state, places = dialect.walk(state, text[begin:end], range(end - begin), Census())
        pieces += places
        begin = end
        assert len(state.tail) <= 8
    assert pieces == whole[: len(text)]
    assert pickle.loads(pickle.dumps((dialect, state))) == (dialect, state)
