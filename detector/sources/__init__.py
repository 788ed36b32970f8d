"""Sources: paths, standard input and archives, as streams of bytes with a display path.

    for found in walk(["dump.sql.gz", "exports/", "-"]):        # FileRef | Skipped
        for entry in open_entries(found):                       # Entry | Skipped
            while n := entry.readinto(view): ...

They know nothing of rules. Memory is constant: a buffer and a decoder for each level of
nesting. Nothing is ever written to disk.

    walk     paths to files            entry       a file to its entries
    stream   bytes with look-ahead     limits      what a file may cost
    kind     the first bytes
    decode   one compressed frame      inflate     gzip, zstd, bzip2, xz, lzma files
    zips tars containers   archives    utf16       wide encodings to UTF-8 and back
    pgdump   dumps of PostgreSQL in formats of its own
"""

from __future__ import annotations

from detector.sources.entry import (
    Entries,
    Entry,
    RangeReader,
    contents_beside,
    entry_of,
    is_packed,
    open_entries,
    open_range,
)
from detector.sources.limits import Limits
from detector.sources.walk import STDIN, FileRef, printable, walk

__all__ = [
    "STDIN",
    "Entries",
    "Entry",
    "FileRef",
    "Limits",
    "RangeReader",
    "contents_beside",
    "entry_of",
    "is_packed",
    "open_entries",
    "open_range",
    "printable",
    "walk",
]
