"""Slack, Discord and Telegram: tokens that name their bot, workspace or application."""

from __future__ import annotations

import random
import re

from detector.checks.encodings import (
    BASE36,
    BASE62,
    BASE64_URL,
    DIGITS,
    HEX,
    b64_decode,
    b64url_encode,
    iso_date,
    pick,
)
from detector.checks.results import FAILED, NONE, passed
from detector.types import CheckResult, CheckStatus

_DISCORD_EPOCH = 1_420_070_400_000  # milliseconds: the first of January 2015


def _snowflake_date(text: bytes) -> str | None:
    """When a Discord id was drawn, or ``None`` where the digits are no id."""
    if not text.isdigit() or not 17 <= len(text) <= 20:
        return None
    milliseconds = int(text) >> 22
    return iso_date((milliseconds + _DISCORD_EPOCH) / 1000) if milliseconds < 1 << 41 else None


def _snowflake(rng: random.Random) -> bytes:
    """An id of the years 2017 to 2025."""
    return b"%d" % (rng.randrange(63_000_000_000, 345_000_000_000) << 22 | rng.getrandbits(22))


def check_discord_bot(token: bytes, before: bytes) -> CheckResult:
    """``<base64 of the application's id>.<time>.<signature>``."""
    head = token.partition(b".")[0]
    number = (b64_decode(head) if len(head) <= 40 else None) or b""
    created = _snowflake_date(number)
    if created is None:
        return FAILED
    return passed({"application": number.decode(), "created": created})


def make_discord_bot(rng: random.Random, draft: bytes) -> bytes:
    """The draft with its first part as long as before where an id of that length exists."""
    head, dot, rest = draft.partition(b".")
    for _ in range(64):
        new = b64url_encode(_snowflake(rng))
        # The first letter (M, N or O: the id's first digit) is what rules start at.
        if (len(new), new[:1]) == (len(head), head[:1]):
            return new + dot + rest
    return b64url_encode(_snowflake(rng)) + dot + rest


_WEBHOOK_ID = re.compile(rb"webhooks/(\d{1,24})/")


def check_discord_webhook(token: bytes, before: bytes) -> CheckResult:
    """``…/webhooks/<id>/<secret>``; the id may stand in front of the token."""
    match = _WEBHOOK_ID.search(token[:256]) or _WEBHOOK_ID.search(before[-64:])
    if match is None:
        return NONE
    created = _snowflake_date(match.group(1))
    return passed({"webhook": match.group(1).decode(), "created": created}) if created else FAILED


def make_discord_webhook(rng: random.Random, draft: bytes) -> bytes:
    """The draft with a drawn id, where it holds one."""
    match = _WEBHOOK_ID.search(draft)
    if match is None:
        return draft
    number = match.group(1)
    for _ in range(64):
        new = _snowflake(rng)
        if len(new) == len(number):
            break
    return draft[: match.start(1)] + new + draft[match.end(1) :]


_SLACK = re.compile(
    rb"(xox[a-z])-(?:\d-)?(\d{8,15})-(?:(\d{8,15})-)?(?:\d{8,15}-){0,2}[0-9A-Za-z-]{16,256}"
)
_SLACK_APP = re.compile(rb"xapp-\d-(A[0-9A-Z]{7,14})-\d{8,15}-[0-9a-f]{64}")


def check_slack_token(token: bytes, before: bytes) -> CheckResult:
    """``xoxb-<workspace>-<bot>-…`` and its kin; ``xapp-1-<application>-…``.

    Other forms (``xoxd-`` cookies, refresh tokens) have no numbers to read: no answer.
    """
    app = _SLACK_APP.fullmatch(token)
    if app:
        return passed({"application": app.group(1).decode()})
    match = _SLACK.fullmatch(token)
    if match is None:
        return NONE
    kind, team, bot = match.groups()
    claims = {"workspace": team.decode()}
    if kind == b"xoxb" and bot:
        claims["bot"] = bot.decode()
    return passed(claims)


def make_slack_token(rng: random.Random, draft: bytes) -> bytes:
    """The draft where its numbers are numbers, else a new token of its kind."""
    result = check_slack_token(draft, b"")
    if result.status is CheckStatus.passed:
        return draft
    team, bot, user = (b"%d" % rng.randrange(10**11, 10**13) for _ in range(3))
    if draft.startswith(b"xapp-"):
        app = b"A0" + pick(rng, BASE36.upper(), 9)
        return b"xapp-1-" + app + b"-" + user + b"-" + pick(rng, HEX, 64)
    kind = draft.partition(b"-")[0]
    if kind == b"xoxb":
        return b"-".join([kind, team, bot, pick(rng, BASE62, 24)])
    if kind in (b"xoxa", b"xoxc", b"xoxo", b"xoxp", b"xoxr", b"xoxs"):
        return b"-".join([kind, team, bot, user, pick(rng, HEX, 64 if kind == b"xoxc" else 32)])
    return draft


_SLACK_HOOK = re.compile(rb"(T[0-9A-Z]{7,14})/(B[0-9A-Z]{7,14})/[0-9A-Za-z]{20,32}")


def check_slack_webhook(token: bytes, before: bytes) -> CheckResult:
    """``https://hooks.slack.com/services/<workspace>/<hook>/<secret>``."""
    match = _SLACK_HOOK.search(token[:256])
    if match is None:
        return FAILED
    team, hook = (part.decode() for part in match.groups())
    return passed({"workspace": team, "webhook": hook})


def make_slack_webhook(rng: random.Random, draft: bytes) -> bytes:
    """The draft, or with drawn ids where its own are none."""
    result = check_slack_webhook(draft, b"")
    if result.status is CheckStatus.passed:
        return draft
    head, services, _ = draft.partition(b"services/")
    if not services:
        head, services = b"https://hooks.slack.com/", b"services/"
    team, hook = (pick(rng, BASE36.upper(), 9) for _ in range(2))
    return head + services + b"T0" + team + b"/B0" + hook + b"/" + pick(rng, BASE62, 24)


_TELEGRAM = re.compile(rb"(\d{8,10}):[0-9A-Za-z_-]{35}")


def check_telegram(token: bytes, before: bytes) -> CheckResult:
    """``<bot id>:<35 characters>``."""
    match = _TELEGRAM.fullmatch(token)
    if match is None or match.group(1).startswith(b"0"):
        return FAILED
    number = match.group(1)
    return passed({"bot": number.decode()})


def make_telegram(rng: random.Random, draft: bytes) -> bytes:
    """The draft with an id that doesn't start with a zero."""
    number, colon, secret = draft.partition(b":")
    while number.startswith(b"0") or not number.isdigit():
        number = pick(rng, DIGITS, len(number) if 8 <= len(number) <= 10 else 10)
    if not colon or len(secret) != 35:
        secret = b"AA" + pick(rng, BASE64_URL, 33)
    return number + b":" + secret
