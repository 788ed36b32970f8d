"""Ways to write a secret down that are not the secret: encoders for ``bench.decoding`` and tests.

Each is the standard library's own encoder, or writes what people write by hand.
"""

from __future__ import annotations

import base64
import gzip
import quopri
import zlib
from collections.abc import Callable

Encode = Callable[[bytes], bytes]


def _each(form: str) -> Encode:
    return lambda text: b"".join((form % byte).encode() for byte in text)


def _pieces(text: bytes) -> list[bytes]:
    third = max(1, len(text) // 3)
    return [text[:third], text[third : 2 * third], text[2 * third :]]


def _between(before: bytes, joint: bytes, after: bytes) -> Encode:
    return lambda text: before + joint.join(_pieces(text)) + after


def _in_json(text: bytes) -> bytes:
    return base64.b64encode(b'{"id": 7, "value": "' + text + b'", "on": true}')


def _wrapped(text: bytes) -> bytes:
    return base64.encodebytes(b"lines of a file that is long enough for two: " + text).strip()


def _template(text: bytes) -> bytes:
    first, second, third = _pieces(text)
    return b"`" + first + b'${"' + second + b'"}' + third + b"`"


def _codes(text: bytes) -> bytes:
    return b"String.fromCharCode(" + b",".join(b"%d" % byte for byte in text) + b")"


def _quoted(text: bytes) -> bytes:
    return quopri.encodestring(b"a line of a mail that ends in a key, and here is that: " + text)


def _broken(joint: bytes) -> Encode:
    half = 24
    return lambda text: text[:half] + joint + text[half:]


DISGUISES: dict[str, Encode] = {
    "base64": base64.b64encode,
    "base64url": lambda text: base64.urlsafe_b64encode(text).rstrip(b"="),
    "base64 of JSON": _in_json,
    "base64 in lines": _wrapped,
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text)),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(b"x = " + text, mtime=0)),
    "zlib in base64": lambda text: base64.b64encode(zlib.compress(b"x = " + text)),
    "hex": lambda text: text.hex().encode(),
    "HEX": lambda text: text.hex().upper().encode(),
    "utf-16": lambda text: text.decode("latin-1").encode("utf-16-le"),
    "\\x73": _each("\\x%02x"),
    "\\u0073": _each("\\u%04x"),
    "\\u{73}": _each("\\u{%x}"),
    "\\163": _each("\\%03o"),
    "%73": _each("%%%02X"),
    "&#115;": _each("&#%d;"),
    "&#x73;": _each("&#x%x;"),
    "=73": _each("=%02X"),
    "soft line": _quoted,
    '"a"+"b"': _between(b'"', b'"+"', b'"'),
    "'a' +⏎ 'b'": _between(b"'", b"' +\n    '", b"'"),
    '"a" . "b"': _between(b'"', b'" . "', b'"'),
    "'a' || 'b'": _between(b"'", b"' || '", b"'"),
    '"a" "b"': _between(b'"', b'" "', b'"'),
    "[a,b].join": _between(b'["', b'","', b'"].join("")'),
    "`${b}`": _template,
    "fromCharCode": _codes,
    "a⏎b": _broken(b"\n"),
    "a⏎> b": _broken(b"\n> "),
    "a\\⏎b": _broken(b"\\\n"),
}


CONTEXTS: dict[str, tuple[bytes, bytes]] = {
    "script": (b"function a(){return e(1)};var t=", b";n(t)\n"),
    "JSON": (b'{"id": 12, "v": ', b', "w": 3}\n'),
    "chat": (b"hi, can you try ", b" please?\n"),
    "mail": (b"Hello,\n\nit is this: ", b"\n\nBest,\nJo\n"),
}
"""What stands around it, before and behind."""
