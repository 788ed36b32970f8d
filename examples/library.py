"""The library on the files of ``make_examples.py``: ``python examples/library.py DIR``."""
# ruff: noqa: T201, S101 - an example prints what it found, and says what holds

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from detector import Finding, Redactor, Scanner, Stream

# Rules and engine are made ready once. A scanner never changes: share it between threads,
# send it to other processes.
scanner = Scanner()


def in_text(text: str) -> None:
    """For ``str`` offsets count characters, so a slice of the text is the secret."""
    for finding in scanner.scan(text):
        assert len(text[finding.start : finding.end]) == len(finding.secret)
        print(f"text {finding.start}:{finding.end} {finding.rule} {finding.secret}")


def in_bytes(data: bytes) -> None:
    """For ``bytes`` they count bytes. ``reveal`` is the one way to the secret itself."""
    for finding in scanner.scan(data):
        assert data[finding.start : finding.end] == finding.secret.reveal()
        print(f"bytes {finding.privilege} {finding.name}, check {finding.check}")


def in_messages(messages: list[str]) -> None:
    """Many short texts at once: one list of findings for each, and no match across two."""
    for number, findings in enumerate(scanner.scan_many(messages), 1):
        if findings:
            print(f"message {number}: {', '.join(finding.rule for finding in findings)}")


def in_pieces(pieces: Iterable[bytes], path: str) -> Iterator[Finding]:
    """Any cut gives the findings of the whole, each once, as soon as it is certain."""
    stream = Stream(scanner, path=path)
    for piece in pieces:
        yield from stream.feed(piece)
    yield from stream.close()


def redacted(pieces: Iterable[str]) -> Iterator[str]:
    """Text goes on at once, but for what could still become part of a secret."""
    redactor: Redactor[str] = Redactor(scanner)
    for piece in pieces:
        yield redactor.feed(piece)
    yield redactor.close()


def main(directory: Path) -> None:
    """Show all five."""
    lines = (directory / "chat.jsonl").read_text("utf-8").splitlines()
    messages = [json.loads(line)["text"] for line in lines]
    in_text("für später: " + messages[1])
    in_bytes((directory / "bundle.js").read_bytes())
    in_messages(messages)
    dump = (directory / "dump.sql").read_bytes()
    pieces = [dump[begin : begin + 100] for begin in range(0, len(dump), 100)]
    for finding in in_pieces(pieces, "dump.sql"):
        print(f"{finding.path}:{finding.line}:{finding.column} {finding.rule} {finding.confidence}")
    print("".join(redacted(messages[1])))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
