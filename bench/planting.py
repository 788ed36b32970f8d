"""Files with a truth beside them: what was planted where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec


class Planted(NamedTuple):
    """A credential among the parts of a file."""

    kind: str
    value: bytes
    context: str = ""


class Truth(msgspec.Struct, frozen=True):
    """One planted credential: bytes ``[start, end)`` of the file ``path``, which is
    relative to the truth file. ``sha256`` (its first 128 bits) says whether the file
    still is what the truth was written for."""

    path: str
    start: int
    end: int
    kind: str
    sha256: str
    context: str = ""


def digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:32]


def truth_path(target: Path) -> Path:
    """Where the truth of a corpus (a file or a directory) stands."""
    return target.with_name(target.name + ".truth.jsonl")


class Planter:
    """Writes the files of one corpus, and its truth once all of them are there.

    ``with Planter(target) as planter: planter.open(name); planter.put(b"...", Planted(...))``
    where ``target`` is a file (leave ``open`` out) or a directory.
    """

    def __init__(self, target: Path, *, directory: bool = False) -> None:
        self.target, self._directory = target, directory
        self._truth: list[Truth] = []
        self._name, self._at = target.name, 0
        target.parent.mkdir(parents=True, exist_ok=True)
        truth_path(target).unlink(missing_ok=True)  # a broken-off build must not look complete
        if not directory:
            self._file = target.open("wb", buffering=1 << 20)

    def __enter__(self) -> Self:
        return self

    def open(self, name: str) -> None:
        """Start the file ``name`` of a directory corpus."""
        self.close()
        path = self.target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=1 << 20)
        self._name, self._at = f"{self.target.name}/{name}", 0

    def put(self, *parts: bytes | Planted) -> None:
        """Append bytes; what is planted goes into the truth."""
        for part in parts:
            value = part if isinstance(part, bytes) else part.value
            if isinstance(part, Planted):
                end = self._at + len(value)
                self._truth.append(
                    Truth(self._name, self._at, end, part.kind, digest(value), part.context)
                )
            self._file.write(value)
            self._at += len(value)

    def size(self) -> int:
        """Bytes in the open file so far."""
        return self._at

    def close(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
        if kind is None:
            lines = map(msgspec.json.encode, self._truth)
            truth_path(self.target).write_bytes(b"".join(line + b"\n" for line in lines))


def planted(target: Path) -> Iterator[tuple[Truth, bytes]]:
    """The truth of ``target`` with the values, read from the files and compared with
    their hashes. :raises ValueError: when a file has changed since."""
    name, data = "", b""
    with truth_path(target).open("rb") as lines:
        for line in lines:
            truth = msgspec.json.decode(line, type=Truth)
            if truth.path != name:
                name, data = truth.path, (target.parent / truth.path).read_bytes()
            value = data[truth.start : truth.end]
            if digest(value) != truth.sha256:
                raise ValueError(f"{truth.path}: not the file its truth was written for")
            yield truth, value


def files(target: Path) -> list[Path]:
    """The files of a corpus."""
    return sorted(p for p in target.rglob("*") if p.is_file()) if target.is_dir() else [target]
