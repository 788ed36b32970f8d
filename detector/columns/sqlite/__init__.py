"""SQLite files, opened read-only: every table that has pages of its own, and the schema.

    opening  connections that write nothing     reader  tables, and how to pass over damage
    reading  rows of one table to chunks

Views and virtual tables are computed from those, so they are not read; that also means that
nothing of the schema is evaluated. Rows are counted in the order of the table's own tree, which
is that of `.dump`. A database whose write-ahead log was left behind without its index gets that
index (`-shm`) from SQLite, as from every other reader; one that was closed cleanly is opened so
that nothing is written beside it.

https://www.sqlite.org/security.html, https://www.sqlite.org/wal.html#readonly
"""

from __future__ import annotations

from detector.columns.sqlite.reader import read_sqlite

__all__ = ["read_sqlite"]
