"""How far a visit of a site goes, and how fast."""

from __future__ import annotations

import msgspec

MIB = 1 << 20


class SiteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one visit. All of it together costs at most ``max_bytes`` of traffic."""

    pages: int = 1
    """Pages of the same origin that are read, the given one among them."""

    cdns: tuple[str, ...] = ()
    """Further hosts whose scripts are read, in small letters: ``cdn.example.com``."""

    allow_private: bool = False
    """Whether addresses may be asked that are not of the public Internet."""

    max_requests: int = 1000
    """Requests in all. A large application has some 300 chunks, each with its map."""

    max_bytes: int = 512 * MIB
    """Bytes of all bodies, unpacked."""

    resource_bytes: int = 32 * MIB
    """Bytes of one body, unpacked; what is behind them is not fetched."""

    timeout: float = 30.0
    """Seconds for one answer, from its request to its last byte."""

    rate: float = 10.0
    """Requests a second at most; a host's ``Crawl-delay`` makes it slower."""

    at_once: int = 4
    """Requests under way together. Browsers have six to a host."""
