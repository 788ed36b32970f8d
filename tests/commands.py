"""The command as a process of its own, for the tests that use it as its users do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from material import sample_of

COMMAND = [sys.executable, "-W", "error", "-m", "detector"]
KEY, ANTHROPIC, SUPABASE = "github-pat", "anthropic-api-key", "supabase-secret-key"
RULES = f"{KEY},{ANTHROPIC},{SUPABASE},private-key"
"""Few rules make a quick start; the tests are about the command."""

OWN_RULE = """
provider = "acme"
title = "Acme"

[[rule]]
id = "acme-token"
name = "Acme token"
pattern = '(?P<secret>acme-tok-[0-9A-Za-z]{20})'
privilege = "full"
severity = "high"
why = "Opens everything at Acme."
revoke = "https://acme.example/"
match = ['{sample}']
no_match = ['acme-tok-short']
"""
"""A rule file of a user's own."""


@dataclass
class Done:
    """What a finished command left."""

    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == "finding"]

    @property
    def skipped(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == "skipped"]

    @property
    def summary(self) -> dict[str, Any]:
        (last,) = [line for line in self.lines if line["type"] == "summary"]
        assert self.lines[-1] == last
        return last


def secret(rule: str, seed: int = 0) -> bytes:
    return sample_of(rule, seed).secret


def run(*arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Done:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, env=env, check=False
    )
    err = done.stderr.decode()
    assert "Traceback" not in err, err
    assert "internal error" not in err, err
    return Done(done.returncode, done.stdout, err)


def scan(*arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Done:
    """``detector scan --format jsonl`` with a few rules."""
    few = () if "--rules" in arguments else ("--rules", RULES)
    return run("scan", "--format", "jsonl", *few, *arguments, stdin=stdin, env=env)
