"""Random-looking strings that open nothing: hashes, ids, public keys, data."""

from __future__ import annotations

import base64
from random import Random

from models.values import ALNUM, BASE32, HEX, base64_of, pick, uuid4

_CRYPT = ALNUM + "./"


KINDS = 16


def password_hash(rng: Random, kind: int) -> str:
    """What a careful program stores in place of a password; ``kind`` is below ``KINDS``."""
    salt, digest = base64_of(rng, 12), base64_of(rng, 32)
    cost = rng.choice((260_000, 320_000, 600_000))
    return (
        f"$2{rng.choice('aby')}${rng.randint(8, 12):02d}${pick(rng, _CRYPT, 53)}",
        f"$argon2id$v=19$m=65536,t=3,p=4${salt.rstrip('=')}${digest.rstrip('=')}",
        f"$6$rounds=5000${pick(rng, _CRYPT, 16)}${pick(rng, _CRYPT, 86)}",
        f"$6${pick(rng, _CRYPT, 8)}${pick(rng, _CRYPT, 86)}",
        f"$1${pick(rng, _CRYPT, 8)}${pick(rng, _CRYPT, 22)}",
        f"$apr1${pick(rng, _CRYPT, 8)}${pick(rng, _CRYPT, 22)}",
        f"pbkdf2_sha256${cost}${pick(rng, ALNUM, 22)}${digest}",
        f"pbkdf2:sha256:{cost}${pick(rng, ALNUM, 16)}${pick(rng, HEX, 64)}",
        f"scrypt:32768:8:1${pick(rng, ALNUM, 16)}${pick(rng, HEX, 128)}",
        f"sha1${pick(rng, HEX, 5)}${pick(rng, HEX, 40)}",
        f"$P$B{pick(rng, _CRYPT, 30)}",
        f"{{SSHA}}{base64_of(rng, 24)}",
        f"SCRAM-SHA-256$4096:{base64_of(rng, 16)}${digest}:{base64_of(rng, 32)}",
        "*" + pick(rng, HEX, 40).upper(),
        "md5" + pick(rng, HEX, 32),
        f"{{bcrypt}}$2a$10${pick(rng, _CRYPT, 53)}",
    )[kind]


def digest(rng: Random) -> str:
    """A checksum or the like, in hex or as lock files have it."""
    return rng.choice(
        (
            pick(rng, HEX, 40),
            pick(rng, HEX, 40),
            pick(rng, HEX, 64),
            pick(rng, HEX, 32),
            pick(rng, HEX, 7),
            "sha256:" + pick(rng, HEX, 64),
            integrity(rng),
            "h1:" + base64_of(rng, 32),
        )
    )


def integrity(rng: Random) -> str:
    """A subresource's or package's integrity."""
    kind, size = rng.choice(
        (("sha512", 64), ("sha512", 64), ("sha384", 48), ("sha256", 32), ("sha1", 20))
    )
    return f"{kind}-{base64_of(rng, size)}"


def fingerprint(rng: Random) -> str:
    """A fingerprint of a public key or certificate."""
    pairs = [f"{byte:02x}" for byte in rng.randbytes(rng.choice((16, 20, 32)))]
    return rng.choice(
        (
            "SHA256:" + base64_of(rng, 32).rstrip("="),
            ":".join(pairs),
            ":".join(pairs).upper(),
            pick(rng, HEX, 40).upper(),
            "0x" + pick(rng, HEX, 16).upper(),
        )
    )


def public_key(rng: Random) -> str:
    """A public key on one line."""
    ed = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + rng.randbytes(32)).decode()
    rsa = base64.b64encode(
        b"\0\0\0\x07ssh-rsa\0\0\0\x03\1\0\1\0\0\1\1\0" + rng.randbytes(256)
    ).decode()
    point = base64.b64encode(b"\x04" + rng.randbytes(64)).decode()
    spki = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + base64_of(rng, 240)
    return rng.choice(
        (
            f"ssh-ed25519 {ed}",
            f"ssh-rsa {rsa}",
            point.replace("+", "-").replace("/", "_").rstrip("="),
            spki,
            "0x" + pick(rng, HEX, 40),
            pick(rng, HEX, 64),
        )
    )


def data(rng: Random) -> str:
    """Something larger that base64 carries."""
    size = rng.choice((60, 90, 240, 700))
    return rng.choice(
        (
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg" + base64_of(rng, size),
            "data:image/svg+xml;base64,PHN2ZyB4bWxucz0i" + base64_of(rng, size),
            "data:font/woff2;base64,d09GMgABAAAAA" + base64_of(rng, size),
            "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
            "AGFzbQEAAAAB" + base64_of(rng, size),
            "H4sIAAAAAAAA" + base64_of(rng, size),
        )
    )


def identifier(rng: Random) -> str:
    """An id that only says which one is meant."""
    return rng.choice(
        (
            uuid4(rng),
            uuid4(rng),
            uuid4(rng).upper(),
            pick(rng, HEX, 24),
            pick(rng, ALNUM, 11),
            str(rng.randrange(10**5, 10**12)),
            "01" + pick(rng, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24),
            f"{rng.randrange(10**12)}-{pick(rng, HEX, 32)}.apps.googleusercontent.com",
            "c" + pick(rng, ALNUM.lower(), 24),
            pick(rng, BASE32, 10),
            pick(rng, ALNUM, 21),
        )
    )


def sealed(rng: Random) -> str:
    """A secret under a key that is kept elsewhere."""
    return rng.choice(
        (
            f"ENC({base64_of(rng, rng.choice((16, 24, 32)))})",
            f"ENC[AES256_GCM,data:{base64_of(rng, 12)},iv:{base64_of(rng, 32)},type:str]",
            f"{{cipher}}{pick(rng, HEX, 128)}",
            f"ENC[PKCS7,MII{base64_of(rng, 90)}]",
            "AQICAHh" + base64_of(rng, 120),
            "vault:v1:" + base64_of(rng, 44),
            "AgB" + base64_of(rng, 180),
        )
    )
