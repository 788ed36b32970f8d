"""A rule's pattern as a small tree: what can be known of a match without matching.

Python's own regex parser reads the pattern; this module turns its result into five
node types over *byte masks* (an ``int`` whose bit *b* says that byte *b* is allowed) and
answers the questions of the layers above: how wide, over which bytes, how it can begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import combinations
from operator import or_
from re import _constants as ops  # type: ignore[attr-defined]  # the parser has no public name
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Mask = int
ANY: Mask = (1 << 256) - 1


def mask_of(chars: bytes) -> Mask:
    """The mask that allows exactly these bytes."""
    return reduce(or_, (1 << c for c in chars), 0)


DIGITS = mask_of(b"0123456789")
LOWER = mask_of(bytes(range(97, 123)))
UPPER = mask_of(bytes(range(65, 91)))
ALNUM = DIGITS | LOWER | UPPER
WORD = ALNUM | mask_of(b"_")
SPACE = mask_of(b" \t\n\r\f\v")
_CATEGORIES = {
    ops.CATEGORY_DIGIT: DIGITS,
    ops.CATEGORY_NOT_DIGIT: ANY & ~DIGITS,
    ops.CATEGORY_WORD: WORD,
    ops.CATEGORY_NOT_WORD: ANY & ~WORD,
    ops.CATEGORY_SPACE: SPACE,
    ops.CATEGORY_NOT_SPACE: ANY & ~SPACE,
}


class PatternError(ValueError):
    """A construct that a rule's pattern may not use."""


@dataclass(frozen=True, slots=True)
class One:
    """One byte out of a mask."""

    mask: Mask


@dataclass(frozen=True, slots=True)
class Seq:
    """Its items, one after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One of its options."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``item`` between ``lo`` and ``hi`` times."""

    item: Node
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Group:
    """The group named ``secret``."""

    item: Node


Node = One | Seq | Alt | Repeat | Group


@lru_cache(maxsize=4096)
def parse(pattern: str) -> Node:
    """The tree of a bytes pattern. Raises :class:`PatternError`."""
    try:
        parsed = _parser.parse(pattern.encode("ascii"))
    except (re.error, UnicodeEncodeError) as error:
        raise PatternError(f"not a valid ASCII regex: {error}") from None
    names = {number: name for name, number in parsed.state.groupdict.items()}
    return _Builder(names).sequence(parsed, caseless=bool(parsed.state.flags & re.IGNORECASE))


class _Builder:
    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def sequence(self, parsed: Any, *, caseless: bool) -> Node:
        items = tuple(self.node(op, value, caseless=caseless) for op, value in parsed)
        return items[0] if len(items) == 1 else Seq(items)

    def node(self, op: Any, value: Any, *, caseless: bool) -> Node:
        if op is ops.LITERAL:
            return One(_fold(1 << value, caseless=caseless))
        if op is ops.NOT_LITERAL:
            return One(ANY & ~_fold(1 << value, caseless=caseless))
        if op is ops.IN:
            return One(_class(value, caseless=caseless))
        if op is ops.BRANCH:
            return Alt(tuple(self.sequence(option, caseless=caseless) for option in value[1]))
        if op is ops.SUBPATTERN:
            return self.group(value, caseless=caseless)
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            return self.repeat(value, caseless=caseless)
        raise PatternError(f"{str(op).lower().replace('_', ' ')} is not allowed in a rule")

    def group(self, value: Any, *, caseless: bool) -> Node:
        number, add, remove, inner = value
        flags = (re.IGNORECASE if caseless else 0) | add
        item = self.sequence(inner, caseless=bool(flags & ~remove & re.IGNORECASE))
        if number is None:
            return item
        if self.names.get(number) != "secret":
            raise PatternError("the only capturing group is (?P<secret>…); others are (?:…)")
        return Group(item)

    def repeat(self, value: Any, *, caseless: bool) -> Node:
        lo, hi, inner = value
        if hi is ops.MAXREPEAT:
            raise PatternError("an unbounded repeat (*, +, {n,}) is not allowed in a rule")
        item = self.sequence(inner, caseless=caseless)
        if hi > 1 and width(item)[0] == 0:
            raise PatternError("what is repeated must not match the empty string")
        return Repeat(item, lo, hi)


