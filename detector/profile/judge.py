"""The judgement: what a column holds, from its name and some of its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detector.classifier import Classifier
from detector.entropy import in_columns
from detector.features import Lookups
from detector.profile import draft, hashes, passwords
from detector.profile.content import content, is_base64_of_text, is_serial, timed, uuid_version
from detector.profile.hashes import spread
from detector.profile.names import NameSays, of_column
from detector.profile.shape import Shape, shape
from detector.profile.types import ColumnProfile, Kind, TokenFormat
from detector.types import Secret

MOST = 4096  # values that are looked at
SOME = 256  # values of which the form is looked at one by one
LEAST_BITS = 58  # of a token: 10 characters of base62 have 59.5, 16 of base32 have 80
LEAST_DIGITS = 18  # of a number that may be a token by its name: 59.8 bits
# Times the chance of two values sharing a byte at a place: letters of English have 1.7 of 26.
UNIFORM = 1.35
RANDOM = 0.8  # relative entropy of a few values: fewer than one drawn in 10^5 has less
_KNOWN = 0.5  # share of rows from which on a rule knows the column

_SPEAKS = re.compile(
    r"(?:^|[_.:-])(?:sk|rk|pat|live|secret|sec|tok|token|apikey|whsec|pwd|auth|access|refresh"
    r"|bearer|claim|otp|priv|private|admin|deploy)[_.:-]"
)
_AGAINST = re.compile(
    r"(?:^|[_.:-])(?:pk|pub|public|publishable|sha\d*|md5|crc\d*|etag|id|uid|usr|user|cus|org|evt"
    r"|req|txn|inv|order|item|img|file|doc|acct|msg|run|job)[_.:-]|^0x$"
)
_PUBLIC = re.compile(r"(?:^|[_.:-])(?:pk|pub|public|publishable)[_.:-]")
_DIGEST_PREFIX = re.compile(r"(?:^|[_.:{-])(?:sha[\d_-]*|md5|crc\d*|blake\w*|etag)[}_.:-]", re.I)
_DIGEST_NAME = re.compile(r"hash|digest|checksum|sha\d|md5|etag|fingerprint|encrypted|cipher", re.I)
_DIGESTS = (32, 40, 56, 64, 96, 128)  # hex digits of MD5 and the SHA family
# What no password is, though a value here and there may look like it.
_NO_PASSWORDS = frozenset(
    {"dates", "truth values", "URLs", "JSON", "markup", "geometries", "public keys",
     "IP addresses", "e-mail addresses", "file names and paths", "versions"}
)  # fmt: skip
_SENTENCE = re.compile(rb"[,;:.?!] |\.\Z")


class _Column(NamedTuple):
    """``filled``: values that are neither NULL, empty nor placeholders; ``distinct``: each once."""

    table: str
    name: str
    says: NameSays
    filled: list[bytes]
    distinct: list[bytes]
    share: float
    lookups: Lookups


class _Verdict(NamedTuple):
    kind: Kind
    what: str
    confidence: float
    reasons: tuple[str, ...] = ()
    example: Secret | None = None
    format: TokenFormat | None = None
    plaintext: float | None = None


def judge_column(
    table: str,
    name: str,
    values: Sequence[bytes | None],
    *,
    rows: int,
    found: float = 0.0,
) -> ColumnProfile:
    """What a column holds. ``values``: a sample in order, of which at most 4,096 are looked at;
    ``rows``: of the whole table; ``found``: the share of the sample's rows in which a rule has
    found something: from a half on no other rule is drafted.

    Raises nothing for any values. Nothing in the result prints a value.
    """
    sample = values[:: -(-len(values) // MOST)] if values else values
    given = [value.strip() for value in sample if value]
    given = [value for value in given if value]
    filled = passwords.without_placeholders(given)
    distinct = list(dict.fromkeys(filled))
    share = len(distinct) / len(filled) if filled else 0.0
    model = Classifier.builtin()
    column = _Column(table, name, of_column(table, name), filled, distinct, share, model.lookups)
    verdict = _judge(column, len(given))
    reasons = verdict.reasons
    text = ""
    if found >= _KNOWN:
        reasons = (*reasons, f"rules find something in {found:.0%} of its rows already")
    elif verdict.kind is Kind.tokens and verdict.format is not None:
        text = draft.write(table, name, verdict.format)
    return ColumnProfile(
        table=table,
        name=name,
        rows=rows,
        nulls=1 - len(given) / len(sample) if sample else 0.0,
        distinct=share,
        kind=verdict.kind,
        what=verdict.what,
        confidence=round(min(max(verdict.confidence, 0.0), 1.0), 2),
        reasons=reasons,
        plaintext=verdict.plaintext,
        example=verdict.example,
        format=verdict.format,
        rule_draft=text,
    )


def _judge(column: _Column, given: int) -> _Verdict:
    if len(column.filled) < 0.05 * given or not column.distinct:
        return _Verdict(Kind.other, "empty or placeholders", 0.9)
    if len(column.distinct) == 1 and len(column.filled) >= 4:
        return _Verdict(Kind.other, "one value in all rows", 0.9)
    if (hashed := _hashed(column)) is not None:
        return hashed
    if column.says.password:
        return _plaintext(column)
    return _drawn(column)


def _hashed(column: _Column) -> _Verdict | None:
    """Where nearly all values are hashes of passwords."""
    named = column.says.password > 0
    seen = hashes.look(spread(column.filled, hashes.SOME), named=named)
    if seen.share < (0.995 if named else 0.9):
        return None
    what = ", ".join(seen.algorithms)
    reasons = [f"{seen.share:.0%} of its values are {what}"]
    if seen.unsalted:
        reasons.append("weak: without a salt, equal passwords have equal hashes")
        if column.share < 1:
            reasons.append(f"{1 - column.share:.0%} of its values repeat another one")
    marked = any(hashes.algorithm(value, named=False) for value in column.distinct[:4])
    confidence = 0.97 if marked else 0.9 if column.says.password == 1 else 0.6
    return _Verdict(Kind.hashes, what, confidence, tuple(reasons), Secret(column.distinct[0]))


def _plaintext(column: _Column) -> _Verdict:
    """A column with a password's name, and values that are not all hashes."""
    some = spread(column.filled, passwords.SOME)
    plain = [value for value in some if not hashes.algorithm(value, named=True)]
    share = len(plain) / len(some)
    if not plain:  # the few that are not were passed over: look at all
        plain = [value for value in column.filled if not hashes.algorithm(value, named=True)]
        share = len(plain) / len(column.filled)
    form = content(plain[:SOME])
    different = len(set(plain))
    if form in _NO_PASSWORDS:
        return _Verdict(Kind.other, form, 0.8, ("none of them is a password",))
    chosen = passwords.look(plain, column.lookups)
    if (reason := _no_passwords(column.says, chosen, form, different, plain)) is not None:
        return _Verdict(Kind.other, form or "no passwords", 0.6, (reason,))
    if _is_unreadable(column, plain, chosen):
        reason = "one length, drawn bytes in base64: hashed or encrypted in an unknown way"
        return _Verdict(Kind.hashes, "unknown", 0.5, (reason,), Secret(plain[0]))
    confidence, reasons = _how_chosen(column.says, chosen, different)
    if share < 1:
        reasons.insert(0, f"{share:.1%} of its values are readable, the others are hashes")
        confidence = max(confidence, 0.85) if len(plain) > 1 else 0.6
    example = Secret(plain[0])
    what = "plaintext" if share == 1 else "plaintext among hashes"
    return _Verdict(Kind.passwords, what, confidence, tuple(reasons), example, None, share)


