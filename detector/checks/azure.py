"""Azure's self-identifying keys, old and new.

The older ones are 32, 39, 40 or 64 random bytes in base64 with a four-character signature
of their service near the end and, in the last four bytes, Marvin32 of the rest under a seed
that names the key's purpose. The newer ones ("common annotated security keys") say `JQQJ`
in the middle, when they were made and by which service.

Signatures, seeds and the newer key's pattern: Microsoft's published secret-masking library
(microsoft-security-utilities-secret-masker).
"""

from __future__ import annotations

import random
from typing import NamedTuple

from detector.checks.encodings import (
    BASE62,
    b64_decode,
    b64_encode,
    marvin32,
    pick,
    to_base,
)
from detector.checks.results import FAILED, passed
from detector.types import CheckResult, CheckStatus


class _Service(NamedTuple):
    name: str
    size: int  # bytes
    purposes: dict[bytes, str]  # seed → what the key may do


_MESSAGING = {b"Send0000": "send", b"Listen00": "listen", b"Manage00": "manage"}
_SERVICES = {
    b"+ASt": _Service("Storage", 64, {b"Default0": "account"}),
    b"ACDb": _Service(
        "Cosmos DB",
        64,
        {
            b"MastRW00": "read and write",
            b"MastRO00": "read only",
            b"SystRW00": "system read and write",
            b"SystRO00": "system read only",
            b"SysAll00": "system",
            b"Resour00": "resource",
            b"Encryp00": "encryption",
        },
    ),
    b"+ABa": _Service("Batch", 64, {b"AbAcct00": "account"}),
    b"+AMC": _Service("Machine Learning (classic)", 64, {b"Classic0": "web service"}),
    b"APIM": _Service(
        "API Management",
        64,
        {
            b"IoTHub00": "subscription",
            b"Tenant00": "direct management",
            b"Gatewy00": "gateway",
            b"GitKey00": "repository",
        },
    ),
    b"AzFu": _Service(
        "Functions", 40, {b"Functi00": "function", b"Master00": "master", b"System00": "system"}
    ),
    b"AzSe": _Service("AI Search", 39, {b"PAdmin00": "admin", b"Query000": "query"}),
    b"+ACR": _Service("Container Registry", 39, {b"ACRDflt0": "registry"}),
    b"+ASb": _Service("Service Bus", 32, _MESSAGING),
    b"+AEh": _Service("Event Hubs", 32, _MESSAGING),
    b"+ARm": _Service("Relay", 32, _MESSAGING),
    b"AzCa": _Service("Cache for Redis", 32, {b"Access00": "access"}),
    b"AIoT": _Service(
        "IoT Hub", 32, {b"IoTHub00": "hub", b"Device00": "device", b"DpsKey00": "provisioning"}
    ),
    b"AZEG": _Service("Event Grid", 32, {b"Default0": "access"}),
}
_TO_URL = bytes.maketrans(b"+/", b"-_")
_SIGNATURE_AT = {64: 76, 40: 44, 39: 42, 32: 33}
"""Bytes of the key → where its signature stands, in characters."""


def _sum(raw: bytes, seed: bytes) -> bytes:
    return marvin32(raw[:-4], int.from_bytes(seed, "big")).to_bytes(4, "little")


def _service_of(token: bytes, size: int) -> tuple[bytes, _Service | None]:
    at = _SIGNATURE_AT.get(size, 0)
    signature = token[at : at + 4].replace(b"-", b"+")  # `+` of base64 is `-` in URLs
    service = _SERVICES.get(signature)
    return signature, service if service and service.size == size else None


def check_identifiable(token: bytes, before: bytes) -> CheckResult:
    """The older keys: passed with ``service`` and ``purpose``."""
    raw = b64_decode(token) if len(token) <= 128 else None
    _, service = _service_of(token, len(raw)) if raw else (b"", None)
    if raw is None or service is None:
        return FAILED
    for seed, purpose in service.purposes.items():
        if _sum(raw, seed) == raw[-4:]:
            return passed({"service": service.name, "purpose": purpose})
    return CheckResult(CheckStatus.failed, {"service": service.name})


