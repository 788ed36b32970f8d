"""An answer of a language model, token by token: ``python -m bench.token_streams [--mb 10]``.

How much the redactor holds back, and what a token costs. The tokens are drawn as tokenizers cut:
a word with the blank before it, long words in pieces of up to eight characters, digits by three.
Counts come first: what goes out has to be the redaction of the whole, nothing may be held behind
an ordinary word's blank, and less than eight characters on average.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from bench.corpora import SEED
from bench.prose import message, sentences
from bench.versus import RECORD, machine
from detector import Redactor, Scanner

LONGEST = 8  # characters of a token
TIMED = 250_000  # tokens: a megabyte
MOST_HELD = 8.0  # characters on average: the promise
_WORDS = re.compile(r"'(?:[sdmt]|ll|ve|re)\b| ?[^\W\d_]+| ?\d{1,3}| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
_PAUSES = re.compile(r"\S+\s*")


def tokens(text: str, rng: Random) -> Iterator[str]:
    """All of ``text``, in pieces of a tokenizer's sizes."""
    for word in _WORDS.findall(text):
        rest = word
        while len(rest) > LONGEST or (len(rest) > 4 and rng.random() < 0.15):
            size = rng.randint(2, min(LONGEST, len(rest) - 1))
            yield rest[:size]
            rest = rest[size:]
        yield rest


def chat(size: int, rng: Random) -> str:
    """Messages, some of them with links, hashes and versions, one a line."""
    lines, count = [], 0
    while count < size:
        lines.append(message(rng))
        count += len(lines[-1]) + 1
    return "\n".join(lines)[:size]


def held(scanner: Scanner, pieces: list[str], whole: str) -> dict[str, Any]:
    """How many characters are held behind each token."""
    redactor: Redactor[str] = Redactor(scanner)
    total = most = 0
    out = []
    for piece in pieces:
        out.append(redactor.feed(piece))
        now = redactor.held
        total, most = total + now, max(most, now)
    out.append(redactor.close())
    if "".join(out) != scanner.redact(whole).text:
        sys.exit("what went out is not the redaction of the whole")
    return {"average": round(total / len(pieces), 2), "most": most}


def held_at_pauses(scanner: Scanner) -> int:
    """In how many places something is held behind a blank, of all sentences word by word."""
    count = 0
    for sentence in sentences():
        redactor: Redactor[str] = Redactor(scanner)
        for word in _PAUSES.findall(sentence + " "):
            redactor.feed(word)
            count += word.endswith(" ") and redactor.held > 0
    return count


def seconds(scanner: Scanner, pieces: list[str]) -> float:
    """The least processor time of three runs over all tokens."""
    runs = []
    for _ in range(3):
        redactor: Redactor[str] = Redactor(scanner)
        begun = time.process_time()
        for piece in pieces:
            redactor.feed(piece)
        redactor.close()
        runs.append(time.process_time() - begun)
    return min(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mb", type=float, default=10.0)
    parser.add_argument("--record", action="store_true", help="into bench/record/ as well")
    options = parser.parse_args()
    rng, scanner = Random(SEED), Scanner()
    text = chat(round(options.mb * 1e6), rng)
    pieces = list(tokens(text, rng))
    result = {"machine": machine(), "mb": options.mb, "tokens": len(pieces)}
    result["held"] = held(scanner, pieces, text)
    result["held_at_pauses"] = held_at_pauses(scanner)
    timed = pieces[:TIMED]
    tenth = timed[: TIMED // 10]
    result["microseconds"] = round(seconds(scanner, timed) / len(timed) * 1e6, 2)
    result["microseconds_of_a_tenth"] = round(seconds(scanner, tenth) / len(tenth) * 1e6, 2)
    print(json.dumps(result, indent=1))
    if result["held"]["average"] >= MOST_HELD or result["held_at_pauses"]:
        sys.exit("more is held than promised")
    if options.record:
        Path(RECORD, "token-streams.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
