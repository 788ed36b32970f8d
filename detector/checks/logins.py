"""User names and passwords in one piece: addresses of services, basic authorization.

Nothing in a password proves it, so what these tell is the opposite: which are templates
and words that stand for a password in every manual. User names are persons and stay inside.
"""

from __future__ import annotations

import random
import re

from detector.checks.encodings import BASE62, b64_decode, b64_encode, pick
from detector.checks.results import FAILED, NONE, PASSED
from detector.types import CheckResult, CheckStatus

_TEMPLATE = re.compile(
    rb"<[^<>]*>|\[[^\[\]]*\]|\{+[^{}]*\}+|\$\{[^{}]*\}|#\{[^{}]*\}|\$\([^()]*\)|%\([^()]*\)s"
    rb"|\$[A-Za-z_][A-Za-z0-9_]*|%[A-Z_]{2,64}%|%[sdv]"
    rb"|%(?:3[Cc]|5[Bb]|7[Bb])[^%]*%(?:3[Ee]|5[Dd]|7[Dd])"
)
_STAND_IN = re.compile(
    rb"(?:(?:your|my|the|some|super|db|database|user)[-_ .]?){0,3}"
    rb"(?:passw(?:or)?d|pass|pwd|pw|secret|token|api[-_]?key|credentials?)[-_ ]?(?:here)?[0-9]{0,1}"
    rb"|replace[-_ ]?me|user(?:name)?|example"
    rb"|redacted|hidden|null|none",
    re.IGNORECASE,
)


_TO_BE_CHANGED = re.compile(rb"change[-_ ]?(?:me|it|this)!?", re.IGNORECASE)

DEFAULTS = frozenset(
    b"changeme changeit change_me change-me admin administrator root toor guest default password"
    b" passw0rd p@ssw0rd secret letmein 123456 12345678 1234 qwerty test postgres mysql oracle"
    b" rabbitmq minioadmin elastic tomcat raspberry ubnt cisco".split()
)
"""What systems are delivered with, or have in their manuals: these are tried first."""


def stands_for_a_password(text: bytes) -> bool:
    """Whether ``text`` is a template, a word out of a manual, or one character throughout."""
    if len(text) > 128:
        return False
    return len(set(text)) < 2 or any(
        pattern.fullmatch(text) for pattern in (_TEMPLATE, _STAND_IN, _TO_BE_CHANGED)
    )


_LEFT = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]{1,24}):(?:\\{0,3}/){2}([^\s:/'\"<>\\]{0,128}):\Z")


def _is_none(password: bytes, user: bytes) -> bool:
    """Whether it stands for a password. `guest:guest` and `changeme` are in use as well, so
    those are left to the judge of their surroundings."""
    if password == user:
        return password.lower() not in DEFAULTS
    return stands_for_a_password(password) and not _TO_BE_CHANGED.fullmatch(password)


_POOLER_USER = re.compile(rb"postgres\.([a-z0-9]{20})")


def check_url_credentials(token: bytes, before: bytes) -> CheckResult:
    """The password of ``scheme://user:password@…``.

    A placeholder where it is one, or the user name again, if no system is delivered so. Passed
    only where the user name is that of a Supabase project at its pooler (``postgres.<ref>``),
    which no manual spells out; else there is nothing to prove.
    """
    # A user name holds no slash, so the last one ends the scheme (`:\\/\\/` in JSON).
    match = _LEFT.search(before[max(0, before.rfind(b"/") - 34) :])
    scheme, user = match.groups() if match else (b"", b"")
    claims = {"scheme": scheme.decode().lower()} if scheme else {}
    if _is_none(token, user):
        return CheckResult(claims=claims, placeholder=True)
    project = _POOLER_USER.fullmatch(user)
    if project is None:
        return CheckResult(claims=claims) if claims else NONE
    return CheckResult(CheckStatus.passed, claims | {"project": project.group(1).decode()})


def make_url_credentials(rng: random.Random, draft: bytes) -> bytes:
    """The draft, unless it happens to be a placeholder."""
    return draft if not stands_for_a_password(draft) else pick(rng, BASE62, max(12, len(draft)))


def check_basic_auth(token: bytes, before: bytes) -> CheckResult:
    """Base64 of ``user:password``, both printable; an ``Authorization`` header's value."""
    raw = b64_decode(token.removeprefix(b"Basic ").strip()) if len(token) <= 4096 else None
    try:
        user, colon, password = (raw or b"").decode().partition(":")
    except UnicodeDecodeError:
        return FAILED
    if not colon or not (user + password).isprintable():
        return FAILED
    known = password.encode()
    if user == password or stands_for_a_password(known) or known in _RFC_PASSWORDS:
        return CheckResult(CheckStatus.passed, placeholder=True)
    return PASSED


_RFC_PASSWORDS = (b"open sesame", b"OpenSesame")
"""Aladdin's, in the standards since RFC 1945."""


def make_basic_auth(rng: random.Random, draft: bytes) -> bytes:
    """A new pair of about the draft's length, behind the draft's own ``Basic``."""
    prefix = b"Basic " if draft.startswith(b"Basic ") else b""
    room = max(12, (len(draft) - len(prefix)) * 3 // 4)
    user = pick(rng, BASE62[36:], min(8, room // 3))
    return prefix + b64_encode(user + b":" + pick(rng, BASE62, room - len(user) - 1))
