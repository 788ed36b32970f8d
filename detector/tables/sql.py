"""Dumps in SQL: COPY blocks of PostgreSQL, and INSERT statements as everybody writes them.

Three modes. Between the data, statements are cut by one regex each. A COPY block is lines and
tabs. The lists behind VALUES are looked at with numpy, a stride at a time: where quotes are, what
parentheses and commas stand outside of them; statements with the same head follow each other
without leaving that mode, since dumps with one row a statement have nothing else.

Formats: https://www.postgresql.org/docs/current/sql-copy.html (text format),
https://dev.mysql.com/doc/refman/8.4/en/string-literals.html (backslashes),
https://www.postgresql.org/docs/current/sql-syntax-lexical.html (E'', dollar quotes).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.tables.census import Census
from detector.tables.layout import NOWHERE, Cell
from detector.types import Bytes

LONGEST = 1 << 20  # bytes of a statement that is not data; a longer one is passed over
MANY = 32  # places from which on a list of all separators pays
SAMPLES = 12  # rows sampled of a piece

Ints = NDArray[np.int64]

_SQL, _COPY, _VALUES = 0, 1, 2

_NAME = rb"(?:\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`|\[[^\]]+\]|[\w$\x80-\xff]+)"
_NAMES = rb"%s(?:\s*\.\s*%s){0,2}" % (_NAME, _NAME)
_LIST = rb"\(\s*%s(?:\s*,\s*%s)*\s*\)" % (_NAME, _NAME)
_SPACE = re.compile(rb"(?:\s+|--[^\n]*\n|#[^\n]*\n|/\*(?!!).*?\*/|\\[a-z]+[^\n]*\n)*+", re.DOTALL)
_INSERT = re.compile(
    rb"(?:INSERT\s+(?:IGNORE\s+|OR\s+\w+\s+)?|REPLACE\s+)INTO\s+(?:ONLY\s+)?(%s)\s*(%s)?\s*"
    rb"(?:OVERRIDING\s+\w+\s+VALUE\s*)?VALUES\s*" % (_NAMES, _LIST),
    re.IGNORECASE,
)
_INSERTS = re.compile(rb"(?:INSERT|REPLACE)\b", re.IGNORECASE)
_COPIES = re.compile(
    rb"COPY\s+(%s)\s*(%s)?\s+FROM\s+stdin\b[^;]*;" % (_NAMES, _LIST), re.IGNORECASE
)
_CREATES = re.compile(
    rb"CREATE\s+(?:(?:GLOBAL\s+|LOCAL\s+)?(?:TEMP(?:ORARY)?\s+)|UNLOGGED\s+|FOREIGN\s+)?TABLE\s+"
    rb"(?:IF\s+NOT\s+EXISTS\s+)?(%s)\s*\(" % _NAMES,
    re.IGNORECASE,
)
_USES = re.compile(rb"USE\s+(%s)\s*;" % _NAME, re.IGNORECASE)
_DEFINES = re.compile(
    rb"(?:CREATE|ALTER|GRANT|REVOKE|COMMENT\s+ON\s+(?:POLICY|TABLE|SCHEMA)|SET\s+ROLE"
    rb"|SET\s+search_path)\b",
    re.IGNORECASE,
)
_NO_COLUMN = re.compile(
    rb"(?:PRIMARY|FOREIGN|UNIQUE|CHECK|CONSTRAINT|EXCLUDE|LIKE|KEY|INDEX|FULLTEXT|SPATIAL|PERIOD)\b",
    re.IGNORECASE,
)
_QUOTED = (
    rb"\"(?:[^\"]|\"\")*+\"|`(?:[^`]|``)*+`|--[^\n]*\n|/\*.*?\*/"
    rb"|\$(?P<t>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?)\$.*?\$(?P=t)\$"
)
_PLAIN = rb"[^;'\"`$/\\EeNn-]++"
# What begins no quote or comment after all.
_SINGLE = rb"[\\EeNn]|\$(?![\w\x80-\xff]*\$)|/(?!\*)|-(?!-)"
_STATEMENTS = {
    False: re.compile(
        rb"(?:%s|[Ee]'(?:[^'\\]|''|\\.)*+'|'(?:[^']|'')*+'|%s|%s)*+;" % (_PLAIN, _QUOTED, _SINGLE),
        re.DOTALL,
    ),
    True: re.compile(
        rb"(?:%s|'(?:[^'\\]|''|\\.)*+'|%s|%s)*+;" % (_PLAIN, _QUOTED, _SINGLE), re.DOTALL
    ),
}


class State(NamedTuple):
    """What is known at one byte. ``row``: rows of ``table`` begun so far; ``field``: which one of
    the row's the byte is in, from 0; ``inside``: a string, and ``escapes``: one with backslashes;
    ``held``: bytes that say nothing without those that follow."""

    mode: int = _SQL
    held: bytes = b""
    table: str = ""
    columns: tuple[str, ...] = ()
    head: bytes = b""
    row: int = 0
    field: int = 0
    depth: int = 0
    inside: bool = False
    escapes: bool = False
    database: str = ""
    rows: Mapping[str, int] = {}
    defined: Mapping[str, tuple[str, ...]] = {}


def block(table: str, columns: tuple[str, ...]) -> State:
    """The state in front of the first row of a COPY block that has no header."""
    return State(mode=_COPY, table=table, columns=columns)


class Sql:
    """A dump as text. ``backslashes``: they escape in every string, as in MySQL."""

    def __init__(self, *, backslashes: bool = False) -> None:
        self.backslashes = backslashes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sql) and other.backslashes == self.backslashes

    def __hash__(self) -> int:
        return hash(self.backslashes)

    def begin(self) -> State:
        """Before the first statement."""
        return State()

    def walk(
        self, state: State, data: Bytes, positions: Sequence[int], census: Census | None = None
    ) -> tuple[State, list[Cell]]:
        """See :class:`~detector.tables.layout.Dialect`."""
        held = len(state.held)
        text = state.held + bytes(data)
        state = state._replace(held=b"")
        wanted = [position + held for position in positions]
        places: list[Cell] = []
        at, size = 0, len(text)
        while True:
            begun = at
            if state.mode == _COPY:
                walked = _copy(state, text, at, wanted[len(places) :], census)
            elif state.mode == _VALUES:
                walked = self._values(state, text, at, wanted[len(places) :], census)
            else:
                walked = self._statement(state, text, at, wanted[len(places) :], census)
            state, at, found = walked
            places += found
            if at >= size or at <= begun:
                break
        places += [_here(state)] * (len(wanted) - len(places))
        return state._replace(held=text[at:]), places

    def _statement(
        self, state: State, text: bytes, at: int, wanted: Sequence[int], census: Census | None
    ) -> tuple[State, int, list[Cell]]:
        """One statement, or as much of it as shows that rows follow."""
        space = _SPACE.match(text, at)
        begin = space.end() if space else at
        if begin == len(text):  # a comment may go on
            line = text.rfind(b"\n", at) + 1
            return state, max(at, line), _nowhere(wanted, max(at, line))
        if found := _INSERT.match(text, begin):
            if found.end() == len(text):
                return state, begin, _nowhere(wanted, begin)
            if text[found.end()] == 40:
                return self._begin_values(state, found), found.end(), _nowhere(wanted, found.end())
        elif (
            _INSERTS.match(text, begin) and len(text) - begin < 1 << 16 and b";" not in text[begin:]
        ):
            return state, begin, _nowhere(wanted, begin)
        whole = _STATEMENTS[self.backslashes].match(text, begin)
        if whole is None:
            if len(text) - begin <= LONGEST:
                return state, begin, _nowhere(wanted, begin)
            if census is not None:
                census.complete = False
            end = max(text.rfind(b"\n", begin), begin) + 1
            return state, end, _nowhere(wanted, end)
        state, end = self._ended(state, text, begin, whole.end(), census)
        return state, end, _nowhere(wanted, end)

    def _ended(
        self, state: State, text: bytes, begin: int, end: int, census: Census | None
    ) -> tuple[State, int]:
        """Behind a whole statement that holds no rows."""
        statement = text[begin:end]
        if found := _COPIES.match(statement):
            line = text.find(b"\n", end)
            if line < 0:  # the rows begin in the next line
                return state, begin
            table = _table(found[1], state.database)
            columns = _columns(found[2]) or state.defined.get(table, ())
            row = state.rows.get(table, 0)
            return state._replace(
                mode=_COPY, table=table, columns=columns, row=row, field=0
            ), line + 1
        if found := _CREATES.match(statement):
            defined = {
                **state.defined,
                _table(found[1], state.database): _defined(statement[found.end() :]),
            }
            state = state._replace(defined=defined)
        elif found := _USES.match(statement):
            state = state._replace(database=_unquoted(found[1]))
        if census is not None and _DEFINES.match(statement):
            census.define(statement.decode("utf-8", "replace"))
        return state, end

    def _begin_values(self, state: State, found: re.Match[bytes]) -> State:
        table = _table(found[1], state.database)
        columns = _columns(found[2]) or state.defined.get(table, ())
        return state._replace(
            mode=_VALUES, head=found[0], table=table, columns=columns,
            row=state.rows.get(table, 0), field=0, depth=0, inside=False, escapes=False,
        )  # fmt: skip

    def _values(
        self, state: State, text: bytes, at: int, wanted: Sequence[int], census: Census | None
    ) -> tuple[State, int, list[Cell]]:
        part = _Values(self, state, text, at)
        places = part.places(wanted)
        if census is not None:
            census.count(state.table, state.columns, len(part.opens))
            census.sample(state.table, state.columns, part.samples())
        return part.after(), part.end, places


def _here(state: State) -> Cell:
    """The place of the byte that follows."""
    if state.mode == _COPY:
        return Cell(state.table, _field(state.columns, state.field), state.row + 1)
    if state.mode == _VALUES and state.depth:
        return Cell(state.table, _field(state.columns, state.field), state.row)
    return NOWHERE


def _nowhere(wanted: Sequence[int], end: int) -> list[Cell]:
    return [NOWHERE] * bisect_left(wanted, end)


def _copy(
    state: State, text: bytes, at: int, wanted: Sequence[int], census: Census | None
) -> tuple[State, int, list[Cell]]:
    """Lines of a COPY block, up to its end or that of the text."""
    size = len(text)
    fresh = state.field == 0 and not state.inside  # a line begins here
    if fresh and text.startswith(b"\\.", at):
        ended = at
    else:
        ended = text.find(b"\n\\.", at)
        ended = ended + 1 if ended >= 0 else -1
    if ended >= 0 and text[ended + 2 : ended + 3] not in (b"\n", b"\r", b""):  # `\.x` is data
        ended = -1
    if ended >= 0:
        stop = ended
        if len(text) - ended < 3:  # what follows decides
            ended = -1
    else:
        marks = text.endswith(b"\n\\") or (fresh and text[at:] == b"\\")
        stop = max(at, size - marks)
    count = bisect_left(wanted, stop)
    places = _copy_places(state, text, at, wanted[:count]) if count else []
    lines = text.count(b"\n", at, stop)
    if census is not None:
        census.count(state.table, state.columns, lines)
        if lines:
            census.sample(state.table, state.columns, _copy_samples(text, at, stop, fresh))
    last = text.rfind(b"\n", at, stop) + 1
    row = state.row + lines
    if ended >= 0:
        line = text.find(b"\n", ended)
        rows = {**state.rows, state.table: row}
        after = State(rows=rows, defined=state.defined, database=state.database)
        return after, line + 1 if line >= 0 else size, places
    field = text.count(b"\t", max(last, at), stop) + (0 if last else state.field)
    # ``inside``: bytes of a line's first field have been seen.
    inside = (stop > last) if last else state.inside or stop > at
    return state._replace(row=row, field=field, inside=inside), stop, places


def _copy_places(state: State, text: bytes, at: int, wanted: Sequence[int]) -> list[Cell]:
    table, columns = state.table, state.columns
    if len(wanted) < MANY:
        return [_copy_place(state, text, at, position) for position in wanted]
    column = np.frombuffer(text, np.uint8, wanted[-1] - at, at)
    newlines = np.flatnonzero(column == 10)
    tabs = np.flatnonzero(column == 9)
    offsets = np.asarray(wanted, np.int64) - at
    line = np.searchsorted(newlines, offsets)
    starts = np.concatenate((np.zeros(1, np.int64), newlines + 1))[line]
    field = np.searchsorted(tabs, offsets) - np.searchsorted(tabs, starts)
    field[line == 0] += state.field
    rows = (line + state.row + 1).tolist()
    return [
        Cell(table, _field(columns, number), row)
        for number, row in zip(field.tolist(), rows, strict=True)
    ]


def _copy_place(state: State, text: bytes, at: int, position: int) -> Cell:
    line = text.rfind(b"\n", at, position) + 1
    field = text.count(b"\t", max(line, at), position) + (0 if line else state.field)
    row = state.row + text.count(b"\n", at, position) + 1
    return Cell(state.table, _field(state.columns, field), row)


def _copy_samples(text: bytes, at: int, stop: int, fresh: bool) -> list[list[bytes | None]]:
    """Some whole lines, from all over."""
    out: list[list[bytes | None]] = []
    step = max(1, (stop - at) // SAMPLES)
    begin = at if fresh else text.find(b"\n", at, stop) + 1
    while begin and begin < stop and len(out) < SAMPLES:
        end = text.find(b"\n", begin, stop)
        if end < 0:
            break
        out.append([None if v == b"\\N" else copied(v) for v in text[begin:end].split(b"\t")])
        begin = (
            end + 1
            if end + 1 - at >= len(out) * step
            else text.find(b"\n", at + len(out) * step, stop) + 1
        )
    return out


_COPIED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def copied(value: bytes) -> bytes:
    """The value that a field of a COPY block's text stands for."""
    return _COPIED.sub(_unescaped, value) if b"\\" in value else value


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    if found[2]:
        return bytes([int(found[2], 16)])
    return _CONTROLS.get(found[3], found[3])


