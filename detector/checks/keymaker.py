"""Private key files for samples: small keys whose numbers hold together.

RSA here has 512 bits, which protects nothing and is found in a few milliseconds. That is
the point: a sample must parse, and must not be worth anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from detector.checks.asn1 import NULL, OCTET_STRING, OID, SEQUENCE, integer, write
from detector.checks.keyfile import RSA_ID

_SMALL_PRIMES = [n for n in range(3, 1000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def _is_prime(number: int, rng: random.Random) -> bool:
    """Miller-Rabin, ten rounds, for odd numbers above a million."""
    if any(number % prime == 0 for prime in _SMALL_PRIMES):
        return False
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for _ in range(10):
        x = pow(rng.randrange(2, number - 1), odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True


def _prime(rng: random.Random, bits: int) -> int:
    while True:
        number = rng.getrandbits(bits) | 3 << bits - 2 | 1
        if _is_prime(number, rng):
            return number


def rsa_numbers(rng: random.Random, bits: int = 512) -> tuple[int, int, int, int, int]:
    """``n, e, d, p, q`` with p > q."""
    e = 65_537
    while True:
        q, p = sorted((_prime(rng, bits // 2), _prime(rng, bits // 2)))
        if p != q and (p - 1) % e and (q - 1) % e:
            return p * q, e, pow(e, -1, (p - 1) * (q - 1)), p, q


def pkcs1(rng: random.Random) -> bytes:
    """RSA of PKCS #1."""
    n, e, d, p, q = rsa_numbers(rng)
    numbers = (0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return write(SEQUENCE, *map(integer, numbers))


def pkcs8(rng: random.Random) -> bytes:
    """The same in PKCS #8."""
    algorithm = write(SEQUENCE, write(OID, RSA_ID), write(NULL))
    return write(SEQUENCE, integer(0), algorithm, write(OCTET_STRING, pkcs1(rng)))


def sec1(rng: random.Random) -> bytes:
    """A key on P-521, without the public point, which the format leaves optional."""
    # The top bits are zero, so the number is below the curve's order.
    secret = rng.getrandbits(520).to_bytes(66, "big")
    curve = write(0xA0, write(OID, bytes.fromhex("2b81040023")))
    return write(SEQUENCE, integer(1), write(OCTET_STRING, secret), curve)


def dsa(rng: random.Random) -> bytes:
    """DSA with a 512-bit modulus."""
    q = _prime(rng, 160)
    while True:
        p = rng.getrandbits(351) | 1 << 351
        p = p * 2 * q + 1
        if p.bit_length() == 512 and _is_prime(p, rng):
            break
    g = pow(rng.randrange(2, p - 1), (p - 1) // q, p)
    x = rng.randrange(1, q)
    return write(SEQUENCE, *map(integer, (0, p, q, g, pow(g, x, p), x)))


def encrypted(rng: random.Random) -> bytes:
    """PKCS #8 under PBES2: PBKDF2 with HMAC-SHA-256, AES-256 in CBC mode."""
    prf = write(SEQUENCE, write(OID, bytes.fromhex("2a864886f70d0209")), write(NULL))
    salt = write(OCTET_STRING, rng.randbytes(8))
    derived = write(SEQUENCE, salt, integer(2048), prf)
    kdf = write(SEQUENCE, write(OID, bytes.fromhex("2a864886f70d01050c")), derived)
    iv = write(OCTET_STRING, rng.randbytes(16))
    cipher = write(SEQUENCE, write(OID, bytes.fromhex("60864801650304012a")), iv)
    pbes2 = write(OID, bytes.fromhex("2a864886f70d01050d"))
    algorithm = write(SEQUENCE, pbes2, write(SEQUENCE, kdf, cipher))
    return write(SEQUENCE, algorithm, write(OCTET_STRING, rng.randbytes(352)))


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _mpint(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def openssh(rng: random.Random) -> bytes:
    """OpenSSH's own format around an RSA key, without a passphrase."""
    n, e, d, p, q = rsa_numbers(rng)
    public = _string(b"ssh-rsa") + _mpint(e) + _mpint(n)
    numbers = b"".join(map(_mpint, (n, e, d, pow(q, -1, p), p, q)))
    private = rng.randbytes(4) * 2 + _string(b"ssh-rsa") + numbers + _string(b"deploy")
    private += bytes(range(1, 1 + -len(private) % 8))
    head = b"openssh-key-v1\0" + _string(b"none") * 2 + _string(b"")
    return head + (1).to_bytes(4, "big") + _string(public) + _string(private)


def _mpi(number: int) -> bytes:
    return number.bit_length().to_bytes(2, "big") + number.to_bytes(
        (number.bit_length() + 7) // 8, "big"
    )


def pgp(rng: random.Random) -> bytes:
    """One secret-key packet of version 4 with an RSA key, without a passphrase."""
    n, e, d, p, q = rsa_numbers(rng)
    created = rng.randrange(1_500_000_000, 1_750_000_000).to_bytes(4, "big")
    secret = b"".join(map(_mpi, (d, q, p, pow(q, -1, p))))
    checksum = (sum(secret) & 0xFFFF).to_bytes(2, "big")
    body = b"\x04" + created + b"\x01" + _mpi(n) + _mpi(e) + b"\0" + secret + checksum
    return b"\x95" + len(body).to_bytes(2, "big") + body


def crc24(data: bytes) -> int:
    """The checksum of OpenPGP's armour (RFC 4880, 6.1)."""
    value = 0xB704CE
    for byte in data:
        value ^= byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value


MAKERS: dict[bytes, Callable[[random.Random], bytes]] = {
    b"RSA": pkcs1,
    b"DSA": dsa,
    b"EC": sec1,
    b"": pkcs8,
    b"ENCRYPTED": encrypted,
    b"OPENSSH": openssh,
    b"PGP": pgp,
}
"""The word before ``PRIVATE KEY`` → what makes a body."""
