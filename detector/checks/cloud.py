"""Clouds and services whose keys hold an account, a host or an organisation.

Sources: Amazon's account number inside access key ids is described in public research on
the format; the rest decodes to JSON or text that names itself.
"""

from __future__ import annotations

import random
import re
from typing import Any

import msgspec

from detector.checks.encodings import (
    BASE32,
    BASE36,
    BASE62,
    HEX,
    b32_decode,
    b32_encode,
    b64_decode,
    b64_encode,
    b64_json,
    b64url_encode,
    iso_date,
    pick,
    short,
)
from detector.checks.results import FAILED, NONE, passed
from detector.types import CheckResult

_AWS_ACCOUNTS = 10**12


def check_aws(token: bytes, before: bytes) -> CheckResult:
    """Four characters of kind and 16 of base32, whose first six bytes hold the account.

    Ids made before 2019 (an I or J after the kind) hold none. ``…EXAMPLE`` is how Amazon's
    documentation ends its ids.
    """
    raw = b32_decode(token[4:]) if len(token) == 20 else None
    if raw is None:
        return FAILED
    account = (int.from_bytes(raw[:6], "big") & 0x7FFFFFFFFF80) >> 7
    told = account < _AWS_ACCOUNTS and token[4] not in b"IJ"
    return passed(
        {"account": f"{account:012}"} if told else {}, placeholder=token.endswith(b"EXAMPLE")
    )


def make_aws(rng: random.Random, draft: bytes) -> bytes:
    """A new id of the draft's kind, for a random account."""
    first = 1 << 47 | rng.randrange(10**10, _AWS_ACCOUNTS) << 7 | rng.getrandbits(7)
    return draft[:4] + b32_encode(first.to_bytes(6, "big") + rng.randbytes(4))


_BEDROCK = re.compile(rb"BedrockAPIKey-[\w.-]{1,64}-at-(\d{12}):")


def check_bedrock(token: bytes, before: bytes) -> CheckResult:
    """``ABSK`` and base64 of ``BedrockAPIKey-<name>-at-<account>:<secret>``."""
    raw = b64_decode(token[4:]) if token.startswith(b"ABSK") and len(token) < 1024 else None
    match = _BEDROCK.match(raw or b"")
    return passed({"account": match.group(1).decode()}) if match else FAILED


def make_bedrock(rng: random.Random, draft: bytes) -> bytes:
    """A new key of about the usual length (132 characters)."""
    name = b"BedrockAPIKey-%b-at-%012d:" % (pick(rng, BASE36, 4), rng.randrange(10**10, 10**12))
    return b"ABSK" + b64_encode(name + rng.randbytes(60)).rstrip(b"=")


def check_grafana_cloud(token: bytes, before: bytes) -> CheckResult:
    """``glc_`` and base64 of ``{o, n, k, m: {r}}``, or the older ``{n, k, id}`` alone."""
    value = b64_json(token.removeprefix(b"glc_"))
    if value is None or not isinstance(value.get("k"), str):
        return FAILED
    more = value.get("m")
    region = more.get("r") if isinstance(more, dict) else None
    org = value.get("o", value.get("id"))
    names = {"org": str(org) if isinstance(org, int) else org, "name": value.get("n")}
    return passed(_shown({**names, "region": region}))


def _shown(claims: dict[str, Any]) -> dict[str, str]:
    return {name: text for name, value in claims.items() if (text := short(value))}


def make_grafana_cloud(rng: random.Random, draft: bytes) -> bytes:
    """A new token of the draft's form."""
    number = rng.randrange(10**5, 10**7)
    secret = pick(rng, BASE62, 24).decode()
    if draft.startswith(b"glc_"):
        name = f"stack-{rng.randrange(10**5, 10**6)}-hl-write-logs"
        value = {"o": str(number), "n": name, "k": secret, "m": {"r": "prod-eu-west-2"}}
        return b"glc_" + b64_encode(msgspec.json.encode(value))
    # Rules start at `eyJrIjoi`, so the key comes first.
    return b64_encode(msgspec.json.encode({"k": secret, "n": "metrics", "id": number}))


