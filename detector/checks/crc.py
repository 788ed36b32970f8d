"""Tokens that end in a checksum of their own text.

GitHub, npm and Vercel write a CRC-32 in base62 (0-9 A-Z a-z, six characters, zero-padded);
Grafana, Atlassian and Zuplo write one in hex; an NKEY holds a CRC-16, an age key the BCH
code of Bech32. A checksum says that nobody invented, cut or mistyped the token.
"""

from __future__ import annotations

import binascii
import random
from binascii import crc32

from detector.checks.encodings import (
    BASE32,
    BASE62,
    BECH32,
    b32_decode,
    b32_encode,
    bech32_holds,
    bech32_sum,
    pick,
    to_base,
)
from detector.checks.results import FAILED, NONE, PASSED, passed, verdict
from detector.types import CheckResult

_SOFT = (b"ghs", b"ghw")
"""Tokens of GitHub's apps: not every one in the wild carries the checksum."""


def _crc_base62(body: bytes) -> bytes:
    return to_base(crc32(body), BASE62, 6)


def check_crc32_base62(token: bytes, before: bytes) -> CheckResult:
    """``ghp_…``, ``npm_…``, ``vcp_…``: the last six are the CRC-32 of what the prefix precedes."""
    prefix, _, body = token.rpartition(b"_")
    if len(body) > 6 and body[-6:] == _crc_base62(body[:-6]):
        return PASSED
    return NONE if prefix in _SOFT else FAILED


def make_crc32_base62(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last six characters set right."""
    body = draft.rpartition(b"_")[2]
    return draft[:-6] + _crc_base62(body[:-6])


def check_zuplo(token: bytes, before: bytes) -> CheckResult:
    """``zpka_<body>_<8 hex>``: CRC-32 of the body."""
    head, _, tail = token.rpartition(b"_")
    return verdict(tail == b"%08x" % crc32(head.rpartition(b"_")[2]))


def make_zuplo(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last eight characters set right."""
    head = draft.rpartition(b"_")[0]
    return head + b"_%08x" % crc32(head.rpartition(b"_")[2])


def _grafana_sum(head: bytes) -> bytes:
    return crc32(head).to_bytes(4, "little").hex().encode()


def check_grafana_sa(token: bytes, before: bytes) -> CheckResult:
    """``glsa_<32>_<8 hex>``: CRC-32 of the first 37 characters, least significant byte first."""
    head, _, tail = token.rpartition(b"_")
    return verdict(tail == _grafana_sum(head))


def make_grafana_sa(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last eight characters set right."""
    head = draft.rpartition(b"_")[0]
    return head + b"_" + _grafana_sum(head)


def check_atlassian(token: bytes, before: bytes) -> CheckResult:
    """``ATATT3…=<8 HEX>``: CRC-32 of all before it.

    Descriptions differ on whether the ``=`` counts, so either is accepted: that doubles a
    chance of one in four thousand million.
    """
    head, tail = token[:-8], token[-8:]
    return verdict(tail in (b"%08X" % crc32(head), b"%08X" % crc32(head.removesuffix(b"="))))


def make_atlassian(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last eight characters set right."""
    return draft[:-8] + b"%08X" % crc32(draft[:-8])


_NKEY_PREFIX = b"SA SC SN SO SU SX".split()
_NKEY_KINDS = dict(
    zip(_NKEY_PREFIX, ("account", "cluster", "server", "operator", "user", "curve"), strict=True)
)


def check_nkey(token: bytes, before: bytes) -> CheckResult:
    """A seed of NATS: ``S``, its kind, base32 of 2 + 32 bytes and their CRC-16 (XMODEM)."""
    raw = b32_decode(token)
    if (
        raw is None
        or len(raw) != 36
        or b32_encode(raw) != token  # two bits at the end are not data: they are zero
        or binascii.crc_hqx(raw[:34], 0) != int.from_bytes(raw[34:], "little")
    ):
        return FAILED
    kind = _NKEY_KINDS.get(token[:2])
    return passed({"kind": kind}) if kind else FAILED


def make_nkey(rng: random.Random, draft: bytes) -> bytes:
    """A seed of the draft's kind (its first two characters), 58 characters long."""
    kind = draft[:2] if draft[:2] in _NKEY_KINDS else b"SU"
    prefix = BASE32.index(b"S") << 11 | BASE32.index(kind[1:]) << 6  # five bits each, then zeros
    head = prefix.to_bytes(2, "big") + rng.randbytes(32)
    return b32_encode(head + binascii.crc_hqx(head, 0).to_bytes(2, "little"))


_AGE = b"age-secret-key-"


def check_age(token: bytes, before: bytes) -> CheckResult:
    """``AGE-SECRET-KEY-1`` and 58 characters of Bech32: 32 bytes and their checksum."""
    if len(token) != 74 or not (token.isupper() or token.islower()):
        return FAILED
    lower = token.lower()
    return verdict(lower.startswith(_AGE + b"1") and bech32_holds(_AGE, lower[16:]))


def make_age(rng: random.Random, draft: bytes) -> bytes:
    """A key of 32 random bytes; the draft gives nothing but the case."""
    data = pick(rng, BECH32, 51) + rng.choice((b"q", b"s"))  # 256 bits leave four zero bits
    key = _AGE + b"1" + data + bech32_sum(_AGE, data)
    return key if draft.islower() else key.upper()
