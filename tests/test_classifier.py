"""The model of a bundle: what it says stays, what is no bundle is refused, nothing is unpickled."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from detector.batch import Batch
from detector.classifier import _COLUMNS, _GROUPS, LEAVES, Arrays, Classifier, Config
from detector.cluster import Case
from detector.errors import ModelError
from detector.features import BAGS, BITS, Candidates, Lookups
from detector.scanner import Scanner
from detector.score import Around, Survivors
from detector.types import CheckResult

BUNDLE = Path(__file__).parent.parent / "models" / "classifier"
VALUE = b"gaZ27Jw9vLQ0"


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier.builtin()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundle, to be damaged."""
    return Path(shutil.copytree(BUNDLE, tmp_path / "bundle"))


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return config


def with_config(folder: Path, **changes: object) -> None:
    (folder / "config.json").write_text(json.dumps(config_of(folder) | changes))


def with_weights(folder: Path, raw: bytes) -> None:
    """Other weights, whose hash is right: whoever can change the one can change the other."""
    (folder / "weights.npz").write_bytes(raw)
    with_config(folder, sha256=hashlib.sha256(raw).hexdigest())


def with_arrays(folder: Path, **changes: object) -> None:
    with np.load(folder / "weights.npz") as file:
        arrays = {name: file[name] for name in Arrays._fields} | changes
    out = io.BytesIO()
    np.savez_compressed(out, **{name: a for name, a in arrays.items() if a is not None})  # type: ignore[arg-type]
    with_weights(folder, out.getvalue())


def array(name: str) -> Any:
    with np.load(BUNDLE / "weights.npz") as file:
        return file[name]


