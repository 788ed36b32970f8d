"""Inputs that several tests of the command share."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import ANTHROPIC, KEY, secret


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Two lines with a secret each; the second finding is the first's neighbour below."""
    path = tmp_path / "dump.txt"
    path.write_bytes(b"a=" + secret(KEY) + b"\n\nb=" + secret(ANTHROPIC) + b" \n")
    return path
