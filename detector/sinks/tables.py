"""The table at the end of a report: what was found in which column."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detector.sinks.output import printable
from detector.sinks.words import clipped, many, name
from detector.types import InTables, ProjectSummary, SourceSummary, Sums, TableSummary

MOST = 200  # columns shown; JSON Lines lists all

Part = Text | Padding | Table


def tabulated(sums: Sums, in_all: InTables | None, styles: dict[str, str]) -> Iterator[Part]:
    """A table a source, a line a column and rule; below it what is known of each table, what a
    source holds in all, and what belongs to one project."""
    if sums.columns:
        yield from _columns(sums, styles)
        for source in sums.sources:
            yield Padding.indent(Text(f"{name(source.path)}: {_counts(source)}"), 2)
        if in_all is not None and len(sums.sources) > 1:
            yield Padding.indent(Text(f"in all: {_counts(in_all)}"), 2)
        yield Text()
    if sums.projects:
        yield Text("Projects", "bold")
        for project in sums.projects:
            yield from _project(project)
        yield Text()


def _columns(sums: Sums, styles: dict[str, str]) -> Iterator[Part]:
    yield Text("Tables", "bold")
    columns = sums.columns
    shown = columns[:MOST]
    by_name = {(table.path, table.table): table for table in sums.tables}
    for path, group in groupby(shown, lambda column: column.path):
        yield Text(f"  {name(path)}", "dim", no_wrap=True)
        grid = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
        for title in ("table", "column", "kind"):
            grid.add_column(title, overflow="fold")
        owned = any(table.owner_column is not None for table in sums.tables)
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


def _counts(source: SourceSummary | InTables) -> str:
    beside = ""
    if source.addresses:
        addresses = "address" if source.addresses == 1 else "addresses"
        beside = f"; {source.addresses:,} different e-mail {addresses}"
    return (
        f"{many(source.distinct, 'distinct secret')} in {many(source.rows_found, 'row')} of "
        f"{many(source.tables, 'table')}{beside}"
    )


def _project(project: ProjectSummary) -> Iterator[Part]:
    keys = [f"server key in {name(path)}" for path in project.server]
    keys += [f"publishable key in {name(path)}" for path in project.public]
    more = f", and {len(keys) - 4} more" if len(keys) > 4 else ""
    text = f"{clipped(project.project)}: {', '.join(keys[:4])}{more}"
    yield Padding.indent(Text(text), 2)
    worse = bool(project.server or project.open_tables)
    yield Padding.indent(Text(printable(project.means), "bold" if worse else ""), 4)


def _about(table: TableSummary | None) -> Iterator[Part]:
    if table is None or table.exposure is None:
        return
    text = f"{clipped(table.table)}: {printable(table.exposure)}"
    yield Padding.indent(Text(text, "bold" if table.open else ""), 2)
