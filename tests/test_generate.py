"""Documents for training: their marks lie where they say, and a seed gives the same ones."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("zxcvbn", reason="only training needs it")

from models.generate import Document, documents, shown
from models.stanzas import SCENES, formats, parse

ROOT = Path(__file__).parent.parent
COUNT = 1500
_DIGEST = (
    "import hashlib; from models.generate import documents;"
    "print(hashlib.sha256(repr(list(documents(7, 60))).encode()).hexdigest())"
)


@pytest.fixture(scope="module")
def drawn() -> list[Document]:
    return list(documents(1, COUNT))


def test_marks_lie_in_order_inside_the_text(drawn):
    for document in drawn:
        end = 0
        for mark in document.marks:
            assert end <= mark.start < mark.end <= len(document.text), shown(document)
            end = mark.end


def test_another_process_draws_the_same(drawn):
    own = sha256(repr(list(documents(7, 60))).encode()).hexdigest()
    for salt in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", _DIGEST],
            cwd=ROOT, env={"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert run.stdout.strip() == own


def test_a_document_does_not_depend_on_the_count(drawn):
    assert list(documents(1, 20)) == drawn[:20]
    assert list(documents(2, 20)) != drawn[:20]


def test_every_format_and_every_scene_comes(drawn):
    assert {document.format for document in drawn} == set(formats())
    assert {document.scene for document in drawn} == set(SCENES)
    assert len({document.text for document in drawn}) > 0.99 * COUNT


def test_no_slot_is_left(drawn):
    for document in drawn:
        assert "§" not in document.text.decode(), shown(document)


def test_one_value_is_a_secret_here_and_none_there():
    seen = defaultdict(set)
    for document in documents(3, 6000):
        for mark in document.marks:
            seen[document.text[mark.start : mark.end]].add(mark.secret)
    assert sum(len(said) == 2 for said in seen.values()) > 30
    assert seen[b"admin123"] == {True, False}


def test_both_are_common(drawn):
    secrets = sum(mark.secret for document in drawn for mark in document.marks)
    marks = sum(len(document.marks) for document in drawn)
    assert 0.15 < secrets / marks < 0.6


def test_every_frame_finds_its_stanzas():
    for form in formats().values():
        assert form.wraps, form.name
        for wrap in form.wraps:
            assert wrap.files, (form.name, wrap.group)
            assert "§BODY" not in wrap.text or wrap.group in form.bodies, (form.name, wrap.group)


def test_an_open_slot_is_refused():
    with pytest.raises(ValueError, match="open"):
        parse("x", "%% wrap a | b.txt\nkey = §pw\n")
