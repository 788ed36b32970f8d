"""Where the rules and models lie: inside the installed package, or beside the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(kind: str) -> Path:
    """The folder of ``patterns`` or ``models``. Raises FileNotFoundError if it is gone."""
    for folder in (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the package's own '{kind}' folder is missing: reinstall it")