class _Values:
    """The rows behind VALUES in one piece of text, in columns."""

    def __init__(self, dialect: Sql, state: State, text: bytes, at: int) -> None:
        self._state, self._text, self._at = state, text, at
        clean, cut = _without_escapes(dialect, state, text[at:])
        self._escapes = cut.open_escaped
        column = np.frombuffer(clean, np.uint8)
        self._column = column
        self._quotes = np.flatnonzero(column == 39)
        same = b";\n" + state.head
        semicolons = self._outside(np.flatnonzero(column == 59))
        repeats = np.fromiter((m.start() for m in re.finditer(re.escape(same), clean)), np.int64)
        again = np.isin(semicolons, repeats)
        other = np.flatnonzero(~again)
        end, self._ended = len(clean), False
        if other.size:
            first = int(semicolons[other[0]])
            rest = clean[first : first + len(same)]
            # The head of the next statement may go on behind the text.
            if first + len(rest) == len(clean) and same.startswith(rest):
                end = first
            else:
                end, self._ended = first + 1, True
        if not self._ended and end == len(clean):
            end -= cut.size
        self._stop = end
        repeats = semicolons[again & (semicolons < end)]
        self.end = at + end
        self.opens, self._closes, self._depths, self._marks = self._rows(repeats, len(same))

    def _outside(self, positions: Ints) -> Ints:
        """Those that are in no string."""
        before = np.searchsorted(self._quotes, positions) + self._state.inside
        outside: Ints = positions[before & 1 == 0]
        return outside

    def _rows(self, repeats: Ints, width: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Where rows begin and end; the depth behind each parenthesis, and where those are."""
        column = self._column[: self._stop]
        opening = self._outside(np.flatnonzero(column == 40))
        closing = self._outside(np.flatnonzero(column == 41))
        if repeats.size:  # those of the list of columns are none
            opening = _not_within(opening, repeats, width)
            closing = _not_within(closing, repeats, width)
        marks = np.concatenate((opening, closing))
        steps = np.concatenate((np.ones(opening.size, np.int64), -np.ones(closing.size, np.int64)))
        order = np.argsort(marks, kind="stable")
        marks, steps = marks[order], steps[order]
        depths = np.cumsum(steps) + self._state.depth
        return (
            marks[(depths == 1) & (steps == 1)],
            marks[(depths == 0) & (steps == -1)],
            depths,
            marks,
        )

    def places(self, wanted: Sequence[int]) -> list[Cell]:
        """Of the ascending positions in the text that lie here."""
        count = bisect_left(wanted, self.end)
        if not count:
            return []
        offsets = np.asarray(wanted[:count], np.int64) - self._at
        state = self._state
        begun = np.searchsorted(self.opens, offsets, side="right")
        fields = self._fields(offsets, begun)
        depth = self._depth_at(offsets)
        return [
            Cell(state.table, _field(state.columns, field), state.row + row) if inside else NOWHERE
            for row, field, inside in zip(
                begun.tolist(), fields.tolist(), (depth > 0).tolist(), strict=True
            )
        ]

    def _depth_at(self, offsets: Ints) -> Ints:
        before = np.searchsorted(self._marks, offsets)
        return np.concatenate((np.array([self._state.depth]), self._depths))[before]

    def _fields(self, offsets: Ints, begun: Ints) -> Ints:
        """Which field of its row each offset is in."""
        commas = self._outside(np.flatnonzero(self._column[: int(offsets[-1])] == 44))
        commas = commas[self._depth_at(commas) == 1]
        starts = np.concatenate((np.zeros(1, np.int64), self.opens))[begun]
        fields = np.searchsorted(commas, offsets) - np.searchsorted(commas, starts)
        fields[begun == 0] += self._state.field
        return fields

    def samples(self) -> list[list[bytes | None]]:
        """Some rows, from all over."""
        begins = self.opens
        if not begins.size:
            return []
        ends = self._closes[np.searchsorted(self._closes, int(begins[0])) :]
        whole = min(begins.size, ends.size)
        chosen = np.linspace(0, whole - 1, min(SAMPLES, whole)).astype(np.int64).tolist()
        return [
            _row(self._text[self._at + int(begins[n]) + 1 : self._at + int(ends[n])])
            for n in chosen
        ]

    def after(self) -> State:
        """The state behind these."""
        state = self._state
        row = state.row + self.opens.size
        if self._ended:
            rows = {**state.rows, state.table: row}
            return State(rows=rows, defined=state.defined, database=state.database)
        end = np.array([self._stop], np.int64)
        inside = bool((np.searchsorted(self._quotes, self._stop) + state.inside) & 1)
        begun = np.searchsorted(self.opens, end, side="right")
        return state._replace(
            row=row,
            field=int(self._fields(end, begun)[0]),
            depth=int(self._depth_at(end)[0]),
            inside=inside,
            escapes=inside and self._escapes,
        )


def _not_within(positions: Ints, begins: Ints, width: int) -> Ints:
    """Those that lie in none of the stretches of one width."""
    before = np.searchsorted(begins, positions, side="right") - 1
    within = (before >= 0) & (positions < begins[np.maximum(before, 0)] + width)
    return positions[~within]


class _Cut(NamedTuple):
    """``size``: bytes at the end whose meaning is open; ``open_escaped``: the string that is open
    at the end has backslashes."""

    size: int
    open_escaped: bool


def _without_escapes(dialect: Sql, state: State, text: bytes) -> tuple[bytes, _Cut]:
    """The text with what backslashes escape replaced, byte for byte."""
    if dialect.backslashes:
        cut = 1 if (len(text) - len(text.rstrip(b"\\"))) & 1 else 0
        if b"\\" in text:
            text = text.replace(b"\\\\", b"\0\0").replace(b"\\'", b"\0\0")
        return text, _Cut(cut, False)
    begin, was_open = 0, False
    if state.inside:  # up to the end of the string that is open
        found = (_REST_ESCAPED if state.escapes else _REST).match(text)
        begin = found.end() if found else len(text)
        if state.escapes:
            was_open = begin == len(text) and not _REST_CLOSED.fullmatch(text)
            text = _blank(text[:begin]) + text[begin:]
    if _may_escape(text):
        text, was_open = _blank_escaped(text, begin, was_open)
    return text, _Cut(int(text.endswith((b"E", b"e") + ((b"\\",) if was_open else ()))), was_open)


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


_VALUE = re.compile(
    rb"\s*(?:(?:_binary\s*|[EeNn])?'((?:[^'\\]|''|\\.)*+)'|((?:[^,'()]|\([^()]*\)|'(?:[^']|'')*+')*+))\s*(?:,|\Z)",
    re.DOTALL,
)


def _row(text: bytes) -> list[bytes | None]:
    """The values of one row; as they stand, but for doubled quotes."""
    out: list[bytes | None] = []
    at = 0
    while at <= len(text) and len(out) < 4096:
        found = _VALUE.match(text, at)
        if found is None or (found.end() == at and at < len(text)):
            break
        if found[1] is not None:
            out.append(found[1].replace(b"''", b"'"))
        else:
            bare = found[2].strip()
            out.append(None if bare.upper() == b"NULL" else bare)
        if found.end() == len(text) and not text.endswith(b",", at):
            break
        at = found.end()
    return out


def _field(columns: Sequence[str], number: int) -> str:
    return columns[number] if number < len(columns) else f"column {number + 1}"


def _unquoted(name: bytes) -> str:
    name = name.strip()
    if name[:1] in (b'"', b"`"):
        name = name[1:-1].replace(name[:1] * 2, name[:1])
    elif name[:1] == b"[":
        name = name[1:-1]
    return name.decode("utf-8", "replace")


_ONE_NAME = re.compile(_NAME)


def _table(names: bytes, database: str) -> str:
    parts = [_unquoted(one) for one in _ONE_NAME.findall(names)]
    if len(parts) == 1 and database:
        parts = [database, *parts]
    return ".".join(parts)


def _columns(listed: bytes | None) -> tuple[str, ...]:
    return tuple(_unquoted(one) for one in _ONE_NAME.findall(listed)) if listed else ()


_DEFINITION = re.compile(
    rb"\s*((?:[^,'\"`()]|'(?:[^'\\]|''|\\.)*+'|\"(?:[^\"]|\"\")*+\"|`(?:[^`]|``)*+`"
    rb"|\((?:[^()']|'(?:[^']|'')*+'|\((?:[^()']|'(?:[^']|'')*+'|\([^()]*\))*+\))*+\))++)(,|\))?",
    re.DOTALL,
)


def _defined(text: bytes) -> tuple[str, ...]:
    """The columns that the body of a CREATE TABLE defines."""
    out = []
    at = 0
    while (found := _DEFINITION.match(text, at)) is not None:
        definition = found[1].strip()
        name = _ONE_NAME.match(definition)
        if name and not _NO_COLUMN.match(definition):
            out.append(_unquoted(name[0]))
        at = found.end()
        if found[2] != b",":
            break
    return tuple(out)
