"""Ask a model through the proxy: ``python examples/litellm_guardrail/ask.py``.

Start the proxy first, as ``config.yaml`` says. ``OPENAI_BASE_URL`` is where it listens,
``http://127.0.0.1:4000/v1`` for example, and ``OPENAI_API_KEY`` its key.
"""
# ruff: noqa: T201 - an example prints what it got

from __future__ import annotations

import random

import openai

from detector import RuleSet
from detector.rules.samples import draw

# Made up: right in shape and checksum, of no account.
KEY = draw(RuleSet.builtin().by_id["github-pat"], random.Random(1)).text.decode()


def main() -> None:
    """A question with a key in it; the answer as it streams."""
    with openai.OpenAI() as client:
        chunks = client.chat.completions.create(
            model="assistant",
            messages=[{"role": "user", "content": f"Why does {KEY} not work?"}],
            stream=True,
        )
        for chunk in chunks:
            for choice in chunk.choices:
                print(choice.delta.content or "", end="")
    print()


if __name__ == "__main__":
    main()
