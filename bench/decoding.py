"""Keys in disguise: how many of each format are found in each encoding, and what looking for them
costs: ``python -m bench.decoding [--record] [--all]``.

A cell is the share of the rules' generated samples that are reported at their very place, over all
contexts. Rules that know a value only by what stands around it are left out: they are no formats.
Throughput is processor time on bundles, with and without decoders in turns.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict

from bench.corpora import corpus
from bench.disguises import CONTEXTS, DISGUISES
from bench.planting import files
from bench.versus import RECORD, machine
from detector import Scanner
from detector.rules import Rule
from detector.rules.samples import draw

TURNS = 6
SIZE = 40 << 20  # bytes of bundles
MOST = 8192  # bytes of a sample
GROUPS = ("3 or less", "4", "5 or more")


def formats(scanner: Scanner) -> list[Rule]:
    """The rules whose secret can be told without what stands around it."""
    return [
        rule
        for rule in scanner.rules
        if not (rule.spec.judged or rule.spec.keywords or rule.spec.names)
    ]


def group(rule: Rule) -> str:
    """By the bytes that its rule is known to begin with."""
    size = min(len(word) for head in rule.heads.heads for word in head.literals)
    return GROUPS[0] if size <= 3 else GROUPS[1] if size == 4 else GROUPS[2]


def table(scanner: Scanner, seed: int = 1) -> dict[str, dict[str, list[int]]]:
    """By disguise and group: how many were found, told at the right place, and hidden."""
    cells: dict[str, dict[str, list[int]]] = defaultdict(lambda: {g: [0, 0, 0] for g in GROUPS})
    rules = formats(scanner)
    drawn = [(rule, draw(rule, random.Random(f"{seed}/{rule.id}"))) for rule in rules]
    drawn = [(r, s) for r, s in drawn if len(s.text) < MOST and scanner.scan(b" " + s.text + b" ")]
    for name, hide in DISGUISES.items():
        for before, after in CONTEXTS.values():
            hidden = [hide(sample.text) for _, sample in drawn]
            texts = [before + one + after for one in hidden]
            for (rule, sample), one, found in zip(
                drawn, hidden, scanner.scan_many(texts), strict=True
            ):
                cell = cells[name][group(rule)]
                right = [f for f in found if f.secret.reveal() == sample.secret]
                inside = len(before), len(before) + len(one)
                cell[0] += bool(right)
                cell[1] += any(inside[0] <= f.start < f.end <= inside[1] for f in right)
                cell[2] += 1
    return cells


def throughput() -> dict[str, float]:
    """Nanoseconds a byte, without decoders and with them, and the ratio."""
    data = b"".join(path.read_bytes() for path in files(corpus("js")))[:SIZE]
    scanners = {"without": Scanner(), "with": Scanner(decode=True)}
    best = dict.fromkeys(scanners, float("inf"))
    if len(scanners["with"].scan(data)) > len(scanners["without"].scan(data)):
        sys.exit("decoders found something in published bundles; look at it first")
    for _ in range(TURNS):
        for name, scanner in scanners.items():
            begun = time.process_time()
            scanner.scan(data)
            best[name] = min(best[name], (time.process_time() - begun) / len(data) * 1e9)
    return {**best, "ratio": best["with"] / best["without"]}


def main() -> None:
    """Print the table and the throughput; ``--record`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    scanner = Scanner(decode=True)
    cells = table(scanner)
    print(f"{'':16}" + "".join(f"{name:>14}" for name in GROUPS) + f"{'place right':>14}")
    rows = {}
    for name, row in cells.items():
        found, placed, hidden = (sum(row[g][n] for g in GROUPS) for n in range(3))
        shares = [row[g][0] / max(1, row[g][2]) for g in GROUPS]
        rows[name] = {"found": found, "right_place": placed, "hidden": hidden}
        shown = "".join(f"{share:14.1%}" for share in shares)
        print(f"{name:16}{shown}{placed / max(1, found):14.1%}")
    speed = throughput()
    print(f"bundles: {speed['without']:.2f} ns a byte without decoders, {speed['with']:.2f} with")
    print(f"ratio {speed['ratio']:.2f}")
    if options.record:
        kept = {"machine": machine(), "cells": rows, "throughput": speed}
        (RECORD / "decoding.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
