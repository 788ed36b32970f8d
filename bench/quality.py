"""Precision and recall on labelled files, beside the peers: ``python -m bench.quality [--write]``.

The labelled data lies outside of the checkout (``models.creddata`` says where), and
``bench.matching`` has the rule. With ``--write`` the figures go to ``bench/record/quality.json``,
so that a change of rules or of the model shows there what it did, and the curves to
``quality.svg`` beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from bench import places, quality_picture
from bench.matching import CONVENTIONS, DRAWS, Estimate, Report, evaluate
from bench.peers import PEERS, Peer
from bench.versus import ready
from models import creddata
from models.creddata import SEED, Data, Form

RECORD = Path(__file__).with_name("record") / "quality.json"
AT = 0.5  # this program's --min-confidence where none is given
STEP = 0.02  # of recall, between the points of a curve that are kept

JUDGED = [peer for peer in PEERS if peer.name == "detector" or peer.places]

Row = dict[str, Any]


def measured(peer: Peer, data: Data, form: Form, role: str) -> Row:
    """One program on one form of the files."""
    files = creddata.files(data, form)
    if peer.name == "detector":
        flagged, at = places.of_detector(files), AT
    else:
        flagged, at = places.of_peer(peer, files, f"{form}/{role}"), peer.point
    units = creddata.units(data.rows)
    report = evaluate(flagged, units, at=at)
    return row(peer.version, report, evaluate(flagged, units, at=at, without=CONVENTIONS))


def row(version: str, report: Report, without: Report) -> Row:
    """What is recorded of one program; ``without`` leaves out UUIDs, salts and nonces."""
    best = report.precision_at(0.8)
    return {
        "version": version,
        "least_score": round(report.at, 4),
        "found": report.found,
        "false": report.false,
        "outside": report.outside,
        **_estimates(report),
        "precision_at_recall_0.8": None if best is None else round(best, 4),
        "without_conventions": _estimates(without),
        "categories": {
            name: f"{n.found}/{n.positive} found, {n.false}/{n.negative} false"
            for name, n in report.categories.items()
            if n.positive or n.false
        },
        "curve": thinned(report.curve),
    }


def _estimates(report: Report) -> Row:
    def rounded(one: Estimate | None) -> list[float] | None:
        return None if one is None else [round(value, 4) for value in one]

    return {
        "precision": rounded(report.precision),
        "recall": rounded(report.recall),
        "f1": rounded(report.f1),
        "average_precision": rounded(report.average_precision),
    }


def thinned(curve: Sequence[tuple[float, float]], step: float = STEP) -> list[list[float]]:
    """The first point of a curve in each step of recall, and the last of all."""
    kept: dict[int, tuple[float, float]] = {}
    for point in curve:
        kept.setdefault(int(point[0] / step + 1e-9), point)
    points = list(kept.values())
    if curve and points[-1] != curve[-1]:
        points.append(curve[-1])
    return [[round(value, 4) for value in point] for point in points]


def described(data: Data, role: str) -> Row:
    """What was measured on. Records of other files can't be compared."""
    units = creddata.units(data.rows)
    return {
        "role": role,
        "repositories": len(data.roles),
        "files": len(data.files),
        "positive": sum(unit.positive for unit in units),
        "negative": sum(not unit.positive for unit in units),
        "seed": SEED,
        "draws": DRAWS,
        "sha256": {form: places.digest(creddata.files(data, form))[:16] for form in creddata.FORMS},
    }


def written(record: Row) -> str:
    """JSON with a figure a line, its interval beside it."""
    text = json.dumps(record, indent=1)
    return re.sub(r"\[\s+([\d.,\s]+?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def merged(old: Row, new: Row) -> Row:
    """The new record, with what the old one has of programs that were not run now."""
    if old.get("data") != new["data"]:
        return new
    order = [peer.name for peer in JUDGED]
    both = {form: old.get(form, {}) | new.get(form, {}) for form in creddata.FORMS}
    return {"data": new["data"]} | {
        form: {name: rows[name] for name in order if name in rows} for form, rows in both.items()
    }


def show(record: Row) -> None:
    head = ("recall", "F1", "95 %", "without", "AP", "P at R 0.8", "found", "false", "outside")
    for form in creddata.FORMS:
        if form in record:
            print(f"{form:16} {'precision':>9} " + " ".join(f"{name:>11}" for name in head))
        for name, row in record.get(form, {}).items():
            area = row["average_precision"]
            cells = (
                f"{row['recall'][0]:.3f}", f"{row['f1'][0]:.3f}",
                f"{row['f1'][1]:.3f}-{row['f1'][2]:.3f}",
                f"{row['without_conventions']['f1'][0]:.3f}", f"{area[0]:.3f}" if area else "",
                f"{row['precision_at_recall_0.8'] or 0:.3f}", row["found"], row["false"],
                row["outside"],
            )  # fmt: skip
            print(f"{name:16} {row['precision'][0]:>9.3f} " + " ".join(f"{c:>11}" for c in cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="default: DETECTOR_CREDDATA, ../shared/creddata")
    parser.add_argument("--role", default="val", help="which repositories: val, train, train-cap")
    parser.add_argument("--form", choices=[*get_args(Form), "both"], default="both")
    parser.add_argument("--peers", default=",".join(peer.name for peer in JUDGED))
    parser.add_argument("--write", action="store_true", help="into bench/record, role val only")
    options = parser.parse_args()
    if options.write and options.role != "val":
        parser.error("--write: the record is that of the role val")
    try:
        data = creddata.load(options.data, [options.role])
    except FileNotFoundError as error:
        parser.error(str(error))
    if not data.rows:
        parser.error(f"--role: no repository has the role {options.role}")
    names = options.peers.split(",")
    peers = [peer for peer in JUDGED if peer.name in names and ready(peer.name)]
    record: Row = {"data": described(data, options.role)}
    for form in creddata.FORMS if options.form == "both" else [options.form]:
        record[form] = {}
        for peer in peers:
            print(f"{peer.name} on {form}", file=sys.stderr, flush=True)
            record[form][peer.name] = measured(peer, data, form, options.role)
    show(record)
    if options.write:
        old = json.loads(RECORD.read_bytes()) if RECORD.exists() else {}
        record = merged(old, record)
        RECORD.write_text(written(record))
        quality_picture.draw(record, RECORD.with_suffix(".svg"))


if __name__ == "__main__":
    main()
