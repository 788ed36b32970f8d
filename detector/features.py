"""What can be seen of a candidate: columns of bytes in, a float32 matrix out.

A candidate is a value with the bytes around it and the path it stands in. The same code
serves training and scoring, so what a model was trained on is what it is asked about.

Bytes lie in tables of shape ``(width, n)``, a candidate a column: numpy works along rows of
``n`` bytes, which is ten times as fast as along a candidate's own few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.bytetables import (
    FACTOR,
    HEX,
    INVERSES,
    KIND,
    LETTER,
    LOWER,
    POWERS,
    SEXTET,
    TEXT,
    VOWEL,
    WIDTH,
    Bytes8,
    column,
    count,
    count_each,
    pad,
    pad_left,
    quads,
    table,
    whole_hashes,
    word_hash,
)
from detector.entropy import Floats, in_columns

BEFORE, AFTER = 96, 24  # bytes around a value that are looked at
VALUE = WIDTH
WORDS = 32  # of these, bytes in which words are looked up
LINE, NEAR, ABOVE = 80, 32, 40  # bytes before a value: in its line, next to it, above its line
BITS = 14  # of a bag's hashes: 16,384 weights each

Column = NDArray[Any]
Named = Iterator[tuple[str | list[str], Column]]
"""A feature's name and its column; or the names of several and their rows."""


class Candidates(NamedTuple):
    """Columns of ``n`` candidates: the values, and up to ``BEFORE`` and ``AFTER`` bytes around
    each; ``paths`` are the sources they stand in, as their user names them."""

    values: Sequence[bytes]
    before: Sequence[bytes]
    after: Sequence[bytes]
    paths: Sequence[str]

    def __repr__(self) -> str:
        return f"Candidates({len(self.values)})"  # never the values


class Lookups(NamedTuple):
    """Tables that travel with a model: sorted hashes of common passwords with their ``ranks``
    (1 for the commonest, 0 for none), the :func:`~detector.bytetables.word_bits` of English
    words, and ``bigrams``, the log ratio of each pair of letters to chance, of shape
    ``(2, 27, 27)``: in English and in passwords."""

    passwords: NDArray[np.uint32]
    ranks: Floats
    words: NDArray[np.bool_]
    bigrams: Floats


_OPENS, _QUOTES, _CLOSES = table(b"${<%[#@("), table(b"\"'`"), table(b",;)}]:=.+ \0\t\n\r")
_COUNTED = b"_-./:+=@!?$%({ "  # of a value's bytes
_LINE_COUNTED = b'=:({}",/#.'  # of the bytes before it in its line
_ENDS = b"\"'`,;)}@.(:\n"  # what may follow it
_COUNTED_KINDS = bytes(range(1, 6))
_TURNS = bytes((1 * 12 + 2, 1 * 12 + 3, 3 * 12 + 1))  # small to capital, letter to digit and back
_PATHS = {
    "test": r"(?:^|[/_.-])(?:tests?|testing|specs?|e2e|fixtures?|mocks?|testdata)(?=[/_.-]|$)",
    "example": r"examples?|samples?|demos?|tutorial|template|\.dist$|\.tpl$|playground",
    "docs": r"docs?/|readme|\.(?:md|mdx|rst|adoc|html?)$",
    "config": r"\.env|config|settings|\.(?:ya?ml|ini|toml|conf|cnf|properties|json|xml)$",
    "locale": r"locale|i18n|lang(?:uages?)?/|translations?|messages",
    "built": r"\.min\.|\.map$|bundle|dist/|\.lock$|-lock\.|vendor/|node_modules",
    "data": r"\.(?:sql|dump|csv|tsv|jsonl|log)$|dump|backup|export",
}  # fmt: skip
_PATH_PATTERNS = [re.compile(pattern, re.IGNORECASE) for pattern in _PATHS.values()]


def matrix(candidates: Candidates, lookups: Lookups) -> Floats:
    """Of shape ``(len(FEATURES), n)``."""
    return columns(candidates, lookups)[0]


def columns(candidates: Candidates, lookups: Lookups) -> tuple[Floats, list[NDArray[np.uint32]]]:
    """:func:`matrix` and :func:`ngrams` at once: they look at the same bytes."""
    value, around = _Value(candidates.values), _Around(candidates)
    out = np.empty((len(FEATURES), len(candidates.values)), np.float32)
    at = 0
    for _, rows in _features(candidates, value, around, lookups):
        more = rows.shape[0] if rows.ndim == 2 else 1
        out[at : at + more] = rows
        at += more
    return out, _ngrams(candidates, value, around)