def _fold(mask: Mask, *, caseless: bool) -> Mask:
    if caseless:
        mask |= (mask & UPPER) << 32 | (mask & LOWER) >> 32
    return mask


def _class(parts: Any, *, caseless: bool) -> Mask:
    mask, negated = 0, False
    for op, value in parts:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            mask |= 1 << value
        elif op is ops.RANGE:
            mask |= (1 << value[1] + 1) - (1 << value[0])
        else:
            mask |= _CATEGORIES[value]
    mask = _fold(mask, caseless=caseless)
    return ANY & ~mask if negated else mask


def width(node: Node) -> tuple[int, int]:
    """The fewest and the most bytes that a match takes."""
    match node:
        case One():
            return 1, 1
        case Group(item):
            return width(item)
        case Seq(items):
            widths = [width(item) for item in items]
            return sum(lo for lo, _ in widths), sum(hi for _, hi in widths)
        case Alt(options):
            widths = [width(option) for option in options]
            return min(lo for lo, _ in widths), max(hi for _, hi in widths)
        case Repeat(item, lo, hi):
            least, most = width(item)
            return least * lo, most * hi


def alphabet(node: Node) -> Mask:
    """Every byte that can stand anywhere in a match."""
    return reduce(or_, (one.mask for one in ones(node)), 0)


def ones(node: Node) -> Iterator[One]:
    """All :class:`One` leaves."""
    match node:
        case One():
            yield node
        case Group(item) | Repeat(item):
            yield from ones(item)
        case Seq(items) | Alt(items):
            for item in items:
                yield from ones(item)


def flatten(node: Node) -> list[Node]:
    """The top-level items, groups and sequences opened."""
    match node:
        case Group(item):
            return flatten(item)
        case Seq(items):
            return [leaf for item in items for leaf in flatten(item)]
        case _:
            return [node]


def first(items: Sequence[Node]) -> tuple[Mask, bool]:
    """The bytes that a match of these items can begin with, and whether it can be empty."""
    mask = 0
    for item in items:
        found, empty = _first(item)
        mask |= found
        if not empty:
            return mask, False
    return mask, True


def _first(node: Node) -> tuple[Mask, bool]:
    match node:
        case One(mask):
            return mask, False
        case Group(item):
            return _first(item)
        case Seq(items):
            return first(items)
        case Alt(options):
            found = [_first(option) for option in options]
            return reduce(or_, (mask for mask, _ in found), 0), any(empty for _, empty in found)
        case Repeat(item, lo):
            mask, empty = _first(item)
            return mask, empty or lo == 0


def is_deterministic(items: Sequence[Node], follow: Mask = 0) -> bool:
    """Whether one byte of lookahead always decides (LL(1)).

    Then there is at most one way to match, and bytes behind a match cannot change it.
    """
    for index, item in enumerate(items):
        after, empty = first(items[index + 1 :])
        if not _decided(item, after | follow if empty else after):
            return False
    return True


def _decided(node: Node, follow: Mask) -> bool:
    match node:
        case One():
            return True
        case Group(item):
            return _decided(item, follow)
        case Seq(items):
            return is_deterministic(items, follow)
        case Alt(options):
            if not all(_decided(option, follow) for option in options):
                return False
            return all(_distinct(a, b, follow) for a, b in combinations(options, 2))
        case Repeat(item, lo, hi):
            mask, _ = _first(item)
            if lo < hi and mask & follow:
                return False
            return _decided(item, follow | mask if hi > 1 else follow)


