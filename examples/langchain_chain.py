"""A chain whose model sees no secret and tells none: ``python examples/langchain_chain.py``."""
# ruff: noqa: T201 - an example prints what it got

from __future__ import annotations

import random
from typing import Any

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda

from detector import RuleSet
from detector.hooks.langchain import redact_messages, redact_stream
from detector.rules.samples import draw

# Made up: right in shape and checksum, of no account.
RULES = RuleSet.builtin().by_id
MINE = draw(RULES["github-pat"], random.Random(1)).text.decode()
THEIRS = draw(RULES["anthropic-api-key"], random.Random(1)).text.decode()


def seen(prompt: Any) -> Any:
    """Show what the model is given."""
    print("the model sees:", prompt.to_messages()[-1].content)
    return prompt


def main() -> None:
    """One question, the answer as it streams."""
    prompt = ChatPromptTemplate.from_messages([("system", "Be kind."), ("human", "{question}")])
    # In the place of a model that costs something: it streams these words.
    model = GenericFakeChatModel(messages=iter([AIMessage(f"Try {THEIRS} with it.")]))
    chain = (
        prompt
        | redact_messages()
        | RunnableLambda(seen)
        | model
        | redact_stream()
        | StrOutputParser()
    )
    print("it says:", "".join(chain.stream({"question": f"Why does {MINE} not work?"})))


if __name__ == "__main__":
    main()
