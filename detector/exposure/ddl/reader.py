"""Statements, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from detector.exposure.ddl.changes import Changes
from detector.exposure.ddl.privileges import Privileges
from detector.exposure.rights import Exposure
from detector.exposure.tokens import Cursor, Token, UnreadableError, statements_of

MOST_TEXT = 16 << 20  # characters of statements; what comes behind is not looked at
MOST_THINGS = 1 << 16  # tables, routines and roles

_HEAD = re.compile(r"(?:\s+|--[^\n]*\n)*+(\w+)(?:\s+(\w+))?")
_CREATED = frozenset(
    re.findall(
        r"\w+",
        "table view materialized or recursive unlogged temporary temp global local foreign schema"
        " function procedure policy role user group rule trigger constraint",
    )
)


def exposure_of(statements: Iterable[str], *, complete: bool = True) -> Exposure:
    """What the DDL of a dump says of the rights on its tables.

    ``statements`` in the order of the dump; several may stand in one text. pg_dump's other
    formats keep the owner beside a definition: an ``ALTER TABLE … OWNER TO …`` has to be made of
    it. pg_dump writes no roles: with the output of ``pg_dumpall --roles-only`` before it,
    memberships and BYPASSRLS are known, else Supabase's layout is assumed. ``complete``: False
    when statements are missing. Never raises for what stands in them.
    """
    reader = _Reader()
    reader.model.complete = complete
    size = 0
    for text in statements:
        size += len(text)
        if size > MOST_TEXT or len(reader.model.relations) > MOST_THINGS:
            reader.model.complete = False
            break
        if _matters(text):
            for tokens in statements_of(text):
                reader.read(tokens)
    return Exposure(reader.model)


def _matters(text: str) -> bool:
    """Whether a text may say anything of rights: spares indexes, comments and types."""
    found = _HEAD.match(text)
    if found is None or text.count(";") > 1:
        return True
    first, second = found[1].lower(), (found[2] or "").lower()
    return first != "comment" and (first != "create" or second in _CREATED)


class _Reader(Changes, Privileges):
    """Applies statements to a model, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._readers: dict[str, Callable[[Cursor], None]] = {
            "create": self._create,
            "alter": self._alter,
            "grant": self._grant,
            "revoke": self._revoke,
            "set": self._set,
            "reset": self._reset,
            "drop": self._drop,
        }

    def _alter(self, at: Cursor) -> None:
        if at.word("default", "privileges"):
            self._alter_defaults(at)
        else:
            super()._alter(at)

    def read(self, tokens: list[Token]) -> None:
        """One statement."""
        cursor = Cursor(tokens)
        reader = self._readers.get(cursor.next().text)
        if reader is None:
            return
        try:
            reader(cursor)
        except (UnreadableError, RecursionError):
            self.model.complete = False
