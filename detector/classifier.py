"""The trained model: candidates in, calibrated probabilities out, with numpy alone.

Two stages. Hashed n-grams of what stands around a value, in it and in its path have one weight
each; their sums, a sum a bag, stand beside the columns of :mod:`detector.features`. Over both
a few dozen small trees vote. `models/README.md` describes the bundle and how it is made.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Protocol
from zipfile import ZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector._data_path import data_path
from detector.bytetables import word_bits
from detector.entropy import Floats
from detector.errors import ModelError
from detector.features import BAGS, BITS, FEATURES, Candidates, Lookups, columns

FORMAT = 1
NOTABLE = 0.3  # log odds below which nothing is said, but for the first thing
LEAVES = 8  # of a tree, at most: which of them are left fits into a byte
MOST_BYTES = 1 << 24  # of all arrays, unpacked: a bundle of ours has 400 kB
MOST = 1e4  # a weight beyond this is damage, and sums of such could overflow
_COLUMNS = len(FEATURES) + len(BAGS)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``config.json`` of a bundle. ``layout`` names what the columns mean; ``slope`` and
    ``offset`` turn the trees' sum into a calibrated log odds; ``thresholds`` are the least
    confidences of the precision modes; ``sha256`` is that of ``weights.npz``."""

    format: int
    layout: str
    sha256: str
    base: float
    slope: float
    offset: float
    thresholds: dict[str, float]
    medians: tuple[float, ...]


class Arrays(NamedTuple):
    """``weights.npz``. ``T`` trees of up to ``LEAVES`` leaves: ``feature``, ``threshold`` and
    ``mask`` of shape ``(LEAVES - 1, T)``, a mask's bits being the leaves that are left where
    the column is above the threshold; ``leaf`` of shape ``(T, LEAVES)``; ``bags`` of shape
    ``(len(BAGS), 2 ** BITS)``; the rest are the lookups of the features."""

    feature: NDArray[np.int16]
    threshold: Floats
    mask: NDArray[np.uint8]
    leaf: Floats
    bags: NDArray[np.float16]
    passwords: NDArray[np.uint32]
    ranks: NDArray[np.float16]
    words: NDArray[np.uint32]
    bigrams: NDArray[np.float16]


def layout() -> str:
    """A digest of what the columns mean: a bundle made for others is refused."""
    meaning = "\n".join([*FEATURES, *BAGS, str(BITS)])
    return hashlib.sha256(meaning.encode()).hexdigest()[:16]


class Reason(NamedTuple):
    """One thing that spoke for a secret (weight above 0) or against it, in log odds."""

    what: str
    weight: float


class Model(Protocol):
    """What judges candidates, and the tables that it does it with."""

    @property
    def lookups(self) -> Lookups:
        """What the features are made with."""
        ...

    def __call__(self, candidates: Candidates) -> Floats:
        """The probability that each candidate is a secret, of shape ``(n,)``."""
        ...


class Classifier:
    """The model of a bundle. Immutable, safe for threads, picklable."""

    def __init__(self, config: Config, arrays: Arrays) -> None:
        self.config, self.arrays = config, arrays
        self._feature = arrays.feature.astype(np.intp)
        self._threshold = arrays.threshold[:, :, None]
        self._mask = arrays.mask[:, :, None]
        self._leaf = arrays.leaf
        self._bags = arrays.bags.astype(np.float32)
        self._medians = np.array(config.medians, np.float32)
        self.lookups = Lookups(
            arrays.passwords,
            arrays.ranks.astype(np.float32),
            word_bits(arrays.words),
            arrays.bigrams.astype(np.float32),
        )

    @classmethod
    def builtin(cls) -> Classifier:
        """The model that travels with the package. Raises :class:`ModelError`."""
        return _load(data_path("models") / "classifier")

    @classmethod
    def load(cls, folder: str | Path) -> Classifier:
        """The model of a bundle. Raises :class:`ModelError` if it is damaged or another's."""
        return _load(Path(folder))

    def __call__(self, candidates: Candidates) -> Floats:
        """See :class:`Model`."""
        if len(candidates.values) == 1:  # numpy adds up a lone column in another order
            return self(_twice(candidates))[:1]
        return self.of_columns(self.columns(candidates))

    def __reduce__(self) -> tuple[type[Classifier], tuple[Config, Arrays]]:
        return Classifier, (self.config, self.arrays)

    def columns(self, candidates: Candidates) -> Floats:
        """What the trees look at, of shape ``(columns, n)``."""
        dense, bags = columns(candidates, self.lookups)
        sums = [
            np.take(weights, hashes).sum(axis=0)
            for weights, hashes in zip(self._bags, bags, strict=True)
        ]
        return np.concatenate([dense, np.array(sums, np.float32)])

    def of_columns(self, columns: Floats) -> Floats:
        """The same for columns that are there already."""
        odds = self.config.slope * self._votes(columns) + self.config.offset
        probability: Floats = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return probability

    def explain(self, candidates: Candidates) -> list[list[Reason]]:
        """For each candidate what weighed most, the weightiest first: how far the log odds
        would fall if that group of columns were as they are in a middling candidate."""
        columns = self.columns(candidates)
        odds = self.config.slope * self._votes(columns)
        change = np.empty((len(_GROUPS), columns.shape[1]), np.float32)
        for number, rows in enumerate(_GROUPS.values()):
            without = columns.copy()
            without[rows] = self._medians[rows, None]
            change[number] = odds - self.config.slope * self._votes(without)
        names = list(_GROUPS)
        return [
            [
                Reason(names[number], round(float(column[number]), 2))
                for place, number in enumerate(np.argsort(-np.abs(column)))
                if not place or abs(column[number]) >= NOTABLE
            ]
            for column in change.T
        ]

    def _votes(self, columns: Floats) -> Floats:
        """The trees' sum. Each node that says "above" strikes out the leaves on its other side;
        of those that are left the lowest is the one reached (QuickScorer, without a branch)."""
        left = np.full((self._leaf.shape[0], columns.shape[1]), 255, np.uint8)
        for feature, threshold, mask in zip(
            self._feature, self._threshold, self._mask, strict=True
        ):
            left &= np.where(columns[feature] > threshold, mask, np.uint8(255))
        reached = np.take(_LOWEST, left)
        votes: Floats = np.take_along_axis(self._leaf, reached, axis=1).sum(axis=0)
        votes += np.float32(self.config.base)
        return votes


