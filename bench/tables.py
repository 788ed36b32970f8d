"""Every format of the leaked database, scanned: ``python -m bench.tables [--scale S]``.

Each planted secret has to be found by the right rule in the right table, column and row. Counts
come first: a format whose counts are wrong has no times, unless ``--anyway``. Beside them stand
the same bytes scanned as plain text, and kingfisher on the plain dump.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.database import CACHE, RULES, TABLES, UNKNOWN, Database, Truth, database
from bench.dumps import FORMATS, usual
from bench.peers import PEERS, environment
from bench.planting import files
from bench.versus import RECORD, machine, ready, timed
from detector.fingerprint import Fingerprinter

PEER = "kingfisher+moltbook"
COMPARABLE = 0.95  # of the secrets: who finds less did less work
EXAMPLES = 5  # places kept of those that are wrong
# More than any reader looks at before it decides what a file is.
_FILLER = b"nothing to see here, please move on\n" * 4000

Where = tuple[str, str, int]


class Found(msgspec.Struct):
    """What is compared of a line of the report: a finding, or what was skipped."""

    type: str
    rule: str = ""
    path: str = ""
    table: str | None = None
    field: str | None = None
    row: int | None = None
    fingerprint: str = ""
    reason: str = ""


_JUDGED = ("generic-", f"unknown-token-column in {'.'.join(UNKNOWN)}")


class Compared(msgspec.Struct):
    """Findings beside what was planted. ``found``: by the right rule; of those ``placed`` are
    where they were planted, ``nowhere`` lack table, column or row, ``misplaced`` name others.
    ``repeated``: more findings of a secret than places. ``extra``: by rule and column, what was
    not planted; ``skipped``: what was not read."""

    planted: int = 0
    found: int = 0
    placed: int = 0
    nowhere: int = 0
    misplaced: int = 0
    repeated: int = 0
    missed: dict[str, int] = {}
    extra: dict[str, int] = msgspec.field(default_factory=Counter)
    skipped: list[str] = []
    examples: list[str] = []

    @property
    def right(self) -> bool:
        """All of it, where it is, once, and nothing else by a rule that knows a format. What the
        classifier makes of other text is shown, and no matter of counts."""
        known = sum(n for name, n in self.extra.items() if not name.startswith(_JUDGED))
        return self.planted == self.found == self.placed and not self.repeated and not known


class _Places:
    """The planted places, each taken off once it is reported."""

    def __init__(self, truth: Iterable[Truth]) -> None:
        self._places: dict[str, list[Where]] = defaultdict(list)
        self._open: Counter[str] = Counter()
        self._rules: dict[str, str] = {}
        for one in truth:
            self._places[one.fingerprint].append((one.table, one.column, one.row))
            self._open[one.fingerprint] += 1
            self._rules[one.fingerprint] = one.rule
        self.planted = self._open.total()

    def count(self, found: Found, said: Compared) -> None:
        """One finding. A fingerprint is of secret and rule: another rule's is another one."""
        table = table_of(found)
        places = self._places.get(found.fingerprint)
        if places is None:
            said.extra[f"{found.rule} in {table}.{found.field}"] += 1
            return
        if not self._open[found.fingerprint]:
            said.repeated += 1
            return
        self._open[found.fingerprint] -= 1
        said.found += 1
        if table is None or found.field is None or found.row is None:
            said.nowhere += 1
            return
        for place in places:
            if place[0] == table and place[2] == found.row and within(found.field, place[1]):
                places.remove(place)
                said.placed += 1
                return
        said.misplaced += 1
        if len(said.examples) < EXAMPLES:
            said.examples.append(f"{table}.{found.field}:{found.row} is one of {places[:3]}")

    def missed(self) -> dict[str, int]:
        """Planted and not found, by rule."""
        out: Counter[str] = Counter()
        for secret, count in self._open.items():
            if count:
                out[self._rules[secret]] += count
        return dict(out)


_NAMES = frozenset(table.name for table in TABLES)


def table_of(found: Found) -> str | None:
    """The table without its schema; of a file for each table that says none, the file's name."""
    if found.table is not None:
        return found.table.rsplit(".", 1)[-1].strip('"`')
    name = re.split(r"[/!]", found.path)[-1].split(".", 1)[0]
    return name if name in _NAMES else None


def within(field: str, column: str) -> bool:
    """Whether the field is the column, or a part of what it holds (``meta.env``, ``tags[1]``)."""
    return field == column or (field.startswith(column) and field[len(column)] in ".[/")


def compare(truth: Iterable[Truth], findings: Iterable[Found]) -> Compared:
    """Counts by place. Memory: some hundred bytes for each planted secret."""
    places = _Places(truth)
    said = Compared(planted=places.planted)
    for found in findings:
        if found.type == "skipped":
            said.skipped.append(f"{Path(found.path).name}: {found.reason}")
        elif found.type == "finding":
            places.count(found, said)
    said.missed = places.missed()
    return said


def report(path: Path) -> Iterator[Found]:
    """The lines of a report."""
    decode = msgspec.json.Decoder(Found).decode
    with path.open("rb") as lines:
        yield from map(decode, lines)


