"""The head of a rule: the fixed-length byte sequence that the engine looks for.

A head begins with a literal and goes on with the shortest legal body, so it has one
length, a hit's end gives its start, and an engine reports it once. Measured: 50 such
heads run at more than 2 GB/s, while 221 whole regexes of the usual style run at 0.25.

The prefilter may lie by saying yes, never by saying no: whatever a rule matches contains
one of its heads, ``lead`` bytes behind the start of the match.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from operator import or_

import msgspec

from detector.rules.syntax import (
    Alt,
    Group,
    Mask,
    Node,
    One,
    PatternError,
    Repeat,
    Seq,
    class_regex,
    flatten,
    parse,
    width,
)

MAX_HEAD = 64  # bytes: most tokens whole, and then no regex is needed (16, 32 and 64 run alike)
MAX_HEADS = 64  # of one rule: past that, alternatives stop unfolding
MAX_LEAD = 128  # bytes that a verifier may look back from the literal
SMALL_CLASS = 16  # members of a class that is worth spelling out
SHORT_LITERAL = 3  # bytes: one literal of two slows the pass over everything by a third
LONG_LITERAL = 6  # bytes: enough; alternatives behind it would only be more heads
GOOD_LITERAL = 4  # bytes: the engine's fast path for literals


class Head(msgspec.Struct, frozen=True):
    """What an engine compiles: a regex that begins with one of ``literals``.

    The literals are in lower case where ``caseless``; the regex spells both cases out.
    ``length`` is 0 for a head whose length varies (at most ``most``); it then ends ``tail``
    bytes behind the place that its hit stands for. What an engine reports is always the end:
    each of them, if a head that begins at one place can end at several.
    """

    regex: str
    literals: tuple[str, ...]
    caseless: bool
    length: int
    most: int
    tail: int = 0
    runs: bool = False


class Heads(msgspec.Struct, frozen=True):
    """All heads of a rule, and how far before what an engine tells of a hit (where a head
    begins, or ends if its length varies) a match can begin. ``items``: how many items of the
    pattern stand before the head."""

    heads: tuple[Head, ...]
    lead_lo: int
    lead_hi: int
    items: int = 0


def derive(tree: Node) -> Heads:
    """The heads of a pattern. Raises :class:`PatternError` if it has no literal."""
    items = flatten(tree)
    best: Heads | None = None
    best_run = 0
    lead_lo = lead_hi = 0
    for index, item in enumerate(items):
        if lead_hi > MAX_LEAD:
            break
        sequences = _spell_out(_prefixes(items[index:]))
        run = min(_literal_run(sequence) for sequence in sequences)
        if run > best_run:
            best = Heads(tuple(map(_fixed_head, sequences)), lead_lo, lead_hi, index)
            best_run = run
            if run >= GOOD_LITERAL:
                break
        lo, hi = width(item)
        lead_lo, lead_hi = lead_lo + lo, lead_hi + hi
    if best is None or best_run < 2:
        raise PatternError(
            "no literal of two bytes or more within the first 128 bytes: "
            "give the pattern a literal, or the rule keywords or a head"
        )
    return best


def written(regex: str, tree: Node) -> Heads:
    """A head given in the rule. It begins with a literal; matches may begin before it."""
    head_tree = parse(regex)
    literals = _written_literals(flatten(head_tree))
    lo, hi = width(head_tree)
    head = Head(regex, literals, False, lo if lo == hi else 0, hi)
    items = flatten(tree)
    start = _prefixes(flatten(head_tree))[0]
    same = max(1, _literal_run(start))
    begins = (
        all(w[:same] == start[:same] for w in _prefixes(items[i:])) for i in range(len(items))
    )
    index = next((i for i, found in enumerate(begins) if found), None)
    if index is None:
        raise PatternError("the head does not begin like any part of the pattern")
    lead_lo, lead_hi = width(Seq(tuple(items[:index])))
    if not head.length:
        lead_lo, lead_hi = lead_lo + lo, lead_hi + hi
    return Heads((head,), lead_lo, lead_hi, index)


def of_word(word: str) -> Head:
    """The head of a word in any case. Made without the parser: there are hundreds."""
    both = (f"[{c.upper()}{c.lower()}]" if c.isalpha() else class_regex(1 << ord(c)) for c in word)
    return Head("".join(both), (word.lower(),), True, len(word), len(word))


def of_words(words: Sequence[str]) -> Heads:
    """Heads of a rule that is known by these words, each in any case."""
    return Heads(tuple(map(of_word, words)), 0, 0)


def beginning(tree: Node) -> tuple[Mask, ...]:
    """What may stand at each of the first places, as far as their number is fixed."""
    return _prefixes(flatten(tree))[0]


def _written_literals(items: Sequence[Node]) -> tuple[str, ...]:
    """The literals that a head begins with, small classes spelled out."""
    literals = [""]
    for masks in zip(*_prefixes(items), strict=False):
        members = _members(masks[0])
        if len(set(masks)) > 1 or len(literals) * len(members) > MAX_HEADS:
            break
        literals = [literal + chr(byte) for literal in literals for byte in members]
    if literals == [""]:
        raise PatternError("a head begins with a literal, or with a small class")
    return tuple(literals)


def _spell_out(sequences: list[tuple[Mask, ...]]) -> list[tuple[Mask, ...]]:
    """``gh[po]_`` as ``ghp_`` and ``gho_``: small classes early on become literals."""
    done: list[tuple[Mask, ...]] = []
    todo = sequences[::-1]
    while todo:
        masks = todo.pop()
        run = _literal_run(masks)
        options = _members(masks[run]) if run < min(SHORT_LITERAL, len(masks)) else []
        if 0 < len(options) <= SMALL_CLASS and len(done) + len(todo) + len(options) <= MAX_HEADS:
            todo += [(*masks[:run], 1 << byte, *masks[run + 1 :]) for byte in reversed(options)]
        else:
            done.append(masks)
    return done


def _members(mask: Mask) -> list[int]:
    return [byte for byte in range(256) if mask >> byte & 1]


def _literal_run(sequence: Sequence[Mask]) -> int:
    """Length of the literal that the sequence begins with, in one case or in either."""
    run = 0
    for mask in sequence:
        if mask.bit_count() > 1 and not _is_letter_in_either_case(mask):
            break
        run += 1
    return run


def _is_letter_in_either_case(mask: Mask) -> bool:
    low = mask.bit_length() - 1
    return 97 <= low <= 122 and mask == 1 << low | 1 << low - 32


def _fixed_head(sequence: Sequence[Mask]) -> Head:
    run = _literal_run(sequence)
    caseless = any(mask.bit_count() > 1 for mask in sequence[:run])
    literal = "".join(chr(mask.bit_length() - 1) for mask in sequence[:run])
    # A caseless flag would fold the body too: its classes are spelled out instead.
    parts = (
        class_regex(mask) + (f"{{{n}}}" if (n := len(list(group))) > 1 else "")
        for mask, group in groupby(sequence)
    )
    return Head(
        "".join(parts),
        (literal.lower() if caseless else literal,),
        caseless,
        len(sequence),
        len(sequence),
    )


def literals(tree: Node) -> set[bytes]:
    """Every literal that a match can begin with; empty if it can begin with something else."""
    runs: set[bytes] = set()
    for masks, _ in _unfold(flatten(tree), narrow=False):
        found = [b""]
        for mask in masks:
            members = _members(mask)
            # A choice of two or three letters is a spelling; a class is drawn, so secret.
            if len(members) > 3 or len(found) > MAX_HEADS:
                break
            found = [text + bytes([byte]) for text in found for byte in members]
        runs.update(found)
    return set() if b"" in runs else runs


def are_whole(tree: Node, heads: Heads) -> bool:
    """Whether each head is one whole way through the pattern, so that a hit is a match."""
    ways = _unfold(flatten(tree), narrow=False)
    if heads.lead_hi or not all(is_open and len(masks) < MAX_HEAD for masks, is_open in ways):
        return False
    exact = {_fixed_head(masks) for masks in _spell_out([masks for masks, _ in ways])}
    return exact == set(heads.heads)


def _prefixes(items: Sequence[Node]) -> list[tuple[Mask, ...]]:
    """Every fixed-length way to begin, unfolded until a length varies."""
    return [masks for masks, _ in _unfold(items)]


def _unfold(items: Sequence[Node], *, narrow: bool = True) -> list[tuple[tuple[Mask, ...], bool]]:
    """``(masks, open)`` for each way through ``items``; not ``open``: it stops for good.

    ``narrow``: fewer ways, once each has a literal that is long enough.
    """
    ways: list[tuple[tuple[Mask, ...], bool]] = [((), True)]
    for item in items:
        if not any(is_open and len(masks) < MAX_HEAD for masks, is_open in ways):
            break
        steps = _steps(item)
        if narrow and len(steps) > 1:
            run = min(_literal_run(masks) for masks, _ in ways)
            if run >= GOOD_LITERAL:
                steps = _merged(steps)
            if len(steps) > 1 and run >= LONG_LITERAL:
                return [(masks, False) for masks, _ in ways]
        growing = sum(is_open for _, is_open in ways)
        if len(ways) + growing * (len(steps) - 1) > MAX_HEADS:
            return [(masks, False) for masks, _ in ways]
        ways = [way for masks, is_open in ways for way in _extend(masks, is_open, steps)]
    return ways


def _merged(steps: list[tuple[tuple[Mask, ...], bool]]) -> list[tuple[tuple[Mask, ...], bool]]:
    """Ways of one length as a single one that allows, at each place, what any of them does."""
    if len({(len(masks), is_open) for masks, is_open in steps}) > 1:
        return steps
    columns = zip(*(masks for masks, _ in steps), strict=True)
    return [(tuple(reduce(or_, column) for column in columns), steps[0][1])]


def _extend(
    masks: tuple[Mask, ...], is_open: bool, steps: list[tuple[tuple[Mask, ...], bool]]
) -> list[tuple[tuple[Mask, ...], bool]]:
    if not is_open or len(masks) >= MAX_HEAD:
        return [(masks, False)]
    return [((masks + more)[:MAX_HEAD], goes_on) for more, goes_on in steps]


def _steps(node: Node) -> list[tuple[tuple[Mask, ...], bool]]:
    match node:
        case One(mask):
            return [((mask,), True)]
        case Group(item):
            return _steps(item)
        case Seq(items):
            return _unfold(items)
        case Alt(options):
            return [step for option in options for step in _steps(option)]
        case Repeat(item, 0, 1):
            return [((), True), *_steps(item)]
        case Repeat(item, lo, hi):
            copies = _unfold([item] * min(lo, MAX_HEAD))
            return copies if lo == hi else [(masks, False) for masks, _ in copies]
