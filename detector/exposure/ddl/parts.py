"""What several statements have: columns, arguments, options."""

from __future__ import annotations

from detector.exposure.model import Grants, Relation
from detector.exposure.tokens import NAME, SIGN, STRING, WORD, Cursor, Token, split

ROUTINES = ("function", "procedure", "routine", "aggregate")


def moved(grants: Grants, old: str, new: str) -> str:
    """The new owner; what was granted to the old one is granted to the new."""
    if old and old != new and old in grants:
        grants.setdefault(new, set()).update(grants.pop(old))
    return new


def columns_of(tokens: list[Token]) -> tuple[str, ...]:
    """Their names in a definition of a table."""
    constraints = frozenset(
        ("constraint", "primary", "unique", "check", "foreign", "exclude", "like")
    )
    return tuple(
        part[0].text
        for part in split(tokens)
        if part and not (part[0].kind == WORD and part[0].text in constraints)
    )


def signature(tokens: list[Token]) -> list[tuple[Token, ...]]:
    """The tokens of each argument that a call has, without mode and default."""
    out = []
    for part in split(tokens):
        kept = []
        mode = part[0].text if part and part[0].kind == WORD else ""
        if mode in ("out", "table"):
            continue
        for token in part[1 if mode in ("in", "inout", "variadic") and len(part) > 1 else 0 :]:
            if token in (Token(WORD, "default"), Token(SIGN, "="), Token(SIGN, ":=")):
                break
            kept.append(token)
        if kept:
            out.append(tuple(kept))
    return out


def same_arguments(ours: list[tuple[Token, ...]], theirs: list[tuple[Token, ...]]) -> bool:
    """With or without their names."""
    return len(ours) == len(theirs) and all(
        a == b or a[1:] == b or a == b[1:] or (len(a) == len(b) > 1 and a[1:] == b[1:])
        for a, b in zip(ours, theirs, strict=True)
    )


def path_list(at: Cursor) -> tuple[str, ...]:
    """Behind ``SET search_path``. What follows is left."""
    if not (at.sign("=") or at.word("to")):
        return ()
    out = [at.next().text]
    while at.sign(","):
        out.append(at.next().text)
    return tuple(one for one in out if one)


def view_options(view: Relation, tokens: list[Token]) -> None:
    """What stands in parentheses behind WITH."""
    for part in split(tokens):
        name, value = part[0].text, part[-1].text if len(part) > 1 else "true"
        if name == "security_invoker":
            view.invoker = value.lower() in ("true", "on", "1", "yes", "t", "y")
        elif name == "check_option":
            view.checked = True


def written(tokens: list[Token]) -> str:
    """Tokens as text that gives the same tokens."""
    quoted = {NAME: '"', STRING: "'"}
    out = []
    for kind, text in tokens:
        quote = quoted.get(kind, "")
        out.append(quote + text.replace(quote, quote * 2) + quote if quote else text)
    return " ".join(out)
