"""Which dialect a text is, by its name and its first bytes.

What its suffix says is believed. Of other texts only those are tables that cannot well be anything
else: to take prose, code or a log for one would give each finding a wrong place.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

import msgspec

from detector.tables.csvs import Csv
from detector.tables.jsons import JsonArray, JsonLines, holds_tables
from detector.tables.layout import Dialect
from detector.tables.sql import Sql

HEAD = 4096  # bytes that are looked at
LONGEST = 256  # characters of a value that can be a number, a date or the like
BOM = b"\xef\xbb\xbf"
CERTAIN_ROWS, CERTAIN_FIELDS = 3, 3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PACKED = _words("gz gzip bgz zst zstd bz2 xz lzma lz4 br z sz")
_SQL = {"sql", "psql", "pgsql", "mysql", "ddl"}
_LINES = {"jsonl", "ndjson", "jsonlines", "ldjson", "njson"}
_CSV = {"csv": ",;\t|", "tsv": "\t,;|", "tab": "\t,;|", "psv": "|,;\t", "ssv": ";,\t|"}
_OTHERS = _words(
    # Code, markup, prose and logs by their name: never tables, whatever they look like.
    "py pyi js mjs cjs ts jsx tsx vue svelte java kt scala groovy c h cc cpp hpp cs go rs rb php pl"
    " pm lua r jl swift m sh bash zsh fish ps1 bat cmd md markdown rst adoc tex html htm xhtml css"
    " scss sass less xml xsl svg yml yaml toml ini cfg conf properties env log lock diff patch map"
    " ex exs erl hs ml clj el lisp vim t tf hcl proto graphql gradle cmake mk dockerfile"
)

_DUMP = re.compile(  # pg_dump begins with an empty comment, MariaDB's with one of its own
    rb"(?:\s|--\s*\n|/\*M![^\n]*\n)*+"
    rb"-- (?:PostgreSQL database|(?:MySQL|MariaDB) dump|phpMyAdmin SQL)"
)
_COMMENTS = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|#[^\n]*\n|/\*(?!!).*?\*/)*+", re.DOTALL)
_STATEMENT = re.compile(
    rb"/\*!\d{5}|/\*M!|SET\s+[@\w.]+\s*(?:=|TO\b)|PRAGMA\s+\w+|BEGIN(?:\s+TRANSACTION)?\s*;"
    rb"|START\s+TRANSACTION|(?-i:USE)\s+\S+\s*;|LOCK\s+TABLES|DROP\s+(?:TABLE|DATABASE|SCHEMA)\s"
    rb"|CREATE\s+(?:DATABASE|SCHEMA|EXTENSION|TABLE|TYPE|SEQUENCE)\s|INSERT\s+INTO\s|COPY\s",
    re.IGNORECASE,
)
_DATA = re.compile(
    rb"^[ \t]*(?:CREATE\s+TABLE\s+[^;]{1,200}?\(|COPY\s+[^;]{1,2000}?FROM\s+stdin"
    rb"|(?:INSERT|REPLACE)\s+(?:IGNORE\s+|OR\s+\w+\s+)?INTO\s+\S+\s*(?:\(|VALUES))",
    re.IGNORECASE | re.MULTILINE,
)
_MYSQL = re.compile(
    rb"/\*!\d{5}|/\*M!|-- (?:MySQL|MariaDB|phpMyAdmin|HeidiSQL)|\bENGINE\s*=|\bAUTO_INCREMENT\b"
    rb"|^(?:INSERT\s+INTO|CREATE\s+TABLE|DROP\s+TABLE|LOCK\s+TABLES)[^\n`]*`",
    re.IGNORECASE | re.MULTILINE,
)
_NO_MYSQL = re.compile(
    rb"-- PostgreSQL database|\bFROM\s+stdin\b|^PRAGMA\s|\bsqlite_|^BEGIN TRANSACTION;",
    re.IGNORECASE | re.MULTILINE,
)


def sniff(path: str, head: bytes) -> Dialect | None:
    """The dialect of a text whose first bytes are ``head``, cut anywhere; None if it is no table.

    ``path``: what is behind the last ``!`` or ``/`` of it names the table.
    """
    name, suffix = _name(path)
    head = bytes(head[:HEAD]).removeprefix(BOM)
    if b"\0" in head:
        return None
    if suffix in _SQL or (suffix not in _OTHERS and _is_sql(head)):
        return Sql(backslashes=bool(_MYSQL.search(head)) and not _NO_MYSQL.search(head))
    if suffix in _CSV:
        return _csv(name, head, _CSV[suffix])
    if found := _json(name, suffix, head):
        return found
    return None if suffix in _OTHERS else _certain_csv(name, head)


def _name(path: str) -> tuple[str, str]:
    """The table's name and the suffix, in small letters, without that of a compression."""
    last = re.split(r"[!/\\]", path)[-1]
    stem, _, suffix = last.rpartition(".")
    if stem and suffix.lower() in _PACKED:
        last = stem
        stem, _, suffix = last.rpartition(".")
    return (stem, suffix.lower()) if stem else (last or "table", "")


