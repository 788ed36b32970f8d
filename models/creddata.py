"""The labelled data, for training and for the bench: rows, units, files in two forms, folds.

It lies beside the checkout and never in it; no byte of it may be committed. Its README says
what is known to be wrong with it. What matters most here: the values of true rows were
replaced by random letters. So there are two forms of the files: ``published``, as they are,
and ``original``, with common and worded passwords put back by a draw.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

import msgspec
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SEED = 20260131
BESIDE = Path(__file__).parent.parent.parent / "shared" / "creddata"

Form = Literal["published", "original"]
FORMS: tuple[Form, ...] = ("published", "original")
Ranked = tuple[int, str]  # place in a frequency list, from 1, and the word


class Row(msgspec.Struct, frozen=True):
    """One label. ``l0`` and ``l1`` are its first and last line, from 1. The value is
    ``line[vs:ve]``, in characters, or the whole line where ``vs`` is -1; in the file it stands
    ``line_off`` characters further right. ``label``: T true, F false, X template or test."""

    repo: str
    file: str
    ext: str
    l0: int
    l1: int
    label: Literal["T", "F", "X"]
    vs: int
    ve: int
    cats: tuple[str, ...]
    line: str
    line_off: int
    orig_common: bool = False
    orig_word: bool = False

    @property
    def value(self) -> str | None:
        """The value, if its place is known and it lies within one line."""
        located = 0 <= self.vs < self.ve and self.l0 == self.l1
        return self.line[self.vs : self.ve] if located else None


class Unit(NamedTuple):
    """What is counted: lines ``l0`` to ``l1`` of a file, true if any of its rows is. ``cats`` are
    those of its true rows, or of all rows if none is true."""

    file: str
    l0: int
    l1: int
    positive: bool
    cats: frozenset[str]

    @property
    def repo(self) -> str:
        """The repository, which a path has as its second part."""
        return self.file.split("/")[1]


class Data(NamedTuple):
    """Labels, roles of repositories, and the published files by their path."""

    rows: list[Row]
    roles: dict[str, str]
    files: dict[str, bytes]


def load(root: Path | None = None, roles: Iterable[str] | None = None) -> Data:
    """Read the data of some roles (``train``, ``val``, ``train-cap``), or of all, in a second.

    ``root`` is by default what ``DETECTOR_CREDDATA`` says, or ``../shared/creddata`` beside the
    checkout. :raises FileNotFoundError: when it is not there."""
    root = root or Path(os.environ.get("DETECTOR_CREDDATA") or BESIDE)
    if not (root / "units.jsonl.gz").exists():
        raise FileNotFoundError(f"no labelled data in {root}: set DETECTOR_CREDDATA to its folder")
    split = json.loads((root / "split.json").read_bytes())
    wanted = None if roles is None else set(roles)
    kept = {repo: said["role"] for repo, said in split.items()}
    kept = {repo: role for repo, role in kept.items() if wanted is None or role in wanted}
    with gzip.open(root / "units.jsonl.gz") as lines:
        rows = [msgspec.json.decode(line, type=Row) for line in lines]
    return Data([row for row in rows if row.repo in kept], kept, _files(root, kept))


def _files(root: Path, repos: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    with tarfile.open(root / "files.tar.gz") as archive:
        for member in archive:
            top, repo, *_ = [*member.name.split("/"), ""]
            if top == "data" and repo in repos and (file := archive.extractfile(member)):
                found[member.name] = file.read()
    return found


def units(rows: Iterable[Row]) -> list[Unit]:
    """Rows joined by the matching rule, in the order of files and lines."""
    joined: dict[tuple[str, int, int], list[Row]] = defaultdict(list)
    for row in rows:
        joined[row.file, row.l0, row.l1].append(row)
    found = []
    for place, group in sorted(joined.items()):
        true = [row for row in group if row.label == "T"]
        cats = frozenset(cat for row in true or group for cat in row.cats)
        found.append(Unit(*place, bool(true), cats))
    return found


def folds(counted: Iterable[Unit], k: int = 5, seed: int = SEED) -> dict[str, int]:
    """Repository to fold, 0 to ``k`` - 1: a repository is never divided, and each fold gets about
    the same number of positive units as far as the largest repositories allow it."""
    every: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for unit in counted:
        every[unit.repo] += 1
        true[unit.repo] += unit.positive
    repos = sorted(every)
    Random(seed).shuffle(repos)
    load = [(0, 0)] * k
    fold = {}
    for repo in sorted(repos, key=lambda repo: (-true[repo], -every[repo])):
        least = min(range(k), key=load.__getitem__)
        load[least] = load[least][0] + true[repo], load[least][1] + every[repo]
        fold[repo] = least
    return fold


def files(data: Data, form: Form, seed: int = SEED) -> dict[str, bytes]:
    """The files in one form, by path. Every line keeps its length, so labels hold in both."""
    if form == "published":
        return data.files
    changed = dict(data.files)
    flagged = defaultdict(list)
    for row in data.rows:
        if row.label == "T" and (row.orig_common or row.orig_word) and row.value:
            flagged[row.file].append(row)
    for path, rows in flagged.items():
        changed[path] = _put_back(data.files[path], rows, seed)
    return changed


def _put_back(content: bytes, rows: Iterable[Row], seed: int) -> bytes:
    published = content.decode().split("\n")
    lines = list(published)
    for row in rows:
        at, old, start = row.l0 - 1, row.value or "", row.line_off + row.vs
        end = start + len(old)
        if published[at][start:end] != old:
            raise ValueError(f"{row.file}:{row.l0}: the labelled value is not there")
        lines[at] = lines[at][:start] + original(row, seed) + lines[at][end:]
    return "\n".join(lines).encode()


def original(row: Row, seed: int = SEED) -> str:
    """A value like the one that the row had before it was published, as long as the one it has.
    The same value in the same repository is always the same again."""
    old = row.value or ""
    draw = Random(f"{seed}:{row.repo}:{old}")
    new = common(old, draw) if row.orig_common else None
    return worded(old, draw) if new is None else new


def common(old: str, draw: Random) -> str | None:
    """A common password of this length, the nearest in where its letters, digits and marks stand;
    capitals stay where they were, and marks are none but those of ``old``. None if the list has
    none so long."""
    usable, shape = set(old), _shape(old)
    near: dict[int, list[Ranked]] = defaultdict(list)
    for other, known in _passwords().get(len(old), {}).items():
        fits = [one for one in known if all(c.isalnum() or c in usable for c in one[1])]
        if fits:
            near[sum(map(str.__ne__, shape, other))] += fits
    return _cased(_pick(near[min(near)], draw), old) if near else None


_PIECES = re.compile(
    # What is no word, whatever letters it has: escapes, fixed parts, ids and random bytes.
    r"%[0-9A-Fa-f]{2}|\\.|0x[0-9A-Fa-f]+|\beyJ[\w.-]+|\bAKIA\w{16}|\bakab-|\b(?:base64|salt):"
    r"|\.(?:s3\.amazonaws|firebaseio)\.com|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|(?<![0-9A-Za-z])[0-9A-Fa-f]{16,}|[0-9A-Za-z+/]{32,}"
    r"|(?P<word>[A-Z]?[a-z]{3,}|[A-Z]{3,})"
)


def worded(old: str, draw: Random) -> str:
    """``old`` with words in place of its runs of letters; everything else stays."""

    def word(piece: re.Match[str]) -> str:
        return _cased(_words(len(piece[0]), draw), piece[0]) if piece["word"] else piece[0]

    return _PIECES.sub(word, old)


def _words(length: int, draw: Random) -> str:
    whole = 3 <= length <= 12
    first = length if whole else draw.randint(3, min(8, length - 3))
    return _pick(_english()[first], draw) + ("" if whole else _words(length - first, draw))


def _pick(known: list[Ranked], draw: Random) -> str:
    # As people choose (Zipf): the second commonest half as often as the commonest. A flatter draw
    # makes the form too easy: real ones are more often "password" than "flounder".
    return draw.choices(known, [1 / rank for rank, _ in known])[0][1]


@functools.cache
def _passwords() -> dict[int, dict[str, list[Ranked]]]:
    """The 30,000 commonest, by length and shape."""
    found: dict[int, dict[str, list[Ranked]]] = defaultdict(lambda: defaultdict(list))
    for rank, word in enumerate(FREQUENCY_LISTS["passwords"], 1):
        found[len(word)][_shape(word)].append((rank, word))
    return found


@functools.cache
def _english() -> dict[int, list[Ranked]]:
    """The commonest words of the English Wikipedia, by length."""
    found: dict[int, list[Ranked]] = defaultdict(list)
    for rank, word in enumerate(FREQUENCY_LISTS["english_wikipedia"], 1):
        if word.isascii() and word.isalpha():
            found[len(word)].append((rank, word))
    return found


def _shape(text: str) -> str:
    return "".join("a" if c.isalpha() else "0" if c.isdigit() else "." for c in text)


def _cased(new: str, old: str) -> str:
    return "".join(n.upper() if o.isupper() else n for n, o in zip(new, old, strict=True))
