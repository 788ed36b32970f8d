"""Texts that stand where a secret might and are none, and what people write around. Those that
need no program lie in ``texts.txt``."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from models.lists import TEXTS
from models.naming import spelled


def hidden(rng: Random) -> str:
    """What a log or an export shows in place of a secret."""
    return rng.choice(TEXTS["empty"])


def fake(rng: Random) -> str:
    """What tests use."""
    return rng.choice(TEXTS["fake"]) + rng.choice(("", "", "", "", "", "1", "2", "-2"))


def template(words: str, rng: Random) -> str:
    """A slot that a program or a person fills; ``words`` are those of its name."""
    snake, kebab, scream = (spelled(words, style) for style in ("snake", "kebab", "scream"))
    return rng.choice(
        (
            f"<{kebab}>",
            f"<{snake}>",
            f"<{scream}>",
            f"<your-{kebab}>",
            f"<your {words}>",
            f"<YOUR_{scream}>",
            f"YOUR_{scream}",
            f"your-{kebab}",
            f"your_{snake}_here",
            f"your-{kebab}-here",
            f"my-{kebab}",
            f"[{kebab}]",
            f"[your {words}]",
            f"{{{snake}}}",
            f"{{{{{snake}}}}}",
            f"${{{scream}}}",
            f"%{scream}%",
            f"__{scream}__",
            f"@{snake}@",
            f"#{{{scream}}}#",
            f"insert-{kebab}-here",
            f"put_{snake}_here",
            f"<insert {words}>",
            f"example-{kebab}",
            f"REPLACE_WITH_{scream}",
            f"my{spelled(words, 'pascal')}",
            snake,
            f"<%= ENV['{scream}'] %>",
            f"$({scream})",
            f"%({snake})s",
            f"<the {words}>",
            scream,
            f"${scream}",
        )
    )


_STYLES: tuple[tuple[Callable[[Random], str], float], ...] = (
    (lambda rng: rng.choice(TEXTS["todo"]), 0.4),
    (hidden, 0.55),
    (fake, 0.65),
)


def placeholder(words: str, rng: Random) -> str:
    """What stands where a secret belongs, in documentation and samples."""
    drawn = rng.random()
    for draw, upto in _STYLES:
        if drawn < upto:
            return draw(rng)
    return template(words, rng)
