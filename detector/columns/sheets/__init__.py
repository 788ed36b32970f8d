"""Workbooks (XLSX, XLSM): each sheet a table, row by row.

    parts  XML as it streams out of the zip     rows   a sheet's rows, and the strings they share
    book   the package: which sheets there are  table  cells by column, and their headings

The parts are read as they stream out of the zip, so a sheet of any size costs the strings that
the sheets share and no more, and one that is damaged gives what stands before the damage. The
reader of `calamine`, five times as fast, makes a whole rectangle of cells in memory: 98 MB for a
million cells, 3.1 GB for a workbook of 5 kB with two cells far apart; and it gives all of a sheet
or nothing.

ECMA-376 part 1, 18.3.1 (sheets), 18.4 (shared strings), 22.9.2.19 (`_x000D_`).
"""

from __future__ import annotations

from detector.columns.sheets.book import read_sheets

__all__ = ["read_sheets"]
