"""The table at the end of a report: what was found in which column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detector.sinks.output import printable
from detector.sinks.words import clipped, many, name
from detector.types import ColumnSummary, TableSummary

MOST = 200  # columns shown; JSON Lines lists all

Part = Text | Padding | Table


def tabulated(
    tables: Sequence[TableSummary], columns: Sequence[ColumnSummary], styles: dict[str, str]
) -> Iterator[Part]:
    """A table a source, a line a column and rule; and below it what is known of each table."""
    if not columns:
        return
    yield Text("Tables", "bold")
    shown = columns[:MOST]
    by_name = {(table.path, table.table): table for table in tables}
    for path, group in groupby(shown, lambda column: column.path):
        yield Text(f"  {name(path)}", "dim", no_wrap=True)
        grid = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
        for title in ("table", "column", "kind"):
            grid.add_column(title, overflow="fold")
        owned = any(table.owner_column is not None for table in tables)
        for title in ("rows", "of", "secrets", *["owners"] * owned):
            grid.add_column(title, justify="right", no_wrap=True)
        last = None
        for column in group:
            table = clipped(column.table) if column.table != last else ""
            last = column.table
            total = "" if column.rows is None else f"{column.rows:,}"
            kind = Text(printable(column.name), styles[column.severity])
            field = clipped(column.field or "")
            counts = (
                f"{column.rows_found:,}",
                total,
                "" if column.distinct is None else f"{column.distinct:,}",
                *["" if column.owners is None else f"{column.owners:,}"] * owned,
            )
            grid.add_row(Text(table), Text(field), kind, *counts)
        yield Padding.indent(grid, 2)
        seen = dict.fromkeys(c.table for c in shown if c.path == path)
        for table in seen:
            yield from _about(by_name.get((path, table)))
    if len(columns) > MOST:
        yield Text(f"  … and {many(len(columns) - MOST, 'more column')} (--format jsonl lists all)")
    yield Text()


def _about(table: TableSummary | None) -> Iterator[Part]:
    if table is None or table.exposure is None:
        return
    text = f"{clipped(table.table)}: {printable(table.exposure)}"
    yield Padding.indent(Text(text, "bold" if table.open else ""), 2)
