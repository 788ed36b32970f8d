"""The bodies of private key files: PKCS #1, PKCS #8, SEC 1, OpenSSH and OpenPGP.

Each reader takes the decoded body and tells what can be told without the key: ``kind``,
``bits``, ``encrypted``. Numbers that belong together are held against each other, so that
a cut, mistyped or invented key shows; all raise :class:`ValueError` then. Sources: RFC 8017,
5958, 5915, 8410, 4880, OpenSSH's PROTOCOL.key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detector.checks.asn1 import INTEGER, OCTET_STRING, OID, SEQUENCE, items, sequence

Claims = dict[str, Any]

MAX_BITS = 16_384
"""Longer numbers are no keys, and multiplying them would cost."""


class BadKeyError(ValueError):
    """No key, or numbers that contradict each other. Carries none of the bytes."""


def _require(holds: bool) -> None:
    if not holds:
        raise BadKeyError


def _told(kind: str, bits: int | None, encrypted: bool = False) -> Claims:
    claims: Claims = {"kind": kind, "encrypted": encrypted}
    return claims | {"bits": bits} if bits else claims


def _integers(fields: list[tuple[int, bytes]]) -> list[int]:
    _require(all(tag == INTEGER and len(value) <= MAX_BITS // 8 + 1 for tag, value in fields))
    return [int.from_bytes(value, "big") for _, value in fields]


def _rsa(n: int, e: int, d: int, *, p: int, q: int, inverse: int) -> Claims:
    """The private exponent must undo the public one modulo either prime."""
    _require(1 < p < n and 1 < q < n and n == p * q and e > 2)
    _require(e * d % (p - 1) == 1 and e * d % (q - 1) == 1 and inverse * q % p == 1)
    return _told("RSA", n.bit_length())


def pkcs1(body: bytes) -> Claims:
    """``RSA PRIVATE KEY``."""
    fields = sequence(body)
    _require(len(fields) >= 9)
    version, n, e, d, p, q, dp, dq, inverse = _integers(fields[:9])
    if version == 1:  # more than two primes, which nobody uses
        return _told("RSA", n.bit_length())
    _require(version == 0 and p > 1 and q > 1 and d % (p - 1) == dp and d % (q - 1) == dq)
    return _rsa(n, e, d, p=p, q=q, inverse=inverse)


def dsa(body: bytes) -> Claims:
    """``DSA PRIVATE KEY``, as OpenSSL writes it."""
    fields = sequence(body)
    _require(len(fields) == 6)
    _, p, q, _, _, x = _integers(fields)
    _require(q > 1 and p > q and (p - 1) % q == 0 and 0 < x < q)
    return _told("DSA", p.bit_length())


_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): 256,  # P-256
    bytes.fromhex("2b81040022"): 384,  # P-384
    bytes.fromhex("2b81040023"): 521,  # P-521
    bytes.fromhex("2b8104000a"): 256,  # secp256k1
}


def sec1(body: bytes, curve: bytes = b"") -> Claims:
    """``EC PRIVATE KEY``; ``curve`` is the object id where something outside names it."""
    match sequence(body):
        case [(0x02, b"\x01"), (0x04, key), *rest]:
            for tag, value in rest:
                if tag == 0xA0 and (inner := items(value)) and inner[0][0] == OID:
                    curve = inner[0][1]
            bits = _CURVES.get(curve)
            _require(16 <= len(key) <= 66 and (bits is None or len(key) == (bits + 7) // 8))
            return _told("EC", bits or len(key) * 8)
    raise BadKeyError


_EDWARDS = {
    bytes.fromhex("2b656e"): ("X25519", 256),
    bytes.fromhex("2b656f"): ("X448", 448),
    bytes.fromhex("2b6570"): ("Ed25519", 256),
    bytes.fromhex("2b6571"): ("Ed448", 456),
}
RSA_ID = bytes.fromhex("2a864886f70d010101")
_PSS_ID = bytes.fromhex("2a864886f70d01010a")
_EC_ID = bytes.fromhex("2a8648ce3d0201")
_DSA_ID = bytes.fromhex("2a8648ce380401")


def pkcs8(body: bytes) -> Claims:
    """``PRIVATE KEY``: the algorithm's object id, and the key inside."""
    match sequence(body):
        case [(0x02, b"\x00" | b"\x01"), (0x30, algorithm), (0x04, key), *_]:
            names = items(algorithm)
            _require(bool(names) and names[0][0] == OID)
            return _pkcs8_inside(names, key)
    raise BadKeyError


