"""Formats of documents, read from ``models/formats/*.txt``.

A file describes one format. It is divided by lines that begin with ``%%``:

- ``%% set``: how the format writes names, quotes and escapes, one ``key = words`` a line. Of a
  list one is drawn for a document; ``join`` stands between stanzas, but not in ``tight`` groups.
- ``%% wrap GROUP [SCENE...] | REAL NAMES | SAMPLE NAMES | TEST NAMES``: a document's frame. Where
  it has ``§BODY§`` stand stanzas of its group.
- ``%% GROUP [SCENE...]``: a stanza.
- ``%% line``: lines with a name ``§N§`` and a value ``§V§``, each an own way to write them.
- ``%% member``: the same within an object or a call.
- ``%% expr``: what stands in a value's place and refers to it, one a line.

Between two ``§`` stands a slot: see :mod:`models.render`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("formats")
SCENES = ("real", "sample", "test")


class Stanza(NamedTuple):
    """Text with slots, the scenes it is for, and for frames the names of files by scene."""

    group: str
    scenes: tuple[str, ...]
    text: str
    files: tuple[tuple[str, ...], ...] = ()


class Format(NamedTuple):
    """One format. ``lines``, ``members`` and ``exprs`` are templates of one line each."""

    name: str
    settings: dict[str, tuple[str, ...]]
    wraps: tuple[Stanza, ...]
    bodies: dict[str, tuple[Stanza, ...]]
    lines: tuple[str, ...]
    members: tuple[str, ...]
    exprs: tuple[str, ...]

    def get(self, key: str, default: str = "") -> tuple[str, ...]:
        """The words of a setting."""
        return self.settings.get(key) or tuple(default.split())


def _stanza(head: list[str], text: str) -> Stanza:
    group, *scenes = head[0].split()
    for scene in scenes:
        if scene not in SCENES:
            raise ValueError(f"no scene: {scene}")
    return Stanza(group, tuple(scenes) or SCENES, text, tuple(tuple(f.split()) for f in head[1:]))


def _settings(text: str) -> dict[str, tuple[str, ...]]:
    pairs = (line.partition("=") for line in text.splitlines() if line)
    return {key.strip(): tuple(value.split()) for key, _, value in pairs}


def parse(name: str, content: str) -> Format:
    """A format from the content of its file."""
    settings: dict[str, tuple[str, ...]] = {}
    wraps: list[Stanza] = []
    bodies: dict[str, tuple[Stanza, ...]] = {}
    templates: dict[str, tuple[str, ...]] = {"line": (), "member": (), "expr": ()}
    for section in re.split(r"^%% ?", content, flags=re.M)[1:]:
        header, _, text = section.partition("\n")
        head = [part.strip() for part in header.split(" | ")]
        text = text.rstrip("\n")
        if text.count("§") % 2:
            raise ValueError(f"{name}: a slot is open in {text!r}")
        if head[0] == "set":
            settings = _settings(text)
        elif head[0] in templates:
            templates[head[0]] += tuple(line for line in text.splitlines() if line)
        elif head[0].startswith("wrap "):
            wraps.append(_stanza([head[0][5:], *head[1:]], text))
        else:
            stanza = _stanza(head, text)
            bodies[stanza.group] = (*bodies.get(stanza.group, ()), stanza)
    return Format(name, settings, tuple(wraps), bodies, *templates.values())


@functools.cache
def formats() -> dict[str, Format]:
    """Every format by its name, in the order of names."""
    paths = sorted(FOLDER.glob("*.txt"), key=lambda path: path.name)
    return {path.stem: parse(path.stem, path.read_text("utf-8")) for path in paths}


_LEADING = re.compile(r"^( +)", re.M)
_AROUND = re.compile(r"(?<=[,:{}=()])\s+|\s+(?=[{}=()])|\n\s*")


@functools.lru_cache(maxsize=4096)
def pieces(text: str, style: str) -> tuple[str, ...]:
    """Text and slots by turns, text first. ``style``: indentation (``2``, ``4``, ``tab``), a
    ``"`` where single quotes are to be double ones, ``min`` for all on one line."""
    words = style.split()
    if "min" in words:
        text = _AROUND.sub("", text)
    elif unit := next((w for w in words if w in ("tab", "4", "2", "8")), ""):
        one = "\t" if unit == "tab" else " " * int(unit)
        base = min((len(m) for m in _LEADING.findall(text)), default=2)
        text = _LEADING.sub(lambda m: one * (len(m[1]) // base) + " " * (len(m[1]) % base), text)
    if '"' in words and '"' not in text:
        text = text.replace("'", '"')
    return tuple(text.split("§"))
