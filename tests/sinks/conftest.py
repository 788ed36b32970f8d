"""Findings as the scanner would make them, with secrets drawn at run time."""

from __future__ import annotations

import io
import random
import string
from collections.abc import Callable
from typing import Any

import pytest

from detector.fingerprint import Fingerprinter
from detector.types import Finding, Secret

MakeFinding = Callable[..., Finding]


@pytest.fixture(scope="session")
def make_finding() -> MakeFinding:
    """``make_finding(seed, **fields)``: the same seed gives the same secret."""
    fingerprint = Fingerprinter()

    def make(seed: int = 0, *, raw: bytes | None = None, **fields: Any) -> Finding:
        body = random.Random(seed).choices(string.ascii_letters + string.digits, k=40)
        secret = raw if raw is not None else ("tk" + "_" + "".join(body)).encode()
        record: dict[str, Any] = {
            "rule": "acme-token",
            "provider": "acme",
            "name": "Acme API token",
            "severity": "high",
            "privilege": "full",
            "confidence": 0.95,
            "path": "dump.sql",
            "start": 1234,
            "end": 1234 + len(secret),
            "line": 12,
            "column": 40,
            "why": "Reads and writes everything the account holds.",
            "revoke": "https://acme.example/keys",
        } | fields
        return Finding(
            secret=Secret(secret, 3), fingerprint=fingerprint(record["rule"], secret), **record
        )

    return make


class Terminal(io.BytesIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()
