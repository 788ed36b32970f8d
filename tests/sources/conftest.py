"""What the tests of the sources share: reading everything a path holds."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field

import pytest

from detector.sources import Entry, Limits, decode, open_entries, walk
from detector.types import Skipped


@dataclass
class Read:
    """All that a path gave."""

    data: dict[str, bytes] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    bytes_read: int = 0

    @property
    def reasons(self) -> dict[str, str]:
        return {item.path: item.reason for item in self.skipped}


def read_all(path, limits: Limits | None = None, *, chunk: int = 1 << 16) -> Read:
    got = Read()
    for ref in walk([str(path)]):
        if isinstance(ref, Skipped):
            got.skipped.append(ref)
            continue
        with open_entries(ref, limits) as entries:
            for entry in entries:
                if isinstance(entry, Skipped):
                    got.skipped.append(entry)
                    continue
                assert isinstance(entry, Entry)
                parts = list(entry.chunks(chunk))
                got.skipped += [part for part in parts if isinstance(part, Skipped)]
                assert entry.path not in got.data
                got.data[entry.path] = b"".join(p for p in parts if isinstance(p, bytes))
            got.bytes_read += entries.bytes_read
    return got


def make_text() -> bytes:
    """300 KB that compress about threefold."""
    rng = random.Random(7)
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(400)]
    return b"".join(rng.choice(words) + b" \n"[rng.random() < 0.1 :][:1] for _ in range(43_000))


@pytest.fixture(scope="session")
def text() -> bytes:
    return make_text()


@pytest.fixture(params=["zlib", "isal"])
def deflate(request, monkeypatch):
    """Each of the two deflate decoders."""
    module = zlib if request.param == "zlib" else pytest.importorskip("isal.isal_zlib")
    monkeypatch.setattr(decode, "deflate", module)
