"""What the classifier sees: finite for any bytes, the same in any batch, and what its name says."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector import features
from detector.classifier import Classifier
from detector.features import AFTER, BAGS, BEFORE, BITS, FEATURES, Candidates

PIECES = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"=",
    b'"',
    b"\\",
    b"\xff\xfe",
    "пароль".encode(),
    b"password: ",
]
texts = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join),
    st.text("abcdefXYZ0189_-./+=@", max_size=60).map(str.encode),
    st.integers(0, 9).map(lambda seed: random.Random(seed).randbytes(512)),
)
paths = st.sampled_from(["", "a", "/", "x.zip!b/.env", "src/Ü.py", "a.", "." * 300, "tests/a.js"])
one = st.tuples(texts, texts.map(lambda t: t[-BEFORE:]), texts.map(lambda t: t[:AFTER]), paths)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier.builtin()


def of(rows: list[tuple[bytes, bytes, bytes, str]]) -> Candidates:
    return Candidates(*map(list, zip(*rows, strict=True)))


def test_every_column_has_a_name_of_its_own(model: Classifier) -> None:
    assert len(set(FEATURES)) == len(FEATURES)
    candidates = of([(b"value", b"name = '", b"'\n", "a.py")] * 3)
    assert features.matrix(candidates, model.lookups).shape == (len(FEATURES), 3)
    assert model.columns(candidates).shape == (len(FEATURES) + len(BAGS), 3)
    assert [bag.shape[1] for bag in features.ngrams(candidates)] == [3] * len(BAGS)


@given(st.lists(one, min_size=1, max_size=5))
def test_any_bytes_give_finite_numbers(model: Classifier, rows) -> None:
    columns = model.columns(of(rows))
    assert columns.dtype == np.float32
    assert np.isfinite(columns).all()
    said = model(of(rows))
    assert said.shape == (len(rows),)
    assert ((said >= 0) & (said <= 1)).all()
    assert all((bag < 1 << BITS).all() for bag in features.ngrams(of(rows)))


@given(st.lists(one, min_size=2, max_size=6), st.integers(2, 70))
def test_neighbours_in_a_batch_do_not_matter(model: Classifier, rows, times: int) -> None:
    """To the last bit: a finding would otherwise depend on what else was scanned."""
    columns, said = model.columns(of(rows * times)), model(of(rows * times))
    for number, row in enumerate(rows):
        assert np.array_equal(model.columns(of([row, row]))[:, 0], columns[:, number])
        assert model(of([row]))[0] == said[number] == said[number + len(rows)]


@given(texts, texts, st.sampled_from(["\n", "\r\n", "\r"]))
def test_nothing_behind_the_line_counts(model: Classifier, one: bytes, other: bytes, end) -> None:
    """A stream need not wait for it."""
    rows = [(b"value7", b"name='", b"';" + end.encode() + rest, "a.py") for rest in (one, other)]
    columns = model.columns(of(rows))
    assert np.array_equal(columns[:, 0], columns[:, 1])


# What a column's name promises, on plain examples.


def column(model: Classifier, name: str, *values: str, before: str = "", after: str = "", path=""):
    candidates = Candidates(
        [value.encode() for value in values],
        [before.encode()] * len(values),
        [after.encode()] * len(values),
        [path] * len(values),
    )
    return features.matrix(candidates, model.lookups)[FEATURES.index(name)].tolist()


YES_AND_NO = {
    "hex:even": (["0123456789abcdef"], ["0123456789abcdeg", "0123456789abcde", "abcdef" * 3]),
    "hex:digest": (["d41d8cd98f00b204" * 2, "0a" * 32], ["d41d8cd98f00b204", "zz" * 32]),
    "uuid": (["01234567-89ab-cdef-0123-456789abcdef"], ["0123456789abcdef0123456789abcdef0123"]),
    "base64:pair": (["dXNlcjpodW50ZXIyMjIy"], ["dXNlcmh1bnRlcjIyMjIy", "user:hunter2"]),
    "shape:template": (["${NAME}", "{{ name }}", "<%= a %>"], ["$name", "{a}", "a${b}"]),
    "shape:url": (["https://a.example", "x://"], ["a:/b", "//a"]),
    "shape:path": (["/etc/a", "./a", "~/a", "a/b.txt"], ["a/b", "a.b"]),
    "shape:email": (["bo@a.example"], ["@bo.x", "bo@example", "a@b@c.d"]),
    "shape:date": (["2024-01-31", "2024-01-31T00:00"], ["24-01-31", "2024/01/31"]),
    "shape:number": (["1234567", "0x1f"], ["123a", "1.5"]),
    "shape:version": (["1.2.3"], ["123", "1.2.3a"]),
    "shape:call": (["get(a)", "New()"], ["(a)", "get"]),
    "shape:lookup": (["config.api_key", "a.b"], ["config", "a.b1"]),
    "shape:constant": (["API_KEY", "AB12-CD"], ["ab_cd", "A1"]),
    "shape:words": (["one two-three", "a_b"], ["one two", "a_b1"]),
    "shape:one_case": (["abcdef", "ABC"], ["aBc", "ab1"]),
}  # fmt: skip


@pytest.mark.parametrize("name", YES_AND_NO)
def test_a_shape(name: str, model: Classifier) -> None:
    yes, no = YES_AND_NO[name]
    assert column(model, name, *yes, *no) == [1] * len(yes) + [0] * len(no)


def test_words_and_what_is_common(model: Classifier) -> None:
    values = ("battery-different", "batteryDifferent", "battery2x", "kqxzvwpfjgbt", "1234")
    assert column(model, "words", *values) == [1, 1, 7 / 8, 0, 0]
    common = column(model, "common", "123456", "password", "PassWord", "kqxzvwpfjgbt")
    assert common[0] > common[1] == common[2] > 0.5
    assert common[3] == 0
    assert (
        column(model, "english", "whether", "xqzkwvj")[0]
        > 0
        > column(model, "english", "xqzkwvj")[0]
    )


def test_counts_and_shares(model: Classifier) -> None:
    value = "aaB1-é"  # seven bytes
    assert column(model, "length", value, "a" * 300, "") == [7, 300, 0]
    assert column(model, "share:lower", value) == pytest.approx([2 / 7])
    assert column(model, "share:digit", value) == pytest.approx([1 / 7])
    assert column(model, "share:beyond", value) == pytest.approx([2 / 7])
    assert column(model, "count:-", value, "a--b-", "") == [1, 3, 0]
    assert column(model, "repeats", "aaaa", "abab") == pytest.approx([3 / 4, 0])
    assert column(model, "steps", "abcd", "dcba", "aceg") == pytest.approx([3 / 4, 3 / 4, 0])
    assert column(model, "vowels", "aeiou", "xyz", "") == [1, 0, 0]


def test_what_stands_around(model: Classifier) -> None:
    assert column(model, "quoted", "v1", before='x = "', after='"') == [1]
    assert column(model, "escaped", "v1", before='{"x": \\"', after='\\"') == [1]
    assert column(model, "closed", "v1", before='x = "', after='";') == [1]
    assert column(model, "closed", "v1", before='x = "', after="';") == [0]
    assert column(model, "closed", "v1", before='x = "', after='"more') == [0]
    assert column(model, "operator:=", "v1", before="x=") == [1]
    assert column(model, "operator::", "v1", before="x: ") == [1]
    assert column(model, "operator: ", "v1", before="--password ") == [1]
    near, far = "password = ", "password of a user that nobody knows, and more = "
    assert column(model, "like:name", "password", before=near)[0] > 0.5
    assert column(model, "like:name", "password", before=far) == [0]
    assert column(model, "like:line", "password", before=far)[0] > 0.5
    assert column(model, "like:rest", "password", after=" password")[0] > 0.5
    assert column(model, "rest:length", "v1", after="ab\ncd") == [3]
    assert column(model, "line:length", "v1", before="above\nab = ") == [5]


PATHS = {
    "test": ("tests/a.py", "src/test_a.py", "a.spec.ts"),
    "example": (".env.example", "examples/a.py", "config.dist"),
    "docs": ("README.md", "docs/a.txt"),
    "config": (".env", "config/a.rb", "a.yaml"),
    "locale": ("locale/de.js", "i18n/a.json"),
    "built": ("a.min.js", "dist/a.js", "node_modules/a.js", "yarn.lock"),
    "data": ("a.sql", "b.log", "backup/a"),
}


@pytest.mark.parametrize("kind", PATHS)
def test_a_path(kind: str, model: Classifier) -> None:
    for path in PATHS[kind]:
        assert column(model, f"path:{kind}", "v1", path=path) == [1], path
    assert column(model, f"path:{kind}", "v1", path="src/main.rs") == [0]
