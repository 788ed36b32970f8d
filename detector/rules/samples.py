"""Samples of a rule, drawn from its pattern and made valid by its check.

No live-looking token stands in any file: tests, corpora and training draw theirs here,
from a seed.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from detector.checks import CHECKS
from detector.rules.model import Rule
from detector.rules.syntax import (
    ALNUM,
    ANY,
    WORD,
    Alt,
    Group,
    Mask,
    Node,
    One,
    Repeat,
    Seq,
    mask_of,
    parse,
    secret_part,
    width,
)

_SPREAD = 24  # how far above its least number a repeat is drawn: samples stay short
# Of a wide class (everything but a quote, say) only what needs no escape anywhere.
_PLAIN = ALNUM | mask_of(b"-_.~+")


_UPPER, _LOWER, _DIGITS = bytes(range(65, 91)), bytes(range(97, 123)), b"0123456789"


class Sample(NamedTuple):
    """Text of a whole match, and where in it the secret lies."""

    text: bytes
    start: int
    end: int

    @property
    def secret(self) -> bytes:
        """The secret's bytes."""
        return self.text[self.start : self.end]


def draw(rule: Rule, rng: random.Random) -> Sample:
    """A sample that passes the rule's check. The same ``rng`` state gives the same one."""
    out, span = bytearray(), [0, 0]
    _draw(parse(rule.spec.pattern), rng, out, span)
    start, end = span
    secret = bytes(out[start:end])
    if rule.spec.judged:
        secret = _strong(rng, secret, width(secret_part(parse(rule.spec.pattern))[0]))
    if rule.spec.check:
        secret = CHECKS[rule.spec.check].make(rng, secret)
    return Sample(bytes(out[:start]) + secret + bytes(out[end:]), start, start + len(secret))


def _strong(rng: random.Random, secret: bytes, widths: tuple[int, int]) -> bytes:
    """In place of what may be a short word: letters and digits that nobody takes for one."""
    lo, hi = widths
    size = max(lo, min(hi, rng.randint(14, 24)))
    chars = [rng.choice(pool) for pool in (_UPPER, _DIGITS, _LOWER)]
    chars += rng.choices(_UPPER + _DIGITS + _LOWER, k=size - len(chars))
    return bytes(chars) if size >= 8 else secret


def sample(rule: Rule, rng: random.Random) -> bytes:
    """The text of :func:`draw`."""
    return draw(rule, rng).text


def _draw(node: Node, rng: random.Random, out: bytearray, span: list[int]) -> None:
    match node:
        case One(mask):
            out.append(_member(mask, rng))
        case Group(item):
            span[0] = len(out)
            _draw(item, rng, out, span)
            span[1] = len(out)
        case Seq(items):
            for item in items:
                _draw(item, rng, out, span)
        case Alt(options):
            _draw(rng.choice(options), rng, out, span)
        case Repeat(item, lo, hi):
            for _ in range(rng.randint(lo, min(hi, lo + _SPREAD))):
                _draw(item, rng, out, span)


_members: dict[Mask, bytes] = {}


def _member(mask: Mask, rng: random.Random) -> int:
    if mask not in _members:
        wide = mask.bit_count() > (WORD.bit_count() + 8) and mask & _PLAIN
        narrowed = mask & _PLAIN if wide else mask & ANY
        _members[mask] = bytes(byte for byte in range(256) if narrowed >> byte & 1)
    return rng.choice(_members[mask])
