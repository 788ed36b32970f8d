"""Each decoder undoes the standard encoder, and leads every byte back to where it was encoded."""

from __future__ import annotations

import base64 as codec
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.decode.base64s import MAX_UNPACKED, base64
from detector.decode.digits import hexadecimal, wide
from detector.decode.escapes import entities, percent, quoted_printable, string_escapes
from detector.decode.strings import concatenated, joined, numbers, template
from detector.decode.types import Decoded, Text, Unfinished
from detector.decode.wraps import unwrapped

letters = st.text("abcXYZ019_-", min_size=12, max_size=200).map(str.encode)


def decoded_of(result: Decoded | None) -> Decoded:
    assert result is not None
    return result


@given(letters, st.sampled_from([codec.b64encode, codec.urlsafe_b64encode]))
def test_base64(secret: bytes, encode: object) -> None:
    text = encode(secret)  # type: ignore[operator]
    found = decoded_of(base64(Text(b'x = "' + text + b'";', True), 5))
    assert (found.data, found.source(0, len(secret))) == (secret, (5, 5 + len(text)))


@given(st.binary(min_size=60, max_size=600), st.integers(0, 20))
def test_base64_in_lines_from_any_group(data: bytes, group: int) -> None:
    text = codec.encodebytes(data)
    place = 4 * min(group, 14)
    found = decoded_of(base64(Text(b"\n" + text, True), 1 + place))
    assert found.data == data
    digits = text.replace(b"\n", b"")
    for start in range(0, len(data) - 3, 3):
        first, last = found.source(start, start + 3)
        assert text[first - 1 : last - 1].replace(b"\n", b"") == digits[start // 3 * 4 :][:4]


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed(name: str, pack: object) -> None:
    text = codec.b64encode(pack(b"secret words " * 9))  # type: ignore[operator]
    found = decoded_of(base64(Text(text, True), 0))
    assert found.by == ("base64", name)
    assert found.data == b"secret words " * 9
    assert found.source(3, 9) == (0, len(text))


def test_a_bomb_is_cut_and_said() -> None:
    text = codec.b64encode(gzip.compress(bytes(MAX_UNPACKED * 2)))
    found = decoded_of(base64(Text(text, True), 0))
    assert len(found.data) == MAX_UNPACKED
    assert found.left_out


@given(letters)
def test_hexadecimal(secret: bytes) -> None:
    text = secret.hex().encode()
    found = decoded_of(hexadecimal(Text(b"v: " + text + b" ", True), 7))
    assert (found.data, found.source(1, 5)) == (secret, (5, 13))


@given(letters, st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_wide(secret: bytes, encoding: str) -> None:
    text = secret.decode().encode(encoding)
    shift = encoding == "utf-16-be"
    found = decoded_of(wide(Text(b"\xff\xfe" + text, True), 2 + shift + 4))
    assert found.data == secret
    assert found.source(0, len(secret)) == (2, 2 + len(text))


@given(letters, st.data())
def test_escapes_of_some_letters(secret: bytes, data: st.DataObject) -> None:
    for decoder, forms in (
        (string_escapes, ("\\x%02x", "\\u%04X", "\\u{%x}", "\\%03o")),
        (percent, ("%%%02x", "%%%02X")),
        (entities, ("&#%d;", "&#x%x;")),
        (quoted_printable, ("=%02X",)),
    ):
        chosen = data.draw(st.lists(st.sampled_from((None, *forms)), min_size=len(secret)))
        parts = [
            bytes([byte]) if form is None else (form % byte).encode()
            for byte, form in zip(secret, chosen, strict=False)
        ]
        before = b'say "'
        text = before + b"".join(parts) + b'" now'
        found = decoded_of(decoder(Text(text, True), 7))
        assert found.data == secret
        starts = [len(before) + sum(map(len, parts[:n])) for n in range(len(parts) + 1)]
        assert all(found.source(n, n + 1) == (starts[n], starts[n + 1]) for n in range(len(parts)))


@given(letters, st.sampled_from(["+", " + ", " . ", "||", " ", " +\n   ", " .. "]))
def test_concatenated(secret: bytes, joint: str) -> None:
    first, second = secret[:5] + b"a", b"b" + secret[5:]
    text = b'x = "' + first + b'"' + joint.encode() + b"'" + second + b"';"
    place = text.index(b"'") + 1
    found = decoded_of(concatenated(Text(text, True), place))
    assert found.data == first + second
    assert found.source(0, len(found.data)) == (5, len(text) - 2)


@given(st.lists(letters, min_size=2, max_size=9))
def test_joined(parts: list[bytes]) -> None:
    text = b'f(["' + b'", "'.join(parts) + b'"].join("")'
    found = decoded_of(joined(Text(text, True), len(text) - 3))
    assert found.data == b"".join(parts)
    assert found.source(0, len(found.data)) == (4, len(text) - len(b'"].join("")'))


@given(letters)
def test_numbers_and_templates(secret: bytes) -> None:
    text = b"fromCharCode(" + b", ".join(b"%d" % byte for byte in secret) + b")"
    found = decoded_of(numbers(Text(text, True), 13))
    assert (found.data, found.source(0, len(secret))) == (secret, (13, len(text) - 1))
    text = b"y=`" + secret[:4] + b"${'" + secret[4:] + b"'}`"
    found = decoded_of(template(Text(text, True), 9))
    assert found.data == secret


@given(st.sampled_from([b"\n", b"\r\n", b"\n    ", b"\n> ", b"\\\n", b"=\n"]))
def test_unwrapped(broken: bytes) -> None:
    first, second = b"tok_0123abcDEF", b"45ghiJKL67"
    text = b"here: " + first + broken + second + b" is it"
    place = text.index(b"\n") + 1
    found = decoded_of(unwrapped(Text(text, True), place))
    assert found.data == first + second
    assert found.source(0, len(found.data)) == (6, len(text) - 6)


def test_words_of_the_next_line_are_no_rest() -> None:
    text = Text(b"here: tok_0123abcDEF\nthanks and bye", True)
    assert unwrapped(text, text.data.index(b"\n") + 1) is None


@pytest.mark.parametrize("decoder", [base64, hexadecimal, string_escapes, percent, entities])
def test_what_may_go_on_is_not_decided(decoder: object) -> None:
    with pytest.raises(Unfinished):
        decoder(Text(b"4a4b4c4d", False), 0)  # type: ignore[operator]
