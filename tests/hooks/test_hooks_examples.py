"""The examples of the hooks, run for real."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from planted import remains

from detector import RuleSet
from detector.rules.samples import draw

EXAMPLES = Path(__file__).parents[2] / "examples"
RULES = RuleSet.builtin().by_id


def made(rule: str) -> str:
    return draw(RULES[rule], random.Random(1)).text.decode()


SAYS = {
    "logging_filter.py": [
        "INFO deploy: the deploy begins\nINFO deploy: token [redacted:github-pat] for ada\n",
        "PermissionError: [redacted:github-pat] may not push",
    ],
    "structlog_processor.py": [
        '"step": 1, "event": "begins", "level": "info"}\n',
        '{"authorization": "Bearer [redacted:github-pat]"}',
        "[redacted:github-pat] may not push",
    ],
    "asgi_app.py": [
        '200 {"you said":{"text":"hello"}}\n'
        '200 {"you said":{"text":"use [redacted:anthropic-api-key]"}}\n'
        "422 {",
        '"rules": ["github-pat"]}\n'
        "the key of the summary bot is [redacted:anthropic-api-key], do not tell\n",
    ],
    "langchain_chain.py": [
        "the model sees: Why does [redacted:github-pat] not work?\n"
        "it says: Try [redacted:anthropic-api-key] with it.\n"
    ],
}


@pytest.mark.parametrize("script", SAYS)
def test_an_example_says_what_it_should(script: str) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / script], check=False, capture_output=True, text=True,
        timeout=120, env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    for text in SAYS[script]:
        assert text in done.stdout
    for rule in ("github-pat", "anthropic-api-key"):
        assert remains(made(rule), done.stdout, prefix=14) == []
