"""JSON Web Tokens (RFC 7519): who issued one, to whom, for which role, until when.

The subject and everything else that may name a person stays inside. Whether a token has
expired depends on the day of the run, so only its date is told.
"""

from __future__ import annotations

import hmac
import random
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from detector.checks.encodings import (
    BASE36,
    b64_decode,
    b64url_encode,
    iso_date,
    pick,
    short,
)
from detector.checks.results import FAILED
from detector.types import CheckResult, CheckStatus, Privilege, Severity

_MAX_TOKEN = 1 << 16

SUPABASE_DEMO_SECRETS = (
    b"super-secret-jwt-token-with-at-least-32-characters-long",  # the CLI's
    b"your-super-secret-jwt-token-with-at-least-32-characters-long",  # for self-hosting
)
DEMO_SECRETS = (
    b"your-256-bit-secret",  # the debugger at jwt.io, and its later default
    b"a-string-secret-at-least-256-bits-long",
    b"secret",
)
"""Signing secrets that stand in public documentation. Who keeps one can be forged."""


class _Header(msgspec.Struct, gc=False):
    alg: str


class _Payload(msgspec.Struct, gc=False):
    iss: Any = None
    aud: Any = None
    role: Any = None
    ref: Any = None
    scope: Any = None
    exp: Any = None


_HEADER = msgspec.json.Decoder(_Header)
_PAYLOAD = msgspec.json.Decoder(_Payload)
_PROJECT_HOST = re.compile(r"https://([a-z0-9]{20})\.supabase\.\w{2,3}/")


def _padded(secret: bytes, pad: int) -> bytes:
    return bytes(c ^ pad for c in secret.ljust(64, b"\0"))


# HMAC's two halves with the key already in them: a third of the time of hmac.digest.
def _states(secrets: tuple[bytes, ...]) -> list[tuple[Any, Any]]:
    return [(sha256(_padded(s, 0x36)), sha256(_padded(s, 0x5C))) for s in secrets]


_DEMO_STATES = {True: _states(SUPABASE_DEMO_SECRETS), False: _states(DEMO_SECRETS)}


def _signed_with_demo_secret(signed: bytes, signature: bytes, payload: _Payload) -> bool:
    # Each secret costs a microsecond and more: try those of the guide the token comes from.
    supabase = payload.role in ("anon", "authenticated", "service_role")
    raw = b64_decode(signature)
    for inner, outer in _DEMO_STATES[supabase]:
        first, second = inner.copy(), outer.copy()
        first.update(signed)
        second.update(first.digest())
        if second.digest() == raw:
            return True
    return False


def _decode(token: bytes) -> tuple[_Header, _Payload] | None:
    header, payload = token.split(b".", 2)[:2]
    try:
        return (
            _HEADER.decode(b64_decode(header) or b""),
            _PAYLOAD.decode(b64_decode(payload) or b""),
        )
    except (ValueError, RecursionError):
        return None


def check_jwt(token: bytes, before: bytes) -> CheckResult:
    """Header with ``alg`` and a JSON payload: passed, with the claims that name no person.

    What stands before the first ``eyJ`` (``ghs_<id>_eyJ…``) is not of the token.
    """
    start = token.find(b"eyJ", 0, 64)
    token = token[start:] if start > 0 else token
    dots = token.count(b".", 0, _MAX_TOKEN)
    if dots != 2 or len(token) > _MAX_TOKEN:
        return _check_encrypted(token) if dots == 4 else FAILED
    decoded = _decode(token)
    if decoded is None:
        return FAILED
    header, payload = decoded
    claims = _claims(header, payload)
    placeholder = False
    if header.alg == "HS256" and len(token) <= 4096:
        signed, _, signature = token.rpartition(b".")
        if len(signature) == 43 and _signed_with_demo_secret(signed, signature, payload):
            claims["signed_with"] = "a well-known demo secret"
            # The keys in Supabase's own guides. The same issuer with another secret is real.
            placeholder = payload.iss == "supabase-demo"
    privilege, severity = _rank(payload)
    return CheckResult(CheckStatus.passed, claims, privilege, severity, placeholder)


def _check_encrypted(token: bytes) -> CheckResult:
    """Five parts (JWE): the header is all that can be read."""
    try:
        header = _HEADER.decode(b64_decode(token.partition(b".")[0]) or b"")
    except (ValueError, RecursionError):
        return FAILED
    alg = short(header.alg, 32)
    return CheckResult(CheckStatus.passed, {"alg": alg, "encrypted": True} if alg else {})


