"""Workbooks that xlsxwriter writes, and parts as other programs write them."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.columns import Limits, kind_of, open_columns

from .conftest import Given

xlsxwriter = pytest.importorskip("xlsxwriter")


def _book(sheets, **options):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, **options})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif value is not None:
                    sheet.write(number, column, value)
    book.close()
    return file.getvalue()


def _parts(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def _zipped(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in parts.items():
            out.writestr(name, data)
    return file.getvalue()


cells = st.one_of(
    st.none(),
    st.integers(0, 99),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
    ).map(lambda text: text + "000"),  # no heading has three digits
    st.sampled_from(["a\nb", "tab\t", " lead", "<&>\"'", "_x000D_", "x" * 300]),
)


@pytest.mark.parametrize("constant", [True, False])
@given(rows=st.lists(st.lists(cells, max_size=5), max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_cell_with_text_is_given_in_its_row(constant, rows):
    data = _book({"One": rows, "Two": [["x"]]}, constant_memory=constant)
    got = Given(open_columns("", "b.xlsx", data=data))
    expected: dict = {}
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                expected.setdefault(("One", "ABCDE"[column]), []).append((number, value.encode()))
    expected["Two", "A"] = [(1, b"x")]
    assert got.values == expected
    assert not got.skipped
    filled = [number for number, row in enumerate(rows, 1) if any(v is not None for v in row)]
    assert got.tables["One"].rows == max(filled, default=0)


def test_a_heading_names_the_columns(given):
    rng = random.Random(1)
    rows = [["id", "User name", "API token", "Notes"]]
    rows += [[n, f"user {n}", rng.randbytes(8).hex(), None] for n in range(300)]
    got = given(_book({"agents": rows}))
    assert got.tables["agents"] == ("agents", ("id", "User name", "API token", "Notes"), 300)
    assert got.values["agents", "API token"] == [
        (0, b"API token"),
        *((n, row[2].encode()) for n, row in enumerate(rows[1:], 1)),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [["alice", "hunter2"], ["bob", "letmein"]],
        [["4111 1111 1111 1111", "name"], ["x", "y"]],
        [["password"], ["password"]],
        [["name", 7], ["a", 8]],
        [["name", "token"]],
    ],
)
def test_values_are_not_taken_for_a_heading(rows, given):
    got = given(_book({"t": rows}))
    assert got.tables["t"].columns == ("A", "B")[: len(rows[0])]


def test_only_text_is_given(given):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet("t")
    sheet.write_number(0, 0, 1.5)
    sheet.write_boolean(0, 1, True)
    sheet.write_formula(0, 2, '="a"&"b"', None, "ab")
    sheet.write_rich_string(0, 3, "so ", book.add_format({"bold": True}), "bold")
    sheet.write_string(9, 3, "far")
    sheet.hide()
    book.add_worksheet("shown").activate()
    book.close()
    got = given(file.getvalue())
    assert got.values == {("t", "C"): [(1, b"ab")], ("t", "D"): [(1, b"so bold"), (10, b"far")]}
    assert got.tables["t"] == ("t", ("A", "B", "C", "D"), 10)


def test_prefixes_and_cells_without_addresses(given):
    parts = _parts(_book({"t": [["x"]]}))
    parts["xl/worksheets/sheet1.xml"] = (
        b'<x:worksheet xmlns:x="u"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>a</x:t>'
        b'<x:rPh><x:t>no</x:t></x:rPh></x:is></x:c><x:c t="str"><x:f>1</x:f><x:v>b</x:v></x:c>'
        b'</x:row><x:row r="5"><x:c r="AA5" t="s"><x:v>0</x:v></x:c><x:c t="s"><x:v>99</x:v></x:c>'
        b"</x:row></x:sheetData></x:worksheet>"
    )
    got = given(_zipped(parts))
    assert got.values == {
        ("t", "A"): [(1, b"a")],
        ("t", "B"): [(1, b"b")],
        ("t", "AA"): [(5, b"x")],
    }
    assert [s.reason for s in got.skipped] == [
        "workbook: sheet t: 1 cells whose shared strings are missing"
    ]


def test_a_path_reads_like_bytes_and_chunks_are_bounded(given, tmp_path):
    rng = random.Random(2)
    rows = [[rng.randbytes(20).hex(), "same"] for _ in range(3000)]
    data = _book({"t": rows})
    path = tmp_path / "b.xlsx"
    path.write_bytes(data)
    got = given(path, limits=Limits(chunk_bytes=10_000))
    assert got.largest < 11_000
    assert got.values["t", "A"] == [(n, row[0].encode()) for n, row in enumerate(rows, 1)]
    assert got.values == given(data).values
    assert kind_of(data[:4096]) == "workbook"


# What cannot be read, and bounds


def test_rows_in_front_of_the_damage_are_given(given):
    rng = random.Random(3)
    rows = [[rng.randbytes(20).hex()] for _ in range(20_000)]
    data = bytearray(_book({"t": rows, "u": [["whole"]]}, constant_memory=True))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        info = file.getinfo("xl/worksheets/sheet1.xml")
    middle = info.header_offset + info.compress_size // 2
    data[middle : middle + 500] = bytes(500)
    got = given(bytes(data))
    read = got.column("A", "t")
    assert 1000 < len(read) < 19_000
    assert read == [row[0].encode() for row in rows[: len(read)]]
    assert got.column("A", "u") == [b"whole"]
    (skipped,) = got.skipped
    assert skipped.reason == f"workbook: sheet t from row {len(read) + 1} on: damaged"
    assert 0 < skipped.nbytes < info.compress_size


def test_without_its_list_sheets_are_called_as_their_parts(given):
    parts = _parts(_book({"t": [["x"]]}))
    del parts["xl/workbook.xml"]
    assert given(_zipped(parts)).values == {("sheet1", "A"): [(1, b"x")]}


def test_a_document_type_is_refused(given):
    parts = _parts(_book({"t": [["x"]]}))
    parts["xl/worksheets/sheet1.xml"] = (
        b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
        b'<w><row><c t="str"><v>&b;</v></c></row></w>'
    )
    got = given(_zipped(parts))
    assert not got.values
    assert got.skipped[0].reason == "workbook: sheet t: a document type"


def test_an_encoding_that_nobody_knows_is_damage(given):
    parts = _parts(_book({"t": [["some text"]], "u": [["more text"]]}))
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'"UTF-8"', b'"x-none"')
    assert parts["xl/worksheets/sheet1.xml"] != sheet
    got = given(_zipped(parts))
    assert [one.reason for one in got.skipped] == ["workbook: sheet t: damaged"]
    assert got.values == {("u", "A"): [(1, b"more text")]}


def test_a_sheet_that_unfolds_too_far_ends(given):
    parts = _parts(_book({"t": [["x"]]}))
    row = b'<row><c t="inlineStr"><is><t>yyyyyyyyyyyyyyyy</t></is></c></row>'
    parts["xl/worksheets/sheet1.xml"] = b"<w>" + row * 500_000 + b"</w>"
    got = given(_zipped(parts))
    assert got.skipped[0].reason.endswith("expands more than 200 times")
    assert len(got.column("A")) > 100_000


def test_two_cells_far_apart_cost_nothing(given):
    parts = _parts(_book({"t": [["x"]]}))
    parts["xl/worksheets/sheet1.xml"] = (
        b'<w><row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576" t="s"><v>0</v></c></row></w>'
    )
    got = given(_zipped(parts))
    assert got.values == {("t", "A"): [(1, b"x")], ("t", "XFD"): [(1 << 20, b"x")]}
    parts["xl/worksheets/sheet1.xml"] = b'<w><row r="1048577"><c t="s"><v>0</v></c></row></w>'
    assert given(_zipped(parts)).skipped


def test_shared_strings_are_bounded(given):
    rng = random.Random(4)
    rows = [[rng.randbytes(20).hex()] for _ in range(50_000)]
    got = given(_book({"t": rows}), limits=Limits(shared_bytes=1 << 20))
    assert 5000 < len(got.column("A")) < 50_000
    assert len(got.skipped) == 2
    assert "shared strings from" in got.skipped[0].reason


def test_no_workbook(given):
    got = given(b"PK\3\4" + bytes(300), kind="workbook")
    assert [s.nbytes for s in got.skipped] == [304]


SAMPLE = _book({"t": [[f"text {n}", n, "same"] for n in range(60)], "u": [["x"]]})
PARTS = _parts(SAMPLE)


@given(data=st.data())
@settings(max_examples=150, deadline=20_000, suppress_health_check=[HealthCheck.too_slow])
def test_damage_anywhere_never_raises(data):
    raw = bytearray(SAMPLE)
    if data.draw(st.booleans()):  # in a part, which a checksum does not tell then
        name = data.draw(st.sampled_from(sorted(PARTS)))
        part = bytearray(PARTS[name])
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
        raw = bytearray(_zipped({**PARTS, name: bytes(part)}))
    else:
        for _ in range(data.draw(st.integers(0, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        del raw[data.draw(st.integers(0, len(raw))) :]
    got = Given(open_columns("", "t", kind="workbook", data=bytes(raw)))
    assert all(len(s.reason) < 300 for s in got.skipped)
