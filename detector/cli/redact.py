"""``detector redact``."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from detector.cli import options
from detector.cli.report import COMPLETE, FAILED, complain, output
from detector.errors import UsageError
from detector.export import FORMATS, export
from detector.export.columns import ColumnFilter, ColumnMask
from detector.export.hexes import HexFilter
from detector.mask import Mask
from detector.redact import Redactor
from detector.run.judged import judged_columns
from detector.run.layouts import HEAD, kind_of_file
from detector.scanner import Scanner
from detector.sources import STDIN, Entry, open_entries, walk
from detector.tables.layout import Dialect
from detector.tables.sniff import sniff
from detector.types import Skipped

READ = 1 << 20


def redact(
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="A file; standard input by default.")
    ] = STDIN,
    output_file: options.Output = None,
    mask: Annotated[
        Mask,
        typer.Option(
            help="label: the rule's name; stars: as many stars; pseudonym: equal secrets alike."
        ),
    ] = Mask.label,
    rules: options.Rules = "",
    patterns: options.Patterns = None,
    min_confidence: options.MinConfidence = None,
    precision: options.Precisely = None,
    model: options.Model = None,
    engine: options.Engine = "auto",
    decode: options.Decode = False,
) -> int:
    """Write the same bytes with every secret replaced.

    Text goes on as soon as nothing in it can become a secret any more, so it works in a
    pipe that stays open. Exit status: 0 all was read, 2 failed or not.
    """
    scanner = options.make_scanner(
        options.make_rules(rules, patterns),
        min_confidence=min_confidence,
        precision=precision,
        model=model,
        engine=engine,
        decode=decode,
    )
    if output_file and output_file.exists() and path != STDIN and output_file.samefile(path):
        raise UsageError(f"{output_file}: is what is read; write to another file")
    if path != STDIN and (kind := kind_of_file(path)) is not None:
        _say(_export(kind, path, output_file, scanner, mask))
        return COMPLETE
    with _opened(path) as entry:
        head = entry.peek(HEAD)
        dialect = sniff(entry.path, head)
        tables = entry.encoding is None and dialect is not None
        redactors = [Redactor[bytes](scanner, mask=mask, fit=tables) for _ in range(1 + tables)]
        hexes = HexFilter(scanner, mask) if tables else None
        columns = [] if dialect is None else _columns(path, dialect, scanner, mask)
        with output(output_file) as stream:
            found = _copy(entry, redactors, hexes, columns, stream)
    _say(found)
    skipped = [
        *([entry.skipped] if entry.skipped else []),
        *(skip for one in redactors for skip in one.skipped),
    ]
    if missed := sum(one.missed for one in columns):
        reason = f"{missed} values of more than 16 MB were not replaced with their column"
        skipped.append(Skipped(path=path, reason=reason))
    for skip in skipped:
        complain(f"{skip.path or path}: {skip.reason}")
    return FAILED if skipped else COMPLETE


def _say(found: Counter[str]) -> None:
    if found:
        many = ", ".join(f"{rule} {count}" for rule, count in found.most_common())
        complain(f"replaced {found.total()}: {many}")


def _columns(path: str, dialect: Dialect, scanner: Scanner, mask: Mask) -> list[ColumnFilter]:
    """What replaces columns that a scan reports as a whole, before rules look and behind them.
    What is read once only cannot be judged before it is written."""
    if path == STDIN or not Path(path).is_file():
        complain("columns as a whole are not judged in a pipe: only what rules find is replaced")
        return []
    return [
        ColumnFilter(dialect, ColumnMask(columns, mask, scanner.fingerprinter))
        for columns in judged_columns(scanner, path)
    ]


def _export(
    kind: str, path: str, output_file: Path | None, scanner: Scanner, mask: Mask
) -> Counter[str]:
    if kind not in FORMATS:
        raise UsageError(f"{path}: of this kind ({kind}) no copy can be written")
    if output_file is None:
        raise UsageError(f"{path}: is no text; name the copy with --output")
    judged = judged_columns(scanner, path)
    return export(
        kind, Path(path), output_file, scanner, mask, whole=judged.whole, rest=judged.rest
    )


@contextmanager
def _opened(path: str) -> Iterator[Entry]:
    """The one entry of a file that is not packed: what is inside an archive cannot be
    replaced in place. Raises :class:`UsageError`."""
    if Path(path).is_dir():
        raise UsageError(f"{path}: is a folder; name one file")
    (file,) = walk([path])
    if isinstance(file, Skipped):
        raise UsageError(f"{file.path}: {file.reason}")
    with open_entries(file) as entries:
        entry = next(entries, None)
        if isinstance(entry, Skipped):
            raise UsageError(f"{entry.path}: {entry.reason}")
        if entry is None or entry.packed:
            raise UsageError(f"{path}: is compressed or an archive; unpack it first")
        yield entry


def _copy(
    entry: Entry,
    redactors: list[Redactor[bytes]],
    hexes: HexFilter | None,
    columns: list[ColumnFilter],
    stream: IO[bytes],
) -> Counter[str]:
    """``redactors``: one after the other. Beside a mask a value may look like a secret that beside
    what the mask replaced did not: in a table the second one sees to that."""
    found: Counter[str] = Counter() if hexes is None else hexes.found
    buffer = memoryview(bytearray(READ))
    # What the redactor lets go of may end inside a character.
    text = codecs.getincrementaldecoder("utf-8")("surrogatepass")
    more = True
    while more:
        count = entry.readinto(buffer)
        more = count > 0
        clean = bytes(buffer[:count])
        for column in columns[:1]:
            clean = column.feed(clean, final=not more)
        if hexes is not None:
            clean = hexes.feed(clean, final=not more)
        for redactor in redactors:
            clean = redactor.feed(clean)
            if not more:
                clean += redactor.close()
            found.update(finding.rule for finding in redactor.findings)
            redactor.findings.clear()
        for column in columns[1:]:
            clean = column.feed(clean, final=not more)
        if entry.encoding:
            clean = text.decode(clean, final=not more).encode(entry.encoding, "surrogatepass")
        if clean:
            stream.write(clean)
            stream.flush()
    return sum((column.found for column in columns), found)