def _no_passwords(
    says: NameSays, chosen: passwords.Chosen, form: str, different: int, plain: Sequence[bytes]
) -> str | None:
    """Why values with a password's name are none, if they are none."""
    if chosen.median > 72 or chosen.longest > 400:
        return "they are too long for passwords"
    if form == "numbers" and (says.password < 1 or chosen.median < 4 or different < 4):
        return "they are numbers"
    if chosen.texts > 0.5:
        sentences = sum(map(bool, map(_SENTENCE.search, plain)))
        if sentences > 0.2 * len(plain):
            return "they are sentences"
    if different <= 3 and len(plain) >= 20 and chosen.common < 0.5 and chosen.mixed < 0.5:
        return "they are a few words that repeat"
    return None


def _how_chosen(
    says: NameSays, chosen: passwords.Chosen, different: int
) -> tuple[float, list[str]]:
    """How sure it is that people, or a program, have set these as passwords."""
    reasons = ["its name is a password's", "its values are not hashes"]
    confidence = 0.75 if says.password == 1 else 0.45
    if chosen.common >= 0.02:
        reasons.append(f"{chosen.common:.0%} of its values are passwords that everybody knows")
    if chosen.mixed >= 0.5:
        reasons.append("letters with digits or marks")
    if chosen.common >= 0.05 or chosen.mixed >= 0.5:
        confidence += 0.15
    elif chosen.common < 0.02 and chosen.mixed < 0.2:
        confidence -= 0.2
    if chosen.lengths >= 3:
        confidence += 0.05
        reasons.append("of different lengths")
    confidence -= 0.15 * says.hashed + 0.15 * (different < 3)
    return confidence, reasons


