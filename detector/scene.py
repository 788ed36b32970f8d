"""Where a weak password stands: in use, or in a manual, a template, a test.

`admin123` is both, and what the labelled repositories teach of it is what their authors did.
So for a password that everybody knows the surroundings have a say of their own: each of some
few signs moves the log odds, towards a system that runs or towards an example. Other values
are left alone: they say enough themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.bytetables import LOWER, WIDTH, pad, whole_hashes
from detector.checks.logins import DEFAULTS
from detector.entropy import Floats

MOST = 4.0  # log odds that a scene can give or take: a value with 0.02 reaches 0.5, no more
LONGEST = 20  # bytes of a password that everybody knows, with what policies add to it
_ADDED = b"0123456789!@#$%&*?._-"


class Sign(NamedTuple):
    """A pattern, how far it moves the log odds, and what it says."""

    pattern: re.Pattern[bytes]
    weight: float
    what: str


_PROGRAM = re.compile(
    r"\.(?:java|py|jsx?|tsx?|rb|go|cs|cpp|c|h|php|kt|scala|rs|swift|m|groovy|pl|lua|exs?|dart|clj"
    r"|vue|sol)$",
    re.IGNORECASE,
)


def _sign(pattern: bytes, weight: float, what: str) -> Sign:
    return Sign(re.compile(pattern, re.IGNORECASE), weight, what)


_PATH = (
    _sign(
        rb"(?:^|[/_.-])(?:tests?|testing|specs?|e2e|fixtures?|mocks?|__tests__|testdata|stor(?:y|ies)"
        rb"|cypress|seeds?)(?=[/_.-]|$)|[a-z]Tests?\.",
        -1, "the file of a test",
    ),
    _sign(
        rb"examples?(?=[/_.-]|$)|samples?(?=[/_.-]|$)|(?:^|[/_.-])demos?(?=[/_.-])|tutorial|template"
        rb"|\.dist$|\.tpl$|playground|docs?/|readme|\.(?:mdx?|rst|adoc|html?)$|locales?/|i18n"
        rb"|translations?/|openapi|swagger|quick-?start|getting-?started|howto",
        -2, "the file of an example or a manual",
    ),
    _sign(
        rb"(?:^|[/_.-])(?:prod|prd|production|live|deploy(?:ment)?|staging|backups?|dumps?)(?=[/_.-]|$)"
        rb"|Production",
        2.5, "the file of a system that runs",
    ),
    _sign(
        rb"(?:^|/)(?:etc|home|srv|var|opt)/|compose[^/]*\.ya?ml$"
        rb"|(?:^|/)(?:\.env|\.pgpass|\.netrc|\.?my\.cnf|wp-config\.php|web\.config|credentials\.xml"
        rb"|unattend\.xml|tomcat-users\.xml|crontab)$"
        rb"|\.(?:env|cnf|conf|cfg|ini|properties|tfvars|ps1|service|sql|dump|csv|log|eml|txt)$",
        1.5, "a file of settings or data",
    ),
)  # fmt: skip
_MANUAL = _sign(
    rb"\b(?:e\.g\.|for example|for instance|such as|placeholder|change (?:this|me|it)"
    rb"|choose your own|replace|dummy|default:|like|never use|example)\b|#\s*example",
    -2.5, "words of a manual",
)  # fmt: skip
_TEXT = (
    _MANUAL,
    _sign(
        rb"(?:\blocalhost\b|\b127\.0\.0\.1\b|\[::1\]|\b0\.0\.0\.0\b"
        rb"|\bexample\.(?:com|org|net)\b|\bmy_?(?:server|host|user|db|database|app)\b|username_here"
        rb"|@<|\byour[-_ ]|\b(?:host|db)name\b)",
        -1.5, "a host or a user of an example",
    ),
    _sign(
        rb"(?:\b(?:prod|prd|production|live)\b|\.internal\b|\.(?:corp|lan|intra|prod)\b"
        rb"|\.rds\.amazonaws\.com|\.database\.azure\.com|\.mongodb\.net"
        rb"|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b"
        rb"|\b[a-z]{2,12}-?\d{1,3}\.[a-z]|\b(?:db|sql|web|app|srv|mx|vpn)-?\d{1,2}\b)",
        2.5, "a host of a system that runs",
    ),
    _sign(
        rb"(?:user|login|uid|account)(?:[_-]?(?:name|id))?[\"']?\s{0,3}(?:=>|[=:>,])\s{0,3}[\"']?"
        rb"(?!user|your|test|foo|bar|john|jane|example|str|none|null|my)[a-z0-9]",
        1.0, "a login beside it",
    ),
    _sign(
        rb"\b(?:my|the|our|your new|new|his|her)\s+(?:[a-z-]{1,12}\s+)?"
        rb"(?:pass(?:word)?|pwd|pw|login|pin)\s*(?:is|was|:)",
        2.0, "somebody tells it",
    ),
)  # fmt: skip


class Scene:
    """Tells which values everybody knows, and what their surroundings say. Immutable."""

    def __init__(self, passwords: NDArray[np.uint32]) -> None:
        """``passwords``: sorted hashes of common ones, see :class:`~detector.features.Lookups`."""
        self._passwords = passwords

    def weak(self, values: Sequence[bytes]) -> list[int]:
        """The numbers of those that are common passwords, or that with digits and marks added."""
        short = [number for number, value in enumerate(values) if len(value) <= LONGEST]
        forms = [form for n in short for form in (values[n], values[n].rstrip(_ADDED))]
        if not forms:
            return []
        hashes = whole_hashes(np.take(LOWER, pad(forms, WIDTH)))
        place = np.minimum(np.searchsorted(self._passwords, hashes), len(self._passwords) - 1)
        known = (self._passwords[place] == hashes).reshape(-1, 2).any(axis=1).tolist()
        return [
            n for n, is_known in zip(short, known, strict=True) if is_known or _default(values[n])
        ]

    def odds(self, path: str, before: bytes, after: bytes) -> float:
        """How far the log odds move."""
        return max(-MOST, min(MOST, sum(sign.weight for sign in signs(path, before, after))))


def _default(value: bytes) -> bool:
    return value.lower() in DEFAULTS


def signs(path: str, before: bytes, after: bytes) -> list[Sign]:
    """What is seen around a value. In a program only words and what speaks for a system that
    runs: of the weak passwords in the labelled repositories' tests a third is said to be real."""
    text = before + b"\0" + after
    found = [*_of_path(path), *(sign for sign in _TEXT if sign.pattern.search(text))]
    if _PROGRAM.search(path):
        return [sign for sign in found if sign.weight > 0 or sign is _MANUAL]
    return found


@lru_cache(maxsize=256)
def _of_path(path: str) -> tuple[Sign, ...]:
    raw = path.encode("utf-8", "surrogatepass")
    return tuple(sign for sign in _PATH if sign.pattern.search(raw))


def moved(probability: Floats, odds: Floats) -> Floats:
    """Probabilities whose log odds are moved."""
    inside = np.clip(probability, 1e-4, 1 - 1e-4)
    after: Floats = (1 / (1 + (1 - inside) / inside * np.exp(-odds))).astype(np.float32)
    return after
