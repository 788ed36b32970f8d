"""A message as the text that the engine is shown.

A message is what its JSON text says: there a value stands beside its name, as the rules know
it. Beside that it is what its strings say, where they look otherwise in JSON (quotes, line
ends), and what adjacent strings say together. All of it is written here in one walk, without
a position; only where the engine hits something `leaves` works those out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

import msgspec

DEEPEST = 200  # levels of a message; deeper ones are no message that anybody wrote
MOST = 1 << 25  # parts of a rendering: shared objects can multiply without bound

_OPENERS = frozenset('{["')
_BLANKS = frozenset(" \t\r\n")
_SPECIAL = _OPENERS | _BLANKS
_TEXT_NAMES = frozenset({"text", "url"})

quote = encode_basestring
"""A string in JSON, letters of other alphabets as they are: 60 ns."""


class UnreadableError(Exception):
    """A message, or part of it, that cannot be looked at. Its text holds no content."""


class Number(str):
    """A number as it is written: part of the text, and never replaced in it."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object of a JSON text: names may come twice, and each value is looked at."""


_decode = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=Number
).decode


def parsed(text: str) -> tuple[Any] | None:
    """The value of a JSON text, in a tuple; None for what is none."""
    first = text[:1]
    if first in _BLANKS:
        first = re.match(r"[ \t\r\n]*(.?)", text)[1]  # type: ignore[index]  # matches always
    if first not in _OPENERS:
        return None
    try:
        return (_decode(text),)
    except RecursionError:
        raise UnreadableError(f"is nested deeper than {DEEPEST} levels") from None
    except ValueError:
        return None


