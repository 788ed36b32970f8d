"""What is said of a column."""

from __future__ import annotations

import enum

import msgspec

from detector.types import Secret


class Kind(enum.StrEnum):
    """What a column holds, in the words of a report."""

    tokens = "tokens"  # drawn by a program; no rule knows their format
    passwords = "passwords"  # readable, all or some of them
    hashes = "password hashes"
    identifiers = "identifiers"  # UUIDs, serials, hashes of content: they open nothing
    other = "other"


class TokenFormat(msgspec.Struct, frozen=True):
    """What tokens of a column have in common.

    ``prefixes``: constant beginnings, ``("",)`` without one; ``alphabet``: its name, and
    ``members``, its bytes as a regex class without the brackets, base64 less its padding;
    ``shortest`` and ``longest``: whole tokens, in bytes, ``body``: the same behind the prefix;
    ``separators``: fixed places behind the prefix with the byte that stands there; ``bits``: of
    randomness in one.
    """

    prefixes: tuple[str, ...]
    alphabet: str
    members: str
    shortest: int
    longest: int
    body: tuple[int, int]
    separators: tuple[tuple[int, str], ...]
    bits: int


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One column. ``nulls``: share of the sample that is NULL or empty; ``distinct``: different
    values among those that are not; both 0 to 1.

    ``what``: in a few words, such as the hashes' algorithm; ``plaintext``: of passwords, the share
    that is not hashed. ``confidence`` is that of ``kind``, 0 to 1. ``example`` prints masked only.
    ``rule_draft``: a file of rules in TOML (``patterns/README.md``), empty where none can be given.
    """

    table: str
    name: str
    rows: int
    nulls: float
    distinct: float
    kind: Kind
    what: str
    confidence: float
    reasons: tuple[str, ...] = ()
    plaintext: float | None = None
    example: Secret | None = None
    format: TokenFormat | None = None
    rule_draft: str = ""
