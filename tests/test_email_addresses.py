"""E-mail addresses in passing: the same ones however the text is cut, and nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.addresses import Addresses

KEY = b"a key for tests"


def count(*pieces: bytes) -> int:
    addresses = Addresses(KEY)
    for piece in pieces:
        addresses.look(piece)
    addresses.finish()
    return addresses.take().size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1\tada@example.com\tAda\n2\tBob.B+x@mail.example.co.uk\n", 2),
        (b"ada@example.com, Ada@Example.COM and ADA@example.com", 1),
        (b"bob@example.com.", 1),
        (b"<bob@example.com>;mailto:eve@example.org", 2),
        (rb'"hi\nbob@example.com", "bob@example.com", "\u000abob@example.com"', 1),
        (b"postgres://ada:word@db.example.com/x https://me@example.com/", 0),
        (b"git@example.com:org/repo.git git@example.com:~x", 0),
        (b"logo@2x.png a@b.css pkg@1.2.3 @handle a@b x@y. @example.com", 0),
        (b"x" * 65 + b"@example.com " + b"y" * 64 + b"@example.com", 1),
        (b"a@" + b"b" * 64 + b".com", 0),
        ("josé@example.com".encode(), 1),
    ],
)
def test_what_an_address_is(text: bytes, expected: int):
    assert count(text) == expected


part = st.sampled_from(
    [b"ada@example.com", b"Bob@Example.org", b" ", b"\n", b"@", b"://", b".", b"\\n", b":", b"/x"]
) | st.binary(max_size=40)


@given(st.lists(part, max_size=20), st.lists(st.integers(0, 400), max_size=6))
def test_any_cut_gives_the_same(parts: list[bytes], cuts: list[int]):
    text = b"".join(parts)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    whole, cut = Addresses(KEY), Addresses(KEY)
    whole.look(text)
    for piece in pieces:
        cut.look(piece)
    whole.finish()
    cut.finish()
    assert set(whole.take().tolist()) == set(cut.take().tolist())


@given(st.binary(max_size=900).map(lambda text: text.replace(b"\0", b"@")), st.integers(1, 300))
def test_any_cut_of_any_bytes_gives_the_same(text: bytes, size: int):
    assert count(text) == count(*[text[at : at + size] for at in range(0, len(text), size)])


def test_its_memory_is_bounded():
    addresses = Addresses(KEY)
    for _ in range(50):
        addresses.look(b"x" * 100_000 + b"@" * 1000)
    assert len(addresses._tail) < 1000
