"""Engines called in process, each in a worker of its own, taking turns.

Turns, because the machine is shared: whatever slows it down for a while slows all of them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from random import Random
from types import TracebackType
from typing import Any, Self

from bench.corpora import SEED, corpus
from bench.peers import HERE, LIBRARIES, VENVS
from bench.planting import files
from bench.prose import message
from bench.tokens import POSTED, token

MESSAGE = 200
CORPORA = ("chat", "js", "dump")


class Remote:
    """A worker process on one core."""

    def __init__(self, name: str, core: int) -> None:
        self.name, package = name, LIBRARIES[name][0]
        python = str(VENVS / package / "bin/python") if package else sys.executable
        env = os.environ | {"PYTHONPATH": str(HERE.parent)} if not package else None
        self._process = subprocess.Popen(
            ["taskset", "-c", str(core), python, str(HERE / "worker.py"), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=env,
        )  # fmt: skip
        self.startup = float(self._answer()["startup"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: the worker ended")
        return dict(json.loads(line))

    def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()


def compare(engines: list[str], *, quick: bool, core: int) -> list[dict[str, Any]]:
    """Whole corpora from memory, in turns: the median speed of each engine."""
    rows = []
    for name in CORPORA:
        paths = [str(path) for path in files(corpus(name))]
        with ExitStack() as stack:
            remotes = [stack.enter_context(Remote(engine, core)) for engine in engines]
            sizes = [remote.ask("load", paths=paths)["bytes"] for remote in remotes]
            turns = [[remote.ask("scan") for remote in remotes] for _ in range(2 if quick else 6)]
        for remote, size, *runs in zip(remotes, sizes, *turns[1:], strict=True):
            wall, cpu = (statistics.median(run[kind] for run in runs) for kind in ("ns", "cpu_ns"))
            rows.append({
                "engine": remote.name, "corpus": name, "findings": runs[0]["found"],
                "mb_s": size / wall * 1e3, "mb_cpu_s": size / cpu * 1e3,
                "startup": remote.startup, "runs": len(runs),
            })  # fmt: skip
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    ours = {row["corpus"]: row["mb_cpu_s"] for row in rows if row["engine"] == "detector"}
    print(
        f"\n{'corpus':10} {'in process':20} {'findings':>9} {'MB/CPU s':>9} {'MB/s':>9}"
        f" {'load s':>7} {'we are':>8}"
    )
    for row in rows:
        ratio = f"{ours[row['corpus']] / row['mb_cpu_s']:.1f}x" if row["corpus"] in ours else ""
        print(
            f"{row['corpus']:10} {row['engine']:20} {row['findings']:>9}"
            f" {row['mb_cpu_s']:>9.1f} {row['mb_s']:>9.1f} {row['startup']:>7.2f} {ratio:>8}"
        )


def texts(rng: Random, *, with_secret: bool, count: int = 200) -> list[str]:
    """Messages of 200 bytes, with or without a secret that starts somewhere inside."""
    made: list[str] = []
    while len(made) < count:
        secret = token(rng.choice(POSTED), rng).decode() if with_secret else ""
        room = MESSAGE - len(secret) - 2 * bool(secret)
        if room < 0:
            continue  # a JWT is longer than the message
        said = message(rng)
        while len(said) < room:
            said += " " + message(rng)
        cut = rng.randrange(room + 1)
        made.append(f"{said[:cut]} {secret} {said[cut:room]}" if secret else said[:room])
    return made


def messages(engines: list[str], *, quick: bool, core: int) -> list[dict[str, Any]]:
    """Microseconds for one message: p50, p99 and p99.9 over single calls, once by the wall
    clock and once by CPU time, which the neighbours on a shared machine don't stretch.

    :raises RuntimeError: when an engine finds none of the planted secrets, so that a
        broken set-up never passes for a fast one."""
    rows = []
    for engine in engines:
        for with_secret in (False, True):
            said = texts(Random(f"{SEED}:messages"), with_secret=with_secret)
            row: dict[str, Any] = {"engine": engine, "with_secret": with_secret, "of": len(said)}
            for clock in ("wall", "cpu"):
                seconds = 1.0 if quick else 5.0
                with Remote(engine, core) as remote:
                    answer = remote.ask("messages", texts=said, seconds=seconds, cpu=clock == "cpu")
                taken = sorted(answer["ns"])
                for p in (50, 99, 99.9):
                    row[f"{clock}_p{p}_us"] = taken[int(len(taken) * p / 100)] / 1e3
                row |= {"findings": answer["found"], f"{clock}_calls": len(taken)}
            if with_secret and not row["findings"]:
                raise RuntimeError(f"{engine}: found no secret in {len(said)} messages")
            rows.append(row)
    return rows


def show_messages(rows: list[dict[str, Any]], ours: str = "detector") -> None:
    """``ours``: the engine that the others are compared with."""
    own = {row["with_secret"]: row["wall_p50_us"] for row in rows if row["engine"] == ours}
    print(
        f"\n{'200-byte message':18} {'secret':>6} {'findings':>9} {'p50 us':>8} {'p99':>8}"
        f" {'p99.9':>8} {'CPU p50':>8} {'p99':>8} {'p99.9':>8} {'we are':>8}"
    )
    for row in rows:
        kind, mine = "yes" if row["with_secret"] else "no", own.get(row["with_secret"])
        ratio = f"{row['wall_p50_us'] / mine:.1f}x" if mine else ""
        times = " ".join(
            f"{row[f'{clock}_p{p}_us']:>8.1f}" for clock in ("wall", "cpu") for p in (50, 99, 99.9)
        )
        print(f"{row['engine']:18} {kind:>6} {row['findings']:>9} {times} {ratio:>8}")
