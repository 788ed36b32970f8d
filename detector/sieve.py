"""What has a credential's name and is plainly none: dropped before a model is asked.

Code is full of ``key = getKey(`` and ``token: "authorization_code"``. A few tests on a value's
first bytes drop half of what is none among labelled values, and one secret in 500. None looks
past what ends the value: how much follows is a matter of how a stream was cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from detector.english import English
from detector.entropy import Floats
from detector.rules import Rule
from detector.types import Bytes

REACH = 96  # bytes of a value that are looked at
_QUOTES = b"\"'`;"  # the last one ends &quot;
_ENTITY = _QUOTES[-1]
_BLANK = 32
_WORDS = re.compile(rb"[A-Za-z._$@:/-]+[0-9]{0,3}(?=[\0-\x20\"'`,;)}\]<>&\\\x7f-\xff]|\Z)")
_CALL = re.compile(rb"[A-Za-z_$][0-9A-Za-z_$]*(?:\.[A-Za-z_$][0-9A-Za-z_$]*)*[(\[]")
_LOOKUP = re.compile(rb"[A-Za-z_$][0-9A-Za-z_$]{0,15}(?:\.[A-Za-z_$][0-9A-Za-z_$]{0,15})+[;,) ]")
# Types with a number in their names: Uint8Array, Float64Array, Vector3D.
_TYPE = re.compile(rb"[A-Z][a-z]{2,15}[0-9]{1,3}[A-Z]?[A-Za-z]{0,15}(?![0-9A-Za-z_$+/=-])")
# An issue of some tracker: ABC-1234.
_ISSUE = re.compile(rb"[A-Za-z]{2,10}-[0-9]{1,6}(?![0-9A-Za-z_+/=-])")
# What an interface says: several words without a digit, six with one, or letters beyond ASCII.
_TEXT = re.compile(
    rb"(?:[^\s\"'`0-9\\]+ [^\"'`0-9\\\r\n]*|[^\s\"'`0-9\\]*[\xc3-\xf4][^\s\"'`0-9\\]*)"
    rb"(?:[\"'`\\\r\n]|\Z)|(?:[^\s\"'`]{1,24} ){5}|(?:[^\"'`\r\n]{0,24}?[\xc3-\xf4][\x80-\xbf]){4}"
)
# A name and a blank, and letters: the next word of a sentence or of a command.
_NEXT_WORD = re.compile(rb"[A-Za-z0-9_\"'`] [A-Za-z_-]+(?![0-9A-Za-z_+/=-])")
_CONSTANT = re.compile(
    rb"(?:true|false|null|none|nil|undefined|function|async|await|return|typeof|string|object"
    rb"|number|boolean|void|this|self|new|not|required|optional|b64enc|b64dec|0x[0-9a-f]{1,8})(?![0-9A-Za-z_$.-])",
    re.IGNORECASE,
)


class Sieve:
    """Tells what is plainly no secret. Immutable."""

    def __init__(self, rules: Sequence[Rule], pairs: Floats) -> None:
        """``pairs``: the log ratio of each pair of letters to chance in English, (27, 27)."""
        self._english = English(pairs)
        self._of_words = [bool(rule.spec.names) and not rule.spec.worded for rule in rules]

    def drops(self, view: Bytes, start: int, rule: int) -> bool:
        """Whether the value at ``start`` of ``view`` is a call, a constant of a language, a text
        or, where the rule's values are drawn, a look-up, a type, or letters that follow each
        other as in English."""
        start += bytes(view[max(0, start - 1) : start + 1]) == b":-"  # ${NAME:-value}
        text = bytes(view[start : start + REACH])
        quoted = start > 0 and view[start - 1] in _QUOTES
        if not quoted and (_CALL.match(text) or _CONSTANT.match(text)):
            return True
        if quoted and view[start - 1] != _ENTITY and _TEXT.match(text):
            return True
        if not self._of_words[rule]:
            return False
        if not quoted and any(one.match(text) for one in (_LOOKUP, _TYPE, _ISSUE)):
            return True
        if view[start - 1] == _BLANK and _NEXT_WORD.match(
            bytes(view[max(0, start - 2) : start]) + text
        ):
            return True
        return (found := _WORDS.match(text)) is not None and self._english(found.group()) > 0
