"""Dumps in SQL: COPY blocks of PostgreSQL, and INSERT statements as everybody writes them.

dialect      the walk over all of it        state   what is known at one byte
statements   what stands between the data   names   of tables and columns
copying      lines and tabs                 values  the lists behind VALUES
escapes      strings with backslashes
"""

from detector.tables.sql.dialect import Sql
from detector.tables.sql.state import State, block

__all__ = ["Sql", "State", "block"]
