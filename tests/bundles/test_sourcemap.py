"""The JSON around mappings, and what a script says of its map."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.bundles.script import inline_map, map_url, maps_beside, positions, utf16_length
from detector.bundles.sourcemap import DEPTH, kept_apart, read_map, readable

PLAIN = {"version": 3, "sources": ["a.ts"], "sourcesContent": ["text"], "mappings": "AAAA"}


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def at(offset: tuple[int, int], inner: object) -> dict[str, object]:
    return {"offset": {"line": offset[0], "column": offset[1]}, "map": inner}


def test_sections_begin_where_they_say():
    inner = {**PLAIN, "sources": ["b.ts"], "mappings": "AAAA;AACA"}
    found = read_map(dumped({"version": 3, "sections": [at((0, 0), PLAIN), at((2, 7), inner)]}))
    assert found is not None
    places = found.places([(0, 3), (1, 0), (2, 6), (2, 9), (3, 1)])
    assert [p and (p.source, p.line, p.column) for p in places] == [
        ("a.ts", 1, 1), None, None, ("b.ts", 1, 1), ("b.ts", 2, 1),
    ]  # fmt: skip


def test_sections_are_not_followed_for_ever():
    deep: object = PLAIN
    for _ in range(DEPTH):
        deep = {"version": 3, "sections": [at((0, 0), deep)]}
    assert read_map(dumped(deep)) is not None
    assert read_map(dumped({"version": 3, "sections": [at((0, 0), deep)]})) is None
    many = b'{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":' * 50_000
    assert read_map(many) is None


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"null", b"[]", b'{"version":3}', b'{"version":2,"mappings":""}', b"\xff{}",
        b'{"version":3,"mappings":7}', b'{"version":3,"sections":[7]}',
        b'{"version":3,"mappings":"","sourcesContent":["\\ud800"]}',
    ],
)  # fmt: skip
def test_what_is_no_map_is_none(text):
    assert read_map(text) is None


def test_a_map_may_be_guarded_and_have_gaps():
    given = {**PLAIN, "sources": [None, "b.ts"], "sourcesContent": [None, 'a "quoted" ü\n💶']}
    found = read_map(b")]}'\n" + dumped(given))
    assert found is not None
    (part,) = found.parts
    assert [part.source(n) for n in range(2)] == ["source 0", "b.ts"]
    assert [part.content(n) for n in range(3)] == [None, 'a "quoted" ü\n💶'.encode(), None]


def test_the_spans_of_contents_are_those_in_the_bytes():
    data = dumped({"file": "app.js", **PLAIN, "names": ["one", "two"]})
    found = read_map(data)
    assert found is not None
    kept = [data[begin:end] for begin, end in kept_apart(data, found)]
    assert kept == [b'"AAAA"', b'["one", "two"]', b'["text"]']


def test_a_content_that_is_no_text_stays_json():
    found = read_map(dumped({**PLAIN, "sourcesContent": [{"a": 1}]}))
    assert found is not None
    assert found.parts[0].content(0) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("name", "root", "shown"),
    [
        ("webpack://shop/./src/a.ts", "", "src/a.ts"),
        ("webpack:///src/a.ts", "", "src/a.ts"),
        ("../../src/a.ts", "", "src/a.ts"),
        ("a.ts", "src/", "src/a.ts"),
        ("a/../../b.ts", "", "b.ts"),
        ("/home/me/a.ts", "ignored", "home/me/a.ts"),
        ("..\\src\\a.ts", "", "src/a.ts"),
        (".env", "", ".env"),
        ("webpack/runtime/chunk loaded", "", "webpack/runtime/chunk loaded"),
    ],
)
def test_readable_names(name, root, shown):
    assert readable(name, root) == shown


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("x\n//# sourceMappingURL=app.js.map", b"app.js.map"),
        ("x\n//@ sourceMappingURL=app.js.map\n\n", b"app.js.map"),
        ("x\n/*# sourceMappingURL=app.css.map */\n", b"app.css.map"),
        ("//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map\n//# debugId=1\n", b"b.map"),
        ("//# sourceMappingURL=a.map\nlet x;", None),
        ('eval("1//# sourceMappingURL=a.map")', None),
        ('let a="sourceMappingURL=";//# sourceMappingURL=b.map', b"b.map"),
        ("sourceMappingURL=a.map", None),
    ],
)
def test_the_last_comment_counts(text, url):
    assert map_url(text.encode()) == url


def test_inline_maps():
    data = dumped(PLAIN)
    coded = base64.b64encode(data)
    assert inline_map(b"data:application/json;charset=utf-8;base64," + coded) == data
    assert inline_map(b"data:application/json,%7B%7D") == b"{}"
    assert inline_map(b"data:application/json;base64,A") is None
    assert inline_map(b"app.js.map") is None


def test_where_a_map_may_lie():
    assert maps_beside("dist/js/app.js", b"../maps/a.map") == [
        "dist/maps/a.map", "dist/js/a.map", "dist/js/app.js.map",
    ]  # fmt: skip
    assert maps_beside("a.tgz!package/app.js", b"../../../etc/x") == [
        "a.tgz!package/x", "a.tgz!package/app.js.map",
    ]  # fmt: skip
    assert maps_beside("app.js.gz", b"https://cdn.example/x/app.js.map?v=1") == [
        "app.js.map", "app.js.gz.map",
    ]  # fmt: skip
    assert maps_beside("app.js", None) == ["app.js.map"]


@given(st.text(alphabet="aü€💶\n\r\u2028", max_size=30), st.data())
def test_positions_count_utf16_and_the_lines_of_javascript(text, data):
    at = data.draw(st.integers(0, len(text)))
    if text[max(0, at - 1) : at + 1] == "\r\n":
        at -= 1  # nothing begins within a line's end
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    lines = before.split("\n")
    expected = len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2
    start = len(text[:at].encode())
    earlier = data.draw(st.sampled_from([[], [0]]))
    assert positions(text.encode(), [*earlier, start])[-1] == expected
    assert utf16_length(text.encode()) == len(text.encode("utf-16-le")) // 2
