"""Names of settings, as people spell them."""

from __future__ import annotations

from random import Random

from models.lists import TEXTS

# Nothing behind the name, mostly.
_TAIL = ("",) * 10 + ("2", "1", " prod", " dev", " old", " new", " value", " staging", " 01")


def password_name(rng: Random) -> str:
    """The words of a name for a password, with blanks between."""
    if rng.random() < 0.22:
        return rng.choice(TEXTS["name-password-odd"])
    owner = rng.choice(TEXTS["name-owner"]) + " " if rng.random() < 0.55 else ""
    return owner + rng.choice(TEXTS["name-password"]) + rng.choice(_TAIL)


def token_name(rng: Random) -> str:
    """The words of a name for a random token."""
    base = rng.choice(TEXTS["name-token-odd"] if rng.random() < 0.35 else TEXTS["name-token"])
    owner = rng.choice(TEXTS["name-service"]) + " " if rng.random() < 0.4 else ""
    return owner + base + rng.choice(_TAIL)


STYLES = ("snake", "camel", "pascal", "kebab", "scream", "dot", "flat", "title", "colon")


def spelled(words: str, style: str) -> str:
    """``words`` in one of :data:`STYLES`."""
    parts = words.split()
    match style:
        case "camel":
            return parts[0] + "".join(part.capitalize() for part in parts[1:])
        case "pascal":
            return "".join(part.capitalize() for part in parts)
        case "title":
            return " ".join(part.capitalize() for part in parts)
    upper = [part.upper() for part in parts] if style == "scream" else parts
    return {"kebab": "-", "dot": ".", "flat": "", "colon": ":"}.get(style, "_").join(upper)
