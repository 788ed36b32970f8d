"""Which layout the bytes of a source have: tables in text, and where in them a piece begins."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from detector.addresses import Addresses
from detector.chats.layout import Chat, ChatLayout, chat_in
from detector.chats.shapes import Names
from detector.columns import kind_of
from detector.run.owners import Owned, OwnerColumns
from detector.run.slack import names_beside
from detector.run.tables import Seen, Tables, seen
from detector.run.unit import READ
from detector.scanner import Scanner
from detector.sources import Entry, FileRef, Limits, contents_beside, open_entries, open_range
from detector.tables.census import Census
from detector.tables.layout import Dialect, Layout
from detector.tables.sniff import sniff
from detector.tables.spans import Spans
from detector.tables.sql import Sql, block
from detector.types import Skipped

SCHEMA = "!(schema)"  # the member of a dump of PostgreSQL that holds its definitions
HEAD = 4096  # bytes that tell how a text holds tables


def layout_of(
    scanner: Scanner,
    file: FileRef,
    entry: Entry,
    head: bytes,
    census: Census,
    spans: Spans | None = None,
) -> Layout | ChatLayout | None:
    """That of an entry of a file which begins with ``head``, None for what holds no tables."""
    if entry.table is not None:
        return Layout(Sql(), state=block(*entry.table), census=census, spans=spans)
    dialect = Sql() if entry.path.endswith(SCHEMA) else _told_by(entry.path, head)
    if dialect is None:
        return None
    return opened(scanner, file, entry.path, dialect, census=census, spans=spans)


def opened(
    scanner: Scanner,
    file: FileRef,
    path: str,
    dialect: Dialect,
    *,
    base: int = 0,
    state: Any = None,
    census: Census | None = None,
    spans: Spans | None = None,
) -> Layout | ChatLayout:
    """The layout of what is at ``path`` in a file, from a state on."""
    if not isinstance(dialect, Chat):
        return Layout(dialect, base=base, state=state, census=census, spans=spans)
    names: Callable[[], Names] = dict
    if dialect.shape.kind == "slack":
        names = partial(names_beside, file, path)
    safe = scanner.safe_name
    return ChatLayout(dialect, names, safe, base=base, state=state, census=census, spans=spans)


def _told_by(path: str, head: bytes) -> Dialect | None:
    return chat_in(path, head, sniff(path, head))


def told(path: str, census: Census) -> Iterator[Tables]:
    """What a census has, if it has anything."""
    if census.tables or census.ddl:
        yield Tables(path, list(census.tables.values()), census.ddl, census.complete)


def kind_of_file(path: str) -> str | None:
    """Whether a file holds columns, and in which format."""
    try:
        with open(path, "rb", opener=_without_waiting) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return None
            return kind_of(opened.read(HEAD))
    except (OSError, ValueError):
        return None  # it is said when the file is opened


def _without_waiting(path: str, flags: int) -> int:
    # Should a pipe have taken the file's place since the walk, opening must not hang.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


AHEAD = 4 << 20  # bytes at both ends of a dump that are read first, for its definitions


def defined_ahead(file: FileRef, dialect: Dialect | None) -> Iterator[Tables]:
    """The definitions in front of a plain dump's rows and behind them: pg_dump writes policies and
    grants last, and what is found in between should say already who may read it."""
    if not isinstance(dialect, Sql) or file.size is None:
        return
    census = Census()
    front = _read(file, 0, AHEAD)
    back = _read(file, max(len(front), file.size - AHEAD), AHEAD)
    cut = max(back.rfind(b"\n\\.\n"), back.rfind(b"\nINSERT INTO "))
    rest = back[back.find(b"\n", cut + 1) + 1 :] if cut >= 0 else back
    if cut >= 0 and back.startswith(b"INSERT", cut + 1):
        rest = rest if b";" in rest else b""
    for part in (front, rest):
        dialect.walk(dialect.begin(), part, (), census)
    if census.ddl:
        yield Tables(file.name, [], census.ddl, census.complete)


class Beside:
    """The definitions of pg_dump's directory format, which lie in a file beside the data: given
    before a folder's first table, whatever the order of its files, and once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: set[str] = set()

    def defined(self, item: FileRef | Skipped) -> Iterator[Tables]:
        """What is to be known before an item of the walk is read."""
        toc = contents_beside(item) if isinstance(item, FileRef) else None
        if toc is None or toc.path in self._seen:
            return
        self._seen.add(toc.path)
        with open_entries(toc, self._limits) as entries:
            for entry in entries:
                if isinstance(entry, Entry) and entry.path.endswith(SCHEMA):
                    yield from _defined_in(entry)


def _defined_in(entry: Entry) -> Iterator[Tables]:
    dialect, census = Sql(), Census()
    state = dialect.begin()
    for part in entry.chunks(READ):
        if isinstance(part, Skipped):
            census.complete = False  # it is reported when the file itself is read
        else:
            state, _ = dialect.walk(state, part, (), census)
    if census.ddl:
        yield Tables(entry.path, [], census.ddl, census.complete)


def _read(file: FileRef, start: int, count: int) -> bytes:
    reader = open_range(file, start)
    if isinstance(reader, Skipped):
        return b""
    with reader:
        buffer = memoryview(bytearray(count))
        filled = 0
        while filled < count and (n := reader.readinto(buffer[filled:])):
            filled += n
        return bytes(buffer[:filled])


class Walker:
    """Goes over a plain file ahead of those who scan its pieces, to tell them where they begin."""

    def __init__(
        self, file: FileRef, dialect: Dialect, key: bytes, owners: OwnerColumns | None = None
    ) -> None:
        """``key``: of the hashes of e-mail addresses."""
        self._reader = open_range(file, 0)
        self._dialect, self._state = dialect, dialect.begin()
        self._path, self._at = file.name, 0
        self._census = Census()
        self._addresses = Addresses(key)
        self._owners = owners
        self._spans = None if owners is None else owners.spans()
        self._buffer = memoryview(bytearray(READ))

    def state_at(self, position: int) -> Any:
        """The dialect's state at a position, which never descends."""
        if not isinstance(self._reader, Skipped):
            while self._at < position and (
                count := self._reader.readinto(self._buffer[: position - self._at])
            ):
                data = self._buffer[:count]
                self._state, _ = self._dialect.walk(
                    self._state, data, (), self._census, self._spans
                )
                self._addresses.look(data)
                self._at += count
        return self._state

    def passed(self) -> Iterator[Seen | Owned]:
        """The addresses and owners that were met since, if they are worth it."""
        yield from seen(self._path, self._addresses, last=False)
        if self._owners is not None and self._spans is not None:
            yield from self._owners.of_values(self._path, self._spans.take())

    def told(self) -> Iterator[Tables | Seen | Owned]:
        """What there was on the way, at its end."""
        if self._spans is not None:
            self._dialect.end(self._state, self._spans)
            self._spans.close()
        yield from self.passed()
        yield from seen(self._path, self._addresses, last=True)
        yield from told(self._path, self._census)

    def close(self) -> None:
        """Close the file."""
        if not isinstance(self._reader, Skipped):
            self._reader.close()


def dialect_of(file: FileRef) -> Dialect | None:
    """How a plain file holds tables."""
    reader = open_range(file, 0)
    if isinstance(reader, Skipped):
        return None
    with reader:
        buffer = memoryview(bytearray(HEAD))
        return _told_by(file.name, bytes(buffer[: reader.readinto(buffer)]))
