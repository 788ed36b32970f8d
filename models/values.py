"""Values of credentials and of what is taken for them, drawn from a seed.

Nothing here has a known prefix: those are the business of the rules. Passwords come from the
frequency lists of ``zxcvbn``, which is needed for training only.
"""

from __future__ import annotations

import base64
import functools
import string
import uuid
from collections.abc import Callable
from random import Random

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from models.lists import TEXTS

Draw = Callable[[Random], str]

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
B64URL = ALNUM + "-_"
MARKS = "!@#$%&*?"

# Values that mean nothing without their place: real ones are drawn only where a place leaves
# no doubt (a row of a dump, a message between people).
BARE_WORDS = frozenset(TEXTS["bare-words"])
KEYBOARD = TEXTS["keyboard"]
USUAL = TEXTS["usual"]
_STEMS = ("s3cr3t", "hunter2", "db", "svc", "app", "api", "Adm1n", "backup", "r00t", "secure")
_TAILS = ("prod", "prd", "live", "db", "srv", "master", "user", "svc", "app", "admin", "rw", "ro")
_LEET = str.maketrans("aeios", "@31$5")


def pick(rng: Random, alphabet: str, length: int) -> str:
    """``length`` characters of ``alphabet``."""
    return "".join(rng.choices(alphabet, k=length))


@functools.cache
def words(name: str, least: int = 4, most: int = 9, top: int = 6000) -> tuple[str, ...]:
    """The commonest words of one list, of ``least`` to ``most`` letters."""
    known = FREQUENCY_LISTS[name][:top]
    return tuple(w for w in known if least <= len(w) <= most and w.isascii() and w.isalpha())


@functools.cache
def _known() -> tuple[str, ...]:
    return tuple(FREQUENCY_LISTS["passwords"])


def word(rng: Random) -> str:
    """An English word of four to nine letters."""
    return rng.choice(words("english_wikipedia"))


def first_name(rng: Random) -> str:
    """A first name in small letters."""
    return rng.choice(words(rng.choice(("male_names", "female_names")), 3, 9, 900))


def surname(rng: Random) -> str:
    """A family name in small letters."""
    return rng.choice(words("surnames", 4, 9, 3000))


def weak(rng: Random) -> str:
    """A password that everybody knows. By rank alone most would be the first ten."""
    if rng.random() < 0.4:
        return rng.choice(USUAL)
    known = _known()
    return known[int(len(known) * rng.random() ** 3)]


def known(rng: Random) -> str:
    """One of the very commonest: what documentation and tests show as well."""
    return rng.choice(USUAL) if rng.random() < 0.6 else _known()[rng.randrange(400)]


def weakened(rng: Random) -> str:
    """A common one as policies make people write it: a capital, a digit, a mark."""
    base = weak(rng)
    base = base.capitalize() if rng.random() < 0.6 else base
    base = base.translate(_LEET) if rng.random() < 0.25 else base
    return base + rng.choice(("", "1", "!", "1!", "123", "#1", "@123", "99", "01", str(_year(rng))))


def _year(rng: Random) -> int:
    return rng.choice(
        (rng.randrange(2008, 2027), rng.randrange(2018, 2027), rng.randrange(60, 100))
    )


def _season(rng: Random) -> str:
    seasons = (
        "Summer",
        "Winter",
        "Spring",
        "Autumn",
        "Fall",
        "January",
        "March",
        "August",
        "Monday",
    )
    start = rng.choice((rng.choice(seasons), word(rng).capitalize(), rng.choice(seasons).lower()))
    return (
        start
        + rng.choice(("", "", "@", "-", "_", "#"))
        + f"{_year(rng)}"
        + rng.choice(("", "!", "!!", "#", "$", "."))
    )


def _mixed(rng: Random) -> str:
    parts = [word(rng), str(rng.randrange(10 ** rng.randint(1, 4)))]
    parts[0] = rng.choice((parts[0], parts[0].capitalize(), parts[0].upper()))
    if rng.random() < 0.4:
        parts.append(rng.choice((word(rng), word(rng).capitalize())))
    parts.insert(rng.randint(1, len(parts)), rng.choice(("", *MARKS, "_", "-", ".")))
    return "".join(parts)


def passphrase(rng: Random) -> str:
    """Three to five words, joined the way people do."""
    chosen = [word(rng) for _ in range(rng.randint(3, 5))]
    if rng.random() < 0.3:
        chosen = [w.capitalize() for w in chosen]
    if rng.random() < 0.3:
        chosen.append(str(rng.randrange(100)))
    return rng.choice(("-", "-", "_", ".", "", " ")).join(chosen)


def _walk(rng: Random) -> str:
    return "".join(rng.choice(KEYBOARD) for _ in range(rng.randint(1, 3))) + rng.choice(
        ("", "1", "12", "123", "!", "!@#", "2020", "$%")
    )


