"""Named values are judged in batches: whatever is cut, joined or waited for, the same findings.

The documents are those of the training's generator, from seeds that no training uses.
"""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, cut_at

pytest.importorskip("zxcvbn", reason="the generator needs its word lists")

from detector.batch import JUDGED
from detector.mask import Mask
from detector.redact import Redactor
from detector.run import Options, Run
from detector.run import run as run_module
from detector.run.work import PIECE
from detector.scanner import Scanner
from detector.stream import Stream, Window
from detector.types import Finding
from models.generate import Document, documents

seeds = st.integers(1_000_000, 2_000_000)
SEPARATE = b"\n" + b" \n" * 100  # more than any judge looks back


@lru_cache(maxsize=8)
def drawn(seed: int, count: int) -> list[Document]:
    return list(documents(seed, count))


@lru_cache(maxsize=1)
def many() -> bytes:
    """Some 250 kB, dense with named values."""
    return b"\n".join(document.text for document in drawn(1_000_000, 400))


@pytest.fixture(scope="module")
def reference() -> Scanner:
    return Scanner(builtin_rules(), engine="aho-corasick")


def streamed(pieces: list[bytes], path: str = "") -> list[Finding]:
    stream = Stream(builtin_scanner(), path=path)
    return [found for piece in pieces for found in stream.feed(piece)] + stream.close()


def test_there_is_something_to_compare() -> None:
    findings = builtin_scanner().scan(many())
    named = [found for found in findings if found.rule.startswith("generic-")]
    assert len(named) > 2 * JUDGED


@settings(max_examples=100)
@given(seeds)
def test_engines_agree(reference: Scanner, seed: int) -> None:
    (document,) = documents(seed, 1)
    fast = builtin_scanner().scan(document.text, path=document.name)
    assert reference.scan(document.text, path=document.name) == fast


def test_engines_agree_where_a_name_is_a_name_s_value(reference: Scanner) -> None:
    """``password`` is the value of ``key``, and names what comes next: its head has two ends."""
    value = random.Random(1).randbytes(12).hex()
    text = f'[{{ "key": "password", "value": "{value}", "type": "string" }}]'.encode()
    (found,) = builtin_scanner().scan(text)
    assert found.secret.reveal() == value.encode()
    assert reference.scan(text) == [found]


@settings(max_examples=60)
@given(seeds, st.lists(st.integers(0, 1 << 14), max_size=12))
def test_any_cut_of_any_document(seed: int, cuts: list[int]) -> None:
    text = b"\n".join(document.text for document in documents(seed, 3))
    whole = builtin_scanner().scan(text, path="a.conf")
    assert streamed(list(cut_at(text, cuts)), "a.conf") == whole


@pytest.mark.parametrize("size", [1, 3, 89, 4099])
def test_pieces_of_one_size(size: int) -> None:
    text = many()[: 1 << 14 if size < 9 else None]
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert streamed(pieces) == builtin_scanner().scan(text)


@pytest.mark.parametrize("size", [700, 50_000, 1 << 20])
def test_who_waits_for_a_batch_gets_the_same(size: int) -> None:
    """A run lets matches wait until the model has a batch; a stream gives them at once."""
    text = many()
    window = Window(builtin_scanner(), prompt=False)
    clusters = []
    for begin in range(0, len(text), size):
        piece = text[begin : begin + size]
        window.space()[: len(piece)] = piece
        clusters += window.commit(len(piece))
    found = builtin_scanner().findings(clusters + window.finish(), "")
    assert found == builtin_scanner().scan(text)
    assert all(a.start <= b.start for a, b in pairwise(found))


def test_a_document_is_judged_alone() -> None:
    """Whatever else the scanned bytes and the batch hold."""
    texts = [SEPARATE + document.text + b"\n" for document in drawn(1_000_003, 150)]
    apart = builtin_scanner().scan_many(texts)
    together, base = [], 0
    for text, findings in zip(texts, apart, strict=True):
        together += [(f.rule, base + f.start, base + f.end, f.confidence) for f in findings]
        base += len(text)
    whole = builtin_scanner().scan(b"".join(texts))
    assert [(f.rule, f.start, f.end, f.confidence) for f in whole] == together
    assert apart == [builtin_scanner().scan(text) for text in texts]


