"""What a column's name says of its values: a credential, a password, or neither.

The last word of a name is what the values are (``token_type`` is a type), those before it say
of what.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple


class NameSays(NamedTuple):
    """``credential``: 1 for a name that credentials alone have, 0.5 for one that others have
    too, 0 for a neutral name, -1 for one that speaks against it. ``password``: the same for
    passwords, without the minus. ``hashed``: a password's hash by its name. ``session``: what a
    session is known by."""

    credential: float
    password: float
    hashed: bool = False
    session: bool = False


_WORDS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MOST = 200  # characters of a name

_TOKEN = frozenset(
    """token tokens secret secrets apikey apikeys apitoken authtoken accesstoken refreshtoken
    accesskey secretkey privatekey passkey bearer jwt pat credential credentials authkey
    whsec otpsecret totp clientsecret webhooksecret jeton geheimnis""".split()  # noqa: SIM905
)
_KEY_OF = frozenset(
    """api access secret auth private signing encryption service webhook bot app master admin
    account consumer client hmac shared session ssh deploy write ingest server integration license
    activation aes wireguard wg agent owner invite claim refresh""".split()  # noqa: SIM905
)
_MAYBE = frozenset(
    "key keys code auth authorization access refresh session sid cookie otp seed mfa pin".split()  # noqa: SIM905
)
_NONE = frozenset(
    """id ids uid uuid guid ulid oid pk fk hash hashes checksum etag sha sha1 sha256 sha512 md5
    crc digest slug cursor fingerprint commit revision rev version ref reference thumbprint
    integrity type kind name names status state count counts number num no date at time
    timestamp expires expiry expiration address symbol label url uri path prefix suffix hint salt
    nonce iv index idx position signature sig nr created updated used length size algorithm algo
    scope scopes ciphertext encrypted cipher format locale lang language usage limit
    budget cost price order ip user trace span request correlation""".split()  # noqa: SIM905
)
# What comes before makes it something else: a key of a cache, a token for the next page.
_NONE_BEFORE = frozenset(
    """public publishable anon page next continuation cursor sync cache primary foreign sort
    partition object s3 storage file blob idempotency routing natural surrogate unique row group
    lookup hash hashed encrypted digest join i18n translation message lock shard candidate
    composite bucket tracking last first previous prev max min total""".split()  # noqa: SIM905
)
_PASSWORD = frozenset(
    """password passwords passwd passwds pwd pswd psw passwort kennwort motdepasse mdp contrasena
    contrasenia senha parola haslo wachtwoord losenord passord adgangskode salasana heslo jelszo
    sifre parol пароль пароли пасворд passphrase passcode 密码 密碼 パスワード 비밀번호
    userpass userpassword dbpass dbpassword loginpass userpwd passw plainpassword""".split()  # noqa: SIM905
)
_PASS_OF = frozenset(
    "user db smtp mail imap ftp admin root login my wp http proxy web host account".split()  # noqa: SIM905
)
_NO_PASSWORD = frozenset(
    """hint hints reset at changed change expires expiry expired expiration date time is has
    attempts attempt tries count policy strength length question type algorithm algo salt
    version require required requires must force forced last failed failures age days enabled set
    updated created url link token code status history id name reminder key recovery field label
    protected rate pct percent percentage yards yds completions touchdowns min max iterations
    rounds score method provider mode encoder forgot sent verified valid""".split()  # noqa: SIM905
)
_HASHED = frozenset(
    """hash hashed digest md5 sha sha1 sha256 sha512 bcrypt argon2 scrypt crypt encrypted ntlm enc
    nt lm pbkdf2 shadow""".split()  # noqa: SIM905
)
_PASS_HASHES = frozenset({"passhash", "pwhash", "passwordhash", "pwdhash", "nthash", "lmhash"})
_TABLE_OF_KEYS = frozenset(
    "key keys apikey apikeys token tokens secret secrets credential credentials".split()  # noqa: SIM905
)
_SESSIONS = frozenset({"session", "sessions"})
_SESSION_COLUMNS = frozenset({"id", "sid", "key", "token", "session", "sessionid"})


def words_of(name: str) -> list[str]:
    """The words of an identifier, in lower case, without accents of Latin letters."""
    plain = unicodedata.normalize("NFKD", name[:_MOST])
    plain = "".join(char for char in plain if not "\u0300" <= char <= "\u036f")
    # What a Cyrillic or Korean letter lost by that it gets back.
    return _WORDS.findall(_CAMEL.sub("_", unicodedata.normalize("NFC", plain)).lower())


@lru_cache(maxsize=4096)
def of_column(table: str, name: str) -> NameSays:
    """What the names of a column and its table say."""
    words = words_of(name)
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in ("value", "text", "str", "raw")):
        words.pop()
    if not words:
        return NameSays(0, 0)
    in_table = words_of(table.rpartition(".")[2])
    session = bool(_SESSIONS & set(in_table[-1:])) and "".join(words) in _SESSION_COLUMNS
    password, hashed = _password(words)
    return NameSays(0 if password else _credential(words, in_table), password, hashed, session)


def _password(words: list[str]) -> tuple[float, bool]:
    """How far the words name a password; whether a hashed one."""
    joined = "".join(words)
    if joined in _PASS_HASHES:
        return 1, True
    hashed = bool(_HASHED & set(words))
    rest = [word for word in words if word not in _HASHED and not word.isdigit()]
    if any(word in _NO_PASSWORD for word in rest):
        return 0, hashed
    spelled = "mot de passe" in " ".join(rest) or any(word in _PASSWORD for word in rest)
    if spelled or "".join(rest) in _PASSWORD or joined in ("ntlm", "ntlmhash", "nthash"):
        return 1, hashed or joined.startswith("nt")
    if rest[-1:] == ["pass"]:
        of = rest[-2:-1]
        return (1 if of and of[0] in _PASS_OF else 0.5 if not of else 0), hashed
    return 0, hashed


def _credential(words: list[str], in_table: list[str]) -> float:
    last, before = words[-1], words[:-1]
    joined = "".join(words)
    if any(word in _NONE_BEFORE for word in before) or last in _NONE:
        return -1
    if last in _TOKEN or joined in _TOKEN:
        return 1
    if last in ("key", "keys") and any(word in _KEY_OF for word in before):
        return 1
    if last in _MAYBE or last == "value":
        if _TABLE_OF_KEYS & set(in_table[-1:]) and not before:
            return 1
        return 0.5 if last != "value" and (before or last not in ("key", "keys", "code")) else 0
    return 0


def names_a_credential(table: str, name: str) -> bool:
    """Whether a column's own name, or for a path of keys its last one, is a credential's."""
    last = re.sub(r"(?:\[\d*\])+$", "", name).rpartition(".")[2]
    says = of_column(table, last or name)
    return max(says.credential, says.password) > 0