def _dated(rng: Random) -> str:
    name = first_name(rng) if rng.random() < 0.7 else surname(rng)
    name = name.capitalize() if rng.random() < 0.5 else name
    day, month = rng.randint(1, 31), rng.randint(1, 12)
    return (
        name
        + rng.choice(("", "", ".", "_", "@"))
        + rng.choice(
            (
                f"{day:02d}{month:02d}",
                f"{day:02d}{month:02d}{_year(rng)}",
                f"{_year(rng)}",
                f"{day}",
                "<3",
            )
        )
    )


def _product(rng: Random) -> str:
    # Two such words alone could as well name a thing: most get a year, a number or a mark.
    join = rng.choice("-_.@#")
    name = f"{rng.choice((word(rng), *_STEMS))}{join}{rng.choice((word(rng), *_TAILS))}"
    ends = (f"{join}{_year(rng)}", str(rng.randrange(100)), "!", "$", "#1")
    return name + ("" if rng.random() < 0.2 else rng.choice(ends))


def _spelled(rng: Random) -> str:
    # What a password manager or `pwgen` makes: length and marks differ from shop to shop.
    marks = rng.choice(("", "", "!#%-_", "!@#$%^&*()-_=+[]{};:,.<>?/|~", "!@$%*?", "\"'\\$@%:/&<>"))
    length = rng.choice((8, 10, 12, 12, 14, 16, 16, 18, 20, 24, 32))
    return pick(rng, ALNUM + marks, length)


def _letters(rng: Random) -> str:
    syllables = [
        rng.choice("bcdfghjklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 5))
    ]
    return "".join(syllables) + rng.choice(("", "", str(rng.randrange(1000)), rng.choice(MARKS)))


_PASSWORDS: dict[str, tuple[Draw, int]] = {
    "weak": (weak, 16),
    "weakened": (weakened, 14),
    "worded": (_mixed, 20),
    "season": (_season, 8),
    "passphrase": (passphrase, 7),
    "keyboard": (_walk, 4),
    "dated": (_dated, 8),
    "product": (_product, 12),
    "random": (_spelled, 20),
    "letters": (_letters, 5),
}


_STRONG = ("worded", "season", "random")


def password(rng: Random, *, certain: bool = False, strong: bool = False) -> tuple[str, str]:
    """A password that a person or a manager chose, and its kind. Words that could as well be
    placeholders come only where the place is ``certain``, common ones only if not ``strong``."""
    kinds = [k for k in _PASSWORDS if not strong or k in _STRONG]
    while True:
        kind = rng.choices(kinds, [_PASSWORDS[k][1] for k in kinds])[0]
        made = _PASSWORDS[kind][0](rng)
        if len(made) >= 4 and (certain or made.lower() not in BARE_WORDS):
            return made, kind


def uuid4(rng: Random) -> str:
    """A UUID of version 4."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def base64_of(rng: Random, size: int) -> str:
    """Base64 of ``size`` random bytes, padded."""
    return base64.b64encode(rng.randbytes(size)).decode()


def token(rng: Random) -> tuple[str, str]:
    """A random token without a known prefix, and its kind."""
    size = rng.choice((8, 10, 12, 16, 16, 20, 20, 24, 24, 32, 32, 32, 40, 40, 48, 64))
    match rng.choices(range(10), (26, 6, 16, 10, 22, 4, 8, 4, 3, 3))[0]:
        case 0:
            return pick(
                rng, HEX, rng.choice((16, 20, 24, 32, 32, 32, 40, 40, 48, 64, 64, 128))
            ), "hex"
        case 1:
            return pick(rng, HEX.upper(), rng.choice((16, 32, 32, 40, 64))), "hex"
        case 2:
            return base64_of(rng, rng.choice((12, 16, 18, 24, 30, 32, 32, 33, 48, 64))), "base64"
        case 3:
            return pick(rng, B64URL, max(size, 16)), "base64url"
        case 4:
            return pick(rng, ALNUM, size), "base62"
        case 5:
            return pick(rng, BASE32, rng.choice((16, 16, 26, 32))), "base32"
        case 6:
            return uuid4(rng), "uuid"
        case 7:
            return pick(rng, string.ascii_lowercase + string.digits, max(size, 10)), "base36"
        case 8:
            groups = [pick(rng, BASE32, rng.choice((4, 5))) for _ in range(rng.randint(3, 5))]
            return "-".join(groups), "grouped"
        case _:
            stem = rng.choice((word(rng), "prod", "live", "key", "svc", "internal"))
            body = pick(rng, rng.choice((HEX, ALNUM)), rng.choice((16, 24, 32)))
            return stem + rng.choice("-_.") + body, "named"
