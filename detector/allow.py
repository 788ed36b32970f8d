"""Values that the whole world knows: a vendor's documentation keys, public demo keys.

Kept as SHA-256 of the value in ``patterns/allow/*.txt``, so that no file of this project
holds anything that looks like a live credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from detector._data_path import data_path


@lru_cache(maxsize=1)
def _known() -> frozenset[bytes]:
    digests = set()
    for file in sorted((data_path("patterns") / "allow").glob("*.txt")):
        for line in file.read_text("ascii").splitlines():
            value = line.partition("#")[0].strip()
            if value:
                digests.add(bytes.fromhex(value))
    return frozenset(digests)


def are_known(secrets: Iterable[bytes]) -> list[bool]:
    """Which values are published for everybody to see."""
    known, sha256 = _known(), hashlib.sha256
    return [sha256(secret).digest() in known for secret in secrets]
