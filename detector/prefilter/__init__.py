"""The first pass over the bytes: where could a rule match?

The prefilter may lie by saying yes, never by saying no. Two engines keep that contract
and must agree on every input: Vectorscan (``hyperscan``), and ``aho-corasick``, slower by
two orders, which is the reference and the way out where no wheel of the first loads.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from detector.errors import EngineError, UsageError
from detector.prefilter.edge import Edge
from detector.prefilter.table import ID_BITS, HeadTable
from detector.rules import Head
from detector.types import Bytes

ENGINES = ("auto", "hyperscan", "aho-corasick")
ID_MASK = (1 << ID_BITS) - 1


class Engine(Protocol):
    """Finds heads. Safe to call from many threads at once."""

    name: str

    def find(self, data: Bytes) -> list[int]:
        """Every hit in ``data``, as ``end << ID_BITS | head``, in no particular order."""
        ...


_announced = False


def make_engine(name: str, heads: Sequence[Head], numbers: Sequence[int] | None = None) -> Engine:
    """The engine of that name. ``numbers``: what its hits are called, by head, unless as their
    places. Raises :class:`UsageError` or :class:`EngineError`."""
    if name not in ENGINES:
        raise UsageError(f"engine '{name}' is none of {', '.join(ENGINES)}")
    if name != "aho-corasick":
        try:
            from detector.prefilter.vectorscan import Vectorscan

            return Vectorscan(heads, numbers)
        except ImportError as error:
            if name == "hyperscan":
                raise EngineError(
                    f"hyperscan does not load here ({error}); try: pip install hyperscan, "
                    "or --engine aho-corasick"
                ) from None
            _announce(str(error))
    from detector.prefilter.aho_corasick import AhoCorasick

    return AhoCorasick(heads, numbers)


def _announce(reason: str) -> None:
    global _announced  # noqa: PLW0603 - once a process is the point
    if not _announced:
        _announced = True
        sys.stderr.write(
            f"detector: hyperscan does not load ({reason}); using the slower aho-corasick engine\n"
        )


__all__ = ["ENGINES", "ID_BITS", "ID_MASK", "Edge", "Engine", "HeadTable", "make_engine"]
