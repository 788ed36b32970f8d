"""Values that the whole world knows: a vendor's documentation keys, public demo keys.

Kept as SHA-256 of the value in ``patterns/allow/*.txt``, so that no file of this project
holds anything that looks like a live credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from detector._data_path import data_path
from detector.rules import Rule

_EVERY = "generic"  # formats of nobody: a JWT, a URL, a header may hold anybody's value


class Allowlist:
    """For each rule the digests of known values that it could find: for most rules none."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        by_provider = _read()
        every = frozenset().union(*by_provider.values())
        self._digests = [
            every if rule.provider == _EVERY else by_provider.get(rule.provider, frozenset())
            for rule in rules
        ]

    def holds(self, rule: int, secret: bytes) -> bool:
        """Whether this value is published for everybody to see."""
        digests = self._digests[rule]
        return bool(digests) and hashlib.sha256(secret).digest() in digests

    def concerns(self, rule: int) -> bool:
        """Whether any value is known that this rule could find."""
        return bool(self._digests[rule])


@lru_cache(maxsize=1)
def _read() -> dict[str, frozenset[bytes]]:
    found: dict[str, set[bytes]] = {}
    for file in sorted((data_path("patterns") / "allow").glob("*.txt")):
        for line in file.read_text("ascii").splitlines():
            if value := line.partition("#")[0].split():
                digest, provider = value
                found.setdefault(provider, set()).add(bytes.fromhex(digest))
    return {provider: frozenset(digests) for provider, digests in found.items()}
