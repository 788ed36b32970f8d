"""The names of webpack's chunks.

Its runtime makes them by an expression: ``r.u = e => "js/" + ({12:"admin"}[e] || e) + "." +
{12:"ab34"}[e] + ".js"``. That is read and worked out for every chunk that is known: the keys of
its tables, and what scripts ask for with ``r.e(12)`` or ``r.u(12)``
(https://github.com/webpack/webpack/blob/main/lib/runtime/GetChunkFilenameRuntimeModule.js).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from detector.site.addresses import joined

MANY = 10_000  # chunks of one site
LONGEST = 1 << 20  # characters of one expression
DEPTH = 64

_FUNCTION = re.compile(
    r"\.(?:u|k|miniCssF)\s*=\s*(?:function\s*\(\s*([\w$]+)\s*\)\s*\{|\(?\s*([\w$]+)\s*\)?\s*=>\s*\{?)"
)
_PUBLIC = re.compile(r"""\.p\s*=\s*(?:"([^"\\]{0,512})"|'([^'\\]{0,512})')""")
_ASKED = re.compile(
    r"""(?<=\.[eu]\()\s*(?:/\*[^*]{0,300}\*/\s*)*(\d{1,9}|"[^"\\]{1,200}"|'[^'\\]{1,200}')(?=\s*\))"""
)
_TOKEN = re.compile(
    r"""\s*(?:(?:/\*[^*]{0,500}\*/|//[^\n]{0,500}\n)\s*)*"""
    r"""("[^"\\]*"|'[^'\\]*'|`[^`\\]*`|[\w$]+|===|==|\|\||&&|[(){}\[\]+:?,;])"""
)

Value = str | None
_Node = Callable[[str], Value]


class _Runtime(NamedTuple):
    name: _Node
    base: str


class Webpack:
    """``look`` at all scripts of a site, in any order."""

    def __init__(self) -> None:
        self.public: str | None = None
        """Where a runtime says that its chunks lie."""
        self._runtimes: list[_Runtime] = []
        self._asked: dict[str, None] = {}

    def look(self, text: str, url: str, page: str) -> Iterator[str]:
        """The URLs of chunks that have become known with a script."""
        runtimes, keys = self._read(text, url, page)
        asked = {match[1].strip("\"'"): None for match in _ASKED.finditer(text)}
        new = {key: None for key in (*keys, *asked) if key not in self._asked}
        old = [*self._asked]
        self._asked |= dict.fromkeys([*new][: MANY - len(old)])
        for runtime in runtimes[:16]:
            yield from _urls(runtime, old)
        self._runtimes = (self._runtimes + runtimes)[:16]
        for runtime in self._runtimes:
            yield from _urls(runtime, [*self._asked][len(old) :])

    def _read(self, text: str, url: str, page: str) -> tuple[list[_Runtime], list[str]]:
        functions = [*_FUNCTION.finditer(text)][:16]
        if not functions:
            return [], []
        base = joined(url, ".") or url
        public = _PUBLIC.search(text)
        if public is not None:  # without one it is the script's folder
            base = joined(page, public[1] or public[2] or "") or base
        runtimes, keys = [], []
        for function in functions:
            expression = _Expression(text, function.end(), function[1] or function[2])
            node = expression.read()
            if node is not None:
                runtimes.append(_Runtime(node, base))
                keys += expression.keys
        if runtimes:
            self.public = base
        return runtimes, keys


def _urls(runtime: _Runtime, ids: list[str]) -> Iterator[str]:
    for one in ids:
        name = runtime.name(one)
        if name and "." in name and (url := joined(runtime.base, name)):
            yield url


class _Unknown(Exception):  # noqa: N818
    """The expression has more in it than these do."""


