"""Package registries: PyPI's macaroons, JFrog's reference tokens, NuGet's keys.

Sources: the macaroon v2 binary format and the caveats of PyPI's own server; the others
decode to text that names itself.
"""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import msgspec

from detector.checks.encodings import (
    BASE36,
    BASE58,
    BASE62,
    b58_decode,
    b64_decode,
    b64_encode,
    b64url_encode,
    iso_date,
    pick,
    short,
)
from detector.checks.results import FAILED, passed, verdict
from detector.types import CheckResult

_PYPI_HOSTS = (b"pypi.org", b"test.pypi.org")


def _macaroon(raw: bytes) -> list[tuple[int, bytes]] | None:
    """The fields of a version 2 macaroon as (type, value); type 0 ends a section."""
    if raw[:1] != b"\x02":
        return None
    fields: list[tuple[int, bytes]] = []
    at = 1
    while at < len(raw) and len(fields) < 64:
        kind, at = raw[at], at + 1
        if kind == 0:
            fields.append((0, b""))
            continue
        length, shift = 0, 0
        while at < len(raw) and shift < 21:  # a varint; nothing here is above 2 MiB
            byte, at = raw[at], at + 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if at + length > len(raw):
            return None
        fields.append((kind, raw[at : at + length]))
        at += length
    return fields if fields and fields[-1][0] == 6 and len(fields[-1][1]) == 32 else None


def _pypi_caveat(raw: bytes) -> dict[str, Any]:
    """What one caveat allows: the older form is an object, the newer one a tagged list."""
    try:
        caveat = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return {}
    claims: dict[str, Any] = {}
    match caveat:
        case [0, expires, *_] if date := iso_date(expires):
            claims = {"expires": date}
        case {"permissions": {"projects": [*names]}} | [1, [*names]]:
            claims = {"scope": "project", "projects": [n for n in map(short, names[:16]) if n]}
        case [2, [*_]]:
            claims = {"scope": "project"}
        case {"permissions": "user"} | [3, _]:
            claims = {"scope": "user"}
    return claims


def check_pypi(token: bytes, before: bytes) -> CheckResult:
    """``pypi-`` and a macaroon in base64url whose location is the index's host."""
    if not token.startswith(b"pypi-") or len(token) > 4096:
        return FAILED
    fields = _macaroon(b64_decode(token[5:]) or b"")
    if not fields or fields[0][0] != 1 or fields[0][1] not in _PYPI_HOSTS:
        return FAILED
    claims: dict[str, Any] = {"host": fields[0][1].decode()}
    for kind, value in fields[2:]:
        if kind == 2:
            claims.update(_pypi_caveat(value))
    return passed(claims)


def make_pypi(rng: random.Random, draft: bytes) -> bytes:
    """A new token for the draft's host, for a user or for one project."""
    host = _PYPI_HOSTS[b"AgENdGVzdC5weXBpLm9yZw" in draft]
    who = str(UUID(bytes=rng.randbytes(16), version=4)).encode()
    caveat = rng.choice((b'{"version": 1, "permissions": "user"}', b'[3, "' + who + b'"]'))
    if rng.random() < 0.5:
        caveat = b'[1, ["' + pick(rng, BASE36[10:], 9) + b'"]]'
    fields = ((1, host), (2, who), (0, b""), (2, caveat), (0, b""), (0, b""))
    raw = b"\x02" + b"".join(bytes((k, len(v))) + v if k else b"\0" for k, v in fields)
    return b"pypi-" + b64url_encode(raw + b"\x06\x20" + rng.randbytes(32))


def check_jfrog(token: bytes, before: bytes) -> CheckResult:
    """Base64 of ``reftkn:01:<10 digits>:<random>``, or ``AKCp…``, base58 of 54 bytes."""
    if len(token) > 128:
        return FAILED
    if token.startswith(b"AKCp"):
        return verdict(len(b58_decode(token) or b"") == 54)
    parts = (b64_decode(token) or b"").split(b":")
    if len(parts) != 4 or parts[0] != b"reftkn" or not parts[2].isdigit():
        return FAILED
    stamp = iso_date(int(parts[2]))
    return passed({"timestamp": stamp} if stamp and int(parts[2]) else {})


def make_jfrog(rng: random.Random, draft: bytes) -> bytes:
    """A new reference token of 64 characters, or the draft's ``AKCp`` key in base58."""
    if draft.startswith(b"AKCp"):
        return b"AKCp" + pick(rng, BASE58, 69)
    # Rules may start with more or less of the stamp's own digits: keep the draft's.
    head = b64_decode(draft[: min(28, len(draft) // 4 * 4)]) or b""
    stamp = head[10:20] if head[10:20].isdigit() and len(head) > 19 else None
    stamp = stamp or b"%010d" % rng.randrange(1_600_000_000, 1_790_000_000)
    return b64_encode(b"reftkn:01:" + stamp + b":" + pick(rng, BASE62, 27)).rstrip(b"=")


_BASE32_LOWER = b"abcdefghijklmnopqrstuvwxyz234567"


def check_nuget(token: bytes, before: bytes) -> CheckResult:
    """``oy2`` and 43 of base32, in one case throughout."""
    one_case = token == token.lower() or token == token.upper()
    return verdict(len(token) == 46 and one_case and not token.lower().strip(_BASE32_LOWER))


def make_nuget(rng: random.Random, draft: bytes) -> bytes:
    """The draft in lower case."""
    return draft.lower()
