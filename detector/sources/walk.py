"""From the paths that a user gives to the files to read, in a stable order."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from detector.live.addresses import address_of
from detector.site.addresses import shown, site_of
from detector.types import Skipped

STDIN = "-"


class FileRef(msgspec.Struct, frozen=True):
    """One thing to open. Picklable."""

    path: str
    """As the operating system wants it: undecodable bytes are surrogates. "-" is standard
    input."""

    kind: Literal["file", "stream", "database", "site"]
    """A regular file, something that can only be read forward, a live database or a live site."""

    size: int | None = None
    """Bytes of a regular file when it was found."""

    @property
    def name(self) -> str:
        """The path as it can be printed anywhere: of a URL without user and password."""
        if self.kind == "site":
            return printable(shown(self.path))
        address = address_of(self.path) if self.kind == "database" else None
        return printable(self.path if address is None else address.shown)

    def __repr__(self) -> str:
        return f"FileRef({self.name!r}, {self.kind!r})"


def printable(name: str) -> str:
    """A name without control characters, escape sequences or undecodable bytes.

    Names come from strangers (archive members too) and end on terminals and in JSON.
    """
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else _escaped(char) for char in name)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def walk(
    paths: Iterable[str], *, exclude: Callable[[str], bool] | None = None
) -> Iterator[FileRef | Skipped]:
    """The files under ``paths``, directories sorted by name, depth first.

    A path given by the user is followed wherever it leads, and never excluded. Inside a
    directory, ``exclude`` is asked for each path (a directory that it names is not entered),
    and symbolic links are passed over: their target is in the tree anyway, or was not asked
    for.
    """
    for path in paths:
        text = os.fsdecode(path)
        if address_of(text) is not None:
            yield FileRef(text, "database")
            continue
        if (site := site_of(text)) is not None:
            yield FileRef(site, "site")
            continue
        text = text.removeprefix("sqlite:///")
        if text == STDIN:
            yield FileRef(STDIN, "stream")
            continue
        try:
            info = os.stat(text)  # noqa: PTH116  (a Path would drop "./", and shows in reports)
        except (OSError, ValueError) as error:
            yield _skipped(text, error)
            continue
        if stat.S_ISDIR(info.st_mode):
            yield from _tree(text, exclude or _nothing)
        elif stat.S_ISREG(info.st_mode):
            yield FileRef(text, "file", info.st_size)
        elif stat.S_ISSOCK(info.st_mode):
            yield Skipped(path=printable(text), reason="is a socket")
        else:
            yield FileRef(text, "stream")


def _nothing(_path: str) -> bool:
    return False


def _tree(root: str, exclude: Callable[[str], bool]) -> Iterator[FileRef | Skipped]:
    todo: list[FileRef | Skipped | str] = [root]  # a plain string is a directory to enter
    while todo:
        item = todo.pop()
        if not isinstance(item, str):
            yield item
            continue
        try:
            with os.scandir(item) as scan:
                entries = sorted(scan, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            yield _skipped(item, error)
            continue
        for entry in entries:
            found = _classify(entry, exclude)
            if found is not None:
                todo.append(found)


def _classify(
    entry: os.DirEntry[str], exclude: Callable[[str], bool]
) -> FileRef | Skipped | str | None:
    try:
        if entry.is_symlink() or exclude(entry.path):
            return None
        if entry.is_dir(follow_symlinks=False):
            return entry.path
        info = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _skipped(entry.path, error)
    if stat.S_ISREG(info.st_mode):
        return FileRef(entry.path, "file", info.st_size)
    return Skipped(path=printable(entry.path), reason=f"is {_kind(info.st_mode)}")


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"


def _skipped(path: str, error: OSError | ValueError) -> Skipped:
    reason = error.strerror if isinstance(error, OSError) else "not a usable path"
    return Skipped(path=printable(path), reason=f"cannot be read: {reason}")
