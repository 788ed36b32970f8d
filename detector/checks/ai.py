"""Keys of model providers that carry a fixed marker or fixed trailing bits.

OpenAI and Groq put the base64 of their name into the key. That the last byte of an OpenAI
project key and the last bits of an Anthropic key are zero was seen on every genuine-looking
sample but is documented nowhere, so its absence says nothing.
"""

from __future__ import annotations

import random
import re

from detector.checks.encodings import BASE62, BASE64_URL, pick
from detector.checks.results import NONE, PASSED, verdict
from detector.types import CheckResult

_OPENAI_MARKER = b"T3BlbkFJ"
_OPENAI_HEAD = re.compile(rb"sk-(?:(?:proj|svcacct|admin|None)-|service-[0-9A-Za-z_-]{1,64}-)?")
_OPENAI_SIDES = (74, 58, 46, 20)
"""Characters on either side of the marker."""

_GROQ_MARKER = b"WGdyb3FY"
_ZERO_LOW_BITS = BASE64_URL[::4]
"""Characters whose lowest two of six bits are zero."""


def _openai_side(token: bytes) -> int:
    """How many characters stand on either side of the marker; 0 where they differ."""
    for side in _OPENAI_SIDES:
        start = len(token) - side - len(_OPENAI_MARKER)
        if start > side and token[start : start + 8] == _OPENAI_MARKER:
            return side if _OPENAI_HEAD.fullmatch(token, 0, start - side) else 0
    return 0


def check_openai(token: bytes, before: bytes) -> CheckResult:
    """Marker in the middle and, in the newer keys, eight zero bits at the end."""
    side = _openai_side(token)
    if side == 20:
        return PASSED
    return PASSED if side and token[-1:] == b"A" and token[-2] in _ZERO_LOW_BITS else NONE


def make_openai(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last two characters set right, or rebuilt where it is lopsided."""
    side = _openai_side(draft)
    if not side:
        side = min(_OPENAI_SIDES, key=lambda n: abs(2 * n + 8 + 8 - len(draft)))
        head = _OPENAI_HEAD.match(draft)
        prefix = head.group() if head else b"sk-"
        alphabet = BASE62 if side == 20 else BASE64_URL
        draft = prefix + pick(rng, alphabet, side) + _OPENAI_MARKER + pick(rng, alphabet, side)
    if side == 20:
        return draft
    return draft[:-2] + pick(rng, _ZERO_LOW_BITS, 1) + b"A"


def check_anthropic(token: bytes, before: bytes) -> CheckResult:
    """``sk-ant-…`` whose last 14 bits are zero."""
    holds = token.startswith(b"sk-ant-") and len(token) > 40
    return PASSED if holds and token[-2:] == b"AA" and token[-3] in _ZERO_LOW_BITS else NONE


def make_anthropic(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last three characters set right."""
    return draft[:-3] + pick(rng, _ZERO_LOW_BITS, 1) + b"AA"


def check_groq(token: bytes, before: bytes) -> CheckResult:
    """``gsk_`` + 20 + marker + 24: the marker at offset 24."""
    return verdict(len(token) == 56 and token[24:32] == _GROQ_MARKER)


def make_groq(rng: random.Random, draft: bytes) -> bytes:
    """The draft with the marker in its place."""
    return draft[:24] + _GROQ_MARKER + draft[32:]


def check_moltbook_code(token: bytes, before: bytes) -> CheckResult:
    """A word and four characters: four digits are a year or a number, not a code."""
    return CheckResult(placeholder=True) if token[-4:].isdigit() else PASSED


def make_moltbook_code(rng: random.Random, draft: bytes) -> bytes:
    """The draft with a letter at its end."""
    return draft[:-1] + pick(rng, b"ABCDEFGHJKMNPQRSTUVWXYZ", 1)
