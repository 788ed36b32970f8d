"""How the package is built: its public names, its import order, what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import detector

ROOT = Path(__file__).parent.parent

PUBLIC = [
    "Action",
    "Baseline",
    "BaselineError",
    "DetectorError",
    "EngineError",
    "Filter",
    "Finding",
    "Mask",
    "ModelError",
    "Policy",
    "Privilege",
    "Redactor",
    "Rule",
    "RuleError",
    "RuleSet",
    "Scanner",
    "Secret",
    "Severity",
    "Skipped",
    "Stream",
    "Summary",
    "UsageError",
    "Verdict",
]


def test_the_public_names_are_these() -> None:
    """Frozen: a name more is a promise more, a name less breaks somebody's program."""
    assert detector.__all__ == PUBLIC
    for name in PUBLIC:
        value = getattr(detector, name)
        assert value.__name__ == name
        assert value.__doc__
    assert set(PUBLIC) <= set(dir(detector))


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'scanne_'"):
        _ = detector.scanne_  # type: ignore[attr-defined]


def test_every_error_is_a_detector_error() -> None:
    for name in PUBLIC:
        if name.endswith("Error"):
            assert issubclass(getattr(detector, name), detector.DetectorError)


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after this statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(detector.__file__).parent.parent,
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"numpy", "hyperscan", "regex", "typer", "rich", "msgspec", "ahocorasick", "sklearn"}
    assert not loaded_by("import detector") & heavy
    # Training's tools are never needed at run time, the command line's not by a library user.
    # The text makes the classifier judge, and say why.
    scan = "detector.Scanner(explain=True, min_confidence=0).scan(b'DB_PASSWORD=hunter2222')"
    scanning = loaded_by(f"import detector; assert {scan}")
    training = {"sklearn", "scipy", "pandas", "joblib", "zxcvbn", "models"}
    assert not scanning & (training | {"typer", "rich", "detector.cli", "detector.sources"})
    assert "detector.classifier" in scanning


def test_every_module_is_in_a_layer() -> None:
    """import-linter holds the order; this holds that no module slips through beside it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = contracts[0]["layers"]
    named = {name.strip() for layer in layers for name in layer.replace(":", "|").split("|")}
    listed = named | {module for c in contracts for module in c.get("modules", [])}
    package = Path(detector.__file__).parent
    modules = {p.stem for p in package.glob("*.py")} | {
        p.parent.name for p in package.glob("*/__init__.py")
    }
    private = {"__init__", "__main__", "_cache", "_data_path"}
    missing = {m for m in modules - private if f"detector.{m}" not in listed}
    assert not missing


def test_no_module_imports_what_may_run_code_from_data() -> None:
    """No pickle, marshal, shelve, eval or exec anywhere; the network for live sites only."""
    network = {"socket", "http", "ssl", "httpcore2"}
    package = Path(detector.__file__).parent
    for path in package.rglob("*.py"):
        forbidden = {"pickle", "marshal", "shelve", "dill", "joblib"}
        if path.parent != package / "site":
            forbidden |= network
        for node in ast.walk(ast.parse(path.read_text())):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = {(node.module or "").partition(".")[0]}
                assert node.module != "urllib.request", path
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, path
            assert not names & forbidden, path


def test_public_things_are_described() -> None:
    """Every public class and function of the package has a docstring."""
    for path in Path(detector.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in tree.body:
            described = isinstance(node, ast.ClassDef | ast.FunctionDef)
            if described and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"
