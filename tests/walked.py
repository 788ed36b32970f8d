"""The cells that a layout tells of marked values when a text comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from detector.tables.census import Census
from detector.tables.layout import Cell, Dialect, Layout


def located(
    mark: re.Pattern[bytes],
    dialect: Dialect,
    text: bytes,
    cuts: Iterable[int],
    census: Census | None = None,
) -> Mapping[bytes, Cell]:
    """``cuts``: any numbers, taken modulo the text's length."""
    layout = Layout(dialect, census=census)
    found: dict[bytes, Cell] = {}
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        marks = [one for one in mark.finditer(text, begin) if one.start() < end]
        window = text[: end + 20]
        cells = layout.locate(window, 0, [one.start() for one in marks])
        found.update(zip((one[0] for one in marks), cells, strict=True))
        layout.pass_to(window, 0, end)
    return found
