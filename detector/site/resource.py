"""What comes out of a visit."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Resource(msgspec.Struct, frozen=True):
    """One body, as far as it was fetched. ``url``: where it came from in the end; ``map_of``: of a
    source map, the URL of its script or style, which was given just before."""

    url: str
    data: bytes
    map_of: str | None = None

    def __repr__(self) -> str:
        return f"Resource({len(self.data)} bytes)"  # never what it holds


class Known(NamedTuple):
    """So many more resources have become known, or (negative) turned out not to be there."""

    number: int
