"""The picture of the record of quality: precision over recall, a panel for each form.

Drawn from the record alone, so it needs neither the data nor the peers.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = {
    "detector": "#0072B2",
    "credsweeper": "#D55E00",
    "betterleaks": "#009E73",
    "detect-secrets": "#CC79A7",
    "gitleaks": "#8A6D00",
    "kingfisher": "#333333",
}
TITLES = {
    "published": "Published: random letters for every value",
    "original": "Original: common passwords put back",
}
GREY = "#8C8C8C"

LETTER, LINE = 0.018, 0.042  # width and height of a letter, as shares of an axis

Row = dict[str, Any]
Point = tuple[float, float]


def draw(record: Row, target: Path) -> None:
    """Write the picture; the same record always gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.hashsalt": "quality",
        "svg.fonttype": "path",  # the reader's fonts would move the labels
        "font.size": 11,
        "axes.edgecolor": GREY,
        "axes.labelcolor": "#333333",
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(10, 5.4), layout="constrained", facecolor="white")
        forms = [form for form in TITLES if form in record]
        panels = figure.subplots(1, len(forms), sharey=True, squeeze=False)[0]
        for axes, form in zip(panels, forms, strict=True):
            _frame(axes, TITLES[form])
            _programs(axes, record[form])
        panels[0].set_ylabel("precision: how much of what it flags is a secret")
        figure.savefig(target, format="svg", metadata={"Date": None})


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=12, loc="left", pad=10)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.04), xlabel="recall: how many of the secrets it flags")
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.tick_params(colors="#555555", length=3)
    axes.spines[["top", "right"]].set_visible(False)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        least = f1 / (2 - f1)  # the recall that is enough where precision is 1
        recall = [least + (1 - least) * (step / 100) ** 2 for step in range(101)]
        axes.plot(recall, [f1 * r / (2 * r - f1) for r in recall], color="#E0E0E0", linewidth=0.9)
        axes.annotate(
            f"F1 {f1:g}", (1, least), fontsize=8.5, color=GREY, ha="right", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _programs(axes: Axes, rows: Row) -> None:
    """Curves first, then points, then each name where it hides as little as possible."""
    taken: list[Point] = []
    for name, row in reversed(rows.items()):
        curve = row["curve"]
        # It learned from these very rows: its curve is no forecast.
        style = "--" if name == "credsweeper" else "-"
        width = 2.6 if name == "detector" else 1.7
        axes.plot(*zip(*curve, strict=True), style, color=COLOURS.get(name, GREY), linewidth=width)
        taken += [at for pair in pairwise(curve) for at in _between(*pair)]
        x, y = _point(row)
        taken += [(x + i * 0.012, y + j * 0.012) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    for name, row in rows.items():
        point, colour, ours = _point(row), COLOURS.get(name, GREY), name == "detector"
        axes.plot(
            *point, "o", color=colour, markersize=9 if ours else 7, markeredgecolor="white",
            zorder=4,
        )  # fmt: skip
        width = len(name) * LETTER * (1.15 if ours else 1)
        x, y = _free(point, width, taken)
        axes.text(
            x, y, name, color=colour, fontsize=11, ha="center", va="center", zorder=5,
            fontweight="bold" if ours else "normal",
        )  # fmt: skip
        if abs(y - point[1]) > LINE * 1.5:
            edge = y + LINE / 2 if y < point[1] else y - LINE / 2
            near = min(max(point[0], x - width / 2), x + width / 2)
            axes.plot([point[0], near], [point[1], edge], color=colour, linewidth=0.8)
        taken += _between((x - width / 2, y), (x + width / 2, y))


def _point(row: Row) -> Point:
    return row["recall"][0], row["precision"][0]


def _between(one: Point, other: Point) -> list[Point]:
    (x, y), (to_x, to_y) = one, other
    return [(x + (to_x - x) * i / 12, y + (to_y - y) * i / 12) for i in range(13)]


def _free(point: Point, width: float, taken: list[Point]) -> Point:
    """The middle for a name near ``point``: of places around it, then of those further off, the
    first with the least in its way."""
    least, most = width / 2 + 0.005, 1.03 - width / 2
    middles = [
        (
            min(max(point[0] + right * (width / 2 + 0.026 + far / 3), least), most),
            point[1] + up * (LINE / 2 + far),
        )
        for far in (0.015, 0.03, 0.06, 0.1, 0.15)
        for right, up in ((1, 0), (-1, 0), (1, -1), (-1, -1), (0, -1), (0, 1), (1, 1), (-1, 1))
    ]

    def hidden(middle: Point) -> int:
        x, y = middle
        return sum(
            abs(x - a) < width / 2 + 0.01 and abs(y - b) < LINE / 2 + 0.008 for a, b in taken
        )

    return min(((x, y) for x, y in middles if LINE < y < 1.04 - LINE / 2), key=hidden)
