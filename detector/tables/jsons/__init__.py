"""JSON: Lines, and files that are one array of objects or an object of such arrays.

structure   strings, brackets, what leads to a byte   samples   for the census
lines       a value a line                            arrays    one value in all
"""

from detector.tables.jsons.arrays import JsonArray, holds_tables
from detector.tables.jsons.lines import JsonLines
from detector.tables.jsons.samples import KEY
from detector.tables.jsons.structure import LEVELS, State

__all__ = ["KEY", "LEVELS", "JsonArray", "JsonLines", "State", "holds_tables"]
