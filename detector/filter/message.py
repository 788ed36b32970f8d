"""The two kinds of messages, a text and an object: their views, their copies without a secret,
and how a place in them is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from detector.filter.leaves import Document, Edit, Leaf, Single, View, places, rebuilt
from detector.filter.rendering import Rendering
from detector.mask import characters

LONGEST_NAME = 80  # characters of a name in a path

_PLAIN_NAME = re.compile(r"[^\W\d][\w-]*\Z")


class ObjectMessage:
    """A message that is a JSON-like object."""

    utf8 = True
    """Whether a star stands for a character, not for a byte."""
    in_characters = True
    """Whether offsets count those."""

    def __init__(self, rendering: Rendering) -> None:
        self._document = Document(rendering)
        self._places: list[tuple[tuple[Any, ...], int]] | None = None

    def views(self) -> Iterator[View]:
        """What the scanner is to be shown."""
        return self._document.views()

    def top(self, number: int) -> Leaf:
        """The outermost leaf of that number."""
        return self._document.leaf(number)

    def edited(self, edits: Mapping[Leaf, list[Edit]]) -> Any:
        """A copy with the edits of its outermost leaves; what has none is shared."""
        texts = {leaf.number: _decoded(applied(leaf.raw, made)) for leaf, made in edits.items()}
        return rebuilt(self._document.value, texts)

    def path(self, leaf: Leaf, safe: Callable[[str], str]) -> str | None:
        """Where in the message: ``messages[2].content[0].text``. ``safe``: names without
        secrets."""
        while leaf.outer is not None:
            leaf = leaf.outer[0]
        return self._written(leaf.number, safe)

    def _written(self, number: int, safe: Callable[[str], str]) -> str | None:
        if self._places is None:
            self._places = list(places(self._document.value))
        return _written(self._places[number][0], safe) or None


class TextMessage(ObjectMessage):
    """A message that is a text, or bytes; ``rendering``: of what it says, if it is JSON."""

    def __init__(self, raw: bytes, rendering: Rendering | None, *, is_text: bool) -> None:
        self._leaf = Leaf(raw, 0)
        self._is_text = self.in_characters = is_text
        self.utf8 = is_text or rendering is not None
        self._places = None
        if rendering is not None:
            self._document = self._leaf.inner = Document(rendering, self._leaf)

    def views(self) -> Iterator[View]:
        """What the scanner is to be shown."""
        if self._leaf.inner is not None:
            return self._leaf.inner.views()
        return Single(self._leaf).views()

    def top(self, number: int) -> Leaf:
        """The one outermost leaf."""
        return self._leaf

    def edited(self, edits: Mapping[Leaf, list[Edit]]) -> Any:
        """The text with its edits."""
        raw = applied(self._leaf.raw, edits.get(self._leaf, []))
        return _decoded(raw) if self._is_text else raw

    def path(self, leaf: Leaf, safe: Callable[[str], str]) -> str | None:
        """Where in what it says, if it is JSON."""
        if leaf is self._leaf:
            return None
        while leaf.outer is not None and leaf.outer[0] is not self._leaf:
            leaf = leaf.outer[0]
        return self._written(leaf.number, safe)


class Ruler:
    """Lines, columns and characters of places in a text that are asked for in their order."""

    def __init__(self, raw: bytes, *, in_characters: bool) -> None:
        self._raw, self._in_characters = raw, in_characters
        self._restart()

    def _restart(self) -> None:
        self._place = self._count = self._lines = 0
        self._line_begins = 0

    def offset(self, place: int) -> int:
        """The place in the units of the message's user."""
        if place < self._place:
            self._restart()
        between = self._raw[self._place : place]
        if breaks := between.count(b"\n"):
            self._lines += breaks
            self._line_begins = self._place + between.rfind(b"\n") + 1
        self._count += characters(between)
        self._place = place
        return self._count if self._in_characters else place

    def line(self, place: int) -> tuple[int, int]:
        """Line and column of a place, both from 1, the column in bytes."""
        self.offset(place)
        return self._lines + 1, place - self._line_begins + 1


def applied(raw: bytes, edits: list[Edit]) -> bytes:
    """``raw`` with these edits, none of which overlaps another."""
    parts, position = [], 0
    for start, end, text in sorted(edits):
        parts += [raw[position:start], text]
        position = end
    return b"".join([*parts, raw[position:]])


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _written(path: tuple[Any, ...], safe: Callable[[str], str]) -> str:
    out = ""
    for step in path:
        if type(step) is int:
            out += f"[{step}]"
            continue
        name = safe(step) if isinstance(step, str) else str(step)
        if len(name) > LONGEST_NAME:
            name = name[:LONGEST_NAME] + "…"
        if _PLAIN_NAME.match(name):
            out += f".{name}" if out else name
        else:
            out += f'["{name}"]'
    return out