_ATOMS = frozenset({int, float, bool, type(None), Number})


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether its JSON text without an escape is all there is to see: no string in it may be JSON
    itself, and none follow each other. Most messages are, and this costs a tenth of a rendering.
    """
    kind = type(value)
    if kind is dict:
        items = value.items()
    elif kind is Pairs:
        items = value
    elif kind is list or kind is tuple:
        return depth < DEEPEST and _is_plain_list(value, depth)
    else:
        return kind in _ATOMS or (kind is str and value[:1] not in _SPECIAL)
    if depth >= DEEPEST:
        return False
    for name, item in items:
        if type(name) is not str:
            return False
        kind = type(item)
        if kind is str:
            if item[:1] in _SPECIAL:
                return False
        elif kind not in _ATOMS and not is_plain(item, depth + 1):
            return False
    return True


def _is_plain_list(value: Sequence[Any], depth: int) -> bool:
    texts = 0
    for item in value:
        kind = type(item)
        if kind is str:
            texts += 1
        elif kind is dict:
            texts += "text" in item or "url" in item
        elif kind is Pairs:
            texts += any(name in _TEXT_NAMES for name, _ in item)
        if texts > 1 or not is_plain(item, depth + 1):
            return False
    return True


def plain_text(message: Any) -> bytes | None:
    """The JSON text of a message that is plain; None for others. Same as its rendering, but for
    the exponents of numbers."""
    if not is_plain(message):
        return None
    try:
        text = msgspec.json.encode(message)
    except (UnicodeEncodeError, OverflowError):
        return None  # a lone surrogate, a number of more than 64 bits
    return None if b"\\" in text else text


class Rendering:
    """A value written as JSON. ``parts`` joined are the text; ``spots[n]`` is the part that
    holds leaf ``n`` (a string, a name, a number), ``texts[n]`` what it says."""

    __slots__ = ("depth", "inner", "loose", "parts", "seams", "spots", "texts", "value")

    def __init__(self, value: Any, depth: int = 0) -> None:
        self.value, self.depth = value, depth
        self.parts: list[str] = []
        self.spots: list[int] = []
        self.texts: list[str] = []
        self.loose: list[int] = []
        """Leaves that look otherwise in JSON than they are."""
        self.seams: list[list[int]] = []
        """Leaves that follow each other, and may be one text in parts."""
        self.inner: dict[int, Rendering] = {}
        """Leaves that are JSON texts themselves."""
        self._any(value, depth)

    def shown(self) -> bytes:
        """All that is looked at, as one text for the engine."""
        if not (self.loose or self.seams or self.inner):
            return "".join(self.parts).encode("utf-8", "surrogatepass")
        return "\n".join(self.texts_shown()).encode("utf-8", "surrogatepass")

    def texts_shown(self) -> Iterator[str]:
        """All that is looked at. Every view of `leaves` is a part of one of these, so where
        the engine hits nothing in them, it hits nothing in a view."""
        yield "".join(self.parts)
        for number in self.loose:
            yield self.texts[number]
        for seam in self.seams:
            yield "".join([self.texts[number] for number in seam])
        for rendering in self.inner.values():
            yield from rendering.texts_shown()

    def _any(self, value: Any, depth: int) -> int:
        """Write a value; the number of the leaf that is its text, -1 if it has none."""
        kind = type(value)
        if kind is str:
            return self._text(value, depth)
        if kind is dict:
            return self._object(value.items(), depth + 1)
        if kind is list or kind is tuple:
            return self._list(value, depth + 1)
        if value is None or value is True or value is False:
            self.parts.append(_CONSTANTS[value])
            return -1
        return self._other(value, depth)

    def _other(self, value: Any, depth: int) -> int:
        if isinstance(value, Number):
            return self._number(value)
        if isinstance(value, Pairs):
            return self._object(value, depth + 1)
        if isinstance(value, int | float):
            return self._number(json.dumps(value))
        if isinstance(value, str):
            return self._text(str.__str__(value), depth)
        if isinstance(value, dict):
            return self._object(value.items(), depth + 1)
        if isinstance(value, list) or (isinstance(value, tuple) and hasattr(value, "_make")):
            return self._list(value, depth + 1)
        raise UnreadableError(f"holds an object of type {type(value).__name__}")

    def _text(self, text: str, depth: int, *, name: bool = False) -> int:
        parts, texts = self.parts, self.texts
        number = len(texts)
        quoted = quote(text)
        self.spots.append(len(parts))
        parts.append(quoted)
        texts.append(text)
        if len(quoted) != len(text) + 2:
            self.loose.append(number)
        if text[:1] in _SPECIAL and not name and (value := parsed(text)) is not None:
            self.inner[number] = Rendering(value[0], depth + 1)
        return number

    def _number(self, text: str) -> int:
        self.spots.append(len(self.parts))
        self.parts.append(text)
        self.texts.append(Number(text))
        return -1

    def _name(self, name: Any, depth: int) -> None:
        if isinstance(name, str):
            self._text(name if type(name) is str else str.__str__(name), depth, name=True)
        elif name is None or isinstance(name, int | float):
            text = json.dumps(name)
            self.parts.append('"')
            self._number(text)
            self.parts.append('"')
        else:
            raise UnreadableError(f"holds a name of type {type(name).__name__}")

    def _object(self, items: Iterable[tuple[Any, Any]], depth: int) -> int:
        self._enter(depth)
        parts = self.parts
        text, link, linked = -1, -1, False
        parts.append("{")
        begin = len(parts)
        for name, value in items:
            if len(parts) > begin:
                parts.append(",")
            self._name(name, depth)
            parts.append(":")
            leaf = self._any(value, depth)
            if name == "text":
                text = leaf
            elif name == "url":
                link = leaf
            elif name == "type" and value == "link":
                linked = True
        parts.append("}")
        return link if text < 0 and linked else text

    def _list(self, items: Iterable[Any], depth: int) -> int:
        self._enter(depth)
        parts = self.parts
        run: list[int] = []
        parts.append("[")
        begin = len(parts)
        for value in items:
            if len(parts) > begin:
                parts.append(",")
            leaf = self._any(value, depth)
            if leaf >= 0:
                run.append(leaf)
            elif run:
                self._join(run)
                run = []
        self._join(run)
        parts.append("]")
        return -1

    def _join(self, run: list[int]) -> None:
        if len(run) > 1:
            self.seams.append(run)

    def _enter(self, depth: int) -> None:
        if depth > DEEPEST:
            raise UnreadableError(f"is nested deeper than {DEEPEST} levels")
        if len(self.parts) > MOST:
            raise UnreadableError(f"has more than {MOST} parts")


_CONSTANTS = {None: "null", True: "true", False: "false"}
