"""Labelled findings of a user's own, for ``models.train --extra``.

The file is what ``detector findings label`` makes of ``detector scan --format jsonl``. It holds
places and no values: the values are read from the scanned files again, archives included. What
is not there any more as it was found is skipped, and said, line by line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from detector.errors import UsageError
from detector.features import AFTER, BEFORE
from detector.labels import Found, Labels, read_place
from detector.rules import RuleSet
from detector.sources import STDIN
from models.dataset import Example


def _say(text: str) -> None:
    sys.stderr.write(f"models.extra: {text}\n")


def of_findings(file: Path, say: Callable[[str], None] = _say) -> Iterator[Example]:
    """The labelled ones, but those that the classifier is never asked about.

    ``say`` gets a line for each that is left out. :raises ValueError: for a file that is none of
    a scan's."""
    try:
        labels = Labels(file)
    except UsageError as error:
        raise ValueError(str(error)) from None
    formats = {rule.id for rule in RuleSet.builtin() if not rule.spec.judged}
    for number, found in labels.found.items():
        if found.label is None:
            continue
        if found.rule in formats:
            say(f"{file}:{number}: skipped: the classifier does not judge {found.rule}")
        elif (example := _example(found, file.parent)) is not None:
            yield example
        else:
            say(f"{file}:{number}: skipped: {_why(found)}")


def _example(found: Found, folder: Path) -> Example | None:
    place = read_place(found, folder, BEFORE, AFTER)
    if place is None:
        return None
    group = f"own {Path(found.path).parts[0]}"
    return Example(
        group,
        found.path,
        found.line,
        place.value,
        place.before,
        place.after,
        int(bool(found.label)),
    )


def _why(found: Found) -> str:
    if found.path == STDIN:
        return "what came through standard input cannot be read again"
    return f"not in {found.path} any more as it was found, or DETECTOR_KEY is another"