class Trap:
    """Unpickling it ends the test."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return pytest.fail, ("it was unpickled",)


def pickled_member(folder: Path) -> None:
    """``words.npy`` as a pickle: numpy loads members without a magic number as such."""
    out = io.BytesIO()
    with zipfile.ZipFile(folder / "weights.npz") as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickle.dumps(Trap()) if name == "words.npy" else old.read(name))
    with_weights(folder, out.getvalue())


def cut(folder: Path) -> None:
    with_weights(folder, (folder / "weights.npz").read_bytes()[:-9000])


def one_byte(folder: Path) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "weights.npz").write_bytes(raw)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "config.json"),
    "no config": (lambda f: (f / "config.json").unlink(), "config.json"),
    "no weights": (lambda f: (f / "weights.npz").unlink(), "weights.npz"),
    "a folder for weights": (
        lambda f: ((f / "weights.npz").unlink(), (f / "weights.npz").mkdir()),
        "weights.npz",
    ),
    "no JSON": (lambda f: (f / "config.json").write_bytes(b"\xff{"), "config.json"),
    "an unknown field": (lambda f: with_config(f, more=1), "config.json"),
    "a field of another type": (lambda f: with_config(f, slope="steep"), "config.json"),
    "medians of other columns": (lambda f: with_config(f, medians=[0.5]), "config.json"),
    "another format": (lambda f: with_config(f, format=99), "another version"),
    "another layout": (lambda f: with_config(f, layout="0" * 16), "another version"),
    "another hash": (lambda f: with_config(f, sha256="0" * 64), "weights.npz: damaged"),
    "one byte": (one_byte, "weights.npz: damaged"),
    "cut": (cut, "weights.npz"),
    "no archive": (lambda f: with_weights(f, b"PK\3\4" + bytes(99)), "weights.npz"),
    "empty": (lambda f: with_weights(f, b""), "weights.npz"),
    "a pickle": (lambda f: with_weights(f, pickle.dumps(Trap())), "weights.npz"),
    "a pickled member": (pickled_member, "weights.npz"),
    "an array of objects": (
        lambda f: with_arrays(f, words=np.array([Trap()], object)),
        "weights.npz",
    ),
    "an array less": (lambda f: with_arrays(f, leaf=None), "weights.npz"),
    "a tree less": (lambda f: with_arrays(f, leaf=array("leaf")[1:]), "weights.npz"),
    "another dimension": (lambda f: with_arrays(f, feature=array("feature")[0]), "weights.npz"),
    "a number alone": (lambda f: with_arrays(f, feature=np.int16(1)), "weights.npz"),
    "no trees": (
        lambda f: with_arrays(
            f,
            leaf=array("leaf")[:0],
            **{name: array(name)[:, :0] for name in ("feature", "threshold", "mask")},
        ),
        "weights.npz",
    ),
    "a column too many": (
        lambda f: with_arrays(f, feature=np.full_like(array("feature"), _COLUMNS)),
        "weights.npz",
    ),
    "a column below": (
        lambda f: with_arrays(f, feature=np.full_like(array("feature"), -1)),
        "weights.npz",
    ),
    "another type": (
        lambda f: with_arrays(f, passwords=array("passwords").astype("U8")),
        "weights.npz",
    ),
    "no numbers": (
        lambda f: with_arrays(f, bags=np.full_like(array("bags"), np.nan)),
        "weights.npz",
    ),
    "no numbers to compare with": (
        lambda f: with_arrays(f, threshold=np.full_like(array("threshold"), np.nan)),
        "weights.npz",
    ),
    "no likelihoods": (
        lambda f: with_arrays(f, bigrams=np.full_like(array("bigrams"), np.inf)),
        "weights.npz",
    ),
    "far too much": (
        lambda f: with_arrays(f, words=np.zeros(1 << 23, np.uint32)),
        "weights.npz",
    ),
    "a shorter table": (lambda f: with_arrays(f, ranks=array("ranks")[:-1]), "weights.npz"),
    "shorter bags": (lambda f: with_arrays(f, bags=array("bags")[:, :-1]), "weights.npz"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_bundle_is_refused(damage: str, folder: Path) -> None:
    """With a sentence that names the file; never another error, and no half of a model."""
    harm, said = DAMAGE[damage]
    harm(folder)
    with pytest.raises(ModelError) as caught:
        Classifier.load(folder)
    assert str(folder) in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value)) < len(str(folder)) + 200


def test_a_copy_says_the_same(folder: Path, model: Classifier) -> None:
    candidates = Candidates([VALUE, b"your-key"], [b'k="'] * 2, [b'"'] * 2, ["a.py"] * 2)
    said = model(candidates)
    with_arrays(folder)  # written by another library's function
    for other in (Classifier.load(folder), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other(candidates), said)


def test_the_bundle_is_small() -> None:
    assert sum(path.stat().st_size for path in BUNDLE.iterdir()) < 1_000_000


def test_golden_cases() -> None:
    """On documents from a seed, the model says what it said when it was made. The rules may see
    a candidate more or less since then."""
    pytest.importorskip("zxcvbn", reason="the documents need its word lists")
    from models import bundle

    lines = (BUNDLE / "golden.jsonl").read_text().splitlines()
    golden = [json.loads(line) for line in lines]
    wanted, said = by_place(golden), by_place(bundle.golden_cases(Classifier.builtin()))
    common = wanted.keys() & said.keys()
    assert len(common) > 0.9 * max(len(wanted), len(said)) > 50
    for place in common:
        assert said[place] == pytest.approx(wanted[place], abs=1e-3), place


def by_place(cases: list[dict[str, Any]]) -> dict[tuple[object, ...], float]:
    seen: Counter[tuple[object, ...]] = Counter()
    out = {}
    for case in cases:
        place = (case["path"], case["line"], case["length"], case["secret"])
        seen[place] += 1
        out[(*place, seen[place])] = case["confidence"]
    return out


def test_thresholds_are_in_order(model: Classifier) -> None:
    high, balanced, recall = (model.config.thresholds[n] for n in ("high", "balanced", "recall"))
    assert 1 > high > balanced > recall > 0


# explanations


def test_an_explanation_covers_all_columns_once() -> None:
    rows = [row for group in _GROUPS.values() for row in group]
    assert sorted(rows) == list(range(_COLUMNS))
    assert all(_GROUPS.values())


def test_an_explanation_names_what_weighed_most(model: Classifier) -> None:
    candidates = Candidates(
        [VALUE, b"your-password"], [b"password = '"] * 2, [b"'\n"] * 2, ["a.py"] * 2
    )
    secret, none = model.explain(candidates)
    for reasons in (secret, none):
        weights = [abs(reason.weight) for reason in reasons]
        assert weights == sorted(weights, reverse=True)
        assert {reason.what for reason in reasons} <= set(_GROUPS)
    assert sum(reason.weight for reason in secret) > 0 > sum(reason.weight for reason in none)
    assert model.explain(Candidates([VALUE], [b"x"], [b""], [""]))[0]


# training


def fitted(lookups: Lookups) -> Any:
    """A model of a few made-up documents, with its columns."""
    from models import dataset, fit

    examples = dataset.of_documents(77, 200, dataset.Spotter())
    columns = fit.columns_of(dataset.candidates_of(examples), lookups)
    labels = np.array([example.label for example in examples])
    groups = [example.group for example in examples]
    # Of two threads on a busy machine each waits for the other: fifty times as long.
    limits = pytest.importorskip("threadpoolctl").threadpool_limits(1)
    with pytest.MonkeyPatch.context() as patch, limits:
        patch.setattr(fit, "TREES", 12)
        return fit.fit(columns, labels, dataset.weights(examples), groups), columns


@pytest.fixture(scope="module")
def trained(model: Classifier) -> list[Any]:
    pytest.importorskip("sklearn", reason="only training needs it")
    pytest.importorskip("zxcvbn", reason="only training needs it")
    return [fitted(model.lookups) for _ in range(2)]


def test_training_twice_gives_the_same_bytes(trained, model: Classifier, tmp_path: Path) -> None:
    from models import bundle

    for number, (one, columns) in enumerate(trained):
        bundle.write(tmp_path / str(number), one, model.lookups, columns, 1.0, 0.0)
    for name in ("config.json", "weights.npz"):
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()
    assert Classifier.load(tmp_path / "0").config.slope == 1


def test_a_bundle_says_what_was_fitted(trained, model: Classifier, tmp_path: Path) -> None:
    """scikit-learn on one side, this package's own arrays on the other."""
    from models import bundle
    from models.fit import sums_of

    one, columns = trained[0]
    bundle.write(tmp_path, one, model.lookups, columns, 0.5, 0.25)
    stacked = np.concatenate([columns.dense.T, sums_of(columns, one.bags)])
    odds = 0.5 * one.votes(columns) + 0.25
    said = Classifier.load(tmp_path).of_columns(stacked)
    assert said == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-5)


