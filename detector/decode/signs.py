"""What shows, in the engine's own pass, where a decoder has something to do.

A key's first bytes look the same in base64 whatever follows: one of three ways, by where they fall
into the groups of three. So the encoded beginnings of all formats are literals for the engine, as
are those in hexadecimal digits and in UTF-16, and an image in base64 costs nothing. 3,800 of them
beside the 776 heads of the rules slow the pass down by less than a fifth, a pass of their own took
half as long as that of the rules.

Escapes and joints of strings have their own signs, kept to those that can stand inside of a token:
``\\u003c`` and ``&quot;`` are everywhere and hide nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from detector.decode.base64s import base64
from detector.decode.digits import hexadecimal, wide
from detector.decode.escapes import entities, percent, quoted_printable, string_escapes
from detector.decode.strings import concatenated, joined, numbers, template
from detector.decode.types import Decoded, Text
from detector.decode.wraps import LONGEST_LINE, unwrapped
from detector.rules import Head

REACH = 1 << 16  # bytes
SHORT = 1 << 14  # bytes, of strings of a program and of tokens
PACKED = 1 << 20  # bytes, where only the whole of it can be unpacked
CUT = 5  # bytes of a head that are looked for: enough to be rare
SHORTEST = 3  # bytes of a head that is looked for encoded
ON_ITS_LINE = 4  # and of one that may end its line
IN_BASE64 = 4  # digits that are looked for at least
MORE = 20  # digits behind four that are a sign: else they came up seven times in a megabyte

Decoder = Callable[[Text, int], Decoded | None]


class Kind(NamedTuple):
    """A decoder, how far before the end of its sign the place lies that it asks for, and how many
    bytes behind that it may look at."""

    decoder: Decoder
    back: int
    reach: int = REACH


class Signs(NamedTuple):
    """``heads`` for the engine; ``kinds[numbers[i]]`` is what a hit of ``heads[i]`` means.
    ``wide`` and ``wide_numbers`` are the same for text that holds a NUL."""

    heads: tuple[Head, ...]
    numbers: tuple[int, ...]
    wide: tuple[Head, ...]
    wide_numbers: tuple[int, ...]
    kinds: tuple[Kind, ...]
    longest: int


def signs_of(heads: Sequence[Head]) -> Signs:
    """The signs of everything that could hide a match of these heads."""
    found: dict[tuple[str, Kind], Head] = {}
    for head, kind in [*_encoded(heads), *_escaped(), *_in_pieces(), *_broken(heads)]:
        found.setdefault((head.regex, kind), head)
    kinds = tuple(dict.fromkeys(kind for _, kind in found))
    number = {kind: place for place, kind in enumerate(kinds)}
    plain = {key: head for key, head in found.items() if key[1].decoder is not wide}
    spread = {key: head for key, head in found.items() if key[1].decoder is wide}
    return Signs(
        tuple(plain.values()),
        tuple(number[kind] for _, kind in plain),
        tuple(spread.values()),
        tuple(number[kind] for _, kind in spread),
        kinds,
        max((head.most for head in found.values()), default=1),
    )


Made = Iterable[tuple[Head, Kind]]


def _encoded(heads: Sequence[Head]) -> Made:
    beginnings = _minimal({word[:CUT] for word in _words(heads) if len(word) >= SHORTEST})
    for word in sorted(beginnings):
        for digits, back in base64_forms(word):
            if len(digits) >= IN_BASE64:
                rare = len(digits) > IN_BASE64
                head = _literal(digits) if rare else _in_base64(digits)
                yield head, Kind(base64, back if rare else back + MORE)
    for word in sorted(_minimal({word[:4] for word in beginnings})):
        once = next(iter(base64_forms(word)))[0]
        twice, back = next(iter(base64_forms(once)))
        yield _literal(twice), Kind(base64, back)
        for text in dict.fromkeys((word.hex(), word.hex().upper())):
            yield _literal(text.encode()), Kind(hexadecimal, len(text))
        spread = bytes(byte for letter in word for byte in (letter, 0))[:-1]
        yield _literal(spread), Kind(wide, len(spread))
    yield from _compressed()


def base64_forms(word: bytes) -> Iterable[tuple[bytes, int]]:
    """The digits that are sure to stand for a word, for each of the places where it can fall into
    the groups; and how far before their end a group of four begins."""
    for before in range(3):
        first, last = -(-8 * before // 6), 8 * (before + len(word)) // 6
        yield b64encode(bytes(before) + word + bytes(3))[first:last], last


def _compressed() -> Made:
    """gzip and zlib at the beginning of a run of base64: their magic numbers fill four digits, and
    two and a part of the third. https://www.rfc-editor.org/rfc/rfc1952, rfc1950"""
    third = {"eA": "EFGH", "eF": "4567", "eJ": "wxyz", "eN": "opqr"}  # by level of compression
    for literal in ["H4sI", *(two + one for two, some in third.items() for one in some)]:
        length = len(literal) + 24
        head = Head(literal + "[0-9A-Za-z\\x2b\\x2f\\x2d_]{24}", (literal,), False, length, length)
        yield head, Kind(base64, length, PACKED)