def _features(candidates: Candidates, value: _Value, around: _Around, lookups: Lookups) -> Named:
    yield from value.features()
    yield from value.language(lookups)
    yield from value.decoded()
    yield from value.shapes()
    yield from around.features(value)
    paths, row = _distinct(candidates.paths)
    flags = np.array([_path_flags(path) for path in paths], np.bool_)
    yield [f"path:{name}" for name in _PATHS], flags[row].T


def _distinct(paths: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Each path once, and which of them each candidate has. A batch is of one file, mostly."""
    numbers: dict[str, int] = {}
    row = [numbers.setdefault(path, len(numbers)) for path in paths]
    return list(numbers), np.array(row, np.intp)


@lru_cache(maxsize=256)
def _path_flags(path: str) -> tuple[bool, ...]:
    return tuple(bool(pattern.search(path)) for pattern in _PATH_PATTERNS)


def _each(name: str, chars: bytes) -> list[str]:
    return [f"{name}:{char if char < 32 else chr(char)}" for char in chars]


class _Value:
    """The values' own bytes, and what several features need of them."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self.raw = values
        self.bytes = pad(values, VALUE)
        self.length = np.fromiter(map(len, values), np.int64, len(values))
        self.seen = np.minimum(self.length, VALUE)
        self.size = np.maximum(self.seen, 1).astype(np.float32)
        self.kind = np.take(KIND, self.bytes)
        self.letter = np.take(LETTER, self.bytes)
        self.lower = np.take(LOWER, self.bytes)

    def features(self) -> Named:
        """Length, alphabet, order."""
        kind, size = self.kind, self.size
        yield "length", self.length
        yield "entropy", in_columns(self.raw)[0]
        kinds = count_each(kind, _COUNTED_KINDS)
        digits = kinds[2]
        symbols = self.seen - kinds.sum(axis=0)
        yield ["share:lower", "share:upper", "share:digit", "share:beyond"], kinds[:4] / size
        yield "share:symbols", symbols / size
        yield _each("count", _COUNTED), count_each(self.bytes, _COUNTED)
        inside = self.bytes[1:] != 0
        left, right = kind[:-1], kind[1:]
        changes = count((left != right) & inside)
        yield "changes", changes
        yield "changes:share", changes / size
        turns = count_each(left * 12 + right, _TURNS)
        yield ["camel", "letter_digit", "digit_letter"], turns
        step = self.bytes[1:] - self.bytes[:-1]
        yield "repeats", count((step == 0) & inside) / size
        yield "steps", count(((step == 1) | (step == 255)) & inside) / size
        yield "first", kind[0]
        yield "last", KIND[[raw[-1] if raw else 0 for raw in self.raw]]
        hexadecimal = count(np.take(HEX, self.bytes))
        pure = (hexadecimal == self.seen) & (digits > 0)
        yield "hex", hexadecimal / size
        yield "hex:even", pure & (self.length >= 16) & (self.length % 2 == 0)
        yield "hex:digest", pure & np.isin(self.length, (32, 40, 64, 96, 128))
        dashes = count(self.bytes[[8, 13, 18, 23]] == 45)
        yield "uuid", (self.length == 36) & (dashes == 4) & (hexadecimal == 32)

    def shapes(self) -> Named:
        """What a value looks like as a whole, if it looks like something."""
        kind, text = self.kind, self.bytes
        first, second = text[0], text[1]
        lower, upper, digits, _, blanks, joints = count_each(kind, bytes(range(1, 7)))
        dots, slashes, ats = count_each(text, b"./@")
        seen = self.seen
        yield "shape:template", np.take(_OPENS, first) & np.take(_OPENS, second)
        scheme = (text[:-2] == 58) & (text[1:-1] == 47) & (text[2:] == 47)
        yield "shape:url", scheme.any(axis=0)
        yield (
            "shape:path",
            (first == 47) | (first == 46) | (first == 126) | ((slashes > 0) & (dots > 0)),
        )
        yield "shape:email", (ats == 1) & (dots > 0) & (first != 64)
        yield "shape:date", (digits >= 6) & (text[4] == 45) & (text[7] == 45)
        yield "shape:number", (digits == seen) | ((first == 48) & (second == 120))
        yield "shape:version", (digits + dots == seen) & (dots > 0)
        yield "shape:call", (text == 40).any(axis=0) & (kind[0] <= 2)
        yield "shape:lookup", (lower + upper + dots + joints == seen) & (dots > 0)
        yield "shape:constant", (upper + digits + joints == seen) & (upper > 2)
        yield "shape:words", (lower + upper + joints + blanks == seen) & (joints > 0)
        yield "shape:one_case", (lower == seen) | (upper == seen)

    def language(self, lookups: Lookups) -> Named:
        """How far the letters are words, or what people choose as passwords."""
        letters = np.maximum(count(self.letter > 0), 1)
        yield "vowels", count(np.take(VOWEL, self.bytes)) / letters
        left, right = self.letter[:-1], self.letter[1:]
        pairs = np.maximum(count((left > 0) & (right > 0)), 1)
        cell = left.astype(np.intp) * 27 + right
        english = np.take(lookups.bigrams[0], cell)
        yield "english", english.sum(axis=0) / pairs
        yield "english:least", english.min(axis=0)
        yield "passwordlike", np.take(lookups.bigrams[1], cell).sum(axis=0) / pairs
        yield (
            "words",
            self._in_words(lookups.words) / np.maximum(count(self.letter[:WORDS] > 0), 1),
        )
        yield "common", self._common(lookups)

    def _in_words(self, words: NDArray[np.bool_]) -> Column:
        """How many letters belong to runs that are English words."""
        letter = np.ascontiguousarray(self.letter[:WORDS].T)
        upper = np.ascontiguousarray((self.kind[:WORDS] == 2).T)
        # A run's hash is the same wherever it stands: the sum of its letters times powers of an
        # odd number, over the power at its start (odd numbers have inverses modulo 2^32).
        sums = np.zeros((len(letter), WORDS + 1), np.uint32)
        np.cumsum(letter * POWERS[:WORDS], axis=1, out=sums[:, 1:], dtype=np.uint32)
        edge = np.zeros((len(letter), WORDS + 1), np.bool_)
        inside = letter > 0
        edge[:, 0], edge[:, -1] = inside[:, 0], inside[:, -1]
        # A capital behind a small letter begins another word.
        camel = upper[:, 1:] & inside[:, :-1] & ~upper[:, :-1]
        edge[:, 1:-1] = (inside[:, 1:] != inside[:, :-1]) | camel
        row, place = np.divmod(np.flatnonzero(edge), WORDS + 1)
        # From each edge to the next in the same row, where letters stand between the two.
        begins = inside[row[:-1], np.minimum(place[:-1], WORDS - 1)]
        runs = np.flatnonzero((row[1:] == row[:-1]) & begins)
        row, start, end = row[runs], place[runs], place[runs + 1]
        hashes = (sums[row, end] - sums[row, start]) * INVERSES[start]
        known = np.take(words, hashes >> np.uint32(12)) & (end - start >= 3)
        return np.bincount(row[known], (end - start)[known], minlength=len(letter))

    def _common(self, lookups: Lookups) -> Column:
        """How common the value is as a password, in any case."""
        hashes = whole_hashes(self.lower)
        place = np.minimum(np.searchsorted(lookups.passwords, hashes), len(lookups.passwords) - 1)
        known = (lookups.passwords[place] == hashes) & (self.length <= VALUE)
        return np.where(known, lookups.ranks[place], 0)

    def decoded(self) -> Named:
        """Whether it is base64, and of what."""
        sextet = np.take(SEXTET, self.bytes)
        share = count(sextet < 64) / self.size
        yield "base64", share
        quads = (sextet & 63).reshape(VALUE // 4, 4, -1)
        high = quads[:, 0] << 2 | quads[:, 1] >> 4
        middle = quads[:, 1] << 4 | quads[:, 2] >> 2
        low = quads[:, 2] << 6 | quads[:, 3]
        whole = np.arange(VALUE // 4)[:, None] < (self.seen // 4)[None, :]
        printable = np.zeros(len(self.raw), np.float32)
        colon = np.zeros(len(self.raw), np.bool_)
        for decoded in (high, middle, low):
            printable += count((decoded - np.uint8(32) < 95) & whole)
            colon |= ((decoded == 58) & whole).any(axis=0)
        text = np.where(share > 0.9, printable / np.maximum(self.seen // 4 * 3, 1), 0)
        yield "base64:text", text
        yield "base64:pair", (text > 0.9) & colon


class _Around:
    """The bytes before the values, in their own line and above it, and behind them."""

    def __init__(self, candidates: Candidates) -> None:
        split = [before.rpartition(b"\n") for before in candidates.before]
        self.line = pad_left([line for _, _, line in split], LINE)
        self.above = pad_left([above for above, _, _ in split], ABOVE)
        self.rest = pad(candidates.after, AFTER)
        self.rest[self.rest == 13] = 10
        going = np.ones(len(split), np.bool_)
        for place in range(AFTER):  # as far as the line goes, its end included
            self.rest[place] *= going
            going &= self.rest[place] != 10

    def features(self, value: _Value) -> Named:
        """Quotes, operators, and whether the value repeats what stands around it."""
        line, rest = self.line, self.rest
        text = quads(np.take(LOWER, line))
        behind = quads(np.take(LOWER, rest))
        begins = quads(value.lower[:10])[[0, 3, 6]]
        real = np.maximum(count(begins & 255 > 0), 1)
        for name, where in (("name", text[-NEAR:]), ("line", text[:-NEAR]), ("rest", behind)):
            same = [(where == begin).any(axis=0) & (begin & 255 > 0) for begin in begins]
            yield f"like:{name}", np.sum(same, axis=0) / real
        quoted = np.take(_QUOTES, line[-1])
        yield "quoted", quoted
        yield "escaped", quoted & (line[-2] == 92)
        yield "operator:=", line[-1] == 61
        yield "operator::", (line[-1] == 58) | ((line[-1] == 32) & (line[-2] == 58))
        yield "operator: ", (line[-1] == 32) & (line[-2] != 58)
        yield "line:length", count(line > 0)
        yield "line:lower", count(line - np.uint8(97) < 26)
        yield "line:upper", count(line - np.uint8(65) < 26)
        yield _each("line", _LINE_COUNTED), count_each(line, _LINE_COUNTED)
        yield _each("ends", _ENDS), rest[0] == column(_ENDS)
        yield "rest:length", count(rest > 0)
        yield "closed", quoted & (rest[0] == line[-1]) & np.take(_CLOSES, rest[1])


_NOBODY = Lookups(
    np.zeros(1, np.uint32), np.zeros(1, np.float32), np.zeros(1 << 20, np.bool_),
    np.zeros((2, 27, 27), np.float32),
)  # fmt: skip
_ONE = Candidates([b"x"], [b""], [b""], [""])
FEATURES = [
    name
    for names, _ in _features(_ONE, _Value(_ONE.values), _Around(_ONE), _NOBODY)
    for name in ([names] if isinstance(names, str) else names)
]
BAGS = ("near", "near:wide", "line", "above", "after", "value", "value:wide", "suffix")


def ngrams(candidates: Candidates) -> list[NDArray[np.uint32]]:
    """For each of ``BAGS`` the hashes below ``2 ** BITS`` of what is in it, of shape ``(k, n)``.
    What holds NULs only has the hash :func:`empty`."""
    return _ngrams(candidates, _Value(candidates.values), _Around(candidates))


def _ngrams(candidates: Candidates, value: _Value, around: _Around) -> list[NDArray[np.uint32]]:
    text = np.take(TEXT, around.line)
    near3, near5 = _hashes(text[-NEAR:], 3), _hashes(text[-NEAR:], 5)
    value3, value5 = _hashes(value.lower[:24], 3), _hashes(value.lower[:24], 5)
    line = _hashes(text[: 3 - NEAR], 4)
    above, after = (
        _hashes(np.take(TEXT, around.above), 4),
        _hashes(np.take(TEXT, around.rest[:16]), 3),
    )
    paths, row = _distinct(candidates.paths)
    suffixes = np.array([_suffix_hash(path) for path in paths], np.uint32)[None, row]
    return [near3, near5, line, above, after, value3, value5, suffixes]


def _hashes(table: Bytes8, size: int) -> NDArray[np.uint32]:
    width = len(table) - size + 1
    hashes = table[:width].astype(np.uint32)
    for place in range(1, size):
        hashes *= np.uint32(FACTOR)
        hashes ^= table[place : width + place]
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(15)
    hashes *= np.uint32(0x9E3779B1)
    hashes >>= np.uint32(32 - BITS)
    return hashes


EMPTY = 0
"""The hash of NULs only: where a text has ended, or not begun. It has no weight."""


@lru_cache(maxsize=256)
def _suffix_hash(path: str) -> int:
    name = path.rpartition("!")[2].rpartition("/")[2].lower()
    suffix = "".join(char for char in name.rpartition(".")[2][:12] if "a" <= char <= "z")
    return (word_hash(suffix) * 0x9E3779B1 & 0xFFFFFFFF) >> (32 - BITS)
