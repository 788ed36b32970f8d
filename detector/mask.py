"""What stands in a secret's place after redaction."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from detector.cluster import Settled
from detector.errors import UsageError
from detector.fingerprint import Fingerprinter
from detector.types import Finding

T = TypeVar("T", bytes, str)


class Mask(enum.StrEnum):
    """``label``: the rule's name; ``stars``: as many stars; ``pseudonym``: equal secrets
    get equal names, which nobody without the key can lead back."""

    label = "label"
    stars = "stars"
    pseudonym = "pseudonym"


def as_mask(mask: Mask | str) -> Mask:
    """The mask of that name. Raises :class:`UsageError`."""
    try:
        return Mask(mask)
    except ValueError:
        raise UsageError(f"mask '{mask}' is none of {', '.join(Mask)}") from None


_CONTINUATION = bytes(range(0x80, 0xC0))  # of UTF-8: all other bytes begin a character


def characters(raw: bytes | bytearray) -> int:
    """How many characters of UTF-8 begin in ``raw``."""
    return len(raw.translate(None, _CONTINUATION))


class Redacted(NamedTuple, Generic[T]):
    """Redacted text, of the type that was given, and what was found in it."""

    text: T
    findings: list[Finding]


def replacement(
    cluster: Settled,
    mask: Mask,
    fingerprinter: Fingerprinter,
    *,
    width: int | None = None,
    fit: bool = False,
) -> bytes:
    """The bytes that replace a cluster's whole span, which takes ``width`` characters on a
    screen: as many as bytes, unless it is said. ``fit``: no longer than the secret, which may
    stand in a column of so many characters.

    The span of *all* overlapping matches goes, not only of those reported: what one rule
    reports as a password another may know to reach further.
    """
    room = cluster.end - cluster.start if width is None else width
    if mask is Mask.stars:
        return b"*" * room
    best = cluster.best()
    secret = b"\0".join(one.secret for one in best)
    return stand_in(best[0].rule.id, secret, mask, fingerprinter, room=room, fit=fit)


def stand_in(
    rule: str, secret: bytes, mask: Mask, fingerprinter: Fingerprinter, *, room: int, fit: bool
) -> bytes:
    """What stands for one secret of ``room`` characters; ``fit``: in no more of them."""
    if mask is Mask.stars:
        return b"*" * room
    if mask is Mask.label:
        made = (f"[redacted:{rule}]", "[redacted]")
    else:
        name = fingerprinter.pseudonym(secret, 32)
        made = (f"[{rule}:{name[:12]}]", f"[{name[: max(4, room - 2)]}]")
    fitting = made[0] if not fit or len(made[0]) <= room else made[1]
    return fitting.encode() if not fit or len(fitting) <= room else b"*" * room


def replace_all(
    raw: bytes,
    clusters: Iterable[Settled],
    mask: Mask,
    fingerprinter: Fingerprinter,
    *,
    utf8: bool = False,
    fit: bool = False,
) -> bytes:
    """``raw`` with every cluster replaced; ``utf8``: it is text, a star stands for a character."""
    parts, position = [], 0
    for cluster in clusters:
        width = characters(raw[cluster.start : cluster.end]) if utf8 else None
        parts.append(raw[position : cluster.start])
        parts.append(replacement(cluster, mask, fingerprinter, width=width, fit=fit))
        position = cluster.end
    return b"".join([*parts, raw[position:]])
