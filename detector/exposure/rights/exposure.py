"""What all roles of a database may do."""

from __future__ import annotations

from itertools import chain

from detector.exposure.model import PUBLIC, Model, Relation, Routine, Schema
from detector.exposure.rights.access import Access, Level
from detector.exposure.rights.judge import Judge


class Exposure:
    """What roles may do in a database. Answers are worked out when asked for and kept."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._judges: dict[str, Judge] = {}
        self._named: dict[str, bool] = {}
        self._by_name = {one.name: one for one in model.relations.values()}
        self._alone: dict[str, Relation | None] = {}  # by name without schema, if only one has it
        for one in model.relations.values():
            self._alone[one.path[1]] = None if one.path[1] in self._alone else one

    @property
    def tables(self) -> list[str]:
        """Tables and views by name, in the order of the definitions."""
        return [relation.name for relation in self._model.relations.values()]

    @property
    def known(self) -> bool:
        """Whether anything was defined at all."""
        return bool(self._model.relations)

    @property
    def complete(self) -> bool:
        """Whether every statement was read; if not, what seems closed is unknown."""
        return self._model.complete

    def of(self, table: str, role: str = "anon") -> Access:
        """The access to a table or view, named as in ``tables``, or without its schema.

        ``role``: "PUBLIC" for what everybody may. It stands for a role that nothing names.
        """
        if role not in self._named:
            self._named[role] = self._names(role)
        if not self._named[role]:
            role = "PUBLIC"
        relation = self._find(table)
        if relation is None:
            return Access(table, role, False, False, "unknown", "unknown", "unknown", "unknown",
                          reasons=("no definition of it was seen",))  # fmt: skip
        if role not in self._judges:
            self._judges[role] = Judge(self._model, role)
        return self._judges[role].access(relation)

    def level(self, table: str, role: str = "anon") -> Level:
        """:attr:`Access.level`."""
        return self.of(table, role).level

    def sentence(self, table: str, role: str = "anon") -> str:
        """:attr:`Access.sentence`."""
        return self.of(table, role).sentence

    def _names(self, role: str) -> bool:
        """Whether any statement names it."""
        if role in self._model.roles:
            return True
        model = self._model
        things: list[Relation | Schema | Routine] = [
            *model.relations.values(),
            *model.schemas.values(),
            *chain.from_iterable(model.routines.values()),
        ]
        if any(role in one.grants or role == one.owner for one in things):
            return True
        return any(
            role in relation.column_grants
            or any(role in p.roles for p in relation.policies.values())
            for relation in model.relations.values()
        )

    def _find(self, table: str) -> Relation | None:
        for name in (table, f"{PUBLIC}.{table}"):
            if name in self._by_name:
                return self._by_name[name]
        return self._alone.get(table)
