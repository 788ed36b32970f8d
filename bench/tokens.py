"""Generated credentials for the corpora: right in shape and checksum, live nowhere.

They are written here a second time, apart from the rules and their sample generator, on
purpose: a corpus drawn from the very patterns that are measured on it could not show a
wrong pattern.
"""

from __future__ import annotations

import base64
import json
import string
import zlib
from collections.abc import Callable
from random import Random

ALNUM = string.ascii_letters + string.digits
B64URL = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
OPENAI_MARK = base64.b64encode(b"OpenAI").decode()
GROQ_MARK = base64.b64encode(b"XgroqX").decode()

Maker = Callable[[Random], str]


def pick(rng: Random, alphabet: str, length: int) -> str:
    """``length`` characters of ``alphabet``."""
    return "".join(rng.choices(alphabet, k=length))


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits.rjust(width, "0")


def _shaped(prefix: str, alphabet: str, length: int, suffix: str = "") -> Maker:
    return lambda rng: prefix + pick(rng, alphabet, length) + suffix


def _crc_token(prefix: str, length: int) -> Maker:
    """Body and its CRC-32 in base 62, as GitHub's and npm's tokens end."""

    def make(rng: Random) -> str:
        body = pick(rng, ALNUM, length)
        return prefix + body + _base62(zlib.crc32(body.encode()), 6)

    return make


def _openai_project(rng: Random) -> str:
    # Both genuine halves end on a byte boundary: the last 8 bits of the tail are zero.
    tail = pick(rng, B64URL, 72) + rng.choice(B64URL[::4]) + "A"
    return "sk-proj-" + pick(rng, B64URL, 74) + OPENAI_MARK + tail


def _openai_legacy(rng: Random) -> str:
    return "sk-" + pick(rng, ALNUM, 20) + OPENAI_MARK + pick(rng, ALNUM, 20)


def _groq(rng: Random) -> str:
    return "gsk_" + pick(rng, ALNUM, 20) + GROQ_MARK + pick(rng, ALNUM, 24)


def _supabase_jwt(role: str) -> Maker:
    def part(value: dict[str, object]) -> str:
        raw = json.dumps(value, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def make(rng: Random) -> str:
        issued = rng.randrange(1_650_000_000, 1_760_000_000)
        claims: dict[str, object] = {
            "iss": "supabase",
            "ref": pick(rng, string.ascii_lowercase, 20),
            "role": role,
            "iat": issued,
            "exp": issued + 315_360_000,
        }
        head = part({"alg": "HS256", "typ": "JWT"})
        return f"{head}.{part(claims)}.{pick(rng, B64URL, 43)}"

    return make


def _slack_bot(rng: Random) -> str:
    return f"xoxb-{pick(rng, '123456789', 12)}-{pick(rng, '123456789', 13)}-{pick(rng, ALNUM, 24)}"


def _telegram(rng: Random) -> str:
    return f"{rng.randrange(10**9, 8 * 10**9)}:AA{pick(rng, B64URL, 33)}"


def _sendgrid(rng: Random) -> str:
    return f"SG.{pick(rng, B64URL, 22)}.{pick(rng, B64URL, 43)}"


def _moltbook_code(rng: Random) -> str:
    """The code that an agent's owner posts: a word of the sea, four characters."""
    return f"{rng.choice(('reef', 'molt', 'scuttle'))}-{pick(rng, BASE32, 4)}"


def _postgres_url(rng: Random) -> str:
    ref = pick(rng, string.ascii_lowercase, 20)
    host = "aws-0-eu-central-1.pooler.supabase.com"
    return f"postgresql://postgres.{ref}:{pick(rng, ALNUM, 18)}@{host}:6543/postgres"


MAKERS: dict[str, Maker] = {
    "moltbook-key": _shaped("moltbook_sk_", B64URL, 32),
    "moltbook-claim": _shaped("moltbook_claim_", B64URL, 32),
    "moltbook-code": _moltbook_code,
    "openai-project": _openai_project,
    "openai-legacy": _openai_legacy,
    "anthropic": _shaped("sk-ant-api03-", B64URL, 93, "AA"),
    "openrouter": _shaped("sk-or-v1-", HEX, 64),
    "groq": _groq,
    "huggingface": _shaped("hf_", string.ascii_letters, 34),
    "supabase-service": _supabase_jwt("service_role"),
    "supabase-pat": _shaped("sbp_", HEX, 40),
    "github": _crc_token("ghp_", 30),
    "npm": _crc_token("npm_", 30),
    "gitlab": _shaped("glpat-", B64URL, 20),
    "aws-id": _shaped("AKIA", BASE32, 16),
    "google-api": _shaped("AIza", B64URL, 35),
    "stripe-live": _shaped("sk_live_" + "51", ALNUM, 97),
    "sendgrid": _sendgrid,
    "slack-bot": _slack_bot,
    "telegram": _telegram,
    "postgres-url": _postgres_url,
}
"""Every kind the corpora plant, with its maker."""

POSTED = tuple(kind for kind in MAKERS if not kind.startswith("moltbook"))
"""The kinds that people paste into messages and code."""


def token(kind: str, rng: Random) -> bytes:
    """A whole credential of ``kind``. Ends on a letter or digit, so that no reader can
    argue where it ends when a dash, underscore or the like follows."""
    while True:
        made = MAKERS[kind](rng)
        if made[-1].isalnum():
            return made.encode()
