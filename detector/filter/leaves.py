"""Where in a message's strings a match lies: views, leaves, and edits of them.

A *view* is a text that the scanner is shown; a *leaf* is one string of the message. A view
knows which of its bytes are which leaf's. So a match in any view, of a whole document, of one
string, of several joined ones, becomes spans in leaves, in bytes of their UTF-8; and an edit of
a string in a JSON text inside of a string becomes an edit of the outermost one.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from detector.cluster import Survivor
from detector.filter.rendering import Number, Pairs, Rendering, UnreadableError, quote

Edit = tuple[int, int, bytes]
"""What is to stand in the place of ``[start, end)``."""

# The tokens of a JSON text that are leaves. In a valid one a quote is nothing else than that.
_LEAVES = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?[0-9][0-9.eE+-]*|NaN|-?Infinity', re.DOTALL)
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)


class Piece(Survivor, frozen=True, gc=False):
    """A part of a match that lies in one leaf. Pieces of one match have its number."""

    match: int = 0


class Escapes:
    """From places in the inside of a JSON string to places in what it says, and back."""

    __slots__ = ("_coded", "_ends", "_plain", "_plain_ends")

    def __init__(self, raw: bytes) -> None:
        self._coded: list[int] = []
        self._ends: list[int] = []
        self._plain: list[int] = []
        self._plain_ends: list[int] = []
        shift = 0
        for escape in _ESCAPES.finditer(raw):
            start, end = escape.span()
            width = _width(escape[0])
            self._coded.append(start)
            self._ends.append(end)
            self._plain.append(start - shift)
            self._plain_ends.append(start - shift + width)
            shift += end - start - width

    def plain(self, place: int, *, up: bool = False) -> int:
        """Where in what the string says; ``up``: behind an escape that the place is inside of."""
        number = bisect_right(self._coded, place) - 1
        if number < 0:
            return place
        if place >= self._ends[number]:
            return self._plain_ends[number] + place - self._ends[number]
        inside = up and place > self._coded[number]
        return self._plain_ends[number] if inside else self._plain[number]

    def coded(self, place: int) -> int:
        """Where in the JSON string. A place between two characters is one between two codes."""
        number = bisect_right(self._plain, place) - 1
        if number < 0:
            return place
        if place >= self._plain_ends[number]:
            return self._ends[number] + place - self._plain_ends[number]
        return self._coded[number]


def _width(escape: bytes) -> int:
    """Bytes of UTF-8 of what an escape says."""
    if escape[1:2] != b"u":
        return 1
    if len(escape) == 12:
        return 4
    code = int(escape[2:], 16)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3


class Leaf:
    """One string of a message. ``outer``: the leaf whose text, which is JSON, it stands in,
    and where its inside begins there. ``frozen``: a number, which no text can replace."""

    __slots__ = ("frozen", "inner", "number", "outer", "raw", "shift", "within")

    def __init__(self, raw: bytes, number: int, *, frozen: bool = False) -> None:
        self.raw, self.number, self.frozen = raw, number, frozen
        self.inner: Document | None = None
        self.outer: tuple[Leaf, int] | None = None
        self.within: Document | None = None
        self.shift: Escapes | None = None

    def __repr__(self) -> str:
        return f"Leaf({self.number}, {len(self.raw)} bytes)"  # never what it says

    def lifted(self, edit: Edit) -> tuple[Leaf, Edit]:
        """The same edit, of the outermost leaf."""
        leaf, (start, end, text) = self, edit
        while leaf.outer is not None:
            outer, begin = leaf.outer
            if leaf.shift is not None:
                start, end = leaf.shift.coded(start), leaf.shift.coded(end)
            start, end = begin + start, begin + end
            text = quote(text.decode("utf-8", "surrogatepass"))[1:-1].encode(
                "utf-8", "surrogatepass"
            )
            leaf = outer
        return leaf, (start, end, text)


class View:
    """A text that the scanner is shown. Leaf ``leaves[n]`` is its ``[starts[n], ends[n])``.
    ``seam``: of joined leaves, where only what lies over a seam counts."""

    __slots__ = ("_escapes", "ends", "escaped", "leaves", "raw", "seam", "starts")

    def __init__(
        self,
        raw: bytes,
        starts: list[int],
        ends: list[int],
        leaves: list[Leaf],
        *,
        escaped: bool = False,
        seam: bool = False,
    ) -> None:
        self.raw, self.starts, self.ends, self.leaves = raw, starts, ends, leaves
        self.escaped, self.seam = escaped, seam
        self._escapes: dict[int, Escapes | None] = {}

    def __repr__(self) -> str:
        return f"View({len(self.raw)} bytes, {len(self.leaves)} leaves)"  # never what it says

    def spans(self, start: int, end: int) -> Iterator[tuple[Leaf, int, int]]:
        """The spans of leaves that ``[start, end)`` touches, innermost leaves."""
        for number in range(bisect_right(self.ends, start), bisect_left(self.starts, end)):
            leaf, begin = self.leaves[number], self.starts[number]
            low, high = max(start, begin) - begin, min(end, self.ends[number]) - begin
            if escapes := self.escapes(number):
                low, high = escapes.plain(low), escapes.plain(high, up=True)
            if leaf.inner is not None:
                yield from leaf.inner.text.spans(low, high)
            elif low < high:
                yield leaf, low, high

    def escapes(self, number: int) -> Escapes | None:
        """Those in a leaf of this view."""
        if not self.escaped:
            return None
        if number not in self._escapes:
            inside = self.raw[self.starts[number] : self.ends[number]]
            self._escapes[number] = Escapes(inside) if b"\\" in inside else None
        return self._escapes[number]


class Document:
    """The leaves and views of a rendering. ``source``: the leaf whose text it is, if it is one."""

    __slots__ = ("_rendering", "leaves", "source", "text", "value")

    def __init__(self, rendering: Rendering, source: Leaf | None = None) -> None:
        self._rendering, self.source = rendering, source
        self.value = rendering.value
        self.leaves = [
            Leaf(_encoded(text), number, frozen=type(text) is Number)
            for number, text in enumerate(rendering.texts)
        ]
        for leaf in self.leaves:
            leaf.within = self
        for number, inner in rendering.inner.items():
            leaf = self.leaves[number]
            leaf.inner = Document(inner, leaf)
        self.text = self._whole() if source is None else self._sourced(source)

    def views(self) -> Iterator[View]:
        """What the scanner is to be shown. Those of single leaves come first: what is found in
        them is found without escapes; then whole documents, then joined leaves."""
        rendering = self._rendering
        for number in rendering.loose:
            leaf = self.leaves[number]
            if leaf.inner is None:
                yield View(leaf.raw, [0], [len(leaf.raw)], [leaf])
            else:
                yield from leaf.inner.views()
        yield self.text
        if self.source is not None and b"\\" in self.source.raw:
            yield self._whole()
        for seam in rendering.seams:
            yield self._joined(seam)

    def _whole(self) -> View:
        """The document as it was rendered."""
        rendering = self._rendering
        parts = [_encoded(part) for part in rendering.parts]
        ends = list(accumulate(map(len, parts)))
        starts, stops = [], []
        for spot, leaf in zip(rendering.spots, self.leaves, strict=True):
            quotes = not leaf.frozen
            starts.append(ends[spot] - len(parts[spot]) + quotes)
            stops.append(ends[spot] - quotes)
        return View(b"".join(parts), starts, stops, self.leaves, escaped=True)

    def _sourced(self, source: Leaf) -> View:
        """The document as it stands in its source."""
        starts, ends = [], []
        for token in _LEAVES.finditer(source.raw):
            quotes = source.raw[token.start()] == 0x22
            starts.append(token.start() + quotes)
            ends.append(token.end() - quotes)
        if len(starts) != len(self.leaves):
            raise UnreadableError("is JSON that is read in two ways")
        view = View(source.raw, starts, ends, self.leaves, escaped=True)
        for number, leaf in enumerate(self.leaves):
            leaf.outer = source, starts[number]
            if b"\\" in source.raw[starts[number] : ends[number]]:
                leaf.shift = view.escapes(number)
        return view

    def _joined(self, seam: list[int]) -> View:
        leaves = [self.leaves[number] for number in seam]
        ends = list(accumulate(len(leaf.raw) for leaf in leaves))
        starts = [0, *ends[:-1]]
        return View(b"".join(leaf.raw for leaf in leaves), starts, ends, leaves, seam=True)


def places(value: Any) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Path and object of each leaf, in their order: names and numbers of lists to walk, and for
    a name the number of the object that it is a name of, else -1."""
    count = 0

    def walk(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
        nonlocal count
        if isinstance(value, dict | Pairs):
            count += 1
            own = count
            for name, item in value.items() if isinstance(value, dict) else value:
                yield (*path, name), own
                yield from walk(item, (*path, name))
        elif isinstance(value, list | tuple):
            for number, item in enumerate(value):
                yield from walk(item, (*path, number))
        elif value is not None and not isinstance(value, bool):
            yield path, -1

    yield from walk(value, ())


def rebuilt(value: Any, texts: dict[int, str]) -> Any:
    """The value with these leaves' texts in place of theirs. What holds none of them is the
    same object; nothing is changed in place."""
    number = -1

    def walk(value: Any) -> Any:
        nonlocal number
        if isinstance(value, dict):
            return walk_object(value)
        if isinstance(value, list | tuple):
            items = [walk(item) for item in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return value
            return _like(value, items)
        if value is not None and not isinstance(value, bool):
            number += 1
            return texts.get(number, value)
        return value

    def walk_object(value: dict[Any, Any]) -> Any:
        nonlocal number
        names, items = [], []
        for name, item in value.items():
            number += 1
            names.append(texts.get(number, name))
            items.append(walk(item))
        same = all(new is old for new, old in zip(items, value.values(), strict=True))
        if same and all(new is old for new, old in zip(names, value, strict=True)):
            return value
        made = copy.copy(value)
        made.clear()
        made.update(zip(names, items, strict=True))
        return made

    return walk(value)


def _like(value: Any, items: list[Any]) -> Any:
    if type(value) is list:
        return items
    if type(value) is tuple:
        return tuple(items)
    if isinstance(value, tuple):
        return type(value)._make(items)  # type: ignore[attr-defined]  # a named tuple
    made = copy.copy(value)
    made[:] = items
    return made


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
