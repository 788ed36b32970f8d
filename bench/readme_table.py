"""The README's tables of speed and of quality: ``python -m bench.readme_table [--write]``.

Prints them from the newest records, or with ``--write`` puts them between their markers in
the README. A test holds the README to what this prints, so no number stands there that no
bench printed.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.peers import LIBRARIES, PEERS

README = Path(__file__).parent.parent / "README.md"
RECORD = Path(__file__).with_name("record")
QUALITY = RECORD / "quality.json"
MARKED = re.compile(r"(<!-- bench:start -->\n).*?(<!-- bench:end -->)", re.DOTALL)
MARKED_QUALITY = re.compile(r"(<!-- quality:start -->\n).*?(<!-- quality:end -->)", re.DOTALL)
NONE_YET = "There is no record yet."
SMALL = 2_000_000  # bytes of a corpus; below, start-up is all that would be measured

Row = dict[str, Any]


def newest(folder: Path = RECORD) -> Path | None:
    """The last record by name, those named by their date before those named otherwise."""
    return max(folder.glob("versus-*.json"), default=None, key=_age)


def _age(path: Path) -> tuple[bool, str]:
    return re.fullmatch(r"versus-\d{4}-\d\d-\d\d.*", path.stem) is not None, path.stem


def tables(path: Path | None) -> str:
    """The Markdown between the markers, without a line end."""
    if path is None:
        return NONE_YET
    record = json.loads(path.read_text("utf-8"))
    machine, versions = record["machine"], record["versions"]
    parts = [
        f"Record `{path.name}`: {machine['cpu']}, {machine['cores']} cores of which one is used,"
        f" Python {machine['python']}."
    ]
    if rows := record.get("files"):
        parts += [_FILES, _grid("Command line", rows, "peer", versions, _on_files)]
    if rows := record.get("process"):
        parts += [_PROCESS, _grid("In process", rows, "engine", versions, _in_process)]
    if rows := record.get("messages"):
        parts += [_MESSAGES, _messages(rows, versions)]
    return "\n\n".join([*parts, *_others(path.parent)])


def _others(folder: Path) -> list[str]:
    """What the other benches have recorded, a list item each."""
    items = []
    if memory := _record(folder / "memory.json"):
        items.append(
            f"{memory['gb']:g} GB through standard input: {memory['peak_mb']:.0f} MB of memory at"
            f" the peak, {memory['found']:,} of {memory['found']:,} planted keys found"
            " (`bench.memory`)."
        )
    if start := _record(folder / "startup.json"):
        items.append(
            f"From start to the first result on a small file, caches warm:"
            f" {start['first_result_ms']} ms, of which Python itself {start['python_ms']} ms"
            " (`bench.startup`)."
        )
    if scaling := _record(folder / "scaling.json"):
        items += [_scaling(row, scaling["rules"]) for row in scaling["rows"]]
    return ["Further records:\n\n" + "\n".join(f"- {item}" for item in items)] if items else []


def _scaling(row: Row, rules: int) -> str:
    return (
        f"`{row['corpus']}` with {rules} rules: {row['gb_s']:.2f} GB/s,"
        f" {row['share_of_bare_pass']:.0%} of the bare engine pass; twice the input takes"
        f" {row['twice_the_input']:.2f} times the time, ten times the rules"
        f" {row['ten_times_the_rules']:.2f} times (`bench.scaling`)."
    )


def _record(path: Path) -> Row:
    found: Row = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


_FILES = (
    "Whole runs with start-up: megabytes for each second of CPU time, and in brackets the share of"
    " what was planted that was found; where nothing was planted, how many values were reported"
    " all the same."
)
_PROCESS = "From memory: megabytes for each second of CPU time, and in brackets the findings."
_MESSAGES = "Microseconds for one message of 200 bytes, by the wall clock."


def _grid(corner: str, rows: list[Row], key: str, versions: Row, cell: Callable[[Row], str]) -> str:
    """Programs down, corpora across, both as they come in the record."""
    corpora = dict.fromkeys(row["corpus"] for row in rows)
    cells = {(row[key], row["corpus"]): cell(row) for row in rows}
    labels = {row[key]: _label(row[key], versions) + _part(row) for row in rows}
    body = [
        [label, *(cells.get((name, corpus), "") for corpus in corpora)]
        for name, label in labels.items()
    ]
    return _markdown([corner, *corpora], body)


def _part(row: Row) -> str:
    return "" if row.get("share", 1) == 1 else f", on {row['share']:.0%}"


def _on_files(row: Row) -> str:
    if row["failed"]:
        return f"failed ({row['status']})"
    if row["bytes"] / row["share"] <= SMALL:
        return f"({_found(row)})"
    return f"{_number(row['mb_cpu_s'])} ({_found(row)})"


def _found(row: Row) -> str:
    if not row["planted"]:
        return f"{row['extra']:,} extra"
    # Rounded down: all is said of all only.
    return f"{math.floor(row['found'] / row['planted'] * 1000) / 10:g} %"


def _in_process(row: Row) -> str:
    return f"{_number(row['mb_cpu_s'])} ({row['findings']:,})"


def _messages(rows: list[Row], versions: Row) -> str:
    by_engine: dict[str, dict[bool, Row]] = {}
    for row in rows:
        by_engine.setdefault(row["engine"], {})[row["with_secret"]] = row
    head = ["Messages", "no secret, p50", "p99", "with a secret, p50", "p99"]
    body = [
        [_label(name, versions)]
        + [
            _number(kinds[secret][f"wall_p{p}_us"]) if secret in kinds else ""
            for secret in (False, True)
            for p in (50, 99)
        ]
        for name, kinds in by_engine.items()
    ]
    return _markdown(head, body)


_PACKAGES = {name: package for name, (package, _) in LIBRARIES.items()} | {
    peer.name: peer.package for peer in PEERS
}


def _label(name: str, versions: Row) -> str:
    version = versions.get(_PACKAGES.get(name, ""))
    if name == "detector":
        return "**detector**"
    return f"{name} {version}" if version else name


def _number(value: float) -> str:
    """Three digits: more would claim more than a shared machine can tell."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _markdown(head: list[str], body: Iterable[list[str]], words: int = 1) -> str:
    """A table whose first columns, ``words`` of them, hold words and the others numbers."""
    lines = [head, ["---"] * words + ["---:"] * (len(head) - words), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def quality(path: Path = QUALITY) -> str:
    """The table of ``bench.quality``, two lines a program, best F1 on original values first."""
    record = _record(path)
    if not record:
        return NONE_YET
    data, forms = record["data"], [form for form in ("published", "original") if form in record]
    rows = sorted(record[forms[-1]], key=lambda name: -record[forms[-1]][name]["f1"][0])
    body = [
        [_judged(name, record[form][name]["version"]), form, *_quality(record[form][name])]
        for name in rows
        for form in forms
    ]
    said = (
        f"{data['positive']:,} true and {data['negative']:,} other places in {data['files']:,}"
        f" files of {data['repositories']} repositories, at what each program reports by default."
        " In brackets the 95 % interval over repositories. The average precision (AP) needs"
        " scores, which most do not give; some never reach a recall of 0.8."
    )
    return f"{said}\n\n{_markdown(_QUALITY, body, words=2)}"


_QUALITY = [
    "Program", "Values", "Precision", "Recall", "F1", "F1 without UUID, salt, nonce", "AP",
    "Precision at recall 0.8",
]  # fmt: skip


def _judged(name: str, version: str) -> str:
    return "**detector**" if name == "detector" else f"{name} {version}"


def _quality(row: Row) -> list[str]:
    area, best = row["average_precision"], row["precision_at_recall_0.8"]
    f1, low, high = row["f1"]
    return [
        f"{row['precision'][0]:.2f}",
        f"{row['recall'][0]:.2f}",
        f"{f1:.2f} ({low:.2f} to {high:.2f})",
        f"{row['without_conventions']['f1'][0]:.2f}",
        f"{area[0]:.2f}" if area else "",
        "" if best is None else f"{best:.2f}",
    ]


def inserted(readme: str, text: str, marked: re.Pattern[str] = MARKED) -> str:
    """The README with ``text`` between its markers. Raises ``ValueError`` without them."""
    if not marked.search(readme):
        raise ValueError(f"the README has no markers for {marked.pattern}")
    return marked.sub(lambda found: f"{found[1]}{text}\n{found[2]}", readme)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into the README, not to the screen")
    speed, judged = tables(newest()), quality()
    if parser.parse_args().write:
        readme = inserted(README.read_text("utf-8"), speed)
        README.write_text(inserted(readme, judged, MARKED_QUALITY), "utf-8")
    else:
        print(f"{speed}\n\n{judged}")


if __name__ == "__main__":
    main()
