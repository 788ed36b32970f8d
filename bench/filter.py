"""What the filter takes for a message of 200 bytes, beside its peers: ``python -m bench.filter
[--record]``.

Each engine in a process of its own on one core, called one message at a time; p50, p99 and p99.9
over single calls. redact-secret is asked to redact, too. Then eight threads: their verdicts have to
be those of one, and messages a second are told beside those of one thread.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Any

from bench.corpora import SEED
from bench.in_process import messages, show_messages, texts
from bench.peers import HERE, LIBRARIES, install
from detector import Filter

RECORD = HERE / "record" / "filter.json"
ENGINES = ("filter", "kingfisher-sdk", "redact-secret", "redact-secret+redact", "detect-secrets")
AIMS = {"kingfisher-sdk": 10.0, "redact-secret": 5.0, "detect-secrets": 100.0}
"""How many times the filter's time each takes for a clean message at least, so the aim."""
THREADS, ROUNDS = 8, 40


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Of the medians, how many times the filter's they are; the last with a secret in it."""
    clean = {row["engine"]: row["cpu_p50_us"] for row in rows if not row["with_secret"]}
    dirty = {row["engine"]: row["cpu_p50_us"] for row in rows if row["with_secret"]}
    out = {name: clean[name] / clean["filter"] for name in AIMS}
    out["redact-secret+redact"] = dirty["redact-secret+redact"] / dirty["filter"]
    return out


def threads() -> dict[str, Any]:
    """Messages a second of one thread and of eight, which have to agree."""
    both = [*texts(Random(SEED), with_secret=False), *texts(Random(SEED), with_secret=True)]
    check = Filter().check
    expected = [check(text).content for text in both]

    def worked(_: int) -> bool:
        return all([check(t).content for t in both] == expected for _ in range(ROUNDS))

    seconds: dict[int, float] = {}
    for count in (1, THREADS, 1, THREADS):
        with ThreadPoolExecutor(count) as pool:
            begun = time.perf_counter()
            if not all(pool.map(worked, range(THREADS))):
                raise RuntimeError(f"{count} threads: a verdict differs")
            taken = time.perf_counter() - begun
        seconds[count] = min(taken, seconds.get(count, taken))
    total = THREADS * ROUNDS * len(both)
    return {"of_one": total / seconds[1], f"of_{THREADS}": total / seconds[THREADS]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="into bench/record/ as well")
    parser.add_argument("--quick", action="store_true", help="a second for each engine, not five")
    parser.add_argument("--core", type=int, default=0)
    options = parser.parse_args()
    for name in ENGINES:
        if LIBRARIES[name][0]:
            install(*LIBRARIES[name])
    rows = messages([*ENGINES], quick=options.quick, core=options.core)
    show_messages(rows, ours="filter")
    compared, in_threads = ratios(rows), threads()
    for name, ratio in compared.items():
        aim = AIMS.get(name, 1.0)
        print(f"{name}: {ratio:.1f} times the filter's CPU time (aim {aim:g})")
    print("messages a second: " + ", ".join(f"{k} {v:,.0f}" for k, v in in_threads.items()))
    if options.record:
        about = {"on": datetime.now(UTC).date().isoformat(), "python": platform.python_version()}
        made = about | {"messages": rows, "ratios": compared, "threads": in_threads}
        RECORD.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
