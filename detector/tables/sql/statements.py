"""Between the data: one statement after the other, each cut by one regex.

Formats: https://www.postgresql.org/docs/current/sql-syntax-lexical.html (E'', dollar quotes),
https://dev.mysql.com/doc/refman/8.4/en/string-literals.html (backslashes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from detector.tables.census import Census
from detector.tables.layout import Cell
from detector.tables.sql.names import LIST, NAME, NAMES, columns_of, defined, table_of, unquoted
from detector.tables.sql.state import COPY, VALUES, State, nowhere

LONGEST = 1 << 20  # bytes of a statement that is not data; a longer one is passed over

_SPACE = re.compile(rb"(?:\s+|--[^\n]*\n|#[^\n]*\n|/\*(?!!).*?\*/|\\[a-z]+[^\n]*\n)*+", re.DOTALL)
_INSERT = re.compile(
    rb"(?:INSERT\s+(?:IGNORE\s+|OR\s+\w+\s+)?|REPLACE\s+)INTO\s+(?:ONLY\s+)?(%s)\s*(%s)?\s*"
    rb"(?:OVERRIDING\s+\w+\s+VALUE\s*)?VALUES\s*" % (NAMES, LIST),
    re.IGNORECASE,
)
_INSERTS = re.compile(rb"(?:INSERT|REPLACE)\b", re.IGNORECASE)
_COPIES = re.compile(rb"COPY\s+(%s)\s*(%s)?\s+FROM\s+stdin\b[^;]*;" % (NAMES, LIST), re.IGNORECASE)
_CREATES = re.compile(
    rb"CREATE\s+(?:(?:GLOBAL\s+|LOCAL\s+)?(?:TEMP(?:ORARY)?\s+)|UNLOGGED\s+|FOREIGN\s+)?TABLE\s+"
    rb"(?:IF\s+NOT\s+EXISTS\s+)?(%s)\s*\(" % NAMES,
    re.IGNORECASE,
)
_USES = re.compile(rb"USE\s+(%s)\s*;" % NAME, re.IGNORECASE)
_DEFINES = re.compile(
    rb"(?:CREATE|ALTER|GRANT|REVOKE|COMMENT\s+ON\s+(?:POLICY|TABLE|SCHEMA)|SET\s+ROLE"
    rb"|SET\s+search_path)\b",
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


def statement(
    state: State,
    text: bytes,
    at: int,
    wanted: Sequence[int],
    census: Census | None,
    *,
    backslashes: bool,
) -> tuple[State, int, list[Cell]]:
    """One statement, or as much of it as shows that rows follow."""
    space = _SPACE.match(text, at)
    begin = space.end() if space else at
    if begin == len(text):  # a comment may go on
        line = text.rfind(b"\n", at) + 1
        return state, max(at, line), nowhere(wanted, max(at, line))
    if found := _INSERT.match(text, begin):
        if found.end() == len(text):
            return state, begin, nowhere(wanted, begin)
        if text[found.end()] == 40:
            return _begin_values(state, found), found.end(), nowhere(wanted, found.end())
    elif _INSERTS.match(text, begin) and len(text) - begin < 1 << 16 and b";" not in text[begin:]:
        return state, begin, nowhere(wanted, begin)
    whole = _STATEMENTS[backslashes].match(text, begin)
    if whole is None:
        if len(text) - begin <= LONGEST:
            return state, begin, nowhere(wanted, begin)
        if census is not None:
            census.complete = False
        end = max(text.rfind(b"\n", begin), begin) + 1
        return state, end, nowhere(wanted, end)
    state, end = _ended(state, text, begin, whole.end(), census)
    return state, end, nowhere(wanted, end)


def _ended(
    state: State, text: bytes, begin: int, end: int, census: Census | None
) -> tuple[State, int]:
    """Behind a whole statement that holds no rows."""
    said = text[begin:end]
    if found := _COPIES.match(said):
        line = text.find(b"\n", end)
        if line < 0:  # the rows begin in the next line
            return state, begin
        table = table_of(found[1], state.database)
        columns = columns_of(found[2]) or state.defined.get(table, ())
        row = state.rows.get(table, 0)
        return state._replace(mode=COPY, table=table, columns=columns, row=row, field=0), line + 1
    if found := _CREATES.match(said):
        table = table_of(found[1], state.database)
        columns = defined(said[found.end() :])
        state = state._replace(defined={**state.defined, table: columns})
    elif found := _USES.match(said):
        state = state._replace(database=unquoted(found[1]))
    if census is not None and _DEFINES.match(said):
        census.define(said.decode("utf-8", "replace"))
    return state, end


def _begin_values(state: State, found: re.Match[bytes]) -> State:
    table = table_of(found[1], state.database)
    columns = columns_of(found[2]) or state.defined.get(table, ())
    return state._replace(
        mode=VALUES, head=found[0], table=table, columns=columns,
        row=state.rows.get(table, 0), field=0, depth=0, inside=False, escapes=False,
    )  # fmt: skip
