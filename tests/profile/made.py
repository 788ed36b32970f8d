"""Columns made from a seed: unknown tokens, identifiers, hashes of passwords, passwords."""

from __future__ import annotations

import base64
import hashlib
import string
import uuid
from collections.abc import Callable
from random import Random

DIGITS, LOWER, UPPER = string.digits, string.ascii_lowercase, string.ascii_uppercase
BASE62 = DIGITS + UPPER + LOWER
BASE64 = UPPER + LOWER + DIGITS + "+/"
URLSAFE = UPPER + LOWER + DIGITS + "-_"
BASE58 = "".join(char for char in BASE62 if char not in "0OIl")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CRYPT = "./" + BASE62
NOW = 1_760_000_000  # seconds: times in identifiers lie in the two years before

Make = Callable[[Random], str]


def some(alphabet: str, size: int) -> Make:
    return lambda rng: "".join(rng.choices(alphabet, k=size))


def behind(prefix: str, alphabet: str, size: int) -> Make:
    return lambda rng: prefix + "".join(rng.choices(alphabet, k=size))


def parted(alphabet: str, sizes: tuple[int, ...], mark: str, prefix: str = "") -> Make:
    return lambda rng: prefix + mark.join("".join(rng.choices(alphabet, k=n)) for n in sizes)


