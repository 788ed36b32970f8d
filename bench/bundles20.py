"""Published packages as a website would ship them: false alarms, and the speed beside a peer's.

``python -m bench.bundles20 [--record]`` scans the corpora of packages as ``detector scan`` does,
source maps and all, and prints whatever is found, a line each. Then both engines scan the same
bundles from memory in turns, and one line of 50 MB beside the same bytes in lines.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.corpora import corpus
from bench.in_process import Remote
from bench.planting import files
from bench.versus import RECORD, machine
from detector import Finding, Scanner
from detector.run import Run

CORPORA = ("js", "minified", "locales", "maps")
MOST = 1.0  # false alarms in 10 MB
LEAST_BYTES = 300_000_000
PEER = "kingfisher-sdk"
LINE = 200  # bytes from which on the lines of the other copy end at the next statement


def alarms(name: str, scanner: Scanner) -> tuple[dict[str, Any], list[str]]:
    """What is found in a corpus in which nothing was planted. A publishable key that a package
    carries is right, and no alarm."""
    target = corpus(name)
    run = Run(scanner, [str(target)])
    found = [one for one in run if isinstance(one, Finding)]
    shown = [
        f"{one.path.removeprefix(f'{target.parent}/')}:{one.line}:{one.column} {one.rule}"
        f" {one.secret} {one.confidence:.2f} {one.severity}"
        for one in found
    ]
    size = sum(path.stat().st_size for path in files(target))
    packages = sum(path.is_dir() for path in target.iterdir())
    publishable = sum(one.privilege == "public" for one in found)
    row = {"corpus": name, "packages": packages, "mb": size / 1e6}
    return {**row, "alarms": len(found) - publishable, "publishable": publishable}, shown


def in_lines(oneline: Path, into: Path) -> Path:
    """The same bytes, but that a blank or a statement's end is a line's end now and then."""
    data, at = bytearray(oneline.read_bytes()), 0
    while (at := data.find(b" ", at + LINE)) >= 0:
        data[at] = 0x0A
    into.write_bytes(data)
    return into


def speeds(engines: list[str], sets: dict[str, list[Path]], *, core: int, turns: int) -> list[Any]:
    """Medians of CPU time, in MB/s; the engines take turns."""
    rows = []
    for name, paths in sets.items():
        with ExitStack() as stack:
            remotes = [stack.enter_context(Remote(engine, core)) for engine in engines]
            sizes = [r.ask("load", paths=[str(path) for path in paths])["bytes"] for r in remotes]
            runs = [[remote.ask("scan") for remote in remotes] for _ in range(turns)]
        for remote, size, *each in zip(remotes, sizes, *runs, strict=True):
            cpu = statistics.median(one["cpu_ns"] for one in each)
            row = {"engine": remote.name, "corpus": name, "mb": size / 1e6}
            rows.append({**row, "mb_cpu_s": size / cpu * 1e3, "found": each[0]["found"]})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="into bench/record/ as well")
    options = parser.parse_args()
    scanner = Scanner()
    counted = [alarms(name, scanner) for name in CORPORA]
    rows = [row for row, _ in counted]
    listed = [line for _, lines in counted for line in lines]
    size = sum(row["mb"] for row in rows)
    count = sum(row["alarms"] for row in rows)
    rate = count / size * 10
    print(*listed, "", *rows, f"{count} in {size:.0f} MB, {rate:.2f} in 10 MB", sep="\n")
    if size * 1e6 < LEAST_BYTES or rate > MOST:
        sys.exit("too many false alarms, or too few bytes")
    with tempfile.TemporaryDirectory() as scratch:
        oneline = corpus("oneline")
        lined = in_lines(oneline, Path(scratch) / "lines.js")
        bundles = {"js": [*files(corpus("js"))]}
        timed = speeds(["detector", PEER], bundles, core=options.core, turns=options.turns)
        both = {"one line": [oneline], "lines": [lined]}
        timed += speeds(["detector"], both, core=options.core, turns=2 * options.turns)
    print(*timed, sep="\n")
    if options.record:
        answer = {"machine": machine(), "alarms": rows, "listed": listed, "speeds": timed}
        path = RECORD / "bundles20.json"
        path.write_text(json.dumps(answer, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
