"""Code hosts: tokens with an inside that can be read.

Sources: GitLab's description of routable tokens and Atlassian Data Center's personal access
tokens; GitHub's fine-grained layout was worked out from samples.
"""

from __future__ import annotations

import random
import re
from binascii import crc32
from hashlib import sha256

from detector.checks.encodings import (
    BASE36,
    DIGITS,
    b32_encode,
    b64_decode,
    b64_encode,
    b64url_encode,
    pick,
    to_base,
)
from detector.checks.results import FAILED, passed, verdict
from detector.types import CheckResult


def _fine_grained_sum(token: bytes) -> bytes:
    return b32_encode(sha256(token[:77]).digest()[:5])


def check_github_fine_grained(token: bytes, before: bytes) -> CheckResult:
    """``github_pat_`` + 22 + ``_`` + 59: eight characters at 77 are base32 of a SHA-256.

    The last eight characters are not understood, so a typo there stays unseen.
    """
    return verdict(len(token) == 93 and token[77:85] == _fine_grained_sum(token))


def make_github_fine_grained(rng: random.Random, draft: bytes) -> bytes:
    """The draft with the eight characters set right."""
    return draft[:77] + _fine_grained_sum(draft) + draft[85:]


_ROUTES = {
    b"o": "organization_id",
    b"g": "group_id",
    b"p": "project_id",
    b"u": "user_id",
    b"c": "cell_id",
}
_ROUTE = re.compile(rb"^([a-z]):([0-9a-z]{1,16})$", re.MULTILINE)


def check_gitlab_routable(token: bytes, before: bytes) -> CheckResult:
    """``glpat-<payload>.[<version>.]<length: 2><crc: 7>``, both in base36.

    The CRC-32 covers everything before itself; the payload is base64url of ``key:value``
    lines (numbers in base36), random bytes and how many those are.
    """
    if len(token) > 1024 or crc32(token[:-7]) != _base36(token[-7:]):
        return FAILED
    raw = b64_decode(token.partition(b"-")[2].partition(b".")[0])
    if not raw:
        return FAILED
    lines = raw[: max(0, len(raw) - 1 - raw[-1])]
    return passed(
        {_ROUTES[key]: int(value, 36) for key, value in _ROUTE.findall(lines) if key in _ROUTES}
    )


def _base36(text: bytes) -> int:
    return int(text, 36) if (text.isalnum() and text.islower()) or text.isdigit() else -1


def make_gitlab_routable(rng: random.Random, draft: bytes) -> bytes:
    """A new token with the draft's prefix and version."""
    prefix = draft[: draft.find(b"-") + 1] or b"glpat-"
    version = draft.split(b".")[1:-1][:1]
    user = to_base(rng.randrange(10**5, 10**8), BASE36, 1)
    payload = b64url_encode(b"o:1\nu:" + user + b"\n" + rng.randbytes(16) + b"\x10")
    head = b".".join([prefix + payload, *version, to_base(len(payload), BASE36, 2)])
    return head + to_base(crc32(head), BASE36, 7)


def check_data_center(token: bytes, before: bytes) -> CheckResult:
    """``BBDC-`` (Bitbucket) or nothing (Jira, Confluence), and base64 of ``<id>:<20 bytes>``."""
    if len(token) > 128:
        return FAILED
    number, colon, rest = (b64_decode(token.removeprefix(b"BBDC-")) or b"").partition(b":")
    return verdict(bool(colon) and number.isdigit() and len(rest) >= 16)


def make_data_center(rng: random.Random, draft: bytes) -> bytes:
    """A new token with the draft's prefix, 44 characters of base64."""
    prefix = b"BBDC-" if draft.startswith(b"BBDC-") else b""
    # A digit in front is what makes the base64 start with M, N or O: rules lean on that.
    first = {b"M": b"0123", b"N": b"4567", b"O": b"89"}
    digits = first.get(draft[len(prefix) : len(prefix) + 1], DIGITS)
    number = pick(rng, digits, 1) + pick(rng, DIGITS, 11)
    return prefix + b64_encode(number + b":" + rng.randbytes(20))
