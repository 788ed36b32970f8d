"""English that is licensed, at hand, and not in this repository: the help topics that
Python itself carries, cut into sentences and put together anew."""

from __future__ import annotations

import functools
import re
from pydoc_data.topics import topics
from random import Random

_SENTENCE = re.compile(r"(?<![^ ])[A-Z][A-Za-z ,;'()-]{30,180}[.?!](?= |$)")
_OPENERS = (
    "hey",
    "hi all,",
    "fyi:",
    "so",
    "ok,",
    "quick one:",
    "btw",
    "morning!",
    "thanks!",
    "@here",
)


@functools.cache
def sentences() -> tuple[str, ...]:
    """Every plain sentence of the help topics, sorted: a few hundred, the same for one
    version of Python."""
    paragraphs = "\n\n".join(topics.values()).split("\n\n")
    found = {s for p in paragraphs for s in _SENTENCE.findall(" ".join(p.split()))}
    return tuple(sorted(found))


def noise(rng: Random) -> str:
    """What chats are full of and what is no credential: links, ids, hashes, versions."""
    hexes = f"{rng.getrandbits(160):040x}"
    return rng.choice((
        f"see https://example.com/{hexes[:6]}/issues/{rng.randrange(9999)}?tab=files#L{rng.randrange(400)}",
        f"commit {hexes}",
        f"request id {hexes[:8]}-{hexes[8:12]}-4{hexes[13:16]}-a{hexes[17:20]}-{hexes[20:32]}",
        f"v{rng.randrange(9)}.{rng.randrange(30)}.{rng.randrange(9)} is out",
        f"sha256:{hexes}{hexes[:24]}",
        f"img_{hexes[:12]}_{rng.randrange(4000)}x{rng.randrange(4000)}.png",
        "`token = get_token(request)` returns None here",
        "did you rotate the password and the api_key?",
    ))  # fmt: skip


def message(rng: Random) -> str:
    """One chat message of one to three sentences, every tenth with some noise."""
    words = [rng.choice(_OPENERS)] if rng.random() < 0.3 else []
    words += rng.choices(sentences(), k=rng.choice((1, 1, 1, 2, 2, 3)))
    if rng.random() < 0.1:
        words.insert(rng.randrange(len(words) + 1), noise(rng))
    return " ".join(words)
