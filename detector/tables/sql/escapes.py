"""Strings with backslashes: of every kind in MySQL, ``E''`` in PostgreSQL.

https://dev.mysql.com/doc/refman/8.4/en/string-literals.html,
https://www.postgresql.org/docs/current/sql-syntax-lexical.html.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from detector.tables.sql.state import State


class Cut(NamedTuple):
    """``size``: bytes at the end whose meaning is open; ``open_escaped``: the string that is open
    at the end has backslashes."""

    size: int
    open_escaped: bool


def without_escapes(state: State, text: bytes, *, backslashes: bool) -> tuple[bytes, Cut]:
    """The text with what backslashes escape replaced, byte for byte."""
    if backslashes:
        cut = 1 if (len(text) - len(text.rstrip(b"\\"))) & 1 else 0
        if b"\\" in text:
            text = text.replace(b"\\\\", b"\0\0").replace(b"\\'", b"\0\0")
        return text, Cut(cut, False)
    begin, was_open = 0, False
    if state.inside:  # up to the end of the string that is open
        found = (_REST_ESCAPED if state.escapes else _REST).match(text)
        begin = found.end() if found else len(text)
        if state.escapes:
            was_open = begin == len(text) and not _REST_CLOSED.fullmatch(text)
            text = _blank(text[:begin]) + text[begin:]
    if _may_escape(text):
        text, was_open = _blank_escaped(text, begin, was_open)
    return text, Cut(int(text.endswith((b"E", b"e") + ((b"\\",) if was_open else ()))), was_open)


_REST = re.compile(rb"(?:[^']|'')*+'")
_REST_ESCAPED = re.compile(rb"(?:[^'\\]|''|\\.)*+(?:'|\\?\Z)", re.DOTALL)
_REST_CLOSED = re.compile(rb"(?:[^'\\]|''|\\.)*+'", re.DOTALL)
_TOKENS = re.compile(
    rb"(?<![\w$\x80-\xff])[Ee]'(?:[^'\\]|''|\\.)*+('|\\?\Z)|'(?:[^']|'')*+(?:'|\Z)", re.DOTALL
)


def _may_escape(text: bytes) -> bool:
    """Whether a quote has an E before it that begins a word: not just the end of a string."""
    column = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(column == 39)
    quotes = quotes[quotes > 0]
    letters = quotes[column[quotes - 1] | 32 == 101] - 1
    return bool((np.isin(column[letters[letters > 0] - 1], _BEFORE)).any() or (letters == 0).any())


_BEFORE = np.frombuffer(b"(, \t\r\n", np.uint8)


def _blank_escaped(text: bytes, begin: int, was_open: bool) -> tuple[bytes, bool]:
    """With the escapes of E'' strings from ``begin`` on replaced. Slow, and rare in dumps. An E
    before a quote inside of another string begins none, so all strings are looked at."""
    at, parts = begin, [text[:begin]]
    for found in _TOKENS.finditer(text, begin):
        parts.append(text[at : found.start()])
        token = found[0]
        if token[:1] in b"Ee":
            was_open = found[1] != b"'"
            token = token[:2] + _blank(token[2:])
        parts.append(token)
        at = found.end()
    return b"".join([*parts, text[at:]]), was_open


def _blank(text: bytes) -> bytes:
    return text.replace(b"\\\\", b"\0\0").replace(b"\\'", b"\0\0")
