"""A library that is not installed is named with the command that installs it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from detector import UsageError


@pytest.mark.parametrize(
    ("library", "hook"),
    [("structlog", "structlog"), ("litellm", "litellm"), ("langchain_core", "langchain")],
)
def test_what_to_install(library: str, hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in sys.modules if name.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, f"detector.hooks.{hook}", raising=False)
    with pytest.raises(UsageError, match=rf"pip install 'secrets-leak-detector\[{hook}\]'"):
        importlib.import_module(f"detector.hooks.{hook}")


def test_the_other_hooks_need_nothing_and_the_package_loads_none() -> None:
    code = (
        "import sys, detector; assert 'detector.hooks' not in sys.modules\n"
        "import detector.hooks.logs, detector.hooks.asgi\n"
        "found = {'structlog', 'starlette', 'litellm', 'langchain_core'} & sys.modules.keys()\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
