"""Statements that define or grant something, to a model of the rights.

    speaker      who speaks, and what is known so far     parts    what statements share
    definitions  CREATE                                   changes  ALTER and DROP
    privileges   GRANT, REVOKE and default privileges     reader   all of them, one after the other

https://www.postgresql.org/docs/current/sql-commands.html, as pg_dump and pg_dumpall write them and
as people do in migrations. A statement of a known kind that cannot be read makes the model
incomplete; the others are passed over.
"""

from __future__ import annotations

from detector.exposure.ddl.reader import exposure_of

__all__ = ["exposure_of"]