def _is_unreadable(column: _Column, plain: Sequence[bytes], chosen: passwords.Chosen) -> bool:
    """Drawn bytes in hex or base64: what a program has made of passwords, not passwords."""
    if chosen.lengths > 2 or chosen.median < 24:
        return False
    seen = shape(list(dict.fromkeys(plain)))
    if seen is None or not _is_uniform(seen, plain):
        return False
    return seen.format.alphabet == "base64" or (
        seen.format.alphabet == "hex" and chosen.median >= 32 and chosen.median % 2 == 0
    )


def _drawn(column: _Column) -> _Verdict:
    """Neither passwords nor their hashes: tokens, identifiers, or something else."""
    says, some = column.says, spread(column.distinct, SOME)
    form = content(some)
    if form == "UUIDs":
        return _uuids(column, uuid_version(some))
    if form in ("", "numbers") and column.share >= 0.9 and (serial := _serial(column, form)):
        return serial
    if (kind := timed(some)) and column.share >= 0.5:
        return _timed(column, kind)
    if form == "addresses of a blockchain":
        return _Verdict(Kind.identifiers, form, 0.9)
    drawn = form == "numbers" and says.credential == 1 and min(map(len, some)) >= LEAST_DIGITS
    if form and not drawn:
        return _Verdict(Kind.other, form, 0.9)
    seen = shape(column.distinct)
    if seen is None or not _is_uniform(seen, some):
        return _Verdict(Kind.other, "words, names or codes", 0.7)
    if is_base64_of_text(some):
        return _Verdict(Kind.other, "base64 of text", 0.8)
    bits = seen.format.bits
    if bits < LEAST_BITS or (column.share < 0.5 and len(column.distinct) < 5):
        why = f"about {bits} bits are too few to tell"
        return _Verdict(Kind.identifiers, "short codes", 0.5, (why,))
    return _random(column, seen, says)


def _uuids(column: _Column, version: str) -> _Verdict:
    what = f"UUIDs (version {version})" if version else "UUIDs"
    seen = shape(column.distinct)
    if column.says.credential < 1 or seen is None:
        return _Verdict(Kind.identifiers, what, 0.95 if column.says.credential < 0 else 0.85)
    confidence = 0.7 if version in ("4", "") else 0.5
    return _tokens(column, seen, confidence - 0.2 * (column.share < 0.9), [what])


