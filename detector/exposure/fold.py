"""What a condition can be: true, false or null, for one who calls.

A condition is read as an expression over sets of possible values. What is not understood can be
anything, so "always true" and "never true" are proofs and all else is a condition that decides.
Known are constants, ``current_user``, and what Supabase's functions give by the role
(https://supabase.com/docs/guides/database/postgres/row-level-security): ``auth.role()`` is the
role, ``auth.uid()`` and ``auth.email()`` are null for anon, and ``auth.uid()`` is not for
authenticated; the service's key names no user either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from detector.exposure.tokens import (
    NAME,
    NUMBER,
    SIGN,
    STRING,
    WORD,
    Cursor,
    Token,
    Tokens,
    UnreadableError,
)

DEEPEST = 60  # parentheses; Python's own stack ends at some 1000 frames, 9 of them for each


class Caller(NamedTuple):
    """``user``: what current_user is; ``signed``: the role in the request's token; "" for
    unknown."""

    user: str
    signed: str


class Value(NamedTuple):
    """``known``: all it may be when it isn't null, None for anything; ``null``: it may be null."""

    known: frozenset[str | bool | float] | None
    null: bool


ANYTHING = Value(None, True)
NULL = Value(frozenset(), True)
BOTH = frozenset((True, False))
TRUE, FALSE = Value(frozenset((True,)), False), Value(frozenset((False,)), False)
EITHER = Value(BOTH, False)