def make_identifiable(rng: random.Random, draft: bytes) -> bytes:
    """A new key of the draft's service: the same signature, alphabet and length."""
    sizes = {88: 64, 56: 40, 52: 39, 44: 32}
    signature, service = _service_of(draft, sizes.get(len(draft), 0))
    if service is None:
        signature, service = b"+ASt", _SERVICES[b"+ASt"]
    seed = rng.choice(list(service.purposes))
    while True:
        key = _identifiable(rng, signature, service.size, seed)
        # Search keys are letters and digits only: their maker draws until that holds, too.
        if signature != b"AzSe" or key.isalnum():
            return key


def _identifiable(rng: random.Random, signature: bytes, size: int, seed: bytes) -> bytes:
    # Where the signature ends inside a byte, zeros fill it up to the checksum.
    text = pick(rng, BASE62, _SIGNATURE_AT[size]) + signature + b"A"
    head = b64_decode(text + b"A" * (-len(text) % 4)) or b""
    body = head[: size - 4] + bytes(4)
    encoded = b64_encode(body[:-4] + _sum(body, seed))
    return encoded.translate(_TO_URL) if signature == b"AzFu" else encoded


_PROVIDERS = {
    b"AZDO": "Azure DevOps",
    b"AZEG": "Event Grid",
    b"AZAC": "App Configuration",
    b"ACOG": "AI services",
}
_MONTHS = b"ABCDEFGHIJKL"
_CASK_LENGTHS = (84, 88)


def check_cask(token: bytes, before: bytes) -> CheckResult:
    """The newer keys: ``provider`` (four characters, or the service they stand for) and
    ``created`` (year and month).

    How the checksum's 32 bits become four characters isn't published: one that fits any of
    the plausible ways proves the key, one that fits none proves nothing.
    """
    if len(token) not in _CASK_LENGTHS or token[52:57] != b"JQQJ9":
        return FAILED
    if not token.rstrip(b"=").isalnum() or token[57] not in b"9DH" or token[59] not in _MONTHS:
        return FAILED
    claims = {"provider": _PROVIDERS.get(token[76:80], token[76:80].decode())}
    year = 2024 + token[58] - ord("A")
    if 2024 <= year < 2050:
        claims["created"] = f"{year}-{_MONTHS.index(token[59]) + 1:02}"
    status = CheckStatus.passed if token[80:84] in _cask_sums(token) else CheckStatus.none
    return CheckResult(status, claims)


def _cask_sums(token: bytes) -> tuple[bytes, ...]:
    raw = b64_decode(token[:80])
    if raw is None:
        return ()
    number = marvin32(raw, int.from_bytes(b"Default0", "big"))
    swapped = int.from_bytes(number.to_bytes(4, "little"), "big")
    plain = b64_encode(number.to_bytes(4, "little"))[:4]
    base62 = (to_base(n, BASE62, 6) for n in (number, swapped))
    return (plain, *(part for text in base62 for part in (text[:4], text[-4:])))


def make_cask(rng: random.Random, draft: bytes) -> bytes:
    """The draft with a year, a month, a known service and the checksum set right."""
    kind = draft[57:58] if draft[57:58] in (b"9", b"D", b"H") else b"9"
    year, month = rng.choice(b"AB"), rng.choice(_MONTHS)
    provider = draft[76:80] if draft[76:80] in _PROVIDERS else rng.choice(list(_PROVIDERS))
    head = pick(rng, BASE62, 52) + b"JQQJ9" + kind + bytes((year, month))
    head += pick(rng, BASE62, 16) + provider
    key = head + _cask_sums(head)[1]
    return key + pick(rng, BASE62, 2) + b"==" if draft.endswith(b"==") else key
