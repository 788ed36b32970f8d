"""What a message's object says of itself: channel, author, id and time, by the names of fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from detector.tables.bits import parity

LONGEST = 256  # characters of a value that is shown
_EPOCH = datetime(1970, 1, 1)  # its Z is written behind
_MILLISECONDS = 10**11  # from when on a time counts those: in seconds the year 5138
_DISPLAYED = (
    *("display_name", "displayName", "global_name", "real_name", "name", "username"),
    *("user_name", "login", "email", "first_name", "title", "id", "user_id"),
)
"""Fields of an object that stands for a person or a channel, the best first."""


def parsed(text: bytes) -> dict[str, Any]:
    """The object that begins a text, as much of it as is there; empty for anything else."""
    text = text.strip().removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] != b"{":
        return {}
    one = _decoded(text)
    if one is None:
        one = _decoded(_whole_fields(text))
    return one if isinstance(one, dict) else {}


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        pass
    try:  # half of a surrogate pair, a control character, bytes that are no UTF-8
        return json.loads(text.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def _whole_fields(text: bytes) -> bytes:
    """An object of those fields that are complete, whatever follows them."""
    column = np.frombuffer(text, np.uint8)
    quotes = column == 34
    slashes = np.flatnonzero(column == 92)
    ends = np.flatnonzero(np.diff(slashes, append=-1) != 1)
    behind = slashes[ends[np.diff(ends, prepend=-1) & 1 == 1]] + 1
    quotes[behind[behind < column.size]] = False
    outside = ~parity(quotes)
    folded = column | 32
    steps = ((folded == 0x7B) & outside).astype(np.int64) - ((folded == 0x7D) & outside)
    depths = np.cumsum(steps)
    closed = np.flatnonzero(depths == 0)
    if closed.size:  # more follows
        return text[: int(closed[0]) + 1]
    commas = np.flatnonzero((column == 44) & outside & (depths == 1))
    return text[: int(commas[-1])] + b"}" if commas.size else b"{}"


def first(one: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of some fields that says something, as text."""
    for name in names:
        value = one.get(name)
        if value is not None and (text := shown(value)) is not None:
            return text
    return None


def inside(one: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """An object in an object; empty where there is none."""
    for key in keys:
        value = one.get(key)
        if not isinstance(value, Mapping):
            return {}
        one = value
    return one


def shown(value: object) -> str | None:
    """A value as text: of an object the name, nothing of what is no name."""
    if isinstance(value, str):
        return _clipped(value)
    if isinstance(value, Mapping):
        found = (value.get(name) for name in _DISPLAYED)
        return next((text for one in found if (text := _plain(one)) is not None), None)
    return _plain(value)


def _plain(value: object) -> str | None:
    if isinstance(value, str):
        return _clipped(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _clipped(str(value)) if number else None


def _clipped(text: str) -> str | None:
    text = text.strip()
    if not text.isascii():  # half of a surrogate pair is no text
        text = text.encode("utf-8", "replace").decode()
    if len(text) > LONGEST:
        return text[: LONGEST - 1] + "…"
    return text or None


def time_of(one: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of some fields that is a time: ISO 8601 for seconds or milliseconds since 1970,
    text as it stands."""
    text = first(one, names)
    return None if text is None else iso(text) or text


def iso(text: str) -> str | None:
    """Of ``1700000000.123456``; None for what is no such number.

    The digits are kept as they are: a float has not all that Slack gives.
    """
    seconds, dot, rest = text.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and 9 <= len(seconds) <= 14):
        return None
    if dot and not (rest.isascii() and rest.isdigit()):
        return None
    whole = int(seconds)
    micro = int((rest + "000000")[:6])
    if whole >= _MILLISECONDS:
        whole, micro = whole // 1000, whole % 1000 * 1000
    return (_EPOCH + timedelta(seconds=whole, microseconds=micro)).isoformat() + "Z"
