"""Keyed names for secrets: the same secret has the same name wherever it stands.

A fingerprint is a BLAKE2b hash (RFC 7693) of rule and secret under a key. With a key of
your own (``DETECTOR_KEY``) nobody without that key can test a guess against a
fingerprint or pseudonym. Without one a fixed key is used that stands in this file, so
results are the same on every machine, and anybody can hash a guess and compare: **the
default key gives no protection against guessing**. A random token of 20 characters cannot
be guessed all the same; a password can. A key should be random and as long as a token.
"""

from __future__ import annotations

import hashlib
import os

from detector.errors import UsageError

DEFAULT_KEY = b"detector: the public default key; it hides nothing"
"""Known to everybody. It makes fingerprints comparable, not secret."""

DEFAULT_KEY_ID = "public"
"""The ``key_id`` of :data:`DEFAULT_KEY`, as it stands in baselines."""

ENVIRONMENT_VARIABLE = "DETECTOR_KEY"

_DIGEST_SIZE = 16  # bytes: no two of 10^15 secrets are likely to share a name
_CACHED_RULES = 4096  # far more rules than any rule set; bounds a caller who makes up ids


class Fingerprinter:
    """``fingerprinter(rule_id, secret)`` gives 32 hex digits that tell nothing of the place.

    ``key`` may have any length of at least one byte; raises :class:`UsageError` when it is
    empty. Thread-safe and picklable (the pickle holds the key: for worker processes only).
    """

    __slots__ = ("_empty", "_key", "_names", "_rules", "key_id")

    def __init__(self, key: bytes = DEFAULT_KEY) -> None:
        if not key:
            raise UsageError("the key for fingerprints is empty")
        self._key = key
        # Three uses, three keys: what is published of one says nothing about another.
        self._empty = hashlib.blake2b(key=_subkey(key, b"print"), digest_size=_DIGEST_SIZE)
        self._rules: dict[str, hashlib.blake2b] = {}
        self._names = hashlib.blake2b(key=_subkey(key, b"pseudonym"), digest_size=_DIGEST_SIZE)
        public = key == DEFAULT_KEY
        self.key_id: str = DEFAULT_KEY_ID if public else _subkey(key, b"id")[:6].hex()

    @property
    def key(self) -> bytes:
        """The key itself: to hand on to another process, not to print."""
        return self._key

    @classmethod
    def from_environment(cls) -> Fingerprinter:
        """With the key in ``DETECTOR_KEY``, or with the public default where it is not set.

        Raises :class:`UsageError` when it is set but empty: a key that got lost on its way
        must not turn into the public one unnoticed.
        """
        key = os.environ.get(ENVIRONMENT_VARIABLE)
        if key is None:
            return cls()
        if not key:
            raise UsageError(
                f"{ENVIRONMENT_VARIABLE} is set but empty; give it a value or unset it"
            )
        return cls(os.fsencode(key))

    def __call__(self, rule_id: str, secret: bytes) -> str:
        """32 hex digits for this secret under this rule. About half a microsecond."""
        return self._hash(rule_id, secret).hexdigest()

    def digest(self, rule_id: str, secret: bytes) -> bytes:
        """The same as bytes: ``digest(rule, secret).hex() == fingerprinter(rule, secret)``."""
        return self._hash(rule_id, secret).digest()

    def pseudonym(self, secret: bytes, length: int = 8) -> str:
        """``length`` (4 to 32) hex digits that stand for this secret in a redacted text.

        Independent of the rule, and not the start of the fingerprint: a published text
        cannot be joined with a report by it. Raises ``ValueError`` for another length.
        """
        if not 4 <= length <= 2 * _DIGEST_SIZE:
            raise ValueError("a pseudonym has 4 to 32 hex digits")
        state = self._names.copy()
        state.update(secret)
        return state.hexdigest()[:length]

    def _hash(self, rule_id: str, secret: bytes) -> hashlib.blake2b:
        state = (self._rules.get(rule_id) or self._start(rule_id)).copy()
        state.update(secret)
        return state

    def _start(self, rule_id: str) -> hashlib.blake2b:
        """The hash after key and rule, ready for secrets: both are hashed once per rule."""
        state = self._empty.copy()
        name = rule_id.encode("utf-8", "surrogatepass")
        # The length in front keeps ("ab", b"c") and ("a", b"bc") apart.
        state.update(len(name).to_bytes(4, "big") + name)
        if len(self._rules) < _CACHED_RULES:
            self._rules[rule_id] = state
        return state

    def __repr__(self) -> str:
        return f"Fingerprinter(key_id={self.key_id!r})"

    def __reduce__(self) -> tuple[type[Fingerprinter], tuple[bytes]]:
        return Fingerprinter, (self._key,)


def _subkey(key: bytes, use: bytes) -> bytes:
    """64 bytes for one use, from a key of any length (BLAKE2b itself takes at most 64)."""
    return hashlib.blake2b(key, person=use).digest()
