"""What hooks have in common: values of any type shown to a filter, and the notes left instead."""

from __future__ import annotations

from collections import deque
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from detector.errors import DetectorError, UsageError
from detector.filter import Filter, Verdict

DEEPEST = 100  # levels
MOST = 100_000  # parts of one value: shared lists can multiply without bound

_ATOMS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = (dict, list, tuple, set, frozenset, deque)
CYCLE = "…"  # shown of a value that is inside of itself


@lru_cache(maxsize=1)
def usual_filter() -> Filter:
    """The one that hooks share where none is given."""
    return Filter()


def missing(what: str, extra: str) -> UsageError:
    """That a library is not installed."""
    return UsageError(f"{what}: pip install 'secrets-leak-detector[{extra}]'")


def rules_of(verdict: Verdict) -> list[str]:
    """The rules of what was found, each once."""
    return list(dict.fromkeys(finding.rule for finding in verdict.findings))


def note(verdict: Verdict) -> str:
    """What stands in the place of something that may not go on. For example
    ``[withheld: github-pat]``."""
    found = ", ".join(rules_of(verdict))
    return f"[withheld: {found or verdict.error or verdict.reason}]"


class WithheldError(DetectorError):
    """A message that the policy does not let pass, where there is no other way to say so."""


class TooMuchError(Exception):
    """A value of too many parts, or nested too deeply. Its text holds no content."""


class Shown:
    """A value of any type as one that a filter can look at, and the way back.

    Dictionaries, lists and tuples stay what they are; bytes are shown as text, and any other
    object as what ``str`` and ``repr`` say of it, since that is what gets written of it. Raises
    whatever those raise, and :class:`TooMuchError`.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self._left = MOST
        self._cyclic = False
        self._around: list[int] = []  # the ids of what is around, to know cycles
        self.plain = self._shown(value)

    def back(self, content: Any) -> Any:
        """The value with what a filter has changed in ``plain``; objects whose text holds a
        secret become that text without it."""
        if content is self.plain:
            return self.value
        return _back(self.value, self.plain, content, anew=self._cyclic)

    def _shown(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooMuchError(f"more than {MOST} parts")
        kind = type(value)
        if kind in _ATOMS:
            return value
        if not isinstance(value, _CONTAINERS):
            return _text(value)
        if id(value) in self._around:
            self._cyclic = True
            return CYCLE
        if len(self._around) == DEEPEST:
            raise TooMuchError(f"more than {DEEPEST} levels")
        self._around.append(id(value))
        made = self._pairs(value) if isinstance(value, dict) else list(map(self._shown, value))
        self._around.pop()
        # What is none of the three was gone through to know that its text has an end.
        return made if kind is dict or kind is list or kind is tuple else _text(value)

    def _pairs(self, value: dict[Any, Any]) -> Any:
        """A dictionary; one whose names are no texts as a list of them and what they name."""
        if all(type(name) is str for name in value):
            return {name: self._shown(item) for name, item in value.items()}
        return [[self._shown(name), self._shown(item)] for name, item in value.items()]


def _text(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "surrogateescape")
    text, other = str(value), repr(value)
    return text if text == other else [text, other]


def _back(value: Any, plain: Any, content: Any, *, anew: bool) -> Any:
    """``anew``: even what is clean, since by a cycle it leads to a value that is not."""
    if plain is CYCLE:
        return plain
    kind = type(value)
    container = kind is dict or kind is list or kind is tuple
    if content == plain and not (anew and container):
        return value
    back = partial(_back, anew=anew)
    if container and isinstance(content, str):
        return content
    if kind is dict and isinstance(plain, dict):
        items = zip(value.values(), plain.values(), content.items(), strict=True)
        return {name: back(item, shown, new) for item, shown, (name, new) in items}
    if kind is dict:
        pairs = map(back, chain(*value.items()), chain(*plain), chain(*content))
        return dict(zip(pairs, pairs, strict=True))
    if container:
        return kind(map(back, value, plain, content))
    if isinstance(value, bytes | bytearray):
        return kind(content.encode("utf-8", "surrogateescape"))
    return content[0] if isinstance(content, list) else content


def put(value: Any, before: Any, after: Any) -> Any:
    """An object, changed in place where ``after`` differs from ``before``, which is what
    ``model_dump`` says of it. What is none of pydantic's is replaced."""
    if before == after:
        return value
    if not hasattr(value, "model_dump"):
        if isinstance(value, list) and isinstance(after, list):
            return [put(*items) for items in zip(value, before, after, strict=True)]
        return after
    for (name, old), new in zip(before.items(), after.values(), strict=True):
        if old != new:
            setattr(value, name, put(getattr(value, name), old, new))
    return value
