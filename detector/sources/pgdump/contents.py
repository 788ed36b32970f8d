"""Which data of a dump is which table's."""

from __future__ import annotations

import re
from typing import NamedTuple

from detector.sources.containers import Known, Table
from detector.tables.sql import Sql

MOST_KEPT = 32 << 20
"""Bytes kept of all entries: names and COPY statements of 100,000 tables. The data of tables
behind that is read without them."""

_KEPT_ENTRY = 300  # what an entry of the dictionary costs besides its strings


_DATA_FILE = re.compile(r"(\d{1,10}\.dat)(\.gz|\.lz4|\.zst)?", re.ASCII)
_NAME = rb'(?:"(?:[^"]|"")++"|[^\s".(),;]++)'
# Exactly what pg_dump writes. The parser of dumps reads it afterwards: it allows for more space,
# on which its time would be quadratic.
_COPY = re.compile(
    rb"COPY %s(?:\.%s)? ?(?:\(%s(?:, %s)*+\))? (WITH OIDS )?FROM stdin;\n" % ((_NAME,) * 4)
)


class Data(NamedTuple):
    """One table's data: its name for display, and what is known of the bytes."""

    name: str
    known: Known


class Contents:
    """Which data is which table's: by the names of files, or the ids of blocks.

    Names and statements are kept as bytes, and parsed for the tables that are asked for.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[bytes, bytes]] = {}
        self._size = 0

    def keep(self, key: bytes, name: bytes, copy: bytes) -> None:
        """The data ``key`` is that of the table ``name``, as a COPY statement has it or none."""
        self._size += len(key) + len(name) + len(copy) + _KEPT_ENTRY
        if self._size <= MOST_KEPT:
            self._kept[key] = name, copy

    def block(self, number: int) -> Data | None:
        """A block of the custom format."""
        return self._data(b"%d" % number, packed=False)

    def file(self, name: str) -> Data | None:
        """A file of the other formats, whose name may end with that of a compression."""
        found = _DATA_FILE.fullmatch(name)
        return self._data(found[1].encode(), packed=found[2] is not None) if found else None

    def _data(self, key: bytes, *, packed: bool) -> Data | None:
        if (kept := self._kept.get(key)) is None:
            return None
        name, copy = kept
        return Data(name.decode("utf-8", "replace"), Known(_copied(copy), packed))


def is_data_file(name: str) -> bool:
    """Whether a file may be a table's data in the directory format."""
    return _DATA_FILE.fullmatch(name) is not None


def _copied(statement: bytes) -> Table | None:
    """Table and columns of a COPY statement."""
    found = _COPY.fullmatch(statement)
    if found is None:
        return None
    oids = found[1] or b""  # until version 11 a table could have a hidden first column
    plain = statement.removesuffix(oids + b"FROM stdin;\n") + b"FROM stdin;\n"
    dialect = Sql()
    state, _ = dialect.walk(dialect.begin(), plain, ())
    return state.table, (("oid",) if oids else ()) + state.columns
