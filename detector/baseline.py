"""A baseline: the findings that are known already, so that a run reports only new ones.

The file is JSON, one secret a line, sorted, and never holds a secret: a fingerprint, the
rule, how many places, and the first few paths for whoever reviews the change::

    {
    "version": 1,
    "key": "public",
    "findings": [
    {"fingerprint":"3f9a…","rule":"openai-project-key","count":3,"paths":["chat.jsonl"]}
    ]
    }

A secret is known by its fingerprint, not by its place: moving it is nothing new, a second
secret beside it is. ``key`` names the key of the fingerprints (never the key itself); a
baseline made with another key would match nothing and is refused.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from detector._replace import replace
from detector.errors import BaselineError
from detector.fingerprint import Fingerprinter
from detector.types import Finding

VERSION = 1
"""Of the file's format."""

MAX_PATHS = 5
"""Paths kept per secret: the first in alphabetical order, whatever order they came in."""

MAX_BYTES = 1 << 30
"""A larger file is refused: it would be some other file."""


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One known secret: ``count`` places, of which ``paths`` names at most five files."""

    fingerprint: str
    rule: str
    count: int = 0
    paths: list[str] = []

    def add(self, path: str) -> None:
        """Count one more place."""
        self.count += 1
        at = bisect.bisect_left(self.paths, path)
        if at < MAX_PATHS and (at == len(self.paths) or self.paths[at] != path):
            self.paths.insert(at, path)
            del self.paths[MAX_PATHS:]


class Change(NamedTuple):
    """What an update did, in secrets."""

    added: int
    dropped: int
    kept: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    key: str
    findings: list[Entry]


class _Head(msgspec.Struct):
    version: int


class Baseline:
    """A set of known secrets: ``finding in baseline``, ``len(baseline)``.

    ``key_id`` is that of the :class:`~detector.fingerprint.Fingerprinter` whose findings
    go in; by default the one of the environment.
    """

    def __init__(self, key_id: str | None = None) -> None:
        self.key_id = key_id or Fingerprinter.from_environment().key_id
        self._entries: dict[str, Entry] = {}

    @classmethod
    def from_findings(cls, findings: Iterable[Finding], *, key_id: str | None = None) -> Baseline:
        """A baseline of all ``findings``, which may be an iterator: none is kept."""
        baseline = cls(key_id)
        for finding in findings:
            baseline.add(finding)
        return baseline

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, key_id: str | None = None) -> Baseline:
        """Read a file that :meth:`save` wrote.

        Raises :class:`BaselineError` when it cannot be read, is not a baseline, has another
        version, or was made with a key other than the one ``key_id`` names.
        """
        baseline = cls(key_id)
        file = _decode(_read(path), os.fspath(path))
        if file.key != baseline.key_id:
            raise BaselineError(
                f"{path}: made with key '{file.key}', but the key in use is '{baseline.key_id}'"
                " ('public' is the default): set DETECTOR_KEY as it was, or create it anew"
            )
        baseline._entries = {entry.fingerprint: entry for entry in file.findings}
        return baseline

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file whole or not at all (it is replaced in one step).

        Raises :class:`BaselineError` when it cannot be written; the old one is intact then.
        """
        try:
            replace(path, self._encode())
        except OSError as error:
            raise BaselineError(f"{path}: cannot be written: {error.strerror or error}") from None

    def add(self, finding: Finding) -> None:
        """Count one place of one secret."""
        entry = self._entries.get(finding.fingerprint)
        if entry is None:
            entry = Entry(fingerprint=finding.fingerprint, rule=finding.rule)
            self._entries[finding.fingerprint] = entry
        # A file name need not be UTF-8; JSON must be.
        entry.add(finding.path.encode("utf-8", "backslashreplace").decode())

    def update(self, findings: Iterable[Finding], *, keep_gone: bool = False) -> Change:
        """Make this the baseline of ``findings``: new secrets come in, counts and paths are
        renewed, and secrets that are no longer found go, so that one which comes back is
        reported again. ``keep_gone`` keeps them: right when not everything was scanned.
        """
        return self.absorb(Baseline.from_findings(findings, key_id=self.key_id), keep_gone)

    def absorb(self, found: Baseline, keep_gone: bool = False) -> Change:
        """:meth:`update` from findings gathered already, for a caller who knows only after
        the run whether it was complete. Raises :class:`BaselineError` for another key."""
        if found.key_id != self.key_id:
            raise BaselineError(f"key '{found.key_id}' cannot update key '{self.key_id}'")
        old, new = self._entries, found._entries
        kept = len(old.keys() & new.keys())
        gone = len(old) - kept
        self._entries = {**old, **new} if keep_gone else dict(new)
        return Change(added=len(new) - kept, dropped=0 if keep_gone else gone, kept=kept)

    def __contains__(self, finding: Finding) -> bool:
        return finding.fingerprint in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def _encode(self) -> bytes:
        encode = msgspec.json.encode
        entries = sorted(self._entries.values(), key=lambda entry: (entry.rule, entry.fingerprint))
        head = b'{\n"version": %d,\n"key": %b,\n"findings": [\n' % (VERSION, encode(self.key_id))
        return head + b",\n".join(map(encode, entries)) + b"\n]\n}\n"


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BaselineError(
            f"{path}: no such file; make one with 'detector baseline create'"
        ) from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise BaselineError(f"{path}: not a baseline: larger than 1 GiB")
    return data


def _decode(data: bytes, path: str) -> _File:
    """The version first: a later one may hold fields that this one does not know."""
    try:
        version = msgspec.json.decode(data, type=_Head).version
        if version != VERSION:
            raise BaselineError(f"{path}: version {version}; this program reads version {VERSION}")
        return msgspec.json.decode(data, type=_File)
    except msgspec.ValidationError as error:
        raise BaselineError(f"{path}: not a baseline: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BaselineError(f"{path}: not a baseline: it is not JSON") from None