# redaction


@settings(max_examples=60)
@given(seeds, st.lists(st.integers(0, 1 << 14), max_size=9), st.sampled_from(list(Mask)))
def test_any_cut_is_redacted_like_the_whole(seed: int, cuts: list[int], mask: Mask) -> None:
    text = b"\n".join(document.text for document in documents(seed, 2))
    redactor: Redactor[Any] = Redactor(builtin_scanner(), mask=mask)
    out = b"".join([*map(redactor.feed, cut_at(text, cuts)), redactor.close()])
    assert out == builtin_scanner().redact(text, mask=mask).text


@settings(max_examples=100)
@given(seeds)
def test_nothing_but_secrets_is_changed(seed: int) -> None:
    """Every stretch of bytes that a redaction changed is, or overlaps, a secret's place."""
    text = b"\n".join(document.text for document in documents(seed, 2))
    clean, findings = builtin_scanner().redact(text, mask="stars")
    assert len(clean) == len(text)
    places = {at for found in findings for at in range(found.start, found.end)}
    changed = [at for at, (a, b) in enumerate(zip(text, clean, strict=True)) if a != b]
    for _, run in groupby(enumerate(changed), lambda pair: pair[1] - pair[0]):
        assert places.intersection(at for _, at in run)
    for found in findings:
        assert set(clean[found.start : found.end]) == {42}


@pytest.mark.parametrize("mask", list(Mask))
def test_what_is_redacted_is_clean(mask: Mask) -> None:
    """But for one document in 200: a mask is something else around its neighbour than a secret
    was, and what the model held for none may become one."""
    redacted = [builtin_scanner().redact(d.text, mask=mask).text for d in drawn(1_000_001, 400)]
    left = [found for found in builtin_scanner().scan_many(redacted) if found]
    assert len(left) <= 2, [(f.rule, f.confidence) for found in left for f in found]


# a run over a file in pieces


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers start with the run, not after a while."""
    monkeypatch.setattr(run_module, "HEAD_START", 0)


def test_a_large_file_in_pieces(tmp_path: Path, at_once: None) -> None:
    """Two cuts, with documents before, across and behind each."""
    filler = b"nothing to see here, please move on\n" * 1000
    texts = [many()[n * 9000 : (n + 1) * 9000] for n in range(6)]
    data = bytearray()
    for cut in (PIECE, 2 * PIECE):
        while len(data) + len(filler) < cut - 20_000:
            data += filler
        data += filler[: cut - 12_000 - len(data)]
        data += texts.pop() + texts.pop() + texts.pop()
    data += filler * 4
    path = tmp_path / "large.conf"
    path.write_bytes(data)
    assert len(data) > 2 * PIECE
    whole = builtin_scanner().scan(bytes(data), path=str(path))
    assert len(whole) > 40
    for jobs in (1, 2):
        assert list(Run(builtin_scanner(), [str(path)], Options(jobs=jobs))) == whole


@pytest.mark.parametrize("piece", [9_001, 40_000])
def test_many_pieces(
    piece: int, tmp_path: Path, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "PIECE", piece)
    path = tmp_path / "file.conf"
    path.write_bytes(many())
    whole = builtin_scanner().scan(many(), path=str(path))
    assert list(Run(builtin_scanner(), [str(path)], Options(jobs=2))) == whole


def test_a_copied_scanner_judges_the_same() -> None:
    """A worker's scanner is a pickle of the first one's."""
    import pickle

    again = pickle.loads(pickle.dumps(builtin_scanner()))
    text = many()[:40_000]
    fields = [msgspec.structs.asdict(found) for found in again.scan(text)]
    assert fields == [msgspec.structs.asdict(found) for found in builtin_scanner().scan(text)]
