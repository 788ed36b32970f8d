"""Names in statements: of tables, and of the columns that a statement lists or defines."""

from __future__ import annotations

import re

NAME = rb"(?:\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`|\[[^\]]+\]|[\w$\x80-\xff]+)"
NAMES = rb"%s(?:\s*\.\s*%s){0,2}" % (NAME, NAME)
LIST = rb"\(\s*%s(?:\s*,\s*%s)*\s*\)" % (NAME, NAME)
_NO_COLUMN = re.compile(
    rb"(?:PRIMARY|FOREIGN|UNIQUE|CHECK|CONSTRAINT|EXCLUDE|LIKE|KEY|INDEX|FULLTEXT|SPATIAL|PERIOD)\b",
    re.IGNORECASE,
)


def unquoted(name: bytes) -> str:
    """One name as it is meant."""
    name = name.strip()
    if name[:1] in (b'"', b"`"):
        name = name[1:-1].replace(name[:1] * 2, name[:1])
    elif name[:1] == b"[":
        name = name[1:-1]
    return name.decode("utf-8", "replace")


_ONE_NAME = re.compile(NAME)


def table_of(names: bytes, database: str) -> str:
    """A table's name with its schema; ``database``: that of all names without one."""
    parts = [unquoted(one) for one in _ONE_NAME.findall(names)]
    if len(parts) == 1 and database:
        parts = [database, *parts]
    return ".".join(parts)


def columns_of(listed: bytes | None) -> tuple[str, ...]:
    """The names in a list in parentheses."""
    return tuple(unquoted(one) for one in _ONE_NAME.findall(listed)) if listed else ()


_DEFINITION = re.compile(
    rb"\s*((?:[^,'\"`()]|'(?:[^'\\]|''|\\.)*+'|\"(?:[^\"]|\"\")*+\"|`(?:[^`]|``)*+`"
    rb"|\((?:[^()']|'(?:[^']|'')*+'|\((?:[^()']|'(?:[^']|'')*+'|\([^()]*\))*+\))*+\))++)(,|\))?",
    re.DOTALL,
)


def defined(text: bytes) -> tuple[str, ...]:
    """The columns that the body of a CREATE TABLE defines."""
    out = []
    at = 0
    while (found := _DEFINITION.match(text, at)) is not None:
        definition = found[1].strip()
        name = _ONE_NAME.match(definition)
        if name and not _NO_COLUMN.match(definition):
            out.append(unquoted(name[0]))
        at = found.end()
        if found[2] != b",":
            break
    return tuple(out)