def _words(heads: Sequence[Head]) -> set[bytes]:
    """How the heads begin; those in either case as people write them."""
    words: set[bytes] = set()
    for head in heads:
        for literal in head.literals:
            word = literal.encode("latin-1")
            words |= {word, word.upper(), word.title()} if head.caseless else {word}
    return words


def _minimal(words: set[bytes]) -> set[bytes]:
    """Without those that begin with another one."""
    return {word for word in words if not any(word[:size] in words for size in range(1, len(word)))}


def _in_base64(digits: bytes) -> Head:
    length = len(digits) + MORE
    more = f"[0-9A-Za-z\\x2b\\x2f\\x2d_]{{{MORE}}}"
    return Head(_quoted(digits) + more, (digits.decode("ascii"),), False, length, length)


def _literal(text: bytes) -> Head:
    return Head(_quoted(text), (text.decode("latin-1"),), False, len(text), len(text))


def _quoted(text: bytes) -> str:
    return "".join(chr(b) if chr(b).isalnum() and b < 128 else f"\\x{b:02x}" for b in text)


# In two hexadecimal digits, by the first of them: what a token or a URL is made of.
_DIGITS = {
    "2": "[b-fB-F]",
    "3": "[0-9aAdD]",
    "4": "[0-9a-fA-F]",
    "5": "[0-9aAfF]",
    "6": "[0-9a-fA-F]",
    "7": "[0-9aAeE]",
}


def _escaped() -> Made:
    string, url = Kind(string_escapes, 1), Kind(percent, 1)
    for high, low in _DIGITS.items():
        yield _fixed("\\x" + high, low, 4), string
        yield _fixed("\\u00" + high, low, 6), string
        yield _fixed("\\u{" + high, low + "\\x7d", 6), string
        yield _fixed("&#x" + high, low + ";", 6), Kind(entities, 1)
    yield from ((_fixed("\\1" + octal, "[0-7]", 4), string) for octal in "01234567")
    yield from ((_fixed("\\0" + octal, "[0-7]", 4), string) for octal in "567")
    yield _fixed(":\\/\\/", "", 5), string
    for literal in ("%2B", "%2b", "%2D", "%2d", "%2E", "%2e", "%3A%2F%2F", "%3a%2f%2f"):
        yield _fixed(literal, "", len(literal)), url
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    for code in dict.fromkeys(spelled for c in letters.encode() for spelled in _spellings(c)):
        yield _fixed("%" + code, "", 3), url
        yield _fixed("=" + code + "=", "[2-7][0-9A-Fa-f]", 6), Kind(quoted_printable, 1)
    for digits in ("4[35-9]", "5[0-8]", "6[14-9]", "7[0-9]", "8[0-9]", "9[057-9]"):
        yield _fixed("&#" + digits[0], digits[1:] + ";", 5), Kind(entities, 1)
    for literal, digits in (("&#10", "[0-9]"), ("&#11", "[0-9]"), ("&#12", "[0-2]")):
        yield _fixed(literal, digits + ";", 6), Kind(entities, 1)


def _spellings(byte: int) -> tuple[str, str]:
    return f"{byte:02x}", f"{byte:02X}"


def _fixed(literal: str, more: str, length: int) -> Head:
    return Head(_quoted(literal.encode()) + more, (literal,), False, length, length)


def _in_pieces() -> Made:
    for quote in "\"'`":
        for joint in ("+", " + ", ".", " . ", " .. ", "||", " || ", " & ", " "):
            for other in "\"'`" if joint != " " else quote:
                literal = quote + joint + other
                head = _fixed(literal, _LETTER, len(literal) + 1)
                yield head, Kind(concatenated, 1, SHORT)
        for plus in ("+", " +"):
            regex = _quoted((quote + plus).encode()) + "\\r?\\n[ \\t]{0,64}[\"'`]"
            yield Head(regex, (quote + plus,), False, 0, 70), Kind(concatenated, 0, SHORT)
        for empty in ('""', "''", "``"):
            literal = quote + "].join(" + empty
            yield _fixed(literal, "", len(literal)), Kind(joined, 2, SHORT)
        yield _fixed("${" + quote, "", 3), Kind(template, 0, SHORT)
    for literal in ("fromCharCode(", "fromCodePoint(", "bytes([", "bytearray([", "Array(["):
        yield _fixed(literal, "[0-9]", len(literal) + 1), Kind(numbers, 1)


_LETTER = "[0-9A-Za-z_\\x2d]"


def _broken(heads: Sequence[Head]) -> Made:
    """A token's beginning that ends its line, or its string. Bounded repeats took twice as long in
    the engine as one without an end; the decoder looks at the length."""
    formats = [head for head in heads if not head.caseless and not head.runs]
    words = {word[:8] for head in formats for word in head.literals if len(word) >= ON_ITS_LINE}
    words = {word for word in words if word[0].isalnum() and "://" not in word}
    beginnings = {word for word in words if len(word) > 6 or not word.isalpha()}
    more = "[0-9A-Za-z_.\\x2b\\x2f=~:\\x2d]*[\"'`]?[ \\t]?[\\\\=+.&]?\\r?\\n"
    kind = Kind(unwrapped, 0, SHORT)
    for word in sorted(beginnings):
        head = _quoted(word.encode("latin-1")) + more
        yield Head(head, (word,), False, 0, LONGEST_LINE), kind