_COMPARISONS = frozenset(("=", "<>", "!=", "<", ">", "<=", ">=", "~", "~*", "!~", "~~", "!~~"))
_NAMED_OPERATORS = frozenset(("like", "ilike", "in", "between", "not", "similar"))
_BOOLEANS = {"t": True, "true": True, "yes": True, "on": True, "1": True,
             "f": False, "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_ENDS = frozenset(("and", "or", "is", "then", "else", "end", "when", "as", "from", "where"))


def outcome(tokens: Tokens | None, caller: Caller) -> bool | None:
    """True: it holds for every row. False: for none. None: that depends."""
    if tokens is None:
        return False
    reader = _Reader(tokens, caller)
    try:
        value = _truth(reader.expression())
    except UnreadableError:
        return None
    if reader.at:
        value = ANYTHING
    if value.known == TRUE.known and not value.null:
        return True
    return False if value.known is not None and True not in value.known else None


def _truth(value: Value) -> Value:
    """As a boolean."""
    if value.known is None:
        return Value(BOTH, value.null)
    out = {one if isinstance(one, bool) else _BOOLEANS.get(str(one).lower()) for one in value.known}
    if None in out:
        return Value(BOTH, value.null)
    return Value(frozenset(one for one in out if one is not None), value.null)


def _options(value: Value) -> Iterable[bool | None]:
    value = _truth(value)
    yield from (bool(one) for one in value.known or ())
    if value.null:
        yield None


def _of(results: Iterable[bool | None]) -> Value:
    all_of = set(results)
    return Value(frozenset(one for one in all_of if one is not None), None in all_of)


def _and(a: Value, b: Value) -> Value:
    return _of(
        False if x is False or y is False else None if x is None or y is None else True
        for x in _options(a)
        for y in _options(b)
    )


def _not(a: Value) -> Value:
    return _of(None if x is None else not x for x in _options(a))


def _or(a: Value, b: Value) -> Value:
    return _not(_and(_not(a), _not(b)))


def _compared(sign: str, a: Value, b: Value) -> Value:
    """Strict, as all these operators are: null of null."""
    null = a.null or b.null
    if frozenset() in (a.known, b.known):
        return NULL
    if a.known is None or b.known is None or sign not in ("=", "<>", "!="):
        return Value(BOTH, null)
    if len({type(one) for one in a.known | b.known}) > 1:  # 't' = true, '1' = 1: no matter
        return Value(BOTH, null)
    equal = {x == y for x in a.known for y in b.known}
    return Value(frozenset(equal if sign == "=" else {not one for one in equal}), null)


class _Reader:
    """By precedence: OR, AND, NOT, IS, comparisons, other operators."""

    def __init__(self, tokens: Tokens, caller: Caller, depth: int = 0) -> None:
        self.at = Cursor(tokens)
        self._caller = caller
        self._depth = depth

    def expression(self) -> Value:
        """Up to the end, or to what isn't understood."""
        value = self._conjunction()
        while self.at.word("or"):
            value = _or(value, self._conjunction())
        return value

    def _conjunction(self) -> Value:
        value = self._negation()
        while self.at.word("and"):
            value = _and(value, self._negation())
        return value

    def _negation(self) -> Value:
        times = 0
        while self.at.word("not"):
            times += 1
        value = self._is()
        if times:
            value = _not(value)
        return value if times < 2 or times & 1 else _not(value)

    def _is(self) -> Value:
        value = self._comparison()
        while self.at.word("is"):
            negated = self.at.word("not")
            value = self._is_what(value)
            if negated:
                value = _not(value)
        return value

    def _is_what(self, value: Value) -> Value:
        what = self.at.next().text
        if what in ("null", "unknown"):
            may_be = value.known is None or bool(value.known)
            return Value(frozenset(
                ({True} if value.null else set()) | ({False} if may_be else set())), False
            )  # fmt: skip
        if what in ("true", "false"):
            wanted = what == "true"
            return _of(one is wanted for one in _options(value))
        if what == "distinct":
            self.at.word("from")
            self._operand()
        return EITHER

    def _comparison(self) -> Value:
        value = self._operand()
        while True:
            token = self.at.peek()
            if token.kind == SIGN and token.text in _COMPARISONS:
                self.at.next()
                value = self._compared_with(value, token.text)
            elif token.kind == WORD and token.text in _NAMED_OPERATORS:
                value = self._named_operator(value)
            else:
                return value

    def _compared_with(self, value: Value, sign: str) -> Value:
        if self.at.one_of("any", "some", "all"):
            every = self.at.peek(-1).text == "all"
            options = self._array()
            if options is None or every:
                return _anything_of(value)
            return self._any_of(value, sign, options)
        return _compared(sign, value, self._operand())

    def _any_of(self, value: Value, sign: str, options: list[Value]) -> Value:
        out = FALSE
        for one in options:
            out = _or(out, _compared(sign, value, one))
        return out

    def _array(self) -> list[Value] | None:
        """The elements of ``(ARRAY[…])``; None for anything else in the parentheses."""
        inner = self.at.group() if self.at.peek() == Token(SIGN, "(") else []
        while inner and inner[0] == Token(SIGN, "("):  # (ARRAY[…])::text[]
            inner = Cursor(inner).group()
        if inner[:2] != [Token(WORD, "array"), Token(SIGN, "[")]:
            return None
        closing = inner.index(Token(SIGN, "]"), 2) if Token(SIGN, "]") in inner else len(inner)
        return self._list(inner[2:closing])

    def _list(self, tokens: list[Token]) -> list[Value]:
        parts: list[list[Token]] = [[]]
        depth = 0
        for token in tokens:
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            if token == Token(SIGN, ",") and not depth:
                parts.append([])
            else:
                parts[-1].append(token)
        return [self._inner(part) for part in parts if part]

    def _named_operator(self, value: Value) -> Value:
        negated = self.at.word("not")
        operator = self.at.next().text
        if operator == "between":
            self._operand()
            self.at.word("and")
            self._operand()
            out = _anything_of(value)
        elif operator == "in" and self.at.peek() == Token(SIGN, "("):
            inner = self.at.group()
            if inner and inner[0].text in ("select", "with", "values"):
                out = _anything_of(value)
                out = Value((out.known or frozenset()) | {False}, True)
            else:
                out = self._any_of(value, "=", self._list(inner))
        else:
            self.at.word("to")
            other = self._operand()
            out = _compared("like", value, other)
        return _not(out) if negated else out

    def _operand(self) -> Value:
        value = self._primary()
        while True:
            token = self.at.peek()
            if (
                token.kind != SIGN
                or token.text in _COMPARISONS
                or token.text in ("", ")", ",", ";")
            ):
                return value
            self.at.next()
            if token.text == "::":
                self._type()
            elif token.text == "[":
                while self.at and not self.at.sign("]"):
                    self.at.next()
                value = ANYTHING
            elif token.text in (".", ":"):
                self.at.next()
                value = ANYTHING
            else:
                other = self._primary()
                value = self._claim(value, token.text, other)

    def _claim(self, value: Value, sign: str, other: Value) -> Value:
        """``auth.jwt() ->> 'role'`` is known; other operators are not."""
        if value.known == _JWT.known and sign == "->>" and other.known is not None:
            if other.known == {"role"}:
                return self._signed()
            if other.known == {"sub"}:
                return self._user_id()
        return ANYTHING

    def _type(self) -> None:
        """Behind ``::``."""
        while self.at.peek().kind in (WORD, NAME) and self.at.peek().text not in _ENDS:
            if self.at.peek().text in ("and", "or", "in", "not", "like", "between"):
                return
            self.at.next()
            if not self.at.sign(".") and self.at.peek() == Token(SIGN, "("):
                self.at.group()
        while self.at.sign("["):
            while self.at and not self.at.sign("]"):
                self.at.next()

    def _primary(self) -> Value:
        token = self.at.peek()
        if token == Token(SIGN, "("):
            return self._inner(self.at.group())
        self.at.next()
        if token.kind == STRING:
            return Value(frozenset((token.text,)), False)
        if token.kind == NUMBER:
            return _number(token.text)
        if token.kind == SIGN:  # -1
            if token.text in ("-", "+", "~", "@"):
                self._primary()
            return ANYTHING
        return self._named(token)

    def _named(self, token: Token) -> Value:
        if token.kind == WORD:
            if token.text in ("true", "false"):
                return TRUE if token.text == "true" else FALSE
            if token.text == "null":
                return NULL
            if token.text in ("current_user", "current_role", "user"):
                return _constant(self._caller.user)
            if token.text == "exists":
                self.at.group()
                return EITHER
            if token.text == "case":
                return self._case()
            if token.text == "cast":
                inner = self.at.group()
                return self._inner(inner[: inner.index(Token(WORD, "as"))]
                                   if Token(WORD, "as") in inner else inner)  # fmt: skip
        name = [token.text]
        while self.at.sign("."):
            name.append(self.at.next().text)
        if self.at.peek() != Token(SIGN, "("):
            return ANYTHING
        arguments = self.at.group()
        return ANYTHING if arguments else self._function(".".join(name))

    def _function(self, name: str) -> Value:
        """One without arguments."""
        if name == "auth.role":
            return self._signed()
        if name in ("auth.uid", "auth.email"):
            return self._user_id() if name == "auth.uid" else self._email()
        return _JWT if name == "auth.jwt" else ANYTHING

    def _signed(self) -> Value:
        return _constant(self._caller.signed)

    def _user_id(self) -> Value:
        return _USER_IDS.get(self._caller.signed, ANYTHING)

    def _email(self) -> Value:  # who signs up by telephone has none
        return NULL if self._caller.signed == "anon" else ANYTHING

    def _case(self) -> Value:
        depth = 1
        while self.at and depth:
            token = self.at.next()
            depth += (token == Token(WORD, "case")) - (token == Token(WORD, "end"))
        return ANYTHING

    def _inner(self, tokens: Tokens) -> Value:
        """An expression in parentheses; ``(SELECT auth.uid() AS uid)`` is one, too."""
        if self._depth >= DEEPEST:
            return ANYTHING
        tokens = list(tokens)
        if tokens[:1] == [Token(WORD, "select")]:
            tokens = tokens[1:]
            if tokens[-2:-1] == [Token(WORD, "as")]:
                tokens = tokens[:-2]
        reader = _Reader(tokens, self._caller, self._depth + 1)
        value = reader.expression()
        return ANYTHING if reader.at else value


_USER_IDS = {"anon": NULL, "service_role": NULL, "authenticated": Value(None, False)}
_JWT = Value(frozenset(("\0jwt",)), False)


def _anything_of(value: Value) -> Value:
    """Of a strict comparison with what isn't known."""
    return NULL if value.known is not None and not value.known else Value(BOTH, True)


def _constant(text: str) -> Value:
    return Value(frozenset((text,)), False) if text else ANYTHING


def _number(text: str) -> Value:
    try:
        return Value(frozenset((float(text),)), False)
    except ValueError:
        return ANYTHING