def _claims(header: _Header, payload: _Payload) -> dict[str, Any]:
    aud = payload.aud[:4] if isinstance(payload.aud, list) else [payload.aud]
    scope = payload.scope
    if isinstance(scope, list):
        scope = " ".join(s for s in scope[:16] if isinstance(s, str))
    claims = {
        "alg": short(header.alg, 32),
        "iss": short(payload.iss),
        "aud": " ".join(filter(None, (short(a, 64) for a in aud))),
        "role": short(payload.role, 64),
        "project": _project(payload),
        "scope": short(scope),
        "expires": iso_date(payload.exp),
    }
    return {name: value for name, value in claims.items() if value}


def _project(payload: _Payload) -> str | None:
    """The Supabase project that a token belongs to."""
    if payload.ref:
        return short(payload.ref, 64)
    match = _PROJECT_HOST.match(payload.iss) if isinstance(payload.iss, str) else None
    return match.group(1) if match else None


def _rank(payload: _Payload) -> tuple[Privilege | None, Severity | None]:
    """What a token's role grants. ``anon`` is public only where Supabase issued it."""
    iss, role = payload.iss, payload.role
    if role == "service_role":
        return Privilege.admin, Severity.critical
    if not isinstance(iss, str) or not (
        iss in ("supabase", "supabase-demo") or iss.endswith("/auth/v1")
    ):
        return None, None
    if role == "anon":
        return Privilege.public, Severity.info
    if role == "authenticated":
        return Privilege.limited, Severity.medium
    return None, None


_SIGNATURE_BYTES = {"S256": 32, "S384": 48, "S512": 64}


def make_token(
    rng: random.Random, payload: Mapping[str, Any], header: Mapping[str, Any] | None = None
) -> bytes:
    """A token with this payload. HS256 is signed with a random key; the rest is random bytes
    of the algorithm's length, since nobody can check it without the public key."""
    header = header or {"alg": "HS256", "typ": "JWT"}
    parts = (b64url_encode(msgspec.json.encode(part)) for part in (header, payload))
    signed = b".".join(parts)
    alg = str(header.get("alg", ""))
    if alg == "HS256":
        signature = hmac.digest(rng.randbytes(32), signed, "sha256")
    elif alg == "none":
        signature = b""
    elif alg.startswith("H"):
        signature = rng.randbytes(_SIGNATURE_BYTES.get(alg[1:], 32))
    else:
        signature = rng.randbytes({"E": 64, "R": 256, "P": 256}.get(alg[:1], 64))
    return signed + b"." + b64url_encode(signature)


def supabase_key(rng: random.Random, ref: str, role: str) -> bytes:
    """A project's API key as Supabase's platform issues it: ``role`` is ``anon`` or
    ``service_role``, valid for ten years."""
    issued = rng.randrange(1_620_000_000, 1_750_000_000)
    payload = {"iss": "supabase", "ref": ref, "role": role, "iat": issued}
    return make_token(rng, payload | {"exp": issued + 315_360_000})


_ALG = re.compile(rb'"alg":"([A-Z]{2}\d{3})"')


def _lead(part: bytes) -> bytes:
    """What a draft's part says before its random rest: any base64 decodes."""
    return b64_decode(part[: len(part) // 4 * 4]) or b""


def make_jwt(rng: random.Random, draft: bytes) -> bytes:
    """A new token that keeps what the rule's literals fix: a prefix, the header's algorithm,
    and the order in which Supabase writes its claims."""
    start = max(draft.find(b"eyJ", 0, 64), 0)
    parts = draft[start:].split(b".")
    alg = _ALG.search(_lead(parts[0]))
    header = {"alg": alg.group(1).decode() if alg else "HS256", "typ": "JWT"}
    payload = _payload_like(rng, _lead(parts[1]) if len(parts) > 1 else b"")
    return draft[:start] + make_token(rng, payload, header)


def _payload_like(rng: random.Random, lead: bytes) -> dict[str, Any]:
    issued = rng.randrange(1_620_000_000, 1_750_000_000)
    times = {"iat": issued, "exp": issued + 315_360_000}
    issuer = "supabase-demo" if b'"supabase-demo' in lead else "supabase"
    role = "service_role" if b'"service_r' in lead else "anon"
    if lead.startswith(b'{"role":'):  # self-hosted
        return {"role": role, "iss": issuer, **times}
    if lead.startswith(b'{"iss":"supabase-demo"'):
        return {"iss": issuer, "role": role, **times}
    if lead.startswith(b'{"iss":"supabase"'):
        ref = pick(rng, BASE36[10:], 20).decode()
        return {"iss": issuer, "ref": ref, "role": role, **times}
    who = str(UUID(bytes=rng.randbytes(16), version=4))
    return {"iss": "accounts", "sub": who, "iat": issued, "exp": issued + 86_400}