def _is_sql(head: bytes) -> bool:
    """Whether it begins as a dump does."""
    if _DUMP.match(head):
        return True
    begin = _COMMENTS.match(head)
    return bool(begin and _STATEMENT.match(head, begin.end()) and _DATA.search(head))


# JSON


def _json(name: str, suffix: str, head: bytes) -> Dialect | None:
    text = head.lstrip()
    if text[:1] not in (b"{", b"["):
        return None
    if suffix in _LINES or _is_json_lines(text):
        return JsonLines(name)
    if suffix in _OTHERS:
        return None
    if re.match(rb"\[\s*\{\s*\"" if suffix != "json" else rb"\[\s*\{", text):
        return JsonArray(name)
    if re.match(rb"\{\s*\"", text) and holds_tables(text):
        return JsonArray(name)
    return None


def _is_json_lines(text: bytes) -> bool:
    """Whether there is a line that is an object, all lines are, and another one begins."""
    *lines, rest = (line.strip() for line in text.split(b"\n"))
    lines = [line for line in lines if line]
    if not lines or not all(line[:1] == b"{" and _is_object(line) for line in lines):
        return False
    return (not rest and len(lines) > 1) or rest[:1] == b"{"


def _is_object(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


# Delimited text

_NUMBER = r"[-+]?[$€£]?\d[\d .,' ]*(?:[eE][-+]?\d+)?\s?[%$€£]?"
_TYPED = re.compile(
    rf"{_NUMBER}|\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}(?:[T ]\d{{1,2}}:\d\d\S*(?: ?[+-]?\w+)?)?"
    r"|\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?|[^\s@]+@[^\s@]+\.\w+|[a-z][a-z0-9+.-]*://\S+"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|\d+\.\d+\.\d+\.\d+"
    r"|(?i:true|false|yes|no|null|none|\\N|nan|n/?a|t|f)",
)
_CLEAN = re.compile(r"[\w .@:/+-]*")
_TURNS = re.compile(r"\d(?=[A-Za-z])|[A-Za-z](?=\d)|[a-z](?=[A-Z])")
_CONSONANTS = re.compile(r"[b-df-hj-np-tv-z]{6}", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[^\W\d][\w .,:;/()\[\]#%&?*+@$'-]{0,63}")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_KNOWN = _words(
    "id ids key name names first last middle full nick nickname user users username login email"
    " mail phone mobile tel fax address street city town state province region country zip postal"
    " postcode code date time datetime timestamp ts created updated deleted modified type kind"
    " status value amount price cost total sum count number num qty quantity url uri link href"
    " title description desc text body content message msg note notes comment comments token"
    " tokens secret password passwd pwd pass hash salt api role roles group owner account ip host"
    " hostname port path file filename size lang language locale category tag tags score rank"
    " rating year month day week age gender sex dob birth birthday birthdate lat lon lng latitude"
    " longitude active enabled uuid guid ref reference parent order item product sku currency tax"
    " discount company organization org department dept job salary source target sender recipient"
    " subject channel version level event action data meta metadata class label index street"
    " website avatar image photo bio author customer client vendor supplier invoice payment"
    " balance method agent session device model brand color weight height length width duration"
    " start end begin expires domain"
)


def _csv(name: str, head: bytes, delimiters: str) -> Csv:
    """The best reading of what is known to be delimited."""
    text = head.decode("latin-1")
    newline = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
    readings = [(d, _records(text, d, newline)) for d in delimiters]
    best, table = max(readings, key=lambda r: _fit(text, *r))  # of equals the first
    if _fit(text, best, table) == 0:
        best = delimiters[0]
        table = _records(text, best, newline)
    return _dialect(name, text, best, newline, table)


def _certain_csv(name: str, head: bytes) -> Csv | None:
    """A reading that leaves no doubt, or None."""
    if head.count(b"\n") < CERTAIN_ROWS:
        return None
    text = head.decode("latin-1")
    readings = [(d, _records(text, d, b"\n")) for d in "\t,;|"]
    delimiter, table = max(readings, key=lambda r: _fit(text, *r))
    width = len(table[0]) if table else 0
    if len(table) < CERTAIN_ROWS or width < CERTAIN_FIELDS:
        return None
    if not all(len(row) == width for row in table) or not _is_plain(text, delimiter, table):
        return None
    found = _dialect(name, text, delimiter, b"\n", table)
    if found.header or any(all(_is_typed(row[n]) for row in table) for n in range(width)):
        return found
    return None


_ODD = re.compile(r"[(){}\[\]=<>`]|--|\\(?!N\b)|//(?<!://)")
_LEVELS = re.compile(r"(?:\d|\])[ ]+\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|ERROR|FATAL|CRIT)")


def _is_plain(text: str, delimiter: str, table: Sequence[Sequence[str]]) -> bool:
    """Whether it is not code, a log, prose or a table drawn with characters."""
    lines = text.split("\n")[: len(table)]
    if any(line[:1].isspace() and delimiter != "\t" for line in lines) or _LEVELS.search(text):
        return False
    if any(line.startswith(("|", "#!", "//", "/*")) for line in lines):
        return False
    if all(row[-1] == "" for row in table):  # a comma or semicolon at the end of each line
        return False
    spaced = sum(cell[:1] == " " for row in table for cell in row[1:])
    between = sum(len(row) - 1 for row in table)
    if delimiter != "\t" and '"' not in text and spaced * 5 > between:
        return False
    unquoted = re.sub(r'"(?:[^"]|"")*+"', "", text)
    odd = sum(bool(_ODD.search(line)) for line in unquoted.split("\n"))
    return odd * 10 <= len(lines)


def _records(text: str, delimiter: str, newline: bytes, quote: str = '"') -> list[list[str]]:
    """The rows that are whole; a single one if there is no other."""
    lines = re.split(r"(?<=\r)" if newline == b"\r" else r"(?<=\n)", text)
    spaced = _is_spaced(text, delimiter, quote)
    try:
        rows = list(
            csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=spaced)
        )
    except csv.Error:  # a CR in the middle of a line
        rows = [line.rstrip("\r\n").split(delimiter) for line in lines if line]
    if rows and not text.endswith(("\n", "\r")):
        if len(rows) > 1:
            rows.pop()
        elif len(text) >= HEAD - len(BOM):
            rows[0].pop()
    return [row for row in rows if row]


def _is_spaced(text: str, delimiter: str, quote: str) -> bool:
    """Whether a quote follows a delimiter and a space; two are those of JSON in quotes."""
    return bool(re.search(rf"{re.escape(delimiter)} {quote}(?!{quote})", text))


def _fit(text: str, delimiter: str, table: Sequence[Sequence[str]]) -> float:
    """How well a table is one: as wide as its first row, of values that are of some type, with
    quotes at their ends.

    https://doi.org/10.1007/s10618-019-00646-y: consistency is that of the pattern times that of
    the types.
    """
    width = len(table[0]) if table else 0
    if width < 2:
        return 0
    same = sum(len(row) == width for row in table) / len(table)
    cells = [cell.strip(" ") for row in table[:50] for cell in row]
    typed = [not cell or _is_typed(cell) for cell in cells]
    clean = [t or bool(_CLEAN.fullmatch(cell)) for t, cell in zip(typed, cells, strict=True)]
    edge = re.escape(delimiter)
    quotes = len(re.findall(r'(?<!")"(?!")', text))
    within = len(re.findall(rf'(?<![{edge}"\r\n])(?<!{edge} )(?<!\A)"(?![{edge}"\r\n]|\Z)', text))
    same *= 1 - within / max(1, quotes)
    return same * same * (0.1 + (sum(typed) + sum(clean)) / (2 * len(cells)))


def _dialect(name: str, text: str, delimiter: str, newline: bytes, table: list[list[str]]) -> Csv:
    """With the other properties of a reading."""
    cells = [cell for row in table for cell in row]
    quote = '"'
    single = sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    if single * 2 > len(cells) and '"' not in text:
        quote = "'"
        table = _records(text, delimiter, newline, quote)
    edge = rf"[{re.escape(delimiter)}\r\n]"
    escaped = "\\N" in cells or re.search(rf"\\{quote}(?!{edge}|\Z)", text)
    doubled = re.search(rf"(?<!{edge}){quote}{quote}(?!{edge}|\Z)", text)
    backslashes = bool(escaped and not doubled)
    if backslashes and delimiter == "\t" and not any(c.startswith(quote) for c in _starts(text)):
        quote = ""
    return Csv(
        name,
        delimiter.encode(),
        quote.encode(),
        _header(table),
        backslashes=backslashes,
        spaced=bool(quote) and _is_spaced(text, delimiter, quote),
        newline=newline,
    )


def _starts(text: str) -> list[str]:
    return re.findall(r"(?:^|\t)(.?)", text)


def _header(table: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """The names of the columns, if the first row looks like names and unlike those below.

    In doubt there are none: a value that is taken for a name would be shown as one.
    """
    if not table:
        return None
    first, body = [cell.strip() for cell in table[0]], table[1:]
    named = [cell for cell in first if cell]
    if len(named) < max(1, len(first) - 1) or len(set(named)) < len(named):
        return None
    if not all(map(_is_name, named)) or not (body or all(len(c.split()) < 4 for c in named)):
        return None
    if any(_is_alike(cell, _column(body, n)) for n, cell in enumerate(first) if cell):
        return None
    known = sum(any(p.lower() in _KNOWN for p in _PARTS.findall(cell)) for cell in named)
    if known * 2 < len(named) and not _differs(first, body):
        return None
    names = [_utf8(cell) or f"column {n}" for n, cell in enumerate(first, 1)]
    return tuple(names)


def _is_name(cell: str) -> bool:
    return bool(_IDENTIFIER.fullmatch(_utf8(cell)) and not _is_typed(cell) and not _is_random(cell))


def _is_typed(cell: str) -> bool:
    return len(cell) <= LONGEST and bool(_TYPED.fullmatch(cell))


def _is_random(cell: str) -> bool:
    """Whether letters and digits, or small and large, take turns as in no name, or a word is
    longer than words are or has more consonants on end."""
    turns = len(_TURNS.findall(cell))
    if turns > 5 and len(cell) < 5 * turns:
        return True
    words = re.split(r"[\W_]+", cell)
    if any(len(word) > 15 and _CONSONANTS.search(word) for word in words):
        return True
    return any(len(part) > 24 for word in words for part in re.split("(?<=[a-z])(?=[A-Z])", word))


def _column(body: Sequence[Sequence[str]], n: int) -> list[str]:
    return [value for row in body if n < len(row) and (value := row[n].strip())]


def _is_alike(cell: str, values: Sequence[str]) -> bool:
    """Whether it is one of them, or as long as most of those that can be anything."""
    alike = sum(len(value) == len(cell) and not _is_typed(value) for value in values)
    return cell in values or (len(cell) > 9 and alike * 5 >= len(values) * 4 > 0)


def _differs(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether some column's values are of a type that a name is not."""
    for values in (_column(body, n) for n in range(len(first))):
        typed = sum(_is_typed(value) or _is_random(value) for value in values)
        if values and typed * 5 >= len(values) * 4:
            return True
    return False


def _utf8(cell: str) -> str:
    return cell.encode("latin-1").decode("utf-8", "replace")
