"""From a model of the rights to what a role may do, and the words for it.

    access      what is said of a table and a role    privileges  who has been granted what
    rows        policies and views: which rows        ways        by what else rows are had
    judge       one role's access                     exposure    all of it, by table and role

The rules: https://www.postgresql.org/docs/current/ddl-priv.html (privileges),
https://www.postgresql.org/docs/current/ddl-rowsecurity.html (policies),
https://www.postgresql.org/docs/current/sql-createview.html (whose rights a view uses),
https://www.postgresql.org/docs/current/ddl-inherit.html (parents). Not looked at: triggers and
constraints that refuse a row, and what a routine that a routine calls may do.
"""

from __future__ import annotations

from detector.exposure.rights.access import Access, Way
from detector.exposure.rights.exposure import Exposure

__all__ = ["Access", "Exposure", "Way"]
