"""Which tables a query or a routine's body names, what it does with them, and to which rows."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from detector.exposure.fold import DEEPEST, Caller, outcome
from detector.exposure.model import Path
from detector.exposure.tokens import (
    NAME,
    SIGN,
    WORD,
    Cursor,
    Token,
    Tokens,
    UnreadableError,
    split,
    tokens_of,
)

_AGGREGATES = frozenset(
    re.findall(
        r"\w+",
        "count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg"
        " jsonb_object_agg bool_and bool_or every stddev variance percentile_cont mode xmlagg"
        " over unnest generate_series",
    )
)
_CLAUSES = frozenset(
    re.findall(
        r"\w+",
        "select from where group having window union intersect except order limit offset fetch for"
        " with",
    )
)
_BEFORE_A_TABLE = frozenset(
    ("from", "join", "into", "update", "only", "using", "table", "truncate")
)
_ENDS_FROM = frozenset(
    re.findall(
        r"\w+",
        "where group order having limit offset fetch union intersect except returning set select"
        " values window on loop for",
    )
)
_VERBS = {"into": "insert", "update": "update", "truncate": "delete"}
_NAMES = re.compile(r"[^\W\d][\w$]*")


class Mention(NamedTuple):
    """A table that is named, and what is done with it."""

    path: Path
    verb: str


class Query(NamedTuple):
    """A view's. ``rows``: of each relation, whether every row shows ("open"), some ("filtered"),
    none ("closed"). ``writable``: the only relation, if rows can be written through it; ``plain``:
    it has columns that are just those of a table; ``condition``: whether it has one; ``every``: it
    has all columns, by a star."""

    relations: tuple[Path, ...]
    rows: dict[Path, str]
    writable: Path | None
    plain: bool
    condition: bool
    names: frozenset[str]
    every: bool = False


def query_of(body: Tokens, known: Container[Path], search_path: Sequence[str] | None) -> Query:
    """What a view's query says."""
    tokens = list(body)
    relations = tuple(dict.fromkeys(m.path for m in mentions(tokens, known, search_path)))
    try:
        return _query(_unwrapped(tokens), relations, known, search_path)
    except UnreadableError:
        filtered = dict.fromkeys(relations, "filtered")
        return Query(relations, filtered, None, False, True, frozenset())


def _unwrapped(tokens: list[Token]) -> list[Token]:
    """Without what stands around the whole."""
    while tokens[-1:] == [Token(SIGN, ";")]:
        tokens = tokens[:-1]
    for _ in range(DEEPEST):
        if tokens[:1] != [Token(SIGN, "(")]:
            break
        inner = Cursor(tokens).group()
        if len(inner) + 2 != len(tokens):
            break
        tokens = inner
    return tokens


def _query(
    tokens: list[Token],
    relations: tuple[Path, ...],
    known: Container[Path],
    search_path: Sequence[str] | None,
) -> Query:
    rows = dict.fromkeys(relations, "filtered")
    branches = _branches(tokens)
    for branch in branches or ():
        clauses = _clauses(branch)
        first = _first(clauses, known, search_path)
        state = _state(clauses)
        if first in rows and (state == "open" or len(branches or ()) == 1 == len(relations)):
            rows[first] = state
    writable, clauses = None, {}
    if branches is not None and len(branches) == 1:
        clauses = _clauses(branches[0])
        only = _first(clauses, known, search_path)
        if _is_writable(clauses) and relations == (only,):
            writable = only
    plain = any(_is_plain(item) for item in split(clauses.get("select", [])))
    names = frozenset(token.text for token in tokens if token.kind in (WORD, NAME))
    return Query(relations, rows, writable, plain, "where" in clauses, names, _has_star(tokens))


def _has_star(tokens: list[Token]) -> bool:
    """Whether a star stands for columns: not where it multiplies, nor in ``count(*)``."""
    star = Token(SIGN, "*")
    before = {Token(WORD, "select"), Token(WORD, "distinct"), Token(SIGN, ","), Token(SIGN, ".")}
    return any(b == star and a in before for a, b in pairwise(tokens))


