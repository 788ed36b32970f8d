"""Reading rule files, and choosing among the rules."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from detector import _cache
from detector._data_path import data_path
from detector.errors import RuleError, UsageError
from detector.rules.model import Rule, RuleSpec, build


class RuleSet(Sequence[Rule]):
    """An immutable, ordered set of rules with distinct ids."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        seen: dict[str, Rule] = {}
        for rule in self._rules:
            if rule.id in seen:
                where = f"this id is used twice, first in {seen[rule.id].file}"
                raise RuleError(where, file=rule.file, rule=rule.id, field="id")
            seen[rule.id] = rule

    @classmethod
    def builtin(cls) -> RuleSet:
        """The rules that travel with the package."""
        return cls.load(data_path("patterns"))

    @classmethod
    def load(cls, *paths: str | Path) -> RuleSet:
        """Rules from TOML files or folders of them. Raises :class:`RuleError`."""
        files = [(str(path), _read(path)) for path in _files(paths)]
        key = _cache_key(files)
        if (cached := _cache.load(key)) is not None:
            try:
                return cls(msgspec.msgpack.decode(cached, type=tuple[Rule, ...]))
            except msgspec.DecodeError:
                pass  # written by something else: derive it anew
        rules = cls(rule for name, raw in files for rule in _parse(name, raw))
        _cache.store(key, msgspec.msgpack.encode(rules._rules))
        return rules

    def __add__(self, other: Iterable[Rule]) -> RuleSet:
        return RuleSet((*self._rules, *other))

    def select(self, selection: str) -> RuleSet:
        """Those named by ``selection``: ids or providers, ``-name`` to leave some out.

        Raises :class:`UsageError` for a name that fits no rule.
        """
        names = [name.strip() for name in selection.split(",") if name.strip()]
        wanted = {name for name in names if not name.startswith("-")}
        unwanted = {name[1:] for name in names if name.startswith("-")}
        known = {rule.id for rule in self} | {rule.provider for rule in self}
        if missing := (wanted | unwanted) - known:
            raise UsageError(f"no rule or provider is named {', '.join(sorted(missing))}")
        return RuleSet(
            rule
            for rule in self
            if (not wanted or wanted & {rule.id, rule.provider})
            and not unwanted & {rule.id, rule.provider}
        )

    def __getitem__(self, index: Any) -> Any:
        return self._rules[index]

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """The rules by their ids."""
        return {rule.id: rule for rule in self}


def _digest(named: Iterable[tuple[str, bytes]]) -> bytes:
    digest = hashlib.blake2b(digest_size=20)
    for name, raw in named:
        digest.update(b"%s:%d:" % (os.fsencode(name), len(raw)) + raw)
    return digest.digest()


# Of the code that derives from the rules' text. Taken when it is loaded: a program that is
# upgraded while it runs must not store what the old code made under the new code's name.
_CODE = _digest(
    (path.name, path.read_bytes()) for path in sorted(Path(__file__).parent.glob("*.py"))
)


def _cache_key(files: Iterable[tuple[str, bytes]]) -> str:
    return f"rules-{_digest([('code', _CODE), *files]).hex()}"


def _files(paths: Iterable[str | Path]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(path.glob("*.toml"))
        else:
            yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuleError(error.strerror or "cannot be read", file=str(path)) from None


def _parse(file: str, raw: bytes) -> Iterator[Rule]:
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"not valid TOML: {error}", file=file) from None
    provider, title = table.get("provider"), table.get("title")
    for field, value in (("provider", provider), ("title", title)):
        if not isinstance(value, str) or not value:
            raise RuleError("a text is needed here", file=file, field=field)
    if unknown := set(table) - {"provider", "title", "rule"}:
        raise RuleError("unknown field", file=file, field=min(unknown))
    entries = table.get("rule")
    if not isinstance(entries, list) or not entries:
        raise RuleError("no [[rule]] table", file=file, field="rule")
    for number, entry in enumerate(entries, 1):
        yield build(_spec(file, number, entry), str(provider), str(title), file)


def _spec(file: str, number: int, entry: Any) -> RuleSpec:
    name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
    try:
        return msgspec.convert(entry, RuleSpec)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$.")
        raise RuleError(message, file=file, rule=str(name), field=where.rstrip("`")) from None
