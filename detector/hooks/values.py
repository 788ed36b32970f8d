"""What hooks have in common: values of any type shown to a filter, and the notes left instead."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from detector.errors import DetectorError, UsageError
from detector.filter import Filter, Verdict

DEEPEST = 40  # levels; below, a value is shown as its text, which knows cycles
MOST = 100_000  # parts of one value: shared lists can multiply without bound

_ATOMS = (str, int, float, bool, type(None))


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
    """A value of too many parts. Its text holds no content."""


class Shown:
    """A value of any type as one that a filter can look at, and the way back.

    Dictionaries, lists and tuples stay what they are; bytes are shown as text, and any other
    object as what ``str`` and ``repr`` say of it, since that is what gets written of it. Raises
    whatever those raise, and :class:`TooMuchError`.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self._left = MOST
        self.plain = self._shown(value, 0)

    def back(self, content: Any) -> Any:
        """The value with what a filter has changed in ``plain``; objects whose text holds a
        secret become that text without it."""
        return self.value if content is self.plain else _back(self.value, self.plain, content)

    def _shown(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooMuchError(f"more than {MOST} parts")
        kind = type(value)
        if kind in _ATOMS:
            return value
        if depth < DEEPEST:
            if kind is dict and all(type(name) is str for name in value):
                return {name: self._shown(item, depth + 1) for name, item in value.items()}
            if kind is list or kind is tuple:
                return [self._shown(item, depth + 1) for item in value]
        return _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "surrogateescape")
    text, other = str(value), repr(value)
    return text if text == other else [text, other]


def _back(value: Any, plain: Any, content: Any) -> Any:
    if content is plain or content == plain:
        return value
    kind = type(value)
    if kind is dict and isinstance(content, dict):
        items = zip(value.values(), plain.values(), content.items(), strict=True)
        return {name: _back(item, shown, new) for item, shown, (name, new) in items}
    if kind is list or kind is tuple:
        if isinstance(content, str):
            return content
        return kind(map(_back, value, plain, content))
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