def _command(target: Path, out: Path) -> list[str]:
    return [
        str(Path(sys.executable).parent / "detector"), "scan", str(target), "--jobs", "1",
        "--format", "jsonl", "--no-progress", "--output", str(out),
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    """Fingerprints as the truth has them: under the public key."""
    return {name: value for name, value in os.environ.items() if name != "DETECTOR_KEY"}


def on_format(data: Database, name: str, core: int, *, repeat: int = 1) -> dict[str, Any]:
    """One format: counts, the fastest of some runs, and how that compares with plain text."""
    target = data.format(name)
    size = sum(path.stat().st_size for path in files(target))
    with tempfile.TemporaryDirectory(dir=data.folder) as directory:
        out = Path(directory) / "report.jsonl"
        run = _fastest(_command(target, out), core, repeat)
        said = compare(data.truth, report(out))
        row = {"format": name, "bytes": size, **_speed(run, size), **msgspec.to_builtins(said)}
        row["right"] = said.right and run["status"] == 1
        if FORMATS[name].text:
            text = _as_text(target, Path(directory) / "text.bin")
            plain = _fastest(_command(text, out), core, repeat)
            row["text"] = _speed(plain, size)
            row["ratio"] = run["cpu"] / plain["cpu"]
    return row


def _fastest(command: list[str], core: int, repeat: int) -> dict[str, Any]:
    runs = (timed(command, _environment(), core) for _ in range(repeat))
    return min(runs, key=lambda run: float(run["cpu"]))


def _speed(run: dict[str, Any], size: int) -> dict[str, Any]:
    """``cpu`` beside the wall clock: a neighbour hardly stretches it."""
    seconds = run["seconds"]
    return {
        "seconds": seconds, "cpu": run["cpu"], "mb_s": size / seconds / 1e6,
        "peak_mb": run["peak_mb"], "status": run["status"],
    }  # fmt: skip


def _as_text(target: Path, text: Path) -> Path:
    """The same bytes in one file that looks like no table at its beginning."""
    with text.open("wb") as file:
        file.write(_FILLER)
        for path in files(target):
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
    return text


def on_peer(data: Database, core: int) -> dict[str, Any]:
    """Kingfisher with the same rules on the plain dump, and how many distinct secrets it found."""
    peer = next(peer for peer in PEERS if peer.name == PEER)
    target = data.format("plain") / "dump.sql"
    with tempfile.TemporaryDirectory(dir=data.folder) as directory:
        out = Path(directory) / "report.jsonl"
        # It passes over files of more than 256 MB otherwise, and says that all went well.
        argv = [*peer.argv(peer.bin, target, out), "--no-limits"]
        run = timed(argv, environment(Path(directory)), core)
        values = set(peer.values(out))
    secrets = {one.fingerprint for one in data.truth}
    found = secrets & set(_prints(values))
    return {
        "format": PEER, "bytes": target.stat().st_size, **_speed(run, target.stat().st_size),
        "distinct": len(secrets), "distinct_found": len(found), "values": len(values),
        "right": run["status"] in peer.ok and len(found) >= COMPARABLE * len(secrets),
    }  # fmt: skip


def _prints(values: Iterable[str]) -> Iterator[str]:
    """Of each value, and of the password in it where it is a URL, under every planted rule."""
    fingerprint = Fingerprinter()
    for value in values:
        password = re.search(r"//[^:/]+:([^@]+)@", value)
        secret = (password[1] if password else value).encode()
        yield from (fingerprint(rule, secret) for rule in RULES.values())


def show(row: dict[str, Any], *, anyway: bool) -> None:
    """Counts, and times where the counts are right."""
    if "planted" in row:
        print(
            f"{row['format']:15} planted {row['planted']} found {row['found']} placed"
            f" {row['placed']} nowhere {row['nowhere']} misplaced {row['misplaced']} repeated"
            f" {row['repeated']} extra {sum(row['extra'].values())}"
        )
        for name in ("missed", "extra", "skipped", "examples"):
            if row[name]:
                print(f"    {name}: {_few(row[name])}")
    else:
        print(f"{row['format']:15} distinct {row['distinct']} found {row['distinct_found']}")
    if row["right"] or anyway:
        ratio = f", {row['ratio']:.2f}x plain text" if "ratio" in row else ""
        print(
            f"    {row['bytes'] / 1e6:.1f} MB, {row['seconds']:.2f} s, {row['cpu']:.2f} CPU s,"
            f" {row['mb_s']:.1f} MB/s, peak {row['peak_mb']:.0f} MB, status {row['status']}{ratio}"
        )
    else:
        print(f"    not as planted (status {row['status']}): no times")
    sys.stdout.flush()


def _few(items: dict[str, int] | list[str]) -> str:
    if isinstance(items, dict):
        ordered = sorted(items.items(), key=lambda item: -item[1])
        items = [f"{name} {count}" for name, count in ordered]
    more = f" and {len(items) - 12} more" if len(items) > 12 else ""
    return "; ".join(items[:12]) + more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--formats", help="comma-separated; default: those of the scale")
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--no-peer", action="store_true", help="leave kingfisher out")
    parser.add_argument("--anyway", action="store_true", help="times even of wrong counts")
    parser.add_argument("--record", action="store_true", help="into bench/record/ as well")
    options = parser.parse_args()
    names = options.formats.split(",") if options.formats else usual(options.scale)
    peer = not options.no_peer and "plain" in names and ready(PEER)
    data = database(options.scale, names, out=options.out)
    rows = []
    for name in names:
        rows.append(on_format(data, name, options.core, repeat=options.repeat))
        show(rows[-1], anyway=options.anyway)
    if peer:
        rows.append(on_peer(data, options.core))
        show(rows[-1], anyway=options.anyway)
        ours = next(row for row in rows if row["format"] == "plain")
        if (ours["right"] and rows[-1]["right"]) or options.anyway:
            print(f"{PEER} takes {rows[-1]['cpu'] / ours['cpu']:.1f} times the CPU seconds")
    if options.record:
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        said = {"machine": machine(), "scale": options.scale, "formats": rows}
        (RECORD / f"tables-{day}.json").write_text(json.dumps(said, indent=1) + "\n")
    sys.exit(not all(row["right"] for row in rows))


if __name__ == "__main__":
    main()
