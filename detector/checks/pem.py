"""Private keys in PEM armour, as they stand in dumps and bundles: with real line ends, with
``\\n`` escaped once or twice, on one line, or joined from string literals.
"""

from __future__ import annotations

import random
import re

from detector.checks.encodings import b64_decode, b64_encode
from detector.checks.keyfile import READERS
from detector.checks.results import FAILED, NONE
from detector.types import CheckResult, CheckStatus, Severity

_MAX_TOKEN = 1 << 16

_BEGIN = re.compile(rb"-----BEGIN ((?:[A-Z0-9]{1,12} )?)PRIVATE KEY( BLOCK)?-----")
_ESCAPE = re.compile(
    rb"\\+(?:[nrt/]|u00[0-9A-Fa-f]{2})|&#(?:10|13|[xX][aAdD]);|%0[AaDd]|%2[BbFf]|%3[Dd]"
)
_MEANING = {b"2b": b"+", b"2f": b"/", b"3d": b"="}
_JOIN = re.compile(rb"[\"']\s{0,64}[+.]?\s{0,64}[\"']|[\s\"',\\]")
_LEGACY = re.compile(
    rb"Proc-Type:\s{0,4}4,ENCRYPTED\s{0,8}DEK-Info:\s{0,4}[A-Z0-9-]{4,24},\s{0,4}[0-9A-Fa-f]{8,64}"
)
_HEADER_LINE = re.compile(rb"^[A-Za-z][A-Za-z-]{2,32}: [^\n]{0,256}$", re.MULTILINE)
_ARMOUR_SUM = re.compile(rb"=[A-Za-z0-9+/]{4}\Z")


def _unescape(match: re.Match[bytes]) -> bytes:
    escape = match.group().lower()
    return b"/" if escape.endswith(b"/") else _MEANING.get(escape[-2:], b"\n")


def _body(text: bytes) -> tuple[bytes, bool]:
    """The base64 between the armour's lines, and whether a header says that it's encrypted."""
    text = _ESCAPE.sub(_unescape, text)
    text, encrypted = _LEGACY.subn(b"", text)
    if b": " in text:
        text = _HEADER_LINE.sub(b"", text)
    return _JOIN.sub(b"", text), bool(encrypted)


def _is_sketch(body: bytes) -> bool:
    """What documentation writes for a key: nothing, dots, one letter throughout."""
    return len(body) < 16 or b".." in body or b"<" in body or len(set(body[:256])) < 4


def check_pem(token: bytes, before: bytes) -> CheckResult:
    """Passed where the body parses and its numbers agree: ``kind``, ``bits``, ``encrypted``.

    Cut off, or with an unreadable body: failed. An encrypted key is of medium severity.
    """
    begin = _BEGIN.search(token) if len(token) <= _MAX_TOKEN else None
    if begin is None:
        return FAILED if len(token) <= _MAX_TOKEN else NONE
    end = token.find(b"-----END", begin.end())
    body, encrypted = _body(token[begin.end() : end if end >= 0 else len(token)])
    if _is_sketch(body):
        return CheckResult(CheckStatus.failed, placeholder=True)
    if end < 0:
        return CheckResult(CheckStatus.failed, {"truncated": True})
    raw = b64_decode(_ARMOUR_SUM.sub(b"", body) if begin.group(2) else body)
    label = begin.group(1).strip()
    if raw is None:
        return FAILED
    return _legacy_encrypted(label, raw) if encrypted else _read(label, raw)


def _legacy_encrypted(label: bytes, raw: bytes) -> CheckResult:
    """Of OpenSSL's older encryption, whole cipher blocks are all that can be seen."""
    claims = {"kind": label.decode(), "encrypted": True}
    status = CheckStatus.failed if len(raw) % 8 else CheckStatus.passed
    return CheckResult(status, claims, severity=Severity.medium)


def _read(label: bytes, raw: bytes) -> CheckResult:
    reader = READERS.get(label)
    if reader is None:
        return NONE
    try:
        claims = reader(raw)
    except ValueError:
        return FAILED
    severity = Severity.medium if claims["encrypted"] else None
    return CheckResult(CheckStatus.passed, claims, severity=severity)


def make_pem(rng: random.Random, draft: bytes) -> bytes:
    """A new key of the draft's label, with its line ends (real, or ``\\n`` escaped)."""
    from detector.checks import keymaker  # scanning never makes a key

    begin = _BEGIN.search(draft)
    label = begin.group(1).strip() if begin else b""
    make = keymaker.MAKERS.get(label, keymaker.pkcs8)
    words = (label + b" " if make is not keymaker.pkcs8 else b"") + b"PRIVATE KEY"
    words += b" BLOCK" if label == b"PGP" else b""
    raw = make(rng)
    text = b64_encode(raw)
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    if label == b"PGP":
        lines = [b"", *lines, b"=" + b64_encode(keymaker.crc24(raw).to_bytes(3, "big"))]
    new_line = b"\\n" if b"\\n" in draft and b"\n" not in draft else b"\n"
    return new_line.join([b"-----BEGIN %b-----" % words, *lines, b"-----END %b-----" % words])