class _Expression:
    """One function's body: strings, tables, ``+``, ``||``, and choices by the chunk's id."""

    def __init__(self, text: str, start: int, parameter: str) -> None:
        self.keys: list[str] = []
        self._text, self._at = text, start
        self._stop = min(len(text), start + LONGEST)
        self._parameter = parameter
        self._depth = 0

    def read(self) -> _Node | None:
        """What makes a name of an id; None where it is not understood."""
        try:
            choices: list[tuple[str, _Node]] = []
            while self._peek() == "if":  # webpack 5 puts one in front for each odd chunk
                choices.append(self._if())
            if self._peek() == "return":
                self._next()
            rest = self._choice()
        except _Unknown:
            return None
        return lambda e: next((node(e) for key, node in choices if key == e), None) or rest(e)

    def _if(self) -> tuple[str, _Node]:
        self._expect("if", "(")
        key = self._compared()
        self._expect(")", "return")
        node = self._choice()
        self._expect(";")
        return key, node

    def _compared(self) -> str:
        """``e === 12`` or the other way round."""
        sides = [self._next()]
        if self._next() not in ("===", "=="):
            raise _Unknown
        sides.append(self._next())
        if self._parameter not in sides:
            raise _Unknown
        sides.remove(self._parameter)
        self.keys.append(sides[0].strip("\"'`"))
        return self.keys[-1]

    def _choice(self) -> _Node:
        self._depth += 1
        if self._depth > DEPTH:
            raise _Unknown
        mark = self._at
        try:
            key = self._compared()
            self._expect("?")
        except _Unknown:
            self._at = mark
            node = self._either()
        else:
            yes = self._choice()
            self._expect(":")
            no = self._choice()
            node = _chosen(key, yes, no)
        self._depth -= 1
        return node

    def _either(self) -> _Node:
        node = self._sum()
        while self._peek() == "||":
            self._next()
            node = _either(node, self._sum())
        return node

    def _sum(self) -> _Node:
        parts = [self._part()]
        while self._peek() == "+":
            self._next()
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _part(self) -> _Node:
        sign = self._next()
        if sign == "(":
            return self._table_in_brackets() or self._in_brackets()
        if sign == "{":
            return self._looked_up(self._table())
        if sign == self._parameter:
            return lambda e: e
        if sign[0] in "\"'":
            return _constant(sign[1:-1])
        if sign[0] == "`":
            return _template(sign[1:-1], self._parameter)
        raise _Unknown

    def _in_brackets(self) -> _Node:
        node = self._choice()
        self._expect(")")
        return node

    def _table_in_brackets(self) -> _Node | None:
        """``({…})[e]``, from behind the first bracket on."""
        mark = self._at
        if self._peek() == "{":
            self._next()
            table = self._table()
            if self._peek() == ")":
                self._next()
                return self._looked_up(table)
        self._at = mark
        return None

    def _table(self) -> dict[str, str]:
        """From behind its brace on."""
        table: dict[str, str] = {}
        while self._peek() != "}":
            key = self._next().strip("\"'")
            self._expect(":")
            table[key] = self._next().strip("\"'`")
            if self._peek() == ",":
                self._next()
        self._expect("}")
        self.keys += table
        return table

    def _looked_up(self, table: dict[str, str]) -> _Node:
        self._expect("[", self._parameter, "]")
        return table.get

    def _peek(self) -> str:
        match = _TOKEN.match(self._text, self._at, self._stop)
        return match[1] if match else ""

    def _next(self) -> str:
        match = _TOKEN.match(self._text, self._at, self._stop)
        if match is None:
            raise _Unknown
        self._at = match.end()
        return match[1]

    def _expect(self, *tokens: str) -> None:
        for token in tokens:
            if self._next() != token:
                raise _Unknown


def _constant(text: str) -> _Node:
    return lambda _e: text


def _chosen(key: str, yes: _Node, no: _Node) -> _Node:
    return lambda e: yes(e) if e == key else no(e)


def _either(first: _Node, second: _Node) -> _Node:
    return lambda e: first(e) or second(e)


def _joined(parts: list[_Node]) -> _Node:
    def node(e: str) -> Value:
        values = [part(e) for part in parts]
        return None if None in values else "".join(value for value in values if value)

    return node


def _template(text: str, parameter: str) -> _Node:
    if "${" in text.replace(f"${{{parameter}}}", ""):
        raise _Unknown
    return lambda e: text.replace(f"${{{parameter}}}", e)
