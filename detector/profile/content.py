"""What values are that are neither tokens nor passwords: dates, addresses, numbers, text; and
identifiers that tell themselves by their form.

ULID: https://github.com/ulid/spec; UUID: RFC 9562; KSUID: https://github.com/segmentio/ksuid;
ObjectId: https://www.mongodb.com/docs/manual/reference/bson-types/#objectid; Snowflake: epochs of
Twitter (1288834974657) and Discord (1420070400000).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_FORMS = {
    "numbers": rb"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"
    rb"|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|nan",
    "dates": rb"\d{4}-\d\d?-\d\d?(?:[ T]\d\d?:\d\d.{0,20})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}.{0,20}"
    rb"|\d{4}/\d\d?/\d\d?.{0,20}|\d\d?:\d\d(?::\d\d(?:\.\d+)?)?",
    "truth values": rb"(?i:true|false|yes|no|y|n|t|f|on|off)",
    "e-mail addresses": rb"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}",
    "URLs": rb"[a-zA-Z][a-zA-Z0-9+.-]{1,15}://.*",
    "IP addresses": rb"(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?"
    rb"|(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:/\d+)?",
    "UUIDs": rb"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?",
    "telephone numbers": rb"\+?[\d() ./x-]{7,24}",
    "public keys": rb"(?:ssh-|ecdsa-sha2-|-----BEGIN (?:PUBLIC|CERT|RSA PUBLIC)|age1).*",
    "addresses of a blockchain": rb"0x[0-9a-fA-F]{40}",
    "geometries": rb"01[0-9a-fA-F]{2}0000[0-9a-fA-F]{24,}"
    rb"|(?:SRID=\d+;)?(?:POINT|LINESTRING|POLYGON|MULTI\w+) ?\(.*",
    "JSON": rb"[{\[].*[}\]]",
    "bytes in hex": rb"\\x[0-9a-fA-F]*",
    "markup": rb"<.*>",
    "IBANs": rb"[A-Z]{2}\d\d ?(?:[0-9A-Z]{4} ?){2,7}[0-9A-Z]{1,4}",
    "file names and paths": rb"/[^\s:]*|[A-Za-z]:\\.*"
    rb"|[^/\0]{1,128}\.(?:[a-z]{2,4}|[A-Z]{3}|mp3|mp4|7z|jpeg)"
    rb"|(?:[\w.-]+/){2,}[\w.-]+",
    "versions": rb"[vV]?\d+(?:\.\d+){1,4}(?:[-+][\w.]+)?",
    "text": rb".*\s.*",
}
_PATTERN = re.compile(
    b"|".join(b"(?P<c%d>%s)" % (n, form) for n, form in enumerate(_FORMS.values())), re.DOTALL
)
_NAMES = tuple(_FORMS)
MOST = 0.9  # share of the values that has to be of one form
_B64 = re.compile(rb"[0-9A-Za-z+/_-]{8,}={0,2}")
_PRINTABLE = bytes([9, 10, 13, *range(32, 127)])
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC).timestamp()  # seconds: what a time in front may be
_END = datetime(2045, 1, 1, tzinfo=UTC).timestamp()
_CROCKFORD = {char: n for n, char in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}
_BASE62 = {
    char: n
    for n, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
}


def content(values: Sequence[bytes]) -> str:
    """What nine of ten values are, or an empty text."""
    counts: Counter[str] = Counter()
    for value in values:
        found = _PATTERN.fullmatch(value)
        counts[_NAMES[int(str(found.lastgroup)[1:])] if found else ""] += 1
    best, count = counts.most_common(1)[0] if values else ("", 0)
    if best and count >= MOST * len(values):
        return best
    several = sum(counts[name] for name in ("text", "numbers", "telephone numbers", "dates"))
    if several >= MOST * len(values) and values:
        return "numbers and text"
    if is_base64_of_text(values):
        return "base64 of text"
    return ""


def is_base64_of_text(values: Sequence[bytes]) -> bool:
    """Whether nine of ten decode to something that can be read."""
    some = values[:64]
    readable = 0
    for value in some:
        if not _B64.fullmatch(value):
            continue
        try:
            decoded = base64.b64decode(value.rstrip(b"=") + b"===", altchars=b"-_")
        except binascii.Error:
            continue
        readable += len(decoded.translate(None, _PRINTABLE)) * 10 <= len(decoded)
    return bool(some) and readable >= MOST * len(some)


def timed(values: Sequence[bytes]) -> str:
    """The name of a kind of identifier that begins with the time it was made at, or an empty
    text. Of random hex one in five begins like a time, so all of eight values have to."""
    some = [value.decode("latin-1") for value in values[:64]]
    if len(some) < 8:
        return ""
    lengths = {len(text) for text in some}
    if len(lengths) != 1:
        return _snowflakes(some) if lengths <= {17, 18, 19} else ""
    (length,) = lengths
    if length == 26 and _within(_ulid(text) for text in some):
        return "ULIDs"
    if length == 24 and _within(_number(text[:8], 16) for text in some):
        return "ObjectIds"
    if length == 27 and _within(_ksuid(text) for text in some):
        return "KSUIDs"
    if length == 25 and all(text[0] == "c" for text in some):
        return "CUIDs" if _within(_number(text[1:9], 36) / 1000 for text in some) else ""
    return _snowflakes(some) if length in (17, 18, 19) else ""


def _within(times: Iterable[float]) -> bool:
    return all(_BEGIN < time < _END for time in times)


def _number(text: str, base: int) -> float:
    try:
        return float(int(text, base))
    except ValueError:
        return -1.0


def _ulid(text: str) -> float:
    value = 0
    for char in text[:10].upper():
        value = value * 32 + _CROCKFORD.get(char, 1 << 60)
    return value / 1000


def _ksuid(text: str) -> float:
    value = 0
    for char in text:
        value = value * 62 + _BASE62.get(char, 1 << 200)
    return float((value >> 128) + 1_400_000_000) if value < 1 << 160 else -1.0


def _snowflakes(texts: Sequence[str]) -> str:
    if not all(text.isascii() and text.isdigit() for text in texts):
        return ""
    return (
        "Snowflakes"
        if any(
            _within(((int(text) >> 22) + epoch) / 1000 for text in texts)
            for epoch in (1_288_834_974_657, 1_420_070_400_000)
        )
        else ""
    )


def uuid_version(values: Sequence[bytes]) -> str:
    """The version that nine of ten UUIDs have, or an empty text."""
    counts = Counter(value.strip(b"{}")[14:15].decode("latin-1") for value in values)
    version, count = counts.most_common(1)[0]
    return version if count >= MOST * len(values) else ""


def is_serial(values: Sequence[bytes]) -> bool:
    """Whether the values, all different, count: their last digits run, in order or not, and what
    stands before is the same."""
    numbers, heads = [], set()
    for value in values:
        digits = len(value) - len(value.rstrip(b"0123456789"))
        if not 0 < digits <= 18:
            return False
        numbers.append(int(value[-digits:]))
        heads.add(value[:-digits])
    if len(heads) > 4 or len(numbers) < 3:
        return False
    # Numbers of a sequence are dense: drawn ones of as many digits lie a thousand times wider.
    return max(numbers) - min(numbers) < 1000 * len(numbers)
