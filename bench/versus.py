"""This program beside its peers: ``python -m bench.versus [--corpus …] [--peers …] [--quick]``.

Three tables: whole files on the command line, files in process, single messages. What was
found is held against what was planted before any time is printed. The raw numbers go to
``bench/record/``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import in_process
from bench.corpora import corpus
from bench.peers import LIBRARIES, PEERS, Peer, environment, install
from bench.planting import files, planted
from bench.recall import recall

RECORD = Path(__file__).with_name("record")
LAUNCH = Path(__file__).with_name("launch.py")
TIMEOUT = 900.0
MESSAGES_ONLY = {"detect-secrets", "betterleaks-lib"}  # minutes for a whole corpus
SMALL = 2_000_000  # bytes; below, start-up is all that a ratio would compare
LONG = 20.0  # seconds; a run that takes longer is not repeated


def timed(argv: list[str], env: dict[str, str], core: int) -> dict[str, Any]:
    """Run a command on one core: wall and CPU seconds, peak memory of the largest process,
    exit status (that of a killed one after ``TIMEOUT`` is -9)."""
    launch = [sys.executable, str(LAUNCH), str(TIMEOUT), "taskset", "-c", str(core), *argv]
    out = subprocess.run(launch, env=env, check=True, stdout=subprocess.PIPE).stdout
    return dict(json.loads(out))


def on_files(peer: Peer, name: str, scratch: Path, *, repeat: int, core: int) -> dict[str, Any]:
    """One peer over one corpus: medians of time and memory, and what it found."""
    target = corpus(name, scale=peer.share)
    env = environment(scratch)
    runs: list[dict[str, Any]] = []
    while len(runs) < repeat and (not runs or runs[-1]["seconds"] < LONG):
        report = scratch / f"{peer.name}-{name}-{len(runs)}.json"
        runs.append(timed(peer.argv(peer.bin, target, report), env, core))
    size = sum(path.stat().st_size for path in files(target))
    failed = any(run["status"] not in peer.ok for run in runs)
    values = [] if failed else list(peer.values(report))
    seconds = statistics.median(run["seconds"] for run in runs)
    cpu = statistics.median(run["cpu"] for run in runs)
    counted = recall(planted(target), values, hashed=peer.hashed)._asdict()
    return {
        "peer": peer.name, "corpus": name, "share": peer.share, "bytes": size, "runs": len(runs),
        "seconds": seconds, "cpu": cpu, "mb_s": size / seconds / 1e6,
        "mb_cpu_s": size / cpu / 1e6, "peak_mb": max(run["peak_mb"] for run in runs),
        "status": runs[-1]["status"], "failed": failed, "findings": len(values), **counted,
    }  # fmt: skip


def start_up(peer: Peer, scratch: Path, core: int) -> float:
    """CPU seconds for next to nothing: start-up with rule caches built. The first run, which
    builds them, is not counted."""
    target = scratch / "empty.txt"
    target.write_text("nothing here\n")
    report = scratch / f"{peer.name}-start.json"
    argv = peer.argv(peer.bin, target, report)
    return min(float(timed(argv, environment(scratch), core)["cpu"]) for _ in range(3))


def versions(peers: Iterable[Peer]) -> dict[str, str]:
    named = {peer.package: peer.version for peer in peers if peer.package}
    named |= {package: version for package, version in LIBRARIES.values() if package}
    return dict(sorted(named.items()))


def ready(name: str) -> bool:
    """Whether a program can be run here; one that can't be had is named and left out."""
    known = {peer.name: (peer.package, peer.version) for peer in PEERS} | LIBRARIES
    package, version = known[name]
    try:
        if package:
            install(package, version)
    except subprocess.CalledProcessError as error:
        print(f"{name}: left out, its package cannot be installed ({error})", file=sys.stderr)
        return False
    return True


def machine() -> dict[str, Any]:
    cpu = Path("/proc/cpuinfo").read_text().split("model name", 1)[-1].split("\n", 1)[0]
    return {"cores": os.cpu_count(), "cpu": cpu.strip("\t :"), "python": platform.python_version()}


def compare_files(
    peers: list[Peer], corpora: list[str], *, repeat: int, core: int
) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        for peer in peers:
            startup = start_up(peer, scratch, core)
            for name in corpora:
                row = on_files(peer, name, scratch, repeat=repeat, core=core)
                told = f"{peer.name} on {name}: {row['mb_s']:.1f} MB/s"
                print(told, file=sys.stderr, flush=True)
                yield row | {"startup": startup}


def show_files(rows: list[dict[str, Any]]) -> None:
    ours = {
        row["corpus"]: row["mb_cpu_s"]
        for row in rows
        if row["peer"] == "detector" and row["bytes"] > SMALL
    }
    print(
        f"{'corpus':10} {'peer':20} {'found/planted':>16} {'extra':>7} {'MB/CPU s':>8} {'MB/s':>8}"
        f" {'wall s':>8} {'CPU s':>7} {'start s':>7} {'peak MB':>8} {'we are':>8}"
    )
    for row in sorted(rows, key=lambda row: (row["corpus"], -row["mb_cpu_s"])):
        counts = f"{row['found']}/{row['planted']}"
        ratio = f"{ours[row['corpus']] / row['mb_cpu_s']:.1f}x" if row["corpus"] in ours else ""
        odd = "" if row["share"] == 1 else f" on {row['share']:.0%} of it"
        odd += f" FAILED: {row['status']}" if row["failed"] else ""
        print(
            f"{row['corpus']:10} {row['peer']:20} {counts:>16} {row['extra']:>7}"
            f" {row['mb_cpu_s']:>8.1f} {row['mb_s']:>8.1f} {row['seconds']:>8.2f}"
            f" {row['cpu']:>7.2f} {row['startup']:>7.2f} {row['peak_mb']:>8.0f} {ratio:>8}{odd}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="dump,chat,js,js-planted,clean,contexts")
    parser.add_argument("--peers", default=",".join(peer.name for peer in PEERS))
    parser.add_argument("--engines", default=",".join(LIBRARIES), help="in process")
    parser.add_argument("--only", default="files,process,messages", help="which tables")
    parser.add_argument("--quick", action="store_true", help="one run each, short messages bench")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--record", help="name of the record; default: the date")
    options = parser.parse_args()
    names, tables = options.peers.split(","), options.only.split(",")
    peers = [peer for peer in PEERS if peer.name in names and ready(peer.name)]
    record: dict[str, Any] = {"machine": machine(), "versions": versions(peers)}
    if "files" in tables:
        repeat = 1 if options.quick else 3
        rows = compare_files(peers, options.corpus.split(","), repeat=repeat, core=options.core)
        record["files"] = list(rows)
        show_files(record["files"])
    engines = [name for name in options.engines.split(",") if ready(name)]
    if "process" in tables:
        fast = [name for name in engines if name not in MESSAGES_ONLY]
        record["process"] = in_process.compare(fast, quick=options.quick, core=options.core)
        in_process.show(record["process"])
    if "messages" in tables:
        record["messages"] = in_process.messages(engines, quick=options.quick, core=options.core)
        in_process.show_messages(record["messages"])
    RECORD.mkdir(exist_ok=True)
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    (RECORD / f"versus-{options.record or day}.json").write_text(
        json.dumps(record, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
