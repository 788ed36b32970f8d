"""Who has a privilege, and by whom."""

from __future__ import annotations

from detector.exposure.model import (
    BYPASSING,
    NAMED,
    OWNER,
    PUBLIC,
    SUPERUSERS,
    Grants,
    Model,
    Relation,
)


class Privileges:
    """Of one role, whose name may be "PUBLIC"."""

    def __init__(self, model: Model, role: str) -> None:
        self._model = model
        self._role = role
        self._user = PUBLIC if role == "PUBLIC" else role
        self._circles: dict[str, frozenset[str]] = {}

    def _circle(self, user: str) -> frozenset[str]:
        """The role and those whose rights it has as a member."""
        if user not in self._circles:
            found, new = {user}, [user]
            while new:
                role = self._model.roles.get(new.pop())
                for group, inherits in role.member_of.items() if role else ():
                    if (
                        group not in found
                        and role
                        and (role.inherit if inherits is None else inherits)
                    ):
                        found.add(group)
                        new.append(group)
            self._circles[user] = frozenset(found)
        return self._circles[user]

    def _superuser(self, user: str) -> bool:
        role = self._model.roles.get(user)
        return role.superuser if role else user in SUPERUSERS

    def _bypasses(self, user: str) -> bool:
        role = self._model.roles.get(user)
        return self._superuser(user) or (role.bypass if role else user in BYPASSING)

    def _may_bypass(self, user: str) -> bool:
        """Whether it isn't known that it does not: an owner of which only the name was seen."""
        role = self._model.roles.get(user)
        return not (role and role.defined) and user not in NAMED | {self._user, PUBLIC}

    def _held(self, grants: Grants, owner: str, user: str, privilege: str) -> str:
        """By whom a user has a privilege: "" for not at all."""
        if self._superuser(user):
            return f"{user}, a superuser,"
        circle = self._circle(user)
        if owner in circle and privilege in grants.get(OWNER, ()):
            return f"{owner or 'the owner'}, the owner," if owner != user else user or "the owner"
        for who in (user, PUBLIC, *sorted(circle)):
            if privilege in grants.get(who, ()):
                return whom(who, user)
        for who, verbs in (
            ("pg_read_all_data", ("select", "usage")),
            ("pg_write_all_data", ("insert", "update", "delete", "usage")),
        ):
            if who in circle and privilege in verbs:
                return whom(who, user)
        return ""

    def _usage(self, schema: str, user: str) -> bool | None:
        """None: nothing is known of that schema."""
        one = self._model.schemas.get(schema)
        if one is None:
            return True if self._superuser(user) else None
        if self._held(one.grants, one.owner, user, "usage"):
            return True
        # Without a single GRANT there may have been one; the default of "public" is known.
        return False if self._model.granted and self._model.complete else None

    def _columns_held(
        self, relation: Relation, user: str, verb: str
    ) -> tuple[tuple[str, ...], str]:
        found: dict[str, None] = {}
        by = ""
        for who in (user, PUBLIC, *sorted(self._circle(user))):
            for column in sorted(relation.column_grants.get(who, {}).get(verb, ())):
                found[column] = None
                by = by or whom(who, user)
        return tuple(found), by


def name_of(user: str) -> str:
    """A role in a sentence; "" is an owner of whom nothing is known."""
    return {"": "its owner", PUBLIC: "PUBLIC"}.get(user, user)


def whom(who: str, user: str) -> str:
    """Who has a privilege, and as whose member."""
    if who in (user, PUBLIC):
        return name_of(who)
    return f"{name_of(user)}, as a member of {who},"
