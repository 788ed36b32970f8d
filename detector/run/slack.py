"""What a Slack export calls its users and channels: ``users.json`` and others beside the folders.

In a zip they may stand before the days or behind them. A zip on the disk has a directory at its
end, so its reader jumps; of one that comes through a pipe or in another archive nothing is read
twice, and its users and channels keep their ids.

https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import msgspec

from detector.chats.fields import first, inside
from detector.sources import FileRef

LONGEST = 64 << 20  # bytes of such a file
DIRECTORY = 64 << 20  # bytes of a zip's directory: 600,000 days of channels
_FILES = ("users.json", "channels.json", "groups.json", "mpims.json", "dms.json")
_NAMES = ("real_name", "name")
_TAIL = 22 + (1 << 16)  # bytes of the end of a zip, with its comment
MEMBERS = 8  # of a conversation that has no name

Names = Mapping[str, str]


def names_beside(file: FileRef, path: str) -> Names:
    """By id, for a day's file at ``path``: in a folder of an export, or in its zip."""
    if file.kind != "file":
        return {}
    try:
        info = Path(file.path).stat()
        if path == file.name:
            return _in_folder(str(Path(file.path).parent.parent))
        inner = path[len(file.name) + 1 :]
        if "!" in inner:
            return {}
        return _in_zip(file.path, _root(inner), (info.st_ino, info.st_mtime_ns, info.st_size))
    except (OSError, ValueError):
        return {}


def _root(member: str) -> str:
    """What stands before the channel's folder in a member's name."""
    return "/".join(re.split(r"[/\\]", member)[:-2])


@lru_cache(maxsize=4)  # a walk is in one export at a time
def _in_folder(folder: str) -> Names:
    found = {}
    for name in _FILES:
        path = Path(folder, name)
        try:
            if path.is_file() and path.stat().st_size <= LONGEST:
                found[name] = path.read_bytes()
        except (OSError, ValueError):
            continue
    return _names(found)


@lru_cache(maxsize=4)
def _in_zip(path: str, root: str, _version: tuple[int, ...]) -> Names:
    found = {}
    with Path(path).open("rb") as opened:
        if not _is_modest(opened):
            return {}
        # Whatever is wrong with it is said when it is scanned.
        with suppress(zipfile.BadZipFile, KeyError), zipfile.ZipFile(opened) as archive:
            for name in _FILES:
                if (data := _member(archive, f"{root}/{name}" if root else name)) is not None:
                    found[name] = data
    return _names(found)


def _is_modest(opened: IO[bytes]) -> bool:
    """Whether the directory may be read: zipfile holds all of it."""
    opened.seek(max(0, opened.seek(0, 2) - _TAIL))
    tail = opened.read()
    at = tail.rfind(b"PK\5\6")
    return at >= 0 and int.from_bytes(tail[at + 12 : at + 16], "little") <= DIRECTORY


def _member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        with archive.open(name) as member:
            data = member.read(LONGEST + 1)
    except (KeyError, RuntimeError, OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile):
        return None
    return data if len(data) <= LONGEST else None


def _names(found: Mapping[str, bytes]) -> Names:
    names: dict[str, str] = {}
    for name, data in found.items():  # users first: direct messages have no other names
        for one in _objects(data):
            key = first(one, ("id",))
            called = _user(one) if name == "users.json" else _channel(one, names)
            if key and called:
                names[key] = called
    return names


def _user(one: Mapping[str, Any]) -> str | None:
    profile = inside(one, "profile")
    return first(profile, ("display_name",)) or first(profile, ("real_name",)) or first(one, _NAMES)


def _channel(one: Mapping[str, Any], names: Names) -> str | None:
    """Its name, or those of its members."""
    if name := first(one, ("name",)):
        return name
    members = one.get("members")
    people = [first({"id": m}, ("id",)) for m in members] if isinstance(members, list) else []
    return ", ".join(names.get(who, who) for who in people[:MEMBERS] if who) or None


def _objects(data: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        every = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return
    for one in every if isinstance(every, list) else ():
        if isinstance(one, dict):
            yield one
