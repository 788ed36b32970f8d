"""Hashes of passwords, told by their form.

Modular crypt formats: crypt(5), https://manpages.debian.org/crypt.5; PHC strings:
https://github.com/P-H-C/phc-string-format; Django: django.contrib.auth.hashers; LDAP: RFC 2307 and
OpenLDAP's slappasswd(8); MySQL: https://dev.mysql.com/doc/refman/5.7/en/password-hashing.html.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

SOME = 512  # values that are looked at, from all over the sample

_MARKED = {
    "bcrypt": rb"(?:bcrypt(?:_sha256)?\$)?\$2[abxy]?\$\d\d\$[./0-9A-Za-z]{53}",
    "argon2id": rb"(?:argon2)?\$argon2id\$.{10,}",
    "argon2i": rb"(?:argon2)?\$argon2i\$.{10,}",
    "argon2d": rb"(?:argon2)?\$argon2d\$.{10,}",
    "scrypt": rb"scrypt\$\d+\$.{10,}|\$scrypt\$.{10,}|\$7\$[./0-9A-Za-z]{11}.{10,}"
    rb"|scrypt:\d+:\d+:\d+\$.{10,}",
    "yescrypt": rb"\$g?y\$[./0-9A-Za-z]+\$.{10,}",
    "PBKDF2": rb"pbkdf2_sha\d+\$\d+\$.{10,}|\$pbkdf2[^$]{0,12}\$.{10,}"
    rb"|pbkdf2:sha\d+(?::\d+)?\$.{10,}|\{PBKDF2[^}]{0,8}\}.{10,}|sha(?:1|256|512):\d+:\d+:.{10,}",
    "SHA-512 crypt": rb"\$6\$(?:rounds=\d+\$)?[^$]{0,16}\$[./0-9A-Za-z]{86}",
    "SHA-256 crypt": rb"\$5\$(?:rounds=\d+\$)?[^$]{0,16}\$[./0-9A-Za-z]{43}",
    "MD5 crypt": rb"\$(?:1|apr1)\$[^$]{0,8}\$[./0-9A-Za-z]{22}",
    "SHA-1 crypt": rb"\$sha1\$\d+\$[./0-9A-Za-z]{1,64}\$[./0-9A-Za-z]{28}",
    "phpass": rb"\$[PH]\$[./0-9A-Za-z]{31}",
    "Drupal 7 (SHA-512)": rb"\$S\$[./0-9A-Za-z]{52}",
    "NTLM": rb"\$NT\$[0-9a-f]{32}|\$3\$\$[0-9a-f]{32}",
    "salted SHA-1 (Django)": rb"sha1\$[0-9A-Za-z]*\$[0-9a-f]{40}",
    "salted MD5 (Django)": rb"md5\$[0-9A-Za-z]*\$[0-9a-f]{32}",
    "LDAP {SSHA}": rb"\{SSHA(?:224|256|384|512)?\}[0-9A-Za-z+/]{20,}={0,2}",
    "LDAP {SHA}": rb"\{SHA(?:224|256|384|512)?\}[0-9A-Za-z+/]{20,}={0,2}",
    "LDAP {SMD5}": rb"\{SMD5\}[0-9A-Za-z+/]{20,}={0,2}",
    "LDAP {MD5}": rb"\{MD5\}[0-9A-Za-z+/]{22}==",
    "LDAP {CRYPT}": rb"\{(?:CRYPT|crypt)\}.{10,}",
    "MySQL (SHA-1 twice)": rb"\*[0-9A-F]{40}",
    "MySQL caching_sha2": rb"\$A\$005\$.{20,}",
    "PostgreSQL SCRAM-SHA-256": rb"SCRAM-SHA-256\$\d+:[0-9A-Za-z+/=]+\$[0-9A-Za-z+/=:]+",
    "PostgreSQL MD5": rb"md5[0-9a-f]{32}",
    "SQL Server": rb"0x0[12]00[0-9A-F]{40,}",
}
_NAMED = {
    "MySQL before 4.1": rb"[0-9a-f]{16}",
    "MD5": rb"[0-9a-f]{32}|[0-9A-F]{32}|[0-9A-Za-z+/]{22}==",
    "SHA-1": rb"[0-9a-f]{40}|[0-9A-F]{40}|[0-9A-Za-z+/]{27}=",
    "SHA-224": rb"[0-9a-f]{56}|[0-9A-F]{56}",
    "SHA-256": rb"[0-9a-f]{64}|[0-9A-F]{64}|[0-9A-Za-z+/]{43}=",
    "SHA-384": rb"[0-9a-f]{96}|[0-9A-F]{96}",
    "SHA-512": rb"[0-9a-f]{128}|[0-9A-F]{128}|[0-9A-Za-z+/]{86}==",
    "salted MD5": rb"[0-9a-f]{32}[:$][!-~]{1,64}|[!-~]{1,32}[:$][0-9a-f]{32}",
    "salted SHA-1": rb"[0-9a-f]{40}[:$][!-~]{1,64}|[!-~]{1,32}[:$][0-9a-f]{40}",
    "salted SHA-256": rb"[0-9a-f]{64}[:$][!-~]{1,64}|[!-~]{1,64}[:$][0-9a-f]{64}",
    "ASP.NET Identity (PBKDF2)": rb"AQAAAA[0-9A-Za-z+/]{76,90}={0,2}"
    rb"|A[A-P][0-9A-Za-z+/]{64}[0-9A-Za-z+/=]{2}",
}
_UNSALTED = frozenset(
    {"MySQL before 4.1", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "NTLM",
     "MySQL (SHA-1 twice)", "LDAP {SHA}", "LDAP {MD5}"}
)  # fmt: skip
_DES = re.compile(rb"[./0-9A-Za-z]{13}")


def _compiled(forms: dict[str, bytes]) -> re.Pattern[bytes]:
    parts = [b"(?P<h%d>%s)" % (n, form) for n, form in enumerate(forms.values())]
    return re.compile(b"|".join(parts), re.DOTALL)


_ALL = {**_MARKED, **_NAMED}
_NAMES = tuple(_ALL)
_OF_MARKED, _OF_ALL = _compiled(_MARKED), _compiled(_ALL)


class Hashed(NamedTuple):
    """``share``: of the values, how many are hashes; ``algorithms``, the commonest first;
    ``unsalted``: most are equal for equal passwords."""

    share: float
    algorithms: tuple[str, ...]
    unsalted: bool


def algorithm(value: bytes, *, named: bool) -> str:
    """Which hash a value is, or an empty text. ``named``: it has a password's name, so plain hex
    counts."""
    found = (_OF_ALL if named else _OF_MARKED).fullmatch(value)
    return _NAMES[int(str(found.lastgroup)[1:])] if found else ""


def spread(values: Sequence[bytes], most: int = SOME) -> Sequence[bytes]:
    """At most so many of them, evenly from all over."""
    return values[:: -(-len(values) // most)] if values else values


def look(values: Sequence[bytes], *, named: bool) -> Hashed:
    """How many of the values are hashes, and of which kinds."""
    counts = Counter(algorithm(value, named=named) for value in values)
    plain = counts.pop("", 0)
    if named and plain == len(values) >= 8 and _are_des(values):
        return Hashed(1.0, ("DES crypt",), unsalted=False)
    hashed = len(values) - plain
    names = tuple(name for name, _ in counts.most_common(3))
    unsalted = sum(count for name, count in counts.items() if name in _UNSALTED)
    return Hashed(hashed / len(values) if values else 0.0, names, unsalted > 0.5 * hashed)


def _are_des(values: Sequence[bytes]) -> bool:
    """Thirteen bytes each, all of crypt's alphabet, two of three with a capital and a digit,
    and a dot or slash in one of eight: drawn ones have one in three."""
    marked = sum(b"." in value or b"/" in value for value in values)
    return all(map(_DES.fullmatch, values)) and marked * 8 >= len(values)