def _b64(rng: Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _b58(rng: Random) -> str:
    number, out = int.from_bytes(rng.randbytes(32), "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = BASE58[digit] + out
    return out


def _encoded(number: int, alphabet: str, size: int) -> str:
    out = ""
    for _ in range(size):
        number, digit = divmod(number, len(alphabet))
        out = alphabet[digit] + out
    return out


def uuid4(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def a_day(rng: Random) -> str:
    return f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"


def _when(rng: Random) -> int:
    return NOW - rng.randrange(60_000_000)


def _uuid1(rng: Random) -> str:
    low, mid = rng.getrandbits(32), rng.getrandbits(16)
    return f"{low:08x}-{mid:04x}-11ef-a{rng.getrandbits(12):03x}-0242ac120002"


def _uuid7(rng: Random) -> str:
    time, rest = _when(rng) * 1000, rng.getrandbits(62)
    head = f"{time:012x}"
    tail = f"{0x8 << 60 | rest:016x}"
    return f"{head[:8]}-{head[8:]}-7{rng.getrandbits(12):03x}-{tail[:4]}-{tail[4:]}"


def _ulid(rng: Random) -> str:
    return _encoded(_when(rng) * 1000 << 80 | rng.getrandbits(80), CROCKFORD, 26)


def _object_id(rng: Random) -> str:
    return f"{_when(rng):08x}{rng.getrandbits(64):016x}"


def _ksuid(rng: Random) -> str:
    return _encoded(_when(rng) - 1_400_000_000 << 128 | rng.getrandbits(128), BASE62, 27)


def _snowflake(rng: Random) -> str:
    return str((_when(rng) * 1000 - 1_420_070_400_000) << 22 | rng.getrandbits(22))


def _cuid(rng: Random) -> str:
    body = "".join(rng.choices(DIGITS + LOWER, k=16))
    return "c" + _encoded(_when(rng) * 1000, DIGITS + LOWER, 8) + body


TOKENS: dict[str, tuple[str, str, Make]] = {
    "prefix, live": ("agents", "api_key", behind("acme_live_", BASE62, 32)),
    "prefix, live or test": (
        "agents",
        "api_key",
        lambda rng: f"acme_{rng.choice(['live', 'test'])}_" + "".join(rng.choices(BASE62, k=24)),
    ),
    "prefix under a neutral name": ("agents", "value", behind("acme_sk_", BASE62, 40)),
    "prefix of another style": ("integrations", "webhook_secret", behind("zz-", URLSAFE, 32)),
    "dotted": ("users", "accessToken", parted(BASE62, (12, 32), ".", "pt.")),
    "hex 32": ("users", "api_key", some(DIGITS + "abcdef", 32)),
    "hex 40": ("users", "authentication_token", some(DIGITS + "abcdef", 40)),
    "hex 64": ("clients", "client_secret", some(DIGITS + "abcdef", 64)),
    "hex, capitals": ("clients", "SecretKey", some(DIGITS + "ABCDEF", 48)),
    "base62 of 20": ("users", "reset_password_token", some(BASE62, 20)),
    "base62 of 24": ("users", "confirmation_token", some(BASE62, 24)),
    "base62 of 64": ("oauth_tokens", "refresh_token", some(BASE62, 64)),
    "base58": ("wallets", "private_key", _b58),
    "base36": ("django_session", "session_key", some(DIGITS + LOWER, 32)),
    "base32 of 16": ("users", "otp_secret", some(UPPER + "234567", 16)),
    "base32 of 32": ("users", "totp_secret", some(UPPER + "234567", 32)),
    "base64url of 43": ("sessions", "token", some(URLSAFE, 43)),
    "base64url of 86": ("devices", "device_token", some(URLSAFE, 86)),
    "base64 of 32 bytes": ("apps", "signing_key", lambda rng: _b64(rng, 32)),
    "base64 of 24 bytes": ("apps", "hmac_key", lambda rng: _b64(rng, 24)),
    "lengths that vary": (
        "bots",
        "bot_token",
        lambda rng: "".join(rng.choices(BASE62, k=rng.randint(24, 40))),
    ),
    "prefix, lengths that vary": (
        "bots",
        "bot_token",
        lambda rng: "bot_secret_" + "".join(rng.choices(BASE62, k=rng.randint(24, 40))),
    ),
    "groups": ("licences", "license_key", parted(DIGITS + UPPER, (5, 5, 5, 5, 5), "-")),
    "groups behind a prefix": ("hooks", "secret", parted(LOWER + DIGITS, (8, 8, 8), "-", "wh_")),
    "UUIDs as tokens": ("users", "api_token", uuid4),
    "a column of keys": ("api_keys", "key", some(BASE62, 32)),
    "a session's id": ("sessions", "sid", some(URLSAFE, 32)),
    "in a schema": ("public.tokens", "value", some(BASE62, 40)),
    "digits": ("meters", "access_token", some(DIGITS, 30)),
    "Crockford": ("invites", "invite_token", some(CROCKFORD, 26)),
    "with a tail": ("bots", "token", parted(DIGITS + LOWER, (10, 32), ":")),
}
IDENTIFIERS: dict[str, tuple[str, str, Make]] = {
    "UUID 4": ("users", "id", uuid4),
    "UUID 1": ("events", "event_id", _uuid1),
    "UUID 7": ("events", "id", _uuid7),
    "UUID, capitals": ("users", "guid", lambda rng: uuid4(rng).upper()),
    "ULID": ("orders", "id", _ulid),
    "ObjectId": ("orders", "_id", _object_id),
    "KSUID": ("orders", "order_ref", _ksuid),
    "Snowflake": ("messages", "message", _snowflake),
    "CUID": ("posts", "id", _cuid),
    "nanoid": ("posts", "public_id", some(URLSAFE, 21)),
    "nanoid, neutral": ("posts", "handle", some(URLSAFE, 21)),
    "SHA-256 of content": ("files", "checksum", some(DIGITS + "abcdef", 64)),
    "MD5 of content": ("files", "etag", some(DIGITS + "abcdef", 32)),
    "commit": ("builds", "commit_sha", some(DIGITS + "abcdef", 40)),
    "hash of a token": ("tokens", "token_hash", some(DIGITS + "abcdef", 64)),
    "prefixed": ("customers", "id", behind("cus_", BASE62, 14)),
    "publishable": ("shops", "publishable_key", behind("pk_live_", BASE62, 24)),
    "integrity": ("packages", "integrity", lambda rng: "sha512-" + _b64(rng, 64)),
    "cursor": ("pages", "next_page_token", some(URLSAFE, 40)),
}


def _of(digest: str) -> Make:
    return lambda rng: hashlib.new(digest, rng.randbytes(9)).hexdigest()


HASHES: dict[str, tuple[str, str, Make]] = {
    "bcrypt": ("encrypted_password", "bcrypt", behind("$2b$12$", CRYPT, 53)),
    "argon2id": (
        "password_hash",
        "argon2id",
        lambda rng: (
            "$argon2id$v=19$m=65536,t=3,p=4$"
            + "$".join("".join(rng.choices(BASE64, k=n)) for n in (22, 43))
        ),
    ),
    "argon2i": (
        "password",
        "argon2i",
        lambda rng: (
            "$argon2i$v=19$m=4096,t=3,p=1$"
            + "$".join("".join(rng.choices(BASE64, k=n)) for n in (22, 43))
        ),
    ),
    "scrypt": (
        "password",
        "scrypt",
        lambda rng: "scrypt:32768:8:1$" + some(BASE62, 16)(rng) + "$" + rng.randbytes(64).hex(),
    ),
    "Django": (
        "password",
        "PBKDF2",
        lambda rng: f"pbkdf2_sha256$600000${some(BASE62, 22)(rng)}${_b64(rng, 32)}",
    ),
    "sha512-crypt": ("passwd", "SHA-512 crypt", parted(CRYPT, (16, 86), "$", "$6$")),
    "sha256-crypt": ("passwd", "SHA-256 crypt", parted(CRYPT, (16, 43), "$", "$5$")),
    "md5-crypt": ("pwd", "MD5 crypt", parted(CRYPT, (8, 22), "$", "$1$")),
    "phpass": ("user_pass", "phpass", behind("$P$B", CRYPT, 30)),
    "MySQL": ("authentication_string", "MySQL (SHA-1 twice)", behind("*", DIGITS + "ABCDEF", 40)),
    "MD5": ("password", "MD5", _of("md5")),
    "SHA-1": ("passwort", "SHA-1", _of("sha1")),
    "SHA-256": ("senha", "SHA-256", _of("sha256")),
    "SHA-512": ("user_password", "SHA-512", _of("sha512")),
    "NTLM": ("nt_hash_password", "MD5", some(DIGITS + "abcdef", 32)),
    "SSHA": ("userPassword", "LDAP {SSHA}", lambda rng: "{SSHA}" + _b64(rng, 28)),
    "DES crypt": ("passwd", "DES crypt", some(CRYPT, 13)),
    "salted": ("password", "salted MD5", parted(DIGITS + "abcdef", (32, 8), ":")),
}

_WORDS = """summer dragon monkey shadow master flower winter orange hunter silver purple ginger
    cookie pepper tiger falcon sunny happy anna robert berlin london football guitar
    chelsea""".split()  # noqa: SIM905


def _word_and_number(rng: Random) -> str:
    return rng.choice(_WORDS) + str(rng.randrange(10_000))


def _capital(rng: Random) -> str:
    return rng.choice(_WORDS).capitalize() + str(rng.randrange(1900, 2026)) + rng.choice("!?#$")


def _common(rng: Random) -> str:
    weights = [30, 20, 10, 5, 5, 5]
    known = rng.choices(["password", "123456", "qwerty", "letmein", "dragon", "abc123"], weights)[0]
    return known if rng.random() < 0.6 else _word_and_number(rng)


PASSWORDS: dict[str, tuple[str, Make]] = {
    "words and numbers": ("password", _word_and_number),
    "as policies want them": ("user_password", _capital),
    "common ones": ("passwd", _common),
    "two words": ("pwd", lambda rng: rng.choice(_WORDS) + rng.choice(_WORDS)),
    "drawn by a program": ("smtp_password", some(BASE62 + "!#$%", 14)),
    "drawn, lengths vary": (
        "passwort",
        lambda rng: "".join(rng.choices(BASE62, k=rng.randint(8, 16))),
    ),
    "French": ("mot_de_passe", _word_and_number),
    "Spanish": ("contraseña", _capital),
    "Russian": ("пароль", _word_and_number),
    "Portuguese": ("senha_usuario", _word_and_number),
    "in a mailbox's table": ("mail_pass", _word_and_number),
    "PINs": ("password", lambda rng: str(rng.randrange(1000, 1_000_000))),
    "of phrases": (
        "passphrase",
        lambda rng: " ".join(rng.choice(_WORDS) for _ in range(4)),
    ),
}


def column(make: Make, size: int, seed: object) -> list[bytes | None]:
    """So many values; one in ten is NULL."""
    rng = Random(f"{seed}:{size}")
    return [None if rng.random() < 0.1 else make(rng).encode() for _ in range(size)]
