"""What a role may do with a table, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

State = Literal["open", "filtered", "closed", "unknown"]
"""Every row; those that a condition lets through; none; not to be known from what was given."""
Level = Literal[
    "open to read and write", "open to read", "open to write", "filtered", "closed", "unknown"
]


FIELDS = {"select": "read", "insert": "insert", "update": "update", "delete": "delete"}
RANK: dict[State, int] = {"closed": 0, "filtered": 1, "unknown": 2, "open": 3}
_PEOPLE = {
    "anon": "anyone with the publishable key",
    "authenticated": "anyone who signs in",
    "PUBLIC": "every role of the database",
}


DOES = {"select": "read", "insert": "insert", "update": "change", "delete": "delete"}


class Way(msgspec.Struct, frozen=True):
    """Something by which more of a table can be had than by its own name.

    ``kind``: view, materialised view, parent table, function. ``certain``: False when it depends
    on text that is put together at run time.
    """

    name: str
    kind: str
    read: State
    insert: State
    update: State
    delete: State
    certain: bool
    reason: str


class Access(msgspec.Struct, frozen=True):
    """What a role may do with a table by its name; ``through``: by what else it gets more.

    ``policies``: of "read", "insert", "update", "delete", the policies that decide. ``columns``:
    of the same, the columns if not all. ``truncate``: the role may empty the table, policies or
    not. ``reasons`` in words. ``assumptions``: what was taken to be so without a statement.
    """

    table: str
    role: str
    row_security: bool
    forced: bool
    read: State
    insert: State
    update: State
    delete: State
    policies: Mapping[str, tuple[str, ...]] = {}
    columns: Mapping[str, tuple[str, ...]] = {}
    truncate: bool = False
    through: tuple[Way, ...] = ()
    reasons: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """The worst that holds, by its name or through something that is certain."""
        reads, *writes = (self._best(field) for field in FIELDS.values())
        if reads == "open":
            return "open to read and write" if "open" in writes else "open to read"
        if "open" in writes:
            return "open to write"
        if "unknown" in (reads, *writes):
            return "unknown"
        return "filtered" if "filtered" in (reads, *writes) else "closed"

    @property
    def sentence(self) -> str:
        """For a person, without a full stop."""
        people = _PEOPLE.get(self.role, f"the role {self.role}")
        states: dict[State, list[str]] = {}
        for verb, field in FIELDS.items():
            states.setdefault(getattr(self, field), []).append(verb)
        parts = [
            self._said(state, states[state])
            for state in ("open", "filtered", "unknown")
            if state in states
        ]
        told = f"{people} {' and '.join(parts)}" if parts else self._nobody(people)
        told = ": ".join([told, "; ".join(self.reasons)] if self.reasons else [told])
        return "; ".join([told, *(_way_said(way) for way in self.through)])

    def _best(self, field: str) -> State:
        ways = [getattr(way, field) for way in self.through if way.certain]
        return max((getattr(self, field), *ways), key=RANK.__getitem__)

    def _said(self, state: State, verbs: list[str]) -> str:
        does = listed([DOES[verb] for verb in verbs])
        if state == "unknown":
            return f"may be able to {does} rows"
        if state == "filtered":
            fields = [FIELDS[verb] for verb in verbs]
            named = dict.fromkeys(name for field in fields for name in self.policies.get(field, ()))
            what = "policies" if len(named) > 1 else "policy"
            by = f"{what} {listed([quoted(name) for name in named])}" if named else "a condition"
            return f"can {does} the rows that {by} {'let' if len(named) > 1 else 'lets'} through"
        limits = [self.columns[f] for verb in verbs if (f := FIELDS[verb]) in self.columns]
        if len(limits) == len(verbs):
            return f"can {does} {listed(sorted(set().union(*limits)))} of every row"
        return f"can {does} {'any row' if verbs == ['insert'] else 'every row'}"

    def _nobody(self, people: str) -> str:
        if people.startswith(("anyone", "every role")):
            whom = people.replace("anyone", "nobody", 1).replace("every role", "no role")
            return f"{whom} can read or write it"
        return f"{people} can neither read nor write it"


def listed(words: Iterable[str]) -> str:
    """One, two and three."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def quoted(name: str) -> str:
    """A policy's name in a sentence."""
    return f'"{name}"'


def _way_said(way: Way) -> str:
    does = [DOES[verb] for verb, field in FIELDS.items() if getattr(way, field) != "closed"]
    if not way.certain:
        return f"it may be reached through the {way.kind} {way.name}: {way.reason}"
    rows = "rows" if "open" not in (way.read, way.insert, way.update, way.delete) else "every row"
    return f"one can {listed(does)} {rows} through the {way.kind} {way.name}: {way.reason}"
