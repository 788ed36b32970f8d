"""Values that a dump writes in hexadecimal digits: found however the text is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_scanner, example_of

from detector.run.hexes import Hexes
from detector.stream import Window
from detector.tables.layout import Layout
from detector.tables.sql import Sql


def _found(text, cuts):
    window = Window(builtin_scanner(), path="d.sql", layout=Layout(Sql()))
    hexes = Hexes(builtin_scanner(), "d.sql")
    out = []
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        window.space()[: end - begin] = text[begin:end]
        out += hexes.look(window, end - begin)
        window.commit(end - begin)
    return [*out, *hexes.finish()]


WAYS = {
    "copy": ("COPY t (id, b) FROM stdin;\n1\t\\\\x{0}\n2\t\\\\x{1}\n\\.\n"),
    "insert": (
        "INSERT INTO t (id, b) VALUES (1, '\\x{0}');\nINSERT INTO t (id, b) VALUES (2, '\\x{1}');\n"
    ),
    "mysql": "INSERT INTO t (id, b) VALUES (1,0x{0}),(2,0x{1});\n",
    "sqlite": "INSERT INTO t (id, b) VALUES (1,X'{0}'),(2,x'{1}');\n",
}


@pytest.mark.parametrize("way", WAYS)
@given(st.lists(st.integers(0, 10**6), max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_key_in_digits_is_found_in_its_cell(way, cuts):
    text, start, end = example_of("openai-project-key")
    key = text[start:end]
    text = WAYS[way].format((b"note: " + key + b" end").hex(), b"nothing to see in here".hex())
    (finding,) = _found(text.encode(), cuts)
    assert (finding.table, finding.field, finding.row) == ("t", "b", 1)
    assert finding.decoded == ("hex",)
    assert bytes.fromhex(text[finding.start : finding.end]) == key == finding.secret.reveal()


def test_a_long_value_goes_on_over_many_pieces():
    text, start, end = example_of("openai-project-key")
    key = text[start:end]
    value = b"x" * 200_000 + b" " + key + b" " + b"y" * 200_000
    text = ("COPY t (b) FROM stdin;\n\\\\x" + value.hex() + "\n\\.\n").encode()
    (finding,) = _found(text, range(0, len(text), 50_000))
    assert bytes.fromhex(text[finding.start : finding.end].decode()) == key
