"""The few types that every layer shares.

Positions are half-open byte spans ``[start, end)`` counted from 0 in the source as its
user has it; lines, columns and rows count from 1.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

Bytes = bytes | bytearray | memoryview
"""What the scanning layers read: any contiguous buffer of bytes."""


class Severity(enum.IntEnum):
    """How bad it is that others can read the secret; ordered, so ``max`` is the worst."""

    info = 0
    low = 1
    medium = 2
    high = 3
    critical = 4


class Privilege(enum.StrEnum):
    """What whoever holds the secret can do."""

    public = "public"  # publishable by design: meant to be seen by every visitor
    limited = "limited"  # one narrow action, a test environment, or a short life
    full = "full"  # acts as its owner
    admin = "admin"  # acts as the owner of the whole account, organisation or project


class CheckStatus(enum.StrEnum):
    """What an offline check of a token's own structure said."""

    passed = "passed"
    failed = "failed"
    none = "none"


class Secret:
    """A secret's bytes, in a type that refuses to print itself.

    ``repr``, ``str``, ``format`` and JSON give the mask: the public prefix, four stars
    and the length in bytes. :meth:`reveal` is the one door to the bytes.
    """

    __slots__ = ("_prefix", "_raw")

    def __init__(self, raw: bytes, prefix: int | tuple[bytes, ...] = 0) -> None:
        """``prefix``: how many bytes at the front are public, or what may stand there."""
        self._raw = raw
        self._prefix = prefix

    def reveal(self) -> bytes:
        """The bytes themselves."""
        return self._raw

    @property
    def masked(self) -> str:
        """For example ``sk-proj-****(164)``."""
        prefix = self._prefix
        if isinstance(prefix, tuple):
            prefix = _longest(prefix, self._raw)
        # Never more than a third: a "prefix" that long would be the secret itself.
        shown = min(prefix, len(self._raw) // 3)
        public = self._raw[:shown].decode("ascii", "replace")
        return f"{public}****({len(self._raw)})"

    def __repr__(self) -> str:
        return self.masked

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)

    def __len__(self) -> int:
        return len(self._raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._raw == self._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __reduce__(self) -> tuple[type[Secret], tuple[bytes, int | tuple[bytes, ...]]]:
        return Secret, (self._raw, self._prefix)


def _longest(prefixes: tuple[bytes, ...], raw: bytes) -> int:
    for prefix in prefixes:
        if raw.startswith(prefix):
            return len(prefix)
    return 0


class CheckResult(NamedTuple):
    """What a check made of a token.

    ``claims`` holds what can be read from the token without its secret part (a project
    reference, a role, an account id, an expiry) and is shown to the user. ``privilege``
    and ``severity`` override the rule's own where the token itself says more.
    """

    status: CheckStatus = CheckStatus.none
    claims: Mapping[str, Any] = {}
    privilege: Privilege | None = None
    severity: Severity | None = None
    placeholder: bool = False  # a published example, known to everybody


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="finding"):
    """One secret at one place. The fields are those of the JSON Lines output."""

    rule: str
    provider: str
    name: str
    severity: str
    privilege: str
    confidence: float
    path: str = ""
    start: int
    end: int
    line: int = 1
    column: int = 1
    table: str | None = None
    field: str | None = None
    row: int | None = None
    decoded: tuple[str, ...] = ()
    secret: Secret
    fingerprint: str
    check: str = "none"
    claims: Mapping[str, Any] = {}
    why: str = ""
    revoke: str = ""
    reasons: tuple[str, ...] = ()
    origin: Mapping[str, Any] | None = None
    """Where it comes from beyond its file: of a message ``channel``, ``author``, ``message`` (its
    id) and ``time``, each None where the export does not say it; of a bundle with a source map
    ``path``, ``line`` and ``column`` in its source, from 1, the column in UTF-16 units."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, ``type`` first; the secret masked."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {"type": "finding", **fields, "secret": self.secret.masked}


class TableSummary(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="table"):
    """What was found in one table. ``rows``: of the whole table, None where nobody counted;
    ``rows_found``: of those with a finding; ``distinct``: different secrets; ``owners``: of the
    rows with a finding, how many different values ``owner_column`` has that are not NULL. Without
    such a column a row is its own owner."""

    path: str
    table: str
    rows: int | None
    rows_found: int
    occurrences: int
    distinct: int
    owners: int
    owner_column: str | None = None
    exposure: str | None = None
    """Who else may read or write it, in words."""
    open: bool = False


class SourceSummary(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="source"):
    """What was found in the tables of one source: a dump, an export, a database. ``addresses``:
    different e-mail addresses in all its tables, beside the secrets or not."""

    path: str
    tables: int
    rows_found: int
    occurrences: int
    distinct: int
    addresses: int


class ProjectSummary(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="project"):
    """What belongs to one project of Supabase. ``public``: paths with keys that every visitor may
    have; ``server``: with those that nobody may; ``means``: what somebody can do with them."""

    project: str
    public: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    open_tables: tuple[str, ...] = ()
    means: str = ""


class ColumnSummary(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="column"):
    """What one rule has found in one column; ``example`` is the first."""

    path: str
    table: str
    field: str | None
    rule: str
    name: str
    severity: str
    rows: int | None
    rows_found: int
    occurrences: int
    distinct: int | None
    """None for a column that was judged as a whole, and so is ``owners``."""
    owners: int | None
    example: Secret
    revoke: str = ""


class Sums(NamedTuple):
    """What a run adds up at its end."""

    sources: Sequence[SourceSummary] = ()
    tables: Sequence[TableSummary] = ()
    columns: Sequence[ColumnSummary] = ()
    projects: Sequence[ProjectSummary] = ()


class Skipped(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="skipped"):
    """Bytes that were asked for and not scanned, with the reason."""

    path: str
    reason: str
    nbytes: int = 0


class InTables(msgspec.Struct, frozen=True):
    """What the tables of all sources of a run hold. ``distinct``: different secrets;
    ``addresses``: different e-mail addresses, also of tables without secrets."""

    tables: int
    rows_found: int
    occurrences: int
    distinct: int
    addresses: int


class Summary(msgspec.Struct, kw_only=True, tag_field="type", tag="summary"):
    """What a run did. ``bytes_read`` counts the bytes of the files as they lie on disk,
    ``bytes_scanned`` what came out of decompression and went through the engine."""

    bytes_read: int = 0
    bytes_scanned: int = 0
    bytes_skipped: int = 0
    findings: int = 0
    by_rule: dict[str, int] = {}
    seconds: float = 0.0
    in_tables: InTables | None = None
    """None where nothing was found in a table."""
