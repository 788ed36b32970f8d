"""How time grows with the input and with the rules: ``python -m bench.scaling``.

Processor time of ``Scanner.scan`` in one process, best of several turns; the counts are
asserted first: the generated rules must leave the findings as they are.
"""

from __future__ import annotations

import json
import random
import string
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.corpora import corpus
from bench.versus import RECORD, machine
from detector.rules import Rule, RuleSet, RuleSpec
from detector.rules.model import build
from detector.scanner import Scanner
from detector.types import Privilege

TURNS = 5


def generated_rules(count: int, seed: int = 1) -> RuleSet:
    """Rules of the usual shape: a prefix of five to eight bytes and a body of one class."""
    rng = random.Random(seed)
    rules: list[Rule] = []
    seen: set[str] = set()
    while len(rules) < count:
        prefix = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 7))) + "_"
        if prefix in seen:
            continue
        seen.add(prefix)
        body = rng.choice(["[0-9A-Za-z]", "[0-9a-f]", "[0-9A-Za-z_-]"])
        spec = RuleSpec(
            id=f"generated-{len(rules)}",
            name="generated",
            pattern=f"(?P<secret>{prefix}{body}{{{rng.choice([24, 32, 40])}}})",
            privilege=Privilege.full,
            severity="high",
            why="Made for the bench.",
            revoke="nowhere",
            match=("{sample}",),
            no_match=(prefix,),
        )
        rules.append(build(spec, "generated", "Generated", "generated"))
    return RuleSet(rules)


def seconds(work: Callable[[], object]) -> float:
    """The least processor time of several turns."""
    best = float("inf")
    for _ in range(TURNS):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def measure(name: str, plain: Scanner, more: Scanner) -> dict[str, Any]:
    """The figures for one corpus; ends the bench if the generated rules find anything."""
    data = corpus(name).read_bytes()[: 40 << 20]
    half = data[: len(data) // 2]
    found = plain.scan(data)
    if more.scan(data) != found:
        sys.exit(f"{name}: the generated rules changed the findings")
    whole = seconds(lambda: plain.scan(data))
    return {
        "corpus": name,
        "findings": len(found),
        "gb_s": len(data) / whole / 1e9,
        "share_of_bare_pass": seconds(lambda: plain.machinery.engine.find(data)) / whole,
        "twice_the_input": whole / seconds(lambda: plain.scan(half)),
        "ten_times_the_rules": seconds(lambda: more.scan(data)) / whole,
    }


def main() -> None:
    """Print the figures for each corpus, and record them."""
    rules = RuleSet.builtin()
    plain, more = Scanner(rules), Scanner(rules + generated_rules(9 * len(rules)))
    rows = []
    print(f"{len(rules)} rules, then {10 * len(rules)}; processor time, one core")
    for name in ("chat", "oneline", "clean"):
        row = measure(name, plain, more)
        rows.append(row)
        print(
            f"{name:8} {row['findings']:5} findings  {row['gb_s']:.2f} GB/s  "
            f"{row['share_of_bare_pass']:.0%} of the bare pass  "
            f"twice the input {row['twice_the_input']:.2f}x the time  "
            f"ten times the rules {row['ten_times_the_rules']:.2f}x"
        )
    record = {"machine": machine(), "rules": len(rules), "rows": rows}
    (RECORD / "scaling.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