def _distinct(one: Node, other: Node, follow: Mask) -> bool:
    """Whether no text begins like both: told by the first byte, or by fixed bytes further on."""
    firsts = []
    for node in (one, other):
        mask, empty = _first(node)
        firsts.append(mask | follow if empty else mask)
    if not firsts[0] & firsts[1]:
        return True
    return any(not a & b for a, b in zip(_fixed(one), _fixed(other), strict=False))


def _fixed(node: Node) -> list[Mask]:
    """The masks of the bytes that the node begins with, as far as their places are fixed."""
    masks = []
    for item in flatten(node):
        if not isinstance(item, One):
            break
        masks.append(item.mask)
    return masks


def tail(node: Node) -> Mask:
    """The alphabet at the end of a match: of the last class, literals behind it included."""
    mask, _ = _tail(node)
    return mask


def _tail(node: Node) -> tuple[Mask, bool]:
    """The mask, and whether a class (more than one byte) was met: then it is complete."""
    match node:
        case One(mask):
            return mask, mask.bit_count() > 2  # two: a literal in either case
        case Group(item):
            return _tail(item)
        case Repeat(item, lo):
            mask, done = _tail(item)
            return mask, done and lo > 0
        case Alt(options):
            tails = [_tail(option) for option in options]
            return reduce(or_, (mask for mask, _ in tails), 0), all(done for _, done in tails)
        case Seq(items):
            mask = 0
            for item in reversed(items):
                found, done = _tail(item)
                mask |= found
                if done:
                    return mask, True
            return mask, False


def last_byte(node: Node) -> Mask:
    """The bytes that a match can end with."""
    match node:
        case One(mask):
            return mask
        case Group(item):
            return last_byte(item)
        case Repeat(item):
            return last_byte(item)
        case Alt(options):
            return reduce(or_, map(last_byte, options), 0)
        case Seq(items):
            mask = 0
            for item in reversed(items):
                mask |= last_byte(item)
                if width(item)[0] > 0:
                    break
            return mask


def least_before_secret(node: Node) -> int | None:
    """The fewest bytes of a match in front of its secret; None if there is none in ``node``."""
    match node:
        case Group():
            return 0
        case Repeat(item):
            return least_before_secret(item)
        case Alt(options):
            found = [least_before_secret(option) for option in options]
            return min((least for least in found if least is not None), default=None)
        case Seq(items):
            before = 0
            for item in items:
                if (least := least_before_secret(item)) is not None:
                    return before + least
                before += width(item)[0]
    return None


def secret_part(node: Node) -> tuple[Node, bool]:
    """The node inside ``(?P<secret>…)``, and whether the whole pattern ends with it."""
    groups = [n for n in _walk(node) if isinstance(n, Group)]
    if len(groups) != 1:
        raise PatternError("the pattern needs exactly one (?P<secret>…) group")
    last: Node = node
    while isinstance(last, Seq):
        last = last.items[-1]
    return groups[0].item, last is groups[0]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Group(item) | Repeat(item):
            yield from _walk(item)
        case Seq(items) | Alt(items):
            for item in items:
                yield from _walk(item)


def class_regex(mask: Mask) -> str:
    """The mask as a regex that every engine reads alike: ``\\x2d`` or ``[\\x30-\\x39]``."""
    if mask == ANY:
        return r"[\x00-\xff]"
    if mask.bit_count() == 1:
        return _escape(mask.bit_length() - 1)
    members = [byte for byte in range(256) if mask >> byte & 1]
    spans: list[list[int]] = []
    for byte in members:
        if spans and spans[-1][1] == byte - 1:
            spans[-1][1] = byte
        else:
            spans.append([byte, byte])
    return "[" + "".join(_span(lo, hi) for lo, hi in spans) + "]"


def _span(lo: int, hi: int) -> str:
    return _escape(lo) if lo == hi else f"{_escape(lo)}-{_escape(hi)}"


def _escape(byte: int) -> str:
    return chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\x{byte:02x}"