def mentions(
    tokens: Tokens, known: Container[Path], search_path: Sequence[str] | None
) -> list[Mention]:
    """The known relations that are named where tables are. Names with a schema count anywhere.

    ``search_path``: None when it is the caller's, who may have any.
    """
    out: list[Mention] = []
    at, inside = 0, False
    while at < len(tokens):
        token = tokens[at]
        if token.kind not in (WORD, NAME):
            at += 1
            continue
        name = [token.text]
        begin = at
        while at + 2 < len(tokens) and tokens[at + 1] == Token(SIGN, "."):
            name.append(tokens[at + 2].text)
            at += 2
        at += 1
        before = tokens[begin - 1] if begin else Token(SIGN, "")
        if len(name) == 1 and token.kind == WORD:
            inside = (inside or token.text in ("from", "join")) and token.text not in _ENDS_FROM
        placed = before.text in _BEFORE_A_TABLE if before.kind == WORD else False
        if len(name) == 1 and not placed and not (inside and before.text in (",", "(")):
            continue
        if tokens[at : at + 1] == [Token(SIGN, "(")] and before.text != "into":
            continue
        verb = _verb(tokens, begin)
        out += [Mention(path, verb) for path in _paths(name, known, search_path)]
    return out


def _paths(
    name: Sequence[str], known: Container[Path], search_path: Sequence[str] | None
) -> Iterable[Path]:
    if len(name) > 1:
        found = [path for path in ((name[0], name[1]), (name[-2], name[-1])) if path in known]
        return found[:1]
    if search_path is not None:
        return [path for schema in search_path if (path := (schema, name[0])) in known][:1]
    if isinstance(known, dict):
        return [path for path in known if path[1] == name[0]]
    return []


def _verb(tokens: Tokens, begin: int) -> str:
    """By the words in front of a table's name."""
    words = [token.text for token in tokens[max(0, begin - 3) : begin] if token.kind == WORD]
    while words and words[-1] in ("only", "table"):
        words.pop()
    if words[-2:] == ["delete", "from"]:
        return "delete"
    if words[-2:] == ["for", "update"]:
        return "select"
    return _VERBS.get(words[-1], "select") if words else "select"


def _branches(tokens: Tokens) -> list[list[Token]] | None:
    """The queries between UNIONs; None for what is not just that."""
    out: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == SIGN:
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        elif token.kind == WORD and not depth:
            if token.text in ("intersect", "except", "with", "values"):
                return None
            if token.text == "union":
                out.append([])
                continue
        out[-1].append(token)
    return out


def _clauses(tokens: Tokens) -> dict[str, list[Token]]:
    """Of one SELECT, by the first word."""
    out: dict[str, list[Token]] = {}
    current: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == SIGN:
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        elif token.kind == WORD and not depth and token.text in _CLAUSES:
            current = out.setdefault(token.text, [])
            continue
        current.append(token)
    return out


def _from(clauses: dict[str, list[Token]]) -> list[Token]:
    """Without the parentheses that PostgreSQL puts around joins."""
    tokens = clauses.get("from", [])
    while tokens[:1] == [Token(SIGN, "(")]:
        tokens = tokens[1:]
    return tokens


def _first(
    clauses: dict[str, list[Token]], known: Container[Path], search_path: Sequence[str] | None
) -> Path | None:
    """The relation that is named first."""
    at = Cursor(_from(clauses))
    at.word("only")
    if at.peek().kind not in (WORD, NAME) or at.peek() == Token(WORD, "select"):
        return None
    if at.peek() in (Token(WORD, "lateral"), Token(WORD, "values")):
        return None
    name = at.name()
    if at.peek() == Token(SIGN, "("):
        return None
    return next(iter(_paths(name, known, search_path)), None)


