"""Labelled findings of a user's own, for ``models.train --extra``.

The file is what ``detector scan --format jsonl`` writes, with ``"label": true`` or ``false`` added
to the findings that somebody has looked at (``detector findings label`` does that). It holds
places and no values: the values are read from the scanned files again, which must be as they were.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.features import AFTER, BEFORE
from models.dataset import Example


def of_findings(file: Path) -> Iterator[Example]:
    """The labelled ones. :raises ValueError: for a line that is no finding or whose file is gone
    or shorter than it was."""
    folder = file.parent
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            found = json.loads(line)
            if found.get("type") == "finding" and isinstance(found.get("label"), bool):
                yield _example(folder, found)
        except (ValueError, KeyError, OSError) as error:
            raise ValueError(f"{file}:{number}: {type(error).__name__}: {error}") from None


def _example(folder: Path, found: dict[str, Any]) -> Example:
    path, start, end = Path(found["path"]), found["start"], found["end"]
    near = folder / path
    text = (near if near.exists() else path).read_bytes()
    if not 0 <= start < end <= len(text):
        raise ValueError("the file has changed since it was scanned")
    before, after = text[max(0, start - BEFORE) : start], text[end : end + AFTER]
    group = f"own {path.parts[0]}"
    return Example(
        group, str(path), found["line"], text[start:end], before, after, int(found["label"])
    )
