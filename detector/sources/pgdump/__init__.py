"""Dumps of PostgreSQL that are no SQL text: pg_dump's custom, directory and tar formats.

    contents  which data is which table's      reader   numbers, strings and pieces
    codecs    zlib and LZ4                     dump     the table of contents and the blocks
    copytext  data without its end mark        members  dumps in files, and in archives

All three begin with the same header and table of contents. In the custom format blocks of data
follow in the same file; in the other two ``toc.dat`` stands alone, and each table's data is a file
beside it or a member of the tar. What comes out: the definitions as SQL under the name
``(schema)``, the data of each table under ``public.agents``, each large object as ``blob 12345``.
A file or a member that holds one table keeps its own name in front of that:
``dump/3456.dat.gz!public.agents``. The files of large objects there say what they are themselves,
and stay as they are. A ``toc.dat`` that comes behind the data in an archive comes too late for it.

Format: pg_backup_archiver.h (versions), ReadHead and ReadToc in pg_backup_archiver.c,
pg_backup_custom.c (blocks), pg_backup_directory.c and pg_backup_tar.c (names of files), and
compress_*.c of PostgreSQL 15 to 18. Versions: 1.10 is PostgreSQL 8.0, 1.14 is 12 to 15, 1.15 is
16, 1.16 is 17 and 18.

The library pgdumplib reads only the custom format, and keeps all data of a dump in temporary
files, in plain text: what must never lie on a disk here.
"""

from __future__ import annotations

from detector.sources.pgdump.codecs import LZ4
from detector.sources.pgdump.contents import Contents, Data, is_data_file
from detector.sources.pgdump.copytext import CopyText
from detector.sources.pgdump.dump import TOC, is_dump
from detector.sources.pgdump.members import dump_members, named_members, read_contents

__all__ = [
    "LZ4",
    "TOC",
    "Contents",
    "CopyText",
    "Data",
    "dump_members",
    "is_data_file",
    "is_dump",
    "named_members",
    "read_contents",
]
