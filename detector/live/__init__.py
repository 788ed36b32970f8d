"""Live databases: every table that may be read, in one snapshot, and nothing is written.

    addresses   URLs, and how they are shown       postgres   through COPY
    mysql       through a cursor that streams      rows       rows as COPY text

They need a driver, each an optional extra, and are not opened before a URL asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from detector.live.addresses import SCHEMES, Address, address_of
from detector.live.rows import Relation
from detector.types import Skipped

if TYPE_CHECKING:
    from detector.exposure import Exposure

__all__ = ["SCHEMES", "Address", "Relation", "address_of", "open_database"]


def open_database(address: Address) -> Iterator[Relation | Exposure | Skipped]:
    """Who may do what, where the catalogue says it; then the tables of a database, one after the
    other: read each before taking the next.

    What cannot be read is given as :class:`Skipped`; a driver that is not installed raises
    :class:`~detector.errors.UsageError`, which names the pip command.
    """
    if address.kind == "postgresql":
        from detector.live.postgres import relations
    else:
        from detector.live.mysql import relations
    return relations(address)
