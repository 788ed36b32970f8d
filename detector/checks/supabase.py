"""Supabase's API keys: ``sb_publishable_…`` and ``sb_secret_…``.

The last eight characters are base64url of SHA-256 over the project's reference, ``|`` and
everything before them, as the vendor's own generator for self-hosting writes it. So a key
proves which project it belongs to, once the reference is known.
"""

from __future__ import annotations

import random
import re
from hashlib import sha256

from detector.checks.encodings import BASE64_URL, b64_json, b64url_encode, pick
from detector.checks.results import FAILED, NONE, passed
from detector.types import CheckResult

SELF_HOSTED = b"supabase-self-hosted"
"""What stands in the place of a reference where there is no project."""

_REFERENCE = re.compile(
    rb"(?<![a-z0-9])([a-z0-9]{20})\.supabase\.[a-z]{2,3}(?![a-z0-9])"  # its host
    rb"|postgres\.([a-z0-9]{20})(?![a-z0-9])"  # its user name at the connection pooler
    rb"|eyJ[\w-]{10,200}\.(eyJ[\w-]{20,900})"  # one of its JWTs: a payload with `ref`
)
_MAX_REFERENCES = 8


def _sum(ref: bytes, head: bytes) -> bytes:
    return b64url_encode(sha256(ref + b"|" + head).digest()[:6])


def references(text: bytes) -> list[bytes]:
    """The project references in ``text``, the last one first, each once, at most eight."""
    found: dict[bytes, None] = {}
    for host, user, payload in reversed(_REFERENCE.findall(text)):
        ref = host or user or _reference_of(payload)
        if ref:
            found[ref] = None
    return list(found)[:_MAX_REFERENCES]


def belongs(token: bytes, ref: str) -> bool:
    """Whether a key is one of this project: its sum says so."""
    return len(token) > 9 and _sum(ref.encode(), token[:-9]) == token[-8:]


def _reference_of(payload: bytes) -> bytes:
    ref = (b64_json(payload) or {}).get("ref")
    return ref.encode() if isinstance(ref, str) and len(ref) == 20 else b""


def check_supabase(token: bytes, before: bytes) -> CheckResult:
    """Passed with ``project`` where a known reference fits, failed where only others are near.

    The reference is looked for in ``before``; without one there is nothing to say.
    """
    head, tail = token[:-9], token[-8:]  # the sum may itself hold a `_`
    if token[-9:-8] != b"_" or len(token) > 128:
        return FAILED
    known = references(before[-1024:])
    for ref in (*known, SELF_HOSTED):
        if _sum(ref, head) == tail:
            return passed({"project": ref.decode()})
    return FAILED if known else NONE


def publishable_key(rng: random.Random, ref: str, kind: str = "publishable") -> bytes:
    """A key of the project ``ref``; ``kind`` is ``publishable`` or ``secret``."""
    head = b"sb_%b_%b" % (kind.encode(), pick(rng, BASE64_URL, 22))
    return head + b"_" + _sum(ref.encode(), head)


def make_supabase(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its last eight characters set right for a self-hosted project, the one
    reference that needs no context."""
    head = draft[:-9]
    return head + b"_" + _sum(SELF_HOSTED, head)