def _state(clauses: dict[str, list[Token]]) -> str:
    """Which rows of its first relation a SELECT shows."""
    if clauses.keys() & {"group", "having", "limit", "offset", "fetch"}:
        return "filtered"
    if _sums_up(clauses.get("select", [])) or _drops_rows(_from(clauses)):
        return "filtered"
    if "where" in clauses:
        held = outcome(clauses["where"], Caller("", ""))
        return "filtered" if held is None else "open" if held else "closed"
    return "open"


def _sums_up(items: Tokens) -> bool:
    """Whether a row is none of the table's."""
    if items[:1] == [Token(WORD, "distinct")]:
        return True
    return any(token.kind == WORD and token.text in _AGGREGATES for token in items)


def _drops_rows(tokens: Tokens) -> bool:
    """Whether a join may leave out rows of the first relation. A LEFT JOIN doesn't."""
    words = [token.text if token.kind == WORD else "" for token in tokens]
    if "tablesample" in words:
        return True
    joins = [n for n, word in enumerate(words) if word == "join"]
    commas = any(
        token == Token(SIGN, ",") for token in tokens if not joins
    )  # those within a join's condition are none
    return commas or any(not {"left", "full"} & set(words[max(0, n - 2) : n]) for n in joins)


def _is_writable(clauses: dict[str, list[Token]]) -> bool:
    """https://www.postgresql.org/docs/current/sql-createview.html, Updatable Views."""
    if clauses.keys() - {"select", "from", "where", "order", "for"}:
        return False
    tokens = _from(clauses)
    words = {token.text for token in tokens if token.kind == WORD}
    commas = any(token == Token(SIGN, ",") for token in tokens)
    return not commas and "join" not in words and not _sums_up(clauses.get("select", []))


def _is_plain(item: Tokens) -> bool:
    """Whether it is a column, maybe under another name."""
    at = Cursor(item)
    if at.peek() == Token(SIGN, "*"):
        return True
    if at.peek().kind not in (WORD, NAME):
        return False
    at.identifier()
    while at.sign("."):
        if at.sign("*"):
            return not at
        if at.peek().kind not in (WORD, NAME):
            return False
        at.identifier()
    if at.word("as") or at.peek().kind in (WORD, NAME):
        at.next()
    return not at


def _only_statement(tokens: Tokens) -> Tokens:
    """What stands between BEGIN ATOMIC and END."""
    if tokens[:2] == [Token(WORD, "begin"), Token(WORD, "atomic")]:
        last = tokens[-1] == Token(WORD, "end")
        return tokens[2 : len(tokens) - last]
    return tokens


class Body(NamedTuple):
    """A routine's. ``dynamic``: it runs statements that it puts together; ``texts``: names in
    them."""

    mentions: tuple[Mention, ...]
    dynamic: bool
    texts: frozenset[str]
    whole: Path | None
    """The table all of whose rows it gives, when it is one plain SELECT."""


def body_of(
    language: str, text: str, known: dict[Path, object], search_path: Sequence[str] | None
) -> Body:
    """What a routine's text says."""
    if language not in ("sql", "plpgsql"):
        return Body((), language not in ("c", "internal"), frozenset(_NAMES.findall(text)), None)
    tokens = tokens_of(text)
    found = tuple(dict.fromkeys(mentions(tokens, known, search_path)))
    words = {token.text for token in tokens if token.kind == WORD}
    dynamic = language == "plpgsql" and "execute" in words
    texts = frozenset(
        name for token in tokens if token.kind == "s" for name in _NAMES.findall(token.text)
    ) if dynamic else frozenset()  # fmt: skip
    whole = None
    if language == "sql" and [m.verb for m in found] == ["select"]:
        query = query_of(_only_statement(tokens), known, search_path)
        whole = next((path for path, state in query.rows.items() if state == "open"), None)
    return Body(found, dynamic, texts, whole)