def _twice(candidates: Candidates) -> Candidates:
    values, before, after, paths = map(list, candidates)
    return Candidates(2 * values, 2 * before, 2 * after, 2 * paths)  # type: ignore[arg-type]


_LOWEST = np.array([(n & -n).bit_length() - 1 if n else 0 for n in range(256)], np.intp)


@lru_cache(maxsize=4)
def _load(folder: Path) -> Classifier:
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=Config)
        raw = (folder / "weights.npz").read_bytes()
    except OSError as error:
        where = error.filename or folder
        raise ModelError(f"{where}: {error.strerror or 'cannot be read'}") from None
    except msgspec.DecodeError as error:
        raise ModelError(f"{folder / 'config.json'}: {error}") from None
    if config.format != FORMAT or config.layout != layout():
        raise ModelError(f"{folder}: made for another version of this program; train it again")
    if hashlib.sha256(raw).hexdigest() != config.sha256:
        raise ModelError(f"{folder / 'weights.npz'}: damaged, or not the one of its config.json")
    if len(config.medians) != _COLUMNS:
        raise ModelError(f"{folder / 'config.json'}: {len(config.medians)} medians, not {_COLUMNS}")
    return Classifier(config, _arrays(raw, folder / "weights.npz"))


def _arrays(raw: bytes, path: Path) -> Arrays:
    try:
        with ZipFile(BytesIO(raw)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise ValueError
        with np.load(BytesIO(raw), allow_pickle=False) as file:
            arrays = Arrays(**{name: np.asarray(file[name]) for name in Arrays._fields})
    except Exception as error:  # a dozen kinds, by what is wrong with it
        raise ModelError(f"{path}: {type(error).__name__}: not a bundle's arrays") from None
    if not _fits(arrays):
        raise ModelError(f"{path}: arrays of the wrong shape or type")
    return arrays


def _fits(arrays: Arrays) -> bool:
    """Whether nothing in them can be out of reach, and all are numbers of a sound size."""
    trees, passwords = arrays.feature.shape[-1:], arrays.passwords.shape
    nodes = (LEAVES - 1, *trees)
    expected = [
        (np.int16, nodes), (np.float32, nodes), (np.uint8, nodes), (np.float32, (*trees, LEAVES)),
        (np.float16, (len(BAGS), 1 << BITS)), (np.uint32, passwords), (np.float16, passwords),
        (np.uint32, arrays.words.shape), (np.float16, (2, 27, 27)),
    ]  # fmt: skip
    given = list(arrays._asdict().values())
    summed = arrays.leaf, arrays.bags, arrays.ranks, arrays.bigrams
    return (
        [(array.dtype, array.shape) for array in given] == expected
        and len(passwords) == arrays.words.ndim == 1
        and all(array.size for array in given)
        and 0 <= int(arrays.feature.min()) <= int(arrays.feature.max()) < _COLUMNS
        and all(bool((np.abs(array) < MOST).all()) for array in summed)
        and not np.isnan(arrays.threshold).any()  # infinite where a tree has fewer leaves
    )


# What the columns are about, in the words of an explanation; by how their names begin.
_MEANINGS = {
    "what stands right before it": r"bag:near|operator|quoted|escaped|line:[^a-z]",
    "the rest of its line": r"bag:line|line:[a-z]",
    "the lines above": r"bag:above",
    "what follows it": r"bag:after|ends:|rest:|closed",
    "the pieces it is made of": r"bag:value",
    "its length": r"length",
    "its mix of letters, digits and marks": (
        r"entropy|share:|count:|changes|camel|letter_digit|digit_letter|repeats|steps|first|last|hex"
    ),
    "how far it reads like words": r"vowels|english|words",
    "how common or rare it is as a password": r"common|passwordlike",
    "its shape": r"shape:|uuid",
    "what it decodes to": r"base64",
    "its likeness to what stands around it": r"like:",
    "the file it stands in": r"path:|bag:suffix",
}


def _grouped() -> dict[str, list[int]]:
    names = [*FEATURES, *(f"bag:{bag}" for bag in BAGS)]
    return {
        what: [row for row, name in enumerate(names) if re.match(pattern, name)]
        for what, pattern in _MEANINGS.items()
    }


_GROUPS = _grouped()