def check_sentry_org(token: bytes, before: bytes) -> CheckResult:
    """``sntrys_``, base64 of ``{iat, url, region_url, org}``, ``_`` and the secret."""
    head, separator, secret = token.removeprefix(b"sntrys_").partition(b"_")
    value = b64_json(head)
    if value is None or not separator or len(secret) < 16 or not isinstance(value.get("org"), str):
        return FAILED
    claims = _shown({name: value.get(name) for name in ("org", "url", "region_url")})
    created = iso_date(value.get("iat"))
    return passed(claims | ({"created": created} if created else {}))


def make_sentry_org(rng: random.Random, draft: bytes) -> bytes:
    """A new token of a made-up organisation."""
    value = {
        "iat": rng.randrange(1_690_000_000, 1_770_000_000) + 0.25,
        "url": "https://sentry.io",
        "region_url": "https://us.sentry.io",
        "org": pick(rng, BASE36[10:], 10).decode(),
    }
    secret = b64_encode(rng.randbytes(32)).rstrip(b"=")
    return b"sntrys_" + b64_encode(msgspec.json.encode(value)) + b"_" + secret


def check_onepassword(token: bytes, before: bytes) -> CheckResult:
    """``ops_`` and base64 of a JSON object with ``signInAddress`` and ``secretKey``."""
    value = b64_json(token.removeprefix(b"ops_"))
    if value is None or not isinstance(value.get("secretKey"), str):
        return FAILED
    return passed(_shown({"host": value.get("signInAddress")}))


def make_onepassword(rng: random.Random, draft: bytes) -> bytes:
    """A new service account token."""
    name = pick(rng, BASE36[10:], 12).decode()
    parts = [pick(rng, BASE32, n).decode() for n in (6, 6, 5, 5, 5, 5)]
    value = {
        "signInAddress": "my.1password.com",
        "userAuth": {
            "method": "SRPg-4096",
            "alg": "PBES2g-HS256",
            "iterations": 650_000,
            "salt": b64url_encode(rng.randbytes(16)).decode(),
        },
        "email": f"{name}@1passwordserviceaccounts.com",
        "srpX": pick(rng, HEX, 64).decode(),
        "muk": {"alg": "A256GCM", "k": b64url_encode(rng.randbytes(32)).decode(), "kty": "oct"},
        "secretKey": "-".join(["A3", *parts]),
        "throttleSecret": {"seed": pick(rng, HEX, 64).decode()},
        "deviceUuid": pick(rng, BASE36, 26).decode(),
    }
    return b"ops_" + b64url_encode(msgspec.json.encode(value))


_HOST = re.compile(rb"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")


def check_clerk(token: bytes, before: bytes) -> CheckResult:
    """``pk_live_`` or ``pk_test_`` and base64 of the application's host and ``$``."""
    raw = b64_decode(token[8:]) if token[:8] in (b"pk_live_", b"pk_test_") else None
    if raw is None or raw[-1:] != b"$" or not _HOST.fullmatch(raw, 0, min(len(raw) - 1, 254)):
        return FAILED
    return passed({"host": raw[:-1].decode()})


def make_clerk(rng: random.Random, draft: bytes) -> bytes:
    """A new key of the draft's environment for a made-up host."""
    name = pick(rng, BASE36[10:], 9)
    if draft.startswith(b"pk_live_"):
        host = b"clerk." + name + b".com"
    else:
        host = name + b"-%d.clerk.accounts.dev" % rng.randrange(10, 100)
    return draft[:8] + b64_encode(host + b"$").rstrip(b"=")


_STRIPE_ACCOUNT = re.compile(rb"[srp]k_(?:live|test)_5(1[0-9A-Za-z]{15})[0-9A-Za-z]{16}")


def check_stripe(token: bytes, before: bytes) -> CheckResult:
    """Newer keys hold the account's id after a ``5``; that was seen, not documented, so an
    older key gets no answer rather than a bad one."""
    match = _STRIPE_ACCOUNT.match(token)
    return passed({"account": "acct_" + match.group(1).decode()}) if match else NONE


def make_stripe(rng: random.Random, draft: bytes) -> bytes:
    """The draft as a newer key: ``51`` after the prefix."""
    start = draft.find(b"_", 3) + 1
    return draft[:start] + b"51" + draft[start + 2 :]
