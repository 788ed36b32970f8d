"""As much of DER (X.690) as private keys need: a reader of one level, and a writer."""

from __future__ import annotations

INTEGER, OCTET_STRING, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30

MAX_ITEMS = 32
"""In one sequence. The longest known, a private key of RSA, has nine."""


class DerError(ValueError):
    """Not DER, or cut off. Carries none of the bytes."""


def items(data: bytes) -> list[tuple[int, bytes]]:
    """The values that stand one after the other in ``data``, as (tag, contents).

    Raises :class:`DerError` where they don't fill it exactly.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if len(found) == MAX_ITEMS or at + 2 > len(data):
            raise DerError
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 3:
                raise DerError
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise DerError
        found.append((tag, data[at : at + length]))
        at += length
    return found


def sequence(data: bytes) -> list[tuple[int, bytes]]:
    """What one SEQUENCE that fills ``data`` holds."""
    match items(data):
        case [(0x30, inside)]:
            return items(inside)
    raise DerError


def write(tag: int, *contents: bytes) -> bytes:
    """One value."""
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(body).to_bytes(size, "big") + body


def integer(number: int) -> bytes:
    """A non-negative INTEGER."""
    return write(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))