@pytest.mark.parametrize("kind", ["drawn", "few values", "one value"])
def test_trees_without_a_library(kind: str, model: Classifier) -> None:
    """Also where columns are equal to a threshold, which lies halfway between two values."""
    ensemble = pytest.importorskip("sklearn.ensemble", reason="only training needs it")
    from models import bundle
    from models.fit import Fitted

    rng = np.random.default_rng(5)
    rows = rng.normal(size=(600, _COLUMNS)).astype(np.float32)
    if kind != "drawn":
        rows = np.round(rows) / 2 if kind == "few values" else np.zeros_like(rows)
    labels = (rows[:, 0] + rows[:, 1] * rows[:, 2] + rng.normal(size=600) > 0).astype(int)
    trees = ensemble.HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=LEAVES, random_state=1
    )
    with pytest.importorskip("threadpoolctl").threadpool_limits(1):
        trees.fit(rows, labels)
    arrays, base = bundle.arrays_of(
        Fitted(np.zeros((len(BAGS), 1 << BITS), np.float32), trees), model.lookups
    )
    config = msgspec.structs.replace(model.config, base=base, slope=1.0, offset=0.0)
    assert isinstance(config, Config)
    halfway = rows[:300] / 2 + rows[300:] / 2
    for given in (rows, halfway, rows * 3):
        said = Classifier(config, arrays).of_columns(np.ascontiguousarray(given.T))
        assert said == pytest.approx(trees.predict_proba(given)[:, 1], abs=1e-5)


# secrecy


def test_nothing_shows_a_value() -> None:
    """Whatever ends up in a traceback or a log: names and counts, never the bytes."""
    around = Around(b"key='" + VALUE, b"'" + VALUE)
    rules = Scanner().rules
    rows = np.zeros(1, np.int64)
    shown: list[object] = [
        Candidates([VALUE], [VALUE], [VALUE], ["a"]),
        around,
        Survivors(rules, rows, [VALUE], [], {}, {0: around}, [0]),
        Batch([0], [12], [0], [VALUE], [], [1], [1], [None], {0: VALUE}, {0: around}),
        Case(0, 12, rules[0], VALUE, CheckResult(), 1, 1, None, 0, around),
    ]
    for one in shown:
        for text in (repr(one), str(one), f"{one}", repr([one])):
            assert VALUE.decode() not in text, type(one)


def test_an_example_does_not_show_its_value() -> None:
    pytest.importorskip("zxcvbn", reason="only training needs it")
    from models.dataset import Example

    assert VALUE.decode() not in repr([Example("group", "a.py", 1, VALUE, VALUE, VALUE, 1)])
