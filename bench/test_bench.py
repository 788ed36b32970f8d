"""The bench's own tests: corpora are the same every time, and recall counts what it says."""

from __future__ import annotations

import hashlib
import re
import zlib
from pathlib import Path
from random import Random

import pytest

from bench.corpora import corpus
from bench.planting import Planted, Planter, Truth, files, planted, truth_path
from bench.recall import recall
from bench.tokens import ALNUM, BASE62, MAKERS, token

LOCAL = ["dump", "chat", "clean", "base64", "lockfiles", "contexts"]  # the others need npm


@pytest.mark.parametrize("name", LOCAL)
def test_a_corpus_is_the_same_every_time(name: str, tmp_path: Path) -> None:
    first, second = (corpus(name, tmp_path / side, 0.001) for side in "ab")
    for one, other in zip(files(first), files(second), strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert truth_path(first).read_bytes() == truth_path(second).read_bytes()


@pytest.mark.parametrize("name", ["dump", "contexts"])
def test_the_truth_names_whole_tokens_in_place(name: str, tmp_path: Path) -> None:
    found = list(planted(corpus(name, tmp_path, 0.005)))
    assert found
    assert all(len(value) == truth.end - truth.start for truth, value in found)
    heads = {value[:12] for truth, value in found if truth.kind == "moltbook-key"}
    assert heads == {b"moltbook_sk_"}


def test_a_file_that_changed_is_noticed(tmp_path: Path) -> None:
    target = tmp_path / "one.txt"
    with Planter(target) as planter:
        planter.put(b"before ", Planted("kind", b"value"), b" after")
    assert [(t.start, t.end, v) for t, v in planted(target)] == [(7, 12, b"value")]
    target.write_bytes(b"before VALUE after")
    with pytest.raises(ValueError, match="not the file"):
        list(planted(target))


def test_a_broken_build_leaves_no_truth(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Planter(tmp_path / "one.txt") as planter:
        planter.put(b"half of it")
        raise RuntimeError
    assert not truth_path(tmp_path / "one.txt").exists()


@pytest.mark.parametrize("kind", MAKERS)
def test_tokens_are_new_each_time_and_end_on_a_letter_or_digit(kind: str) -> None:
    made = [token(kind, Random(seed)) for seed in range(50)]
    assert len(set(made)) == 50
    assert all(chr(value[-1]) in ALNUM for value in made)


def test_the_checksum_of_a_token_holds() -> None:
    value = token("github", Random(1)).decode()
    number = 0
    for digit in value[-6:]:
        number = number * 62 + BASE62.index(digit)
    assert number == zlib.crc32(value[4:-6].encode())


def _truth(*values: str, kind: str = "k") -> list[tuple[Truth, bytes]]:
    return [(Truth("f", 0, len(v), kind, ""), v.encode()) for v in values]


def test_recall_counts_values_wholes_and_extras() -> None:
    truth = _truth("aaaaaaaaaaaa1", "bbbbbbbbbbbbbb2", "cccccccccccc3")
    said = ["aaaaaaaaaaaa1", "aaaaaaaaaaaa1", "key=bbbbbbbbbbbbbb2;", "ccccc", "other"]
    counted = recall(truth, said)
    assert (counted.planted, counted.found, counted.extra) == (3, 2, 2)
    assert counted.by_kind == {"k": "2/3"}


def test_the_password_of_a_url_is_the_url() -> None:
    url = token("postgres-url", Random(3)).decode()
    password = re.search(r"//[^:]+:([^@]+)@", url)
    assert password is not None
    assert recall(_truth(url, kind="postgres-url"), [password[1]]).found == 1


def test_recall_by_digest() -> None:
    said = [hashlib.sha1(b"aaaa1", usedforsecurity=False).hexdigest(), "0" * 40]
    counted = recall(_truth("aaaa1", "bbbb2"), said, hashed=True)
    assert (counted.found, counted.extra) == (1, 1)


def test_nothing_planted_makes_everything_extra() -> None:
    assert recall([], ["x", "y", "y"])[:3] == (0, 0, 2)
