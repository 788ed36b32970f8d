"""The figures of quality: the matching rule, intervals, kept places, record, table, picture."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bench import places, quality, quality_picture, reports
from bench.matching import CONVENTIONS, Category, evaluate
from bench.peers import Peer
from bench.readme_table import MARKED_QUALITY, inserted
from bench.readme_table import quality as table
from bench.reports import Place
from models.creddata import Unit

ROOT = Path(__file__).parent.parent


def unit(line: int, positive: bool, *cats: str, last: int = 0, repo: str = "r") -> Unit:
    return Unit(f"data/{repo}/f", line, last or line, positive, frozenset(cats or ["Key"]))


def flags(*lines: tuple[int, float], repo: str = "r") -> dict[str, list[tuple[int, float]]]:
    return {f"data/{repo}/f": list(lines)}


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ([], (0, 0, 0)),
        ([10], (1, 0, 0)),
        ([12, 13, 15], (1, 0, 0)),  # one unit is found once
        ([9, 16], (0, 0, 2)),
        ([20], (0, 1, 0)),
        ([14], (1, 0, 0)),  # inside a negative unit, but a positive one covers it
        ([31], (0, 1, 0)),
        ([32], (1, 0, 0)),
        ([31, 32, 99, 99], (1, 1, 1)),
    ],
)
def test_the_matching_rule(lines: list[int], counts: tuple[int, int, int]) -> None:
    units = [
        unit(10, True, last=15), unit(14, False), unit(20, False),
        unit(30, False, last=35), unit(32, True),
    ]  # fmt: skip
    for order in (units, units[::-1]):
        report = evaluate(flags(*((line, 1.0) for line in lines)), order)
        assert (report.found, report.false, report.outside) == counts
        assert (report.positive, report.negative) == (2, 3)


def test_scores_below_the_operating_point_are_not_counted() -> None:
    units = [unit(1, True), unit(2, True), unit(3, False), unit(4, False)]
    said = flags((1, 0.9), (1, 0.1), (3, 0.8), (2, 0.5), (4, 0.2), (9, 0.4))
    report = evaluate(said, units, at=0.5)
    assert (report.found, report.false, report.outside) == (2, 1, 0)
    assert evaluate(said, units, at=0.2)[3:6] == (2, 2, 1)
    assert report.curve == [(0.5, 1.0), (0.5, 0.5), (1.0, 2 / 3), (1.0, 0.5)]
    assert report.average_precision is not None
    assert report.average_precision.value == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert report.precision_at(0.8) == pytest.approx(2 / 3)
    assert report.f1.value == pytest.approx(0.8)


def test_a_program_without_scores_has_no_average_precision() -> None:
    report = evaluate(flags((1, 1.0)), [unit(1, True), unit(2, True)])
    assert report.average_precision is None
    assert report.precision_at(0.8) is None
    assert report.curve == [(0.5, 1.0)]


def test_nothing_flagged_is_no_division_by_zero() -> None:
    report = evaluate({}, [unit(1, True), unit(2, False)])
    assert report[6:9] == ((0, 0, 0),) * 3
    assert report.curve == []
    with pytest.raises(ValueError, match="no units"):
        evaluate({}, [])


def test_units_that_are_conventions_alone_can_be_left_out() -> None:
    units = [unit(1, True, "UUID"), unit(2, True, "UUID", "Token"), unit(3, False, "Salt")]
    said = flags((1, 1.0), (2, 1.0), (3, 1.0))
    report = evaluate(said, units, without=CONVENTIONS)
    assert (report.found, report.positive, report.negative, report.outside) == (1, 1, 0, 0)
    assert evaluate(said, units).categories == {
        "Salt": Category(0, 0, 1, 1),
        "Token": Category(1, 1, 0, 0),
        "UUID": Category(2, 2, 0, 0),
    }


def test_intervals_come_from_whole_repositories() -> None:
    names = [f"r{i}" for i in range(12)]
    units = [unit(line, line < 3, repo=name) for name in names for line in range(1, 6)]
    said = {}
    for name in names[::2]:  # all of every second repository, nothing of the others
        said |= flags((1, 1.0), (2, 0.9), repo=name)
    report = evaluate(said, units)
    assert report.recall.value == 0.5
    assert 0.15 < report.recall.low < 0.35
    assert 0.65 < report.recall.high < 0.85
    assert (report.precision.low, report.precision.high) == (1, 1)
    assert report == evaluate(said, units)
    one = evaluate(said, [u for u in units if u.repo == "r0"])
    assert one.f1 == (1, 1, 1)


def test_average_precision_is_that_of_the_definition() -> None:
    draw = np.random.default_rng(1)
    units = [unit(line, bool(draw.random() < 0.3)) for line in range(1, 200)]
    said = flags(*((u.l0, round(float(draw.random()), 1)) for u in units if draw.random() < 0.8))
    report = evaluate(said, units)
    before, area = 0.0, 0.0
    for recall, precision in report.curve:
        area += (recall - before) * precision
        before = recall
    assert report.average_precision is not None
    assert report.average_precision.value == pytest.approx(area)


def test_a_place_flags_all_of_its_lines_with_its_best_score() -> None:
    said = places.flagged([Place("b", 2, 4, 0.5), Place("b", 3, 3, 0.9), Place("a", 1, 1)])
    assert said == {"a": [(1, 1.0)], "b": [(2, 0.5), (3, 0.9), (4, 0.5)]}


def test_this_program_flags_every_line_of_a_finding() -> None:
    key = base64.b64encode(Random(1).randbytes(600)).decode()
    body = "\n".join(key[i : i + 64] for i in range(0, len(key), 64))
    pem = f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{body}\n-----END RSA PRIVATE {'KEY'}-----\n"
    said = places.of_detector({"one": f"here:\n{pem}".encode(), "none": b"nothing\n"})
    assert list(said) == ["one"]
    assert [line for line, _ in said["one"]] == list(range(2, 2 + pem.count("\n")))


def peer(script: str) -> Peer:
    def argv(_: Path, target: Path, report: Path) -> list[str]:
        return ["sh", "-c", script.format(target=target, report=report)]

    def read(report: Path) -> list[Place]:
        return [Place(line, 1, 1) for line in report.read_text().split()]

    return Peer("fake", "", "1", argv, lambda _: [], places=read)


def test_a_peer_runs_again_only_when_the_files_have_changed(tmp_path: Path) -> None:
    files = {"data/r/one": b"secret", "data/r/two": b""}
    runs = tmp_path / "runs"
    fake = peer(f"echo x >> {runs}; find {{target}} -type f > {{report}}")
    said = places.of_peer(fake, files, "form/val", tmp_path)
    assert said == {"data/r/one": [(1, 1.0)], "data/r/two": [(1, 1.0)]}
    assert places.of_peer(fake, files, "form/val", tmp_path) == said
    assert runs.read_text() == "x\n"
    assert "secret" not in (tmp_path / "form" / "val.fake-1.json").read_text()
    del files["data/r/two"]
    assert list(places.of_peer(fake, files, "form/val", tmp_path)) == ["data/r/one"]


def test_a_peer_that_fails_is_not_taken_for_one_that_finds_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="fake failed with exit status 3"):
        places.of_peer(peer("exit 3"), {"data/r/one": b""}, "form/val", tmp_path)


def test_places_in_the_reports_of_the_peers(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    at = {"path": "f", "start_line": 3, "end_line": 4}
    report.with_suffix(".jsonl").write_text(json.dumps({"finding": {"location": at}}) + "\n{}\n")
    assert list(reports.betterleaks_places(report)) == [Place("f", 3, 4)]
    report.write_text(json.dumps([{"File": "f", "StartLine": 3, "EndLine": 4}]))
    assert list(reports.gitleaks_places(report)) == [Place("f", 3, 4)]
    report.write_text(json.dumps({"finding": {"path": "f", "line": 3, "snippet": "a\nb"}}))
    assert list(reports.kingfisher_places(report)) == [Place("f", 3, 4)]
    report.write_text('["f", 3]\n')
    assert list(reports.detect_secrets_places(report)) == [Place("f", 3, 3)]
    lines = [{"path": "f", "line_num": 3}]
    report.write_text(
        json.dumps([{"ml_probability": p, "line_data_list": lines} for p in (None, 0.7)])
    )
    assert list(reports.credsweeper_places(report)) == [Place("f", 3, 3), Place("f", 3, 3, 0.7)]


def made(f1: float) -> quality.Row:
    report = evaluate(flags((1, 0.9), (2, 0.8)), [unit(1, True), unit(2, False)])
    return quality.row("9", report, report) | {"f1": [f1, f1, f1]}


def test_the_record_has_a_figure_a_line_and_keeps_programs_that_were_not_run() -> None:
    data = {"positive": 1, "negative": 1, "files": 1, "repositories": 1}
    old = {"data": data, "published": {"detector": made(0.1), "gitleaks": made(0.5)}}
    new = {"data": data, "published": {"gitleaks": made(0.6)}, "original": {"gitleaks": made(0.6)}}
    both = quality.merged(old, new)
    assert list(both["published"]) == ["detector", "gitleaks"]
    assert both["published"]["gitleaks"]["f1"] == [0.6, 0.6, 0.6]
    assert quality.merged(old | {"data": {}}, new) == new
    text = quality.written(both)
    assert json.loads(text) == both
    assert '"f1": [0.6, 0.6, 0.6],\n' in text
    assert '"Key": "1/1 found, 1/1 false"' in text
    assert re.search(r"\n +\[1\.0, 0\.5\]\n", text)


def test_a_curve_keeps_one_point_a_step_and_the_last() -> None:
    curve = [(i / 1000, 1.0) for i in range(1, 500)] + [(0.4995, 0.5)]
    kept = quality.thinned(curve, 0.1)
    assert [recall for recall, _ in kept] == [0.001, 0.1, 0.2, 0.3, 0.4, 0.4995]
    assert quality.thinned([]) == []


def test_the_table_has_two_lines_a_program_the_best_first(tmp_path: Path) -> None:
    data = {"positive": 1, "negative": 1, "files": 1, "repositories": 1}
    rows = {"detector": made(0.1), "gitleaks": made(0.5)}
    path = tmp_path / "quality.json"
    path.write_text(json.dumps({"data": data, "published": rows, "original": rows}))
    lines = table(path).splitlines()[4:]
    assert [line.split(" | ")[0] for line in lines] == ["| gitleaks 9"] * 2 + ["| **detector**"] * 2
    assert lines[0] == (
        "| gitleaks 9 | published | 0.50 | 1.00 | 0.50 (0.50 to 0.50) | 0.67 | 1.00 | 1.00 |"
    )
    assert table(tmp_path / "none.json") == "There is no record yet."


def test_the_readme_has_the_table_of_the_record() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert inserted(readme, table(), MARKED_QUALITY) == readme


def test_the_picture_is_that_of_the_record(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the bench extra is not installed")
    record = json.loads(quality.RECORD.read_bytes())
    for name in ("one.svg", "two.svg"):
        quality_picture.draw(record, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