def _pkcs8_inside(names: list[tuple[int, bytes]], key: bytes) -> Claims:
    name = names[0][1]
    if name in (RSA_ID, _PSS_ID):
        return pkcs1(key)
    if name == _EC_ID:
        return sec1(key, names[1][1] if len(names) > 1 and names[1][0] == OID else b"")
    if name in _EDWARDS:
        kind, bits = _EDWARDS[name]
        match items(key):
            case [(0x04, seed)] if len(seed) in (bits // 8, 56):
                return _told(kind, bits)
        raise BadKeyError
    if name == _DSA_ID:
        parameters = items(names[1][1]) if len(names) > 1 else []
        return _told("DSA", _integers(parameters[:1])[0].bit_length() if parameters else None)
    return _told("private key", None)


def pkcs8_encrypted(body: bytes) -> Claims:
    """``ENCRYPTED PRIVATE KEY``: which cipher, and bytes that only a passphrase opens."""
    fields = sequence(body)
    _require([tag for tag, _ in fields] == [SEQUENCE, OCTET_STRING] and len(fields[1][1]) >= 16)
    names = items(fields[0][1])
    _require(bool(names) and names[0][0] == OID)
    return _told("PKCS #8", None, encrypted=True)


_SSH_MAGIC = b"openssh-key-v1\0"
_SSH_KINDS = {
    b"ssh-rsa": "RSA",
    b"ssh-ed25519": "Ed25519",
    b"ssh-dss": "DSA",
    b"ecdsa-sha2-nistp256": "EC",
    b"ecdsa-sha2-nistp384": "EC",
    b"ecdsa-sha2-nistp521": "EC",
    b"sk-ssh-ed25519@openssh.com": "Ed25519-SK",
    b"sk-ecdsa-sha2-nistp256@openssh.com": "EC-SK",
}


class _Wire:
    """SSH's wire format: four bytes of length, then so many bytes."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def number(self) -> int:
        _require(self.at + 4 <= len(self.data))
        self.at += 4
        return int.from_bytes(self.data[self.at - 4 : self.at], "big")

    def string(self) -> bytes:
        length = self.number()
        _require(self.at + length <= len(self.data))
        self.at += length
        return self.data[self.at - length : self.at]

    def integer(self) -> int:
        value = self.string()
        _require(len(value) <= MAX_BITS // 8 + 1)
        return int.from_bytes(value, "big")


def openssh(body: bytes) -> Claims:
    """``OPENSSH PRIVATE KEY``."""
    _require(body.startswith(_SSH_MAGIC))
    wire = _Wire(body, len(_SSH_MAGIC))
    cipher, _, _, count = wire.string(), wire.string(), wire.string(), wire.number()
    public, private = _Wire(wire.string()), _Wire(wire.string())
    name = public.string()
    _require(count == 1 and name in _SSH_KINDS)
    kind = _SSH_KINDS[name]
    if cipher != b"none":
        return _told(kind, None, encrypted=True) | {"format": "OpenSSH"}
    # The same random number twice is how OpenSSH itself sees that a passphrase was right.
    _require(private.number() == private.number() and private.string() == name)
    return _openssh_inside(kind, public, private) | {"format": "OpenSSH"}


def _openssh_inside(kind: str, public: _Wire, private: _Wire) -> Claims:
    if kind == "RSA":
        n, e, d, inverse, p, q = (private.integer() for _ in range(6))
        _require(public.integer() == e and public.integer() == n)
        return _rsa(n, e, d, p=p, q=q, inverse=inverse)
    first = public.string()
    _require(private.string() == first)
    if kind == "Ed25519":
        _require(len(first) == 32 and private.string()[32:] == first)
        return _told(kind, 256)
    if kind == "EC":
        _require(private.string() == public.string())
        return _told(kind, int(first[-3:]) if first[-3:].isdigit() else None)
    return _told(kind, None)


_PGP_NUMBERS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}
"""Algorithm → how many public numbers: RSA, Elgamal, DSA."""


def pgp(body: bytes) -> Claims:
    """``PGP PRIVATE KEY BLOCK``: packets, the first of which is a secret key."""
    first = _first_packet(body)
    _require(len(first) >= 8 and 3 <= first[0] <= 6)
    if first[0] != 4 or first[5] not in _PGP_NUMBERS:  # other versions, elliptic curves
        return _told("PGP", None)
    at, bits = 6, 0
    for _ in range(_PGP_NUMBERS[first[5]]):
        size = int.from_bytes(first[at : at + 2], "big")
        bits, at = bits or size, at + 2 + (size + 7) // 8
    _require(at < len(first))
    return _told("PGP", bits, encrypted=first[at] != 0)


def _first_packet(body: bytes) -> bytes:
    """The first packet's contents; the rest must be whole packets up to the end."""
    first, at, count = b"", 0, 0
    while at < len(body):
        tag, start, end = _packet(body, at)
        _require(end <= len(body) and count < 1024)
        if not count:
            _require(tag == 5)
            first = body[start:end]
        at, count = end, count + 1
    _require(count > 0)
    return first


def _packet(body: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the packet at ``at`` (RFC 4880, 4.2)."""
    head = body[at]
    _require(head >= 0x80)
    if not head & 0x40:
        size = (1, 2, 4, 0)[head & 3]
        start = at + 1 + size
        length = int.from_bytes(body[at + 1 : start], "big") if size else len(body) - start
        return head >> 2 & 15, start, start + length
    lead = body[at + 1] if at + 1 < len(body) else 255
    if lead < 192:
        return head & 63, at + 2, at + 2 + lead
    if lead < 224:
        low = body[at + 2] if at + 2 < len(body) else 0
        return head & 63, at + 3, at + 3 + ((lead - 192) << 8) + low + 192
    _require(lead == 255)
    return head & 63, at + 6, at + 6 + int.from_bytes(body[at + 2 : at + 6], "big")


READERS: dict[bytes, Callable[[bytes], Claims]] = {
    b"RSA": pkcs1,
    b"DSA": dsa,
    b"EC": sec1,
    b"": pkcs8,
    b"ENCRYPTED": pkcs8_encrypted,
    b"OPENSSH": openssh,
    b"PGP": pgp,
}
"""The word before ``PRIVATE KEY`` → what reads the body."""
