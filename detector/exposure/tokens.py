"""SQL as PostgreSQL cuts it: words, names, strings, signs; comments are left out.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html. Every token is looked at once:
what is left open at the end (a quote, a comment) takes all that follows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MOST_TOKENS = 1 << 20  # of one text; the rest is not looked at

WORD, NAME, STRING, NUMBER, SIGN = "w", "q", "s", "n", "o"


class Token(NamedTuple):
    """``text``: a word in lower case, a quoted name or string without its quotes, a sign."""

    kind: str
    text: str


Tokens = Sequence[Token]

# Most are words; one right before a quote may be the beginning of a string.
_TOKEN = re.compile(
    r"\s*+(?:(?P<word>[^\W\d][\w$]*+(?![\"'&]))"
    r"|(?P<comment>--[^\n]*+|/\*)"
    r"|(?P<escaped>[eE]'(?P<e>(?:[^'\\]|''|\\.)*+)(?:'|\Z|\\\Z))"
    r"|(?P<string>(?:[nNbBxX]|[uU]&)?'(?P<s>(?:[^']|'')*+)(?:'|\Z))"
    r"|(?P<name>(?:[uU]&)?\"(?P<q>(?:[^\"]|\"\")*+)(?:\"|\Z))"
    r"|(?P<dollar>\$(?:[^\W\d]\w*+)?\$)"
    r"|(?P<other>[^\W\d][\w$]*+)"
    r"|(?P<number>\.?\d[\w.]*+|\$\d+)"
    r"|(?P<sign>::|:=|[()\[\],;.:]|(?:(?!--|/\*)[-+*/<>=~!@#%^&|`?])++|.))",
    re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


def tokens_of(text: str) -> list[Token]:
    """All tokens, at most :data:`MOST_TOKENS`."""
    out: list[Token] = []
    known: dict[str, Token] = {}  # words and signs: most come again
    at = 0
    while (found := _TOKEN.match(text, at)) and len(out) < MOST_TOKENS:
        at = found.end()
        kind = found.lastgroup or ""
        if kind in ("word", "sign", "other"):
            one = found[kind]
            token = known.get(one)
            if token is None:
                token = known[one] = Token(SIGN if kind == "sign" else WORD, one.lower())
            out.append(token)
        elif kind == "comment":
            at = _behind_comment(text, at) if found[kind] == "/*" else at
        elif kind == "dollar":
            end = text.find(found[kind], at)
            out.append(Token(STRING, text[at:] if end < 0 else text[at:end]))
            at = len(text) if end < 0 else end + len(found[kind])
        else:
            out.append(_literal(found, kind))
    return out


def _literal(found: re.Match[str], kind: str) -> Token:
    """A number, a string or a quoted name."""
    if kind == "number":
        return Token(NUMBER, found[kind])
    if kind == "name":
        return Token(NAME, found["q"].replace('""', '"'))
    if kind == "escaped":
        return Token(STRING, found["e"].replace("\\'", "'").replace("''", "'"))
    return Token(STRING, found["s"].replace("''", "'"))


def _behind_comment(text: str, at: int) -> int:
    """Comments nest."""
    depth = 1
    for found in _COMMENT.finditer(text, at):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    return len(text)


def statements_of(text: str) -> list[list[Token]]:
    """Cut at semicolons that stand outside of parentheses and of ``BEGIN ATOMIC … END``."""
    out: list[list[Token]] = []
    current: list[Token] = []
    depth = atomic = 0
    for token in tokens_of(text):
        kind, one = token
        if kind == SIGN:
            depth += (one == "(") - (one == ")")
            if one == ";" and depth <= 0 and not atomic:
                out.append(current)
                current, depth = [], 0
                continue
        elif kind == WORD:
            if one == "atomic" and current and current[-1] == Token(WORD, "begin"):
                atomic = 1
            elif atomic:
                atomic += (one == "case") - (one == "end")
        current.append(token)
    return [one for one in (*out, current) if one]


class UnreadableError(ValueError):
    """The tokens are not what the grammar says."""


class Cursor:
    """Reads tokens in order. What isn't there raises :class:`UnreadableError`."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.tokens)

    def peek(self, ahead: int = 0) -> Token:
        """A token further on; an empty sign behind the last."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token(SIGN, "")

    def next(self) -> Token:
        """The token, and move on."""
        token = self.peek()
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        """Whether these words come next; if so, move behind them."""
        if all(self.peek(n) == Token(WORD, one) for n, one in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def one_of(self, *words: str) -> str:
        """Which of these words comes next, or ""; move behind it."""
        token = self.peek()
        if token.kind == WORD and token.text in words:
            self.at += 1
            return token.text
        return ""

    def sign(self, sign: str) -> bool:
        """Whether this sign comes next; if so, move behind it."""
        if self.peek() == Token(SIGN, sign):
            self.at += 1
            return True
        return False

    def identifier(self) -> str:
        """One part of a name."""
        token = self.next()
        if token.kind not in (WORD, NAME):
            raise UnreadableError
        return token.text

    def name(self) -> tuple[str, ...]:
        """A name with dots."""
        parts = [self.identifier()]
        while self.sign("."):
            parts.append(self.identifier())
        return tuple(parts)

    def names(self) -> list[tuple[str, ...]]:
        """Names between commas."""
        out = [self.name()]
        while self.sign(","):
            out.append(self.name())
        return out

    def identifiers(self) -> list[str]:
        """Simple names between commas."""
        return [one[-1] for one in self.names()]

    def group(self) -> list[Token]:
        """What stands between the parentheses that begin here."""
        if not self.sign("("):
            raise UnreadableError
        begin, depth = self.at, 1
        for at in range(begin, len(self.tokens)):
            kind, text = self.tokens[at]
            if kind == SIGN:
                depth += (text in ("(", "[")) - (text in (")", "]"))
                if not depth:
                    self.at = at + 1
                    return list(self.tokens[begin:at])
        raise UnreadableError

    def rest(self) -> list[Token]:
        """All that is left."""
        return list(self.tokens[self.at :])


def split(tokens: Tokens, sign: str = ",") -> list[list[Token]]:
    """Cut at a sign outside of parentheses. No parts of nothing."""
    out: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == SIGN:
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            if token.text == sign and not depth:
                out.append([])
                continue
        out[-1].append(token)
    return out if out[0] or len(out) > 1 else []
