"""Wide encodings: told apart, transcoded at any cut, and mapped back to the source's bytes."""

from __future__ import annotations

import codecs
import gzip
import itertools
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.sources.stream import Stream
from detector.sources.utf16 import Transcoder, detect_encoding

from .conftest import read_all

WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
SAMPLE = "id;name\r\n1;Zoë 漢字 😀 key=value\r\n" * 3


class Pieces:
    """A source that gives its bytes in the pieces it was cut into."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def readinto(self, view: memoryview) -> int:
        while self.pieces and not self.pieces[0]:
            self.pieces.pop(0)
        if not self.pieces:
            return 0
        piece = self.pieces.pop(0)
        view[: len(piece)] = piece
        return len(piece)


def transcode(encoding: str, *pieces: bytes) -> tuple[bytes, Transcoder]:
    text = Transcoder(Stream(Pieces(*pieces)), encoding)
    out, view = b"", memoryview(bytearray(7))
    while n := text.readinto(view):
        out += view[:n]
    return out, text


@pytest.mark.parametrize("encoding", WIDE)
def test_every_cut_gives_the_same_text(encoding):
    raw = SAMPLE.encode(encoding)
    for cut in range(len(raw) + 1):
        assert transcode(encoding, raw[:cut], raw[cut:])[0] == SAMPLE.encode()


@pytest.mark.parametrize("encoding", WIDE)
@settings(deadline=None, max_examples=60)
@given(
    characters=st.lists(st.characters(exclude_categories=["Cs"]), max_size=60),
    cuts=st.lists(st.integers(0, 240), max_size=5),
)
def test_positions_map_back_to_the_source(encoding, characters, cuts):
    raw = "".join(characters).encode(encoding)
    edges = [0, *sorted(cuts), len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(edges)]
    out, text = transcode(encoding, *pieces)
    assert out == "".join(characters).encode()
    scanned = source = 0
    for char in characters:
        end, source_end = scanned + len(char.encode()), source + len(char.encode(encoding))
        assert text.source_span(scanned, end) == (source, source_end)
        for inside in range(scanned + 1, end):
            assert text.source_span(inside, inside) == (source, source_end)
        scanned, source = end, source_end


@pytest.mark.parametrize("encoding", WIDE)
@settings(deadline=None, max_examples=60)
@given(raw=st.binary(max_size=80), cut=st.integers(0, 80))
def test_what_cannot_be_decoded_is_replaced_and_still_maps(encoding, raw, cut):
    out, text = transcode(encoding, raw[:cut], raw[cut:])
    assert out.decode() == raw.decode(encoding, "replace")
    assert text.source_span(0, len(out)) == (0, len(raw))
    spans = [text.source_span(at, at + 1) for at in range(len(out))]
    assert spans == sorted(spans)
    unit = 2 if "16" in encoding else 4
    for match_at, char in enumerate(out.decode()):
        if char.isascii():
            at = len(out.decode()[:match_at].encode())
            start, end = text.source_span(at, at + 1)
            assert raw[start:end] == char.encode(encoding)
            assert end - start == unit


def test_forgotten_positions_leave_memory_and_the_rest_maps():
    raw = ("é" * 1000 + "x" * 1000).encode("utf-16-le")
    text = Transcoder(Stream(Pieces(*[raw] * 200)), "utf-16-le")
    view, at = memoryview(bytearray(3000)), 0
    while n := text.readinto(view):
        at += n
        text.forget(at - 3000)
        assert len(text._blocks) < 4
        start, end = text.source_span(at - 1, at)
        assert end - start == 2
    assert text.source_span(at, at) == (200 * len(raw), 200 * len(raw))


BOMS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("encoding", BOMS)
def test_a_file_with_a_mark(encoding, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(BOMS[encoding] + SAMPLE.encode(encoding) + b"\xff"[: "16" in encoding])
    got = read_all(path)
    want = "\ufeff" + SAMPLE + ("\ufffd" if "16" in encoding else "")
    assert got.data == {str(path): want.encode()}
    assert got.skipped == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_without_a_mark(encoding):
    assert detect_encoding(SAMPLE.encode(encoding)) == encoding
    assert detect_encoding("TOKEN=abc\n".encode(encoding)) == encoding


@pytest.mark.parametrize("encoding", BOMS)
def test_a_mark_and_broken_text_is_still_text(encoding):
    lone = b"\x00\xd8" if encoding.endswith("le") else b"\xd8\x00"
    raw = BOMS[encoding] + SAMPLE.encode(encoding)
    assert detect_encoding(raw + lone) == encoding


rng = random.Random(5)
NOT_WIDE = {
    "ascii": b"plain text, nothing else\n" * 10,
    "utf-8 with a mark": codecs.BOM_UTF8 + "é".encode() * 40,
    "latin-1 that begins with the mark": b"\xff\xfe" + b"user;password\n" * 10,
    "noise": rng.randbytes(4096),
    "noise behind a mark": b"\xff\xfe" + rng.randbytes(4094),
    "zeros": bytes(4096),
    "zeros behind a mark": b"\xff\xfe" + bytes(4094),
    "small numbers": struct.pack("<1000H", *(rng.randrange(256) for _ in range(1000))),
    "counters": struct.pack("<1000H", *range(1000)),
    "pixels": bytes(v for _ in range(1000) for v in (rng.randrange(256), 0, 0, 255)),
    "an executable": b"\x7fELF\2\1\1" + bytes(9) + b"\2\0>\0\1\0\0\0" + bytes(200),
    "strings in a binary": b"\0\1\2\3" * 300 + "text".encode("utf-16-le"),
    "one mark": b"\xff\xfe",
    "nothing": b"",
}


@pytest.mark.parametrize("name", NOT_WIDE)
def test_what_is_no_wide_text_stays_as_it_is(name):
    assert detect_encoding(NOT_WIDE[name]) is None


def test_a_wide_file_in_an_archive(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(SAMPLE.encode("utf-16-le") * 900))
    assert read_all(path, chunk=999).data == {str(path): SAMPLE.encode() * 900}
