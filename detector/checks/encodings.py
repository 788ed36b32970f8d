"""Alphabets and hashes that credential formats share and the standard library lacks.

Everything here is bounded, takes any bytes, and answers ``None`` instead of raising.
"""

from __future__ import annotations

import binascii
import random
import time
from typing import Any

import msgspec

DIGITS = b"0123456789"
HEX = b"0123456789abcdef"
BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
BASE64_URL = BASE64[:62] + b"-_"
BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"

MAX_JSON = 1 << 16
"""Bytes. Nothing that a token carries inside is longer."""

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def pick(rng: random.Random, alphabet: bytes, length: int) -> bytes:
    """``length`` random characters of ``alphabet``."""
    return bytes(rng.choices(alphabet, k=length))


def to_base(number: int, alphabet: bytes, width: int) -> bytes:
    """``number`` in the base of ``alphabet``, left-padded with its zero to ``width``."""
    base, digits = len(alphabet), bytearray()
    while number:
        number, digit = divmod(number, base)
        digits.append(alphabet[digit])
    digits.reverse()
    return bytes(digits).rjust(width, alphabet[:1])


def b64_decode(text: bytes) -> bytes | None:
    """Base64 of either alphabet, padded or not; ``None`` for anything else."""
    body = text.rstrip(b"=").translate(_TO_STANDARD)
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)
    except ValueError:
        return None


def b64_encode(raw: bytes) -> bytes:
    """Base64 of the standard alphabet, padded."""
    return binascii.b2a_base64(raw, newline=False)


def b64url_encode(raw: bytes) -> bytes:
    """Base64 of the URL alphabet, without padding."""
    return b64_encode(raw).translate(_TO_URL).rstrip(b"=")


def b32_decode(text: bytes) -> bytes | None:
    """Upper-case base32 (RFC 4648) without padding, of at most 256 characters."""
    if len(text) > 256:
        return None
    number = 0
    for char in text:
        value = BASE32.find(char)
        if value < 0:
            return None
        number = number << 5 | value
    return (number >> len(text) * 5 % 8).to_bytes(len(text) * 5 // 8, "big")


def b32_encode(raw: bytes) -> bytes:
    """Upper-case base32 without padding."""
    spare = -len(raw) * 8 % 5
    return to_base(int.from_bytes(raw, "big") << spare, BASE32, (len(raw) * 8 + spare) // 5)


def b58_decode(text: bytes) -> bytes | None:
    """Base58 (the alphabet without 0, O, I and l), of at most 128 characters."""
    if len(text) > 128:
        return None
    number = 0
    for char in text:
        value = BASE58.find(char)
        if value < 0:
            return None
        number = number * 58 + value
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def json_object(raw: bytes | None) -> dict[str, Any] | None:
    """A JSON object of at most :data:`MAX_JSON` bytes, or ``None``."""
    if raw is None or len(raw) > MAX_JSON:
        return None
    try:
        return _OBJECT.decode(raw)
    except (ValueError, RecursionError):
        return None


def b64_json(text: bytes) -> dict[str, Any] | None:
    """A JSON object in base64, or ``None``."""
    return json_object(b64_decode(text)) if len(text) <= MAX_JSON else None


def short(value: object, limit: int = 128) -> str | None:
    """A claim's text where it is one that can be shown: printable, cut at ``limit``."""
    if isinstance(value, str) and value and value.isprintable():
        return value[:limit]
    return None


def iso_date(seconds: object) -> str | None:
    """``YYYY-MM-DD`` (UTC) of seconds since 1970, or ``None`` where they are no date."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    if not 0 <= seconds < 253_402_300_800:  # the year 10000
        return None
    year, month, day = time.gmtime(seconds)[:3]
    return f"{year:04}-{month:02}-{day:02}"


def marvin32(data: bytes, seed: int) -> int:
    """Marvin32, the keyed 32-bit hash that Azure's keys use as their checksum.

    ``seed`` is 64 bits; Azure writes it as eight ASCII characters, most significant first.
    """
    low, high = seed & 0xFFFFFFFF, seed >> 32
    # The padding is the byte 0x80 and zeros; one more block of zeros ends the hash.
    padded = data + b"\x80" + bytes(-(len(data) + 1) % 4)
    words = [int.from_bytes(padded[i : i + 4], "little") for i in range(0, len(padded), 4)]
    for word in (*words, 0):
        low = (low + word) & 0xFFFFFFFF
        high ^= low
        low = ((low << 20 | low >> 12) + high) & 0xFFFFFFFF
        high = (high << 9 | high >> 23) & 0xFFFFFFFF
        high ^= low
        low = ((low << 27 | low >> 5) + high) & 0xFFFFFFFF
        high = (high << 19 | high >> 13) & 0xFFFFFFFF
    return low ^ high


_BECH32_STEPS = [0]
"""What the five bits that leave the remainder (BIP 173) bring back into it."""
for _generator in (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3):
    _BECH32_STEPS += [step ^ _generator for step in _BECH32_STEPS]


def _bech32_polymod(values: list[int]) -> int:
    """The BCH remainder of BIP 173 over 5-bit values."""
    check = 1
    for value in values:
        check = (check & 0x1FFFFFF) << 5 ^ value ^ _BECH32_STEPS[check >> 25]
    return check


def _bech32_prefix(prefix: bytes) -> list[int]:
    return [c >> 5 for c in prefix] + [0] + [c & 31 for c in prefix]


def bech32_holds(prefix: bytes, data: bytes) -> bool:
    """Whether the last six characters of ``data`` are its Bech32 checksum under ``prefix``.

    Both in lower case; ``data`` at most 128 characters.
    """
    values = [BECH32.find(c) for c in data[:129]]
    if not 6 < len(values) <= 128 or min(values) < 0:
        return False
    return _bech32_polymod(_bech32_prefix(prefix) + values) == 1


def bech32_sum(prefix: bytes, data: bytes) -> bytes:
    """The six checksum characters for ``data`` (all of :data:`BECH32`) under ``prefix``."""
    values = [*_bech32_prefix(prefix), *(BECH32.index(c) for c in data), 0, 0, 0, 0, 0, 0]
    remainder = _bech32_polymod(values) ^ 1
    return bytes(BECH32[remainder >> 5 * (5 - i) & 31] for i in range(6))
