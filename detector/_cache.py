"""Derived data of the rules, kept between runs: never a byte of what was scanned.

A compiled database is code to the engine that loads it, so a file is taken only if it is
ours: in a folder and of an owner that nobody else can write to, and whole (its digest
fits). Anything else is ignored and written anew; a cache that cannot be written is no
error.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_MAGIC = b"detector-cache-1\n"
_DIGEST = 32


@lru_cache(maxsize=1)
def _default_folder() -> Path:
    if given := os.environ.get("DETECTOR_CACHE_DIR"):
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("secrets-leak-detector")


def folder() -> Path:
    """``DETECTOR_CACHE_DIR``, else the user's cache folder."""
    return _default_folder()


def load(key: str) -> bytes | None:
    """What was stored under ``key``, or None."""
    try:
        where = folder()
        if not _is_ours(where.stat()):
            return None
        with (where / key).open("rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            raw = file.read()
    except OSError:
        return None
    head = len(_MAGIC)
    digest, payload = raw[head : head + _DIGEST], raw[head + _DIGEST :]
    if raw[:head] != _MAGIC or digest != _digest(key, payload):
        return None
    return payload


def store(key: str, payload: bytes) -> None:
    """Keep ``payload``; whoever reads meanwhile sees the old file or the new one whole."""
    where = folder()
    temporary = where / f".{key}.{os.urandom(4).hex()}"
    with suppress(OSError):
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + _digest(key, payload) + payload)
            temporary.replace(where / key)
        finally:
            temporary.unlink(missing_ok=True)


def _digest(key: str, payload: bytes) -> bytes:
    return hashlib.blake2b(key.encode() + b"\0" + payload, digest_size=_DIGEST).digest()


def _is_ours(status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):  # Windows: the user's profile folder is private
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
