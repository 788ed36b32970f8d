"""Where in a message's strings a match lies: views, leaves, and edits of them.

A *view* is a text that the scanner is shown; a *leaf* is one string of the message. A view
knows which of its bytes are which leaf's. So a match in any view, of a whole document, of one
string, of several joined ones, becomes spans in leaves, in bytes of their UTF-8; and an edit of
a string in a JSON text inside of a string becomes an edit of the outermost one.
"""

from __future__ import annotations

import copy
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the stubs
from typing import Any, Protocol

from detector.cluster import Survivor
from detector.filter.rendering import Number, Pairs, Rendering, UnreadableError, quote

Edit = tuple[int, int, bytes]
"""What is to stand in the place of ``[start, end)``."""

# The tokens of a JSON text that are leaves. In a valid one a quote is nothing else than that.
_LEAVES = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?[0-9][0-9.eE+-]*|NaN|-?Infinity', re.DOTALL)
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)

_CHUNK = re.compile(
    rb"(?:[^\\]|\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|u[0-9a-fA-F]{4}|.)){1,512}+",
    re.DOTALL,
)


class Piece(Survivor, frozen=True, gc=False):
    """A part of a match that lies in one leaf. Pieces of one match have its number."""

    match: int = 0


class Escapes:
    """From places in the inside of a JSON string to places in what it says, and back.

    What is kept is a pair of places for each 512 characters, so a string of line ends takes no
    more memory than another; between two such pairs escapes are looked for anew.
    """

    __slots__ = ("_coded", "_plain", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._coded, self._plain = array("q", [0]), array("q", [0])
        at = 0
        while at < len(raw):
            stop = _CHUNK.match(raw, at).end()  # type: ignore[union-attr]  # matches always
            while stop < len(raw) and raw[stop] & 0xC0 == 0x80:  # not inside of a character
                stop += 1
            self._plain.append(self._plain[-1] + _said(raw[at:stop]))
            self._coded.append(stop)
            at = stop

    def __repr__(self) -> str:
        return f"Escapes({len(self._raw)} bytes)"  # never what it says

    def plain(self, place: int, *, up: bool = False) -> int:
        """Where in what the string says; ``up``: behind an escape that the place is inside of."""
        coded, plain = self._before(self._coded, place)
        for escape in _ESCAPES.finditer(self._raw, coded):
            start, end = escape.span()
            if start >= place:
                break
            plain += start - coded
            width = _width(escape[0])
            if end > place:
                return plain + width if up else plain
            coded, plain = end, plain + width
        return plain + place - coded

    def coded(self, place: int) -> int:
        """Where in the JSON string. A place between two characters is one between two codes."""
        coded, plain = self._before(self._plain, place)
        for escape in _ESCAPES.finditer(self._raw, coded):
            start, end = escape.span()
            if plain + start - coded >= place:
                break
            coded, plain = end, plain + start - coded + _width(escape[0])
        return coded + place - plain

    def _before(self, places: array[int], place: int) -> tuple[int, int]:
        number = max(0, bisect_right(places, place) - 1)
        return self._coded[number], self._plain[number]


def _said(raw: bytes) -> int:
    """Bytes of UTF-8 of what the inside of a JSON string says."""
    if b"\\" not in raw:
        return len(raw)
    text, _ = scanstring(raw.decode("utf-8", "surrogatepass") + '"', 0, False)
    return len(_encoded(text))


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
    """A text that the scanner is shown. ``[starts[n], ends[n])`` of it is leaf ``numbers[n]`` of
    the document. ``seam``: of joined leaves, where only what lies over a seam counts."""

    __slots__ = ("_escapes", "document", "ends", "escaped", "numbers", "raw", "seam", "starts")

    def __init__(
        self,
        raw: bytes,
        starts: Sequence[int],
        ends: Sequence[int],
        document: Leaves,
        numbers: Sequence[int],
        *,
        escaped: bool = False,
        seam: bool = False,
    ) -> None:
        self.raw, self.starts, self.ends = raw, starts, ends
        self.document, self.numbers = document, numbers
        self.escaped, self.seam = escaped, seam
        self._escapes: dict[int, Escapes | None] = {}

    def __repr__(self) -> str:
        return f"View({len(self.raw)} bytes, {len(self.numbers)} leaves)"  # never what it says

    def spans(self, start: int, end: int) -> Iterator[tuple[Leaf, int, int]]:
        """The spans of leaves that ``[start, end)`` touches, innermost leaves."""
        for number in range(bisect_right(self.ends, start), bisect_left(self.starts, end)):
            leaf, begin = self.document.leaf(self.numbers[number]), self.starts[number]
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


class Leaves(Protocol):
    """What views know of a document."""

    def leaf(self, number: int) -> Leaf:
        """The leaf of that number, the same one each time."""


class Single:
    """The one leaf of a message that is a text."""

    __slots__ = ("_leaf",)

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf

    def leaf(self, number: int) -> Leaf:
        """That leaf."""
        return self._leaf

    def views(self) -> Iterator[View]:
        """The text itself."""
        raw = self._leaf.raw
        yield View(raw, [0], [len(raw)], self, [0])


class Document:
    """The leaves and views of a rendering. ``source``: the leaf whose text it is, if it is one.
    A message may have millions of leaves: only those are made in which something is found."""

    __slots__ = ("_leaves", "_rendering", "source", "text", "value")

    def __init__(self, rendering: Rendering, source: Leaf | None = None) -> None:
        self._rendering, self.source = rendering, source
        self.value = rendering.value
        self._leaves: dict[int, Leaf] = {}
        self.text = self._whole() if source is None else self._sourced(source)

    @property
    def texts(self) -> Sequence[str]:
        """What the leaves say."""
        return self._rendering.texts

    def leaf(self, number: int) -> Leaf:
        """The leaf of that number, the same one each time."""
        leaf = self._leaves.get(number)
        if leaf is None:
            text = self._rendering.texts[number]
            leaf = Leaf(_encoded(text), number, frozen=type(text) is Number)
            leaf.within = self
            if self.source is not None:
                leaf.outer = self.source, self.text.starts[number]
                leaf.shift = self.text.escapes(number)
            if (inner := self._rendering.inner.get(number)) is not None:
                leaf.inner = Document(inner, leaf)
            self._leaves[number] = leaf
        return leaf

    def views(self) -> Iterator[View]:
        """What the scanner is to be shown. Those of single leaves come first: what is found in
        them is found without escapes; then whole documents, then joined leaves."""
        rendering = self._rendering
        for number in rendering.loose:
            if number in rendering.inner:
                inner = self.leaf(number).inner
                yield from inner.views() if inner is not None else ()
            else:
                raw = _encoded(rendering.texts[number])
                yield View(raw, [0], [len(raw)], self, [number])
        yield self.text
        if self.source is not None and b"\\" in self.source.raw:
            yield self._whole()
        for seam in rendering.seams:
            yield self._joined(seam)

    def _whole(self) -> View:
        """The document as it was rendered."""
        rendering = self._rendering
        parts = [_encoded(part) for part in rendering.parts]
        ends = array("q", accumulate(map(len, parts)))
        starts, stops = array("q"), array("q")
        for spot, text in zip(rendering.spots, rendering.texts, strict=True):
            quotes = type(text) is not Number
            starts.append(ends[spot] - len(parts[spot]) + quotes)
            stops.append(ends[spot] - quotes)
        return View(b"".join(parts), starts, stops, self, range(len(starts)), escaped=True)

    def _sourced(self, source: Leaf) -> View:
        """The document as it stands in its source."""
        raw = source.raw
        starts, ends = array("q"), array("q")
        for token in _LEAVES.finditer(raw):
            start, end = token.span()
            quotes = raw[start] == 0x22
            starts.append(start + quotes)
            ends.append(end - quotes)
        if len(starts) != len(self._rendering.texts):
            raise UnreadableError("is JSON that is read in two ways")
        return View(raw, starts, ends, self, range(len(starts)), escaped=True)

    def _joined(self, seam: list[int]) -> View:
        raws = [_encoded(self._rendering.texts[number]) for number in seam]
        ends = array("q", accumulate(map(len, raws)))
        starts = array("q", [0, *ends[:-1]])
        return View(b"".join(raws), starts, ends, self, seam, seam=True)


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
