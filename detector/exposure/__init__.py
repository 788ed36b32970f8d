"""Exposure: what the roles of a database may do with each table, told from its definitions.

    tokens   SQL to words and strings        model    roles, tables, policies, routines, grants
    ddl      statements to a model           catalog  a live database to a model
    fold     what a condition must be        queries  which tables a query reads, and how
    rights   a model to an :class:`Access` for each table and role

Nothing of a dump is executed. What cannot be known from it is "unknown", never "closed".

The statements are read by this package and not by pglast (PostgreSQL's own parser), which is there
for every platform but is under the GPL, takes 33 MB and 0.04 s to import, and would still leave
names, conditions and rights to do here. Every answer
is compared with what a server lets the role do: tests/exposure.
"""

from detector.exposure.catalog import exposure_of_catalog
from detector.exposure.ddl import exposure_of
from detector.exposure.rights import Access, Exposure, Way

__all__ = ["Access", "Exposure", "Way", "exposure_of", "exposure_of_catalog"]
