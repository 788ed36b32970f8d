"""Documents for training: ``python -m models.generate [--seed N] [--count N]`` shows some.

Every value that a scanner could take for a credential is marked, as a secret or as none.
Whatever is not marked is none either. A document depends on the seed and its number only.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from models.render import Renderer, frames
from models.stanzas import SCENES, Format, Stanza, formats
from models.world import SAMPLE, TEST, World
from models.writer import Mark

__all__ = ["Document", "Mark", "documents"]


class Document(NamedTuple):
    """A file: its path with extension, its bytes, and its values in order, without overlap.
    ``format`` is that of the stanzas, ``scene`` one of ``real``, ``sample``, ``test``."""

    name: str
    text: bytes
    marks: list[Mark]
    format: str
    scene: str


def documents(seed: int, count: int) -> Iterator[Document]:
    """``count`` documents; number N is the same whatever ``count`` is."""
    for number in range(count):
        yield _document(Random(f"{seed}:{number}"))


def _document(rng: Random) -> Document:
    known = formats()
    form = rng.choices(list(known.values()), [_weight(f) for f in known.values()])[0]
    scene = rng.choices(SCENES, [int(n) for n in form.get("scenes", "6 2 2")])[0]
    fit = frames(form, scene) or list(form.wraps)
    frame = rng.choice(fit)
    if scene not in frame.scenes:
        scene = frame.scenes[0]
    made = Renderer(form, scene, rng)
    made.stanza(frame.text, frame.group)
    if not made.out.text().endswith(b"\n"):
        made.out.put("\n")
    text, marks = made.out.text(), _complete(made.out.text(), made.out.marks)
    if form.get("crlf") and rng.random() < 0.4:
        text, marks = _crlf(text, marks)
    return Document(_file(frame, scene, rng), text, marks, form.name, scene)


def _weight(form: Format) -> float:
    return float("".join(form.get("weight", "1")))


def _file(frame: Stanza, scene: str, rng: Random) -> str:
    place = SCENES.index(scene)
    own = frame.files[place] if place < len(frame.files) else ()
    name = rng.choice(own or frame.files[0])
    name = re.sub(r"§(\w+)§", lambda slot: World(rng, "real").fill(slot[1]), name)
    if own:
        return name
    if scene == SAMPLE:
        stem, dot, ext = name.rpartition(".")
        return rng.choice(
            (
                f"docs/{name}",
                f"examples/{name}",
                f"example/{name}",
                f"samples/{name}",
                f"{name}.example",
                f"{name}.sample",
                f"{name}.dist",
                f"{stem}.example{dot}{ext}",
                f"templates/{name}",
                f"{stem}-sample{dot}{ext}",
            )
        )
    if scene == TEST:
        return (
            rng.choice(("test/", "tests/", "spec/", "tests/fixtures/", "src/test/", "testdata/"))
            + name
        )
    return name


_NAMED = re.compile(
    rb"(?i)[\w.\-]{0,40}(?:pass|pwd|secret|token|key|auth|cred|salt|private)[\w.\-]{0,40}"
    rb"[\"'\])]{0,2}[ \t]{0,8}(?::=|=>|->|=(?!=)|:)[ \t]{0,8}"
    rb"(?:\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'|((?:\$?[{(<]{1,2}[^\n{}()<>]{1,80}[})>]{1,2}|[^\s\"'`,;<>{}()\[\]]){1,200}))"
)


def _complete(text: bytes, marks: list[Mark]) -> list[Mark]:
    """With what else stands under a credential's name: stanzas hold no secrets of their own."""
    taken = bytearray(len(text))
    for mark in marks:
        taken[mark.start : mark.end] = b"\1" * (mark.end - mark.start)
    more = []
    for found in _NAMED.finditer(text):
        start, end = found.span(found.lastindex or 0)
        if not any(taken[start:end]):
            more.append(Mark(start, end, False, "code"))
    return sorted([*marks, *more])


def _crlf(text: bytes, marks: list[Mark]) -> tuple[bytes, list[Mark]]:
    shift, before = [0], 0
    for byte in text:
        before += byte == 10
        shift.append(before)
    moved = [m._replace(start=m.start + shift[m.start], end=m.end + shift[m.end]) for m in marks]
    return text.replace(b"\n", b"\r\n"), moved


def shown(document: Document) -> str:
    """The text with ``⟦secret⟧`` and ``⟨none⟩`` around its values: for people."""
    out, at = b"", 0
    for mark in document.marks:
        left, right = ("⟦", "⟧") if mark.secret else ("⟨", "⟩")
        value = document.text[mark.start : mark.end]
        out += document.text[at : mark.start] + left.encode() + value + right.encode()
        at = mark.end
    head = f"===== {document.name} ({document.format}, {document.scene})\n"
    return head + (out + document.text[at:]).decode()


def main() -> None:
    """Print documents."""
    parser = argparse.ArgumentParser(description="Show generated documents.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--format", help="only of this format")
    options = parser.parse_args()
    for document in documents(options.seed, options.count):
        if options.format in (None, document.format):
            sys.stdout.write(shown(document))


if __name__ == "__main__":
    main()