def _serial(column: _Column, form: str) -> _Verdict | None:
    some = spread(column.distinct, hashes.SOME)
    if not is_serial(some):
        return None
    if form == "numbers" and not all(map(bytes.isdigit, some)):
        return None
    if form == "numbers" and column.says.credential >= 0:
        numbers = [int(value) for value in some]
        if numbers != sorted(numbers):
            return None
    return _Verdict(Kind.identifiers, "serials", 0.85)


def _timed(column: _Column, kind: str) -> _Verdict:
    """What begins with the time is an identifier, unless the name says otherwise."""
    seen = shape(column.distinct)
    random = kind in ("ULIDs", "KSUIDs", "CUIDs")  # 80, 128 and some 40 bits are drawn
    if column.says.credential == 1 and random and seen is not None:
        return _tokens(column, seen, 0.6, [f"{kind} by their form"])
    return _Verdict(Kind.identifiers, kind, 0.9, ("they begin with the time they were made at",))


def _is_uniform(seen: Shape, values: Sequence[bytes]) -> bool:
    """Whether the places behind the prefix look drawn, each for itself and together."""
    if seen.uniform > UNIFORM:
        return False
    size = min(map(len, seen.format.prefixes))
    bodies = [value[size:] for value in values[:SOME]]
    return float(np.median(in_columns(bodies)[0])) >= RANDOM


def _random(column: _Column, seen: Shape, says: NameSays) -> _Verdict:
    """Drawn values: whether they open something is for the name and the prefix to say."""
    prefixes = [prefix for prefix in seen.format.prefixes if prefix]
    public = any(map(_PUBLIC.search, prefixes))
    public = public or any(map(_DIGEST_PREFIX.search, prefixes))
    speaks = bool(prefixes) and all(map(_SPEAKS.search, prefixes)) and not public
    against = any(map(_AGAINST.search, prefixes)) and not speaks
    reasons = [f"about {seen.format.bits} bits of randomness"]
    if speaks:
        reasons.append("its values begin like a credential's")
    credential = says.credential
    if says.session and credential < 1:
        credential = 0.5
        reasons.append("by its table's name, what a session is known by")
    if public or (against and credential < 1):
        reasons.append(
            "its values begin like what may be seen by all"
            if public
            else "its values begin like identifiers"
        )
        return _Verdict(Kind.identifiers, "random identifiers", 0.7, tuple(reasons))
    digest = seen.format.alphabet == "hex" and seen.format.shortest in _DIGESTS
    if credential <= 0 and not (speaks and not _DIGEST_NAME.search(column.name)):
        what = "hashes of content" if digest else "random identifiers"
        reasons.append(
            "its name speaks against a credential"
            if credential
            else "its name does not speak for a credential"
        )
        return _Verdict(Kind.identifiers, what, 0.85 if credential else 0.45, tuple(reasons))
    confidence = {1: 0.85, 0.5: 0.55, 0: 0.7, -1: 0.55}[credential]
    confidence += (0.08 if credential == 1 else 0.25 if credential == 0.5 else 0) * speaks
    confidence -= 0.07 * (digest and not speaks) + 0.2 * against
    confidence -= 0.2 * (column.share < 0.9) + 0.4 * (len(column.distinct) < 5)
    if credential > 0 and not says.session:
        reasons.insert(
            0, "its name is a credential's" if credential == 1 else "its name may be a credential's"
        )
    return _tokens(column, seen, confidence, reasons)


def _tokens(column: _Column, seen: Shape, confidence: float, reasons: Sequence[str]) -> _Verdict:
    form = seen.format
    first = next(v for v in column.distinct if form.shortest <= len(v) <= form.longest)
    size = max((len(p) for p in form.prefixes if first.startswith(p.encode())), default=0)
    many = "all different" if column.share == 1 else f"{column.share:.0%} different"
    length = str(form.shortest)
    if form.longest > form.shortest:
        length += f" to {form.longest}"
    what = f"{length} bytes, {form.alphabet}"
    if form.prefixes != ("",):
        what = f"{' or '.join(form.prefixes)}…, {what}"
    return _Verdict(Kind.tokens, what, confidence, (*reasons, many), Secret(first, size), form)
