"""Words that people write in place of a secret.

The second use of the engines: the tokens of a batch, joined, in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.prefilter import ID_BITS, ID_MASK, make_engine
from detector.rules.heads import of_word

# Long words count anywhere: seven given letters stand in a random token of 40 once in 10^9.
# Short ones count between separators only: a random token holds "test" once in 25,000.
_ANYWHERE = """
    example placeholder redacted changeme change-me change_me dummykey fakekey notreal not-real
    not_real insertyour insert-your insert_your your-own your_own yourapi your-api your_api
    your-key your_key yourkey your-token your_token your-secret your_secret yourproject
    your-project your_project replaceme replace-me replace_me replace-with replace_with xxxxxx
    samplekey sample-key sample_key testtest deadbeef
""".split()  # noqa: SIM905
_DELIMITED = "your test fake dummy sample mock todo here foo bar key".split()  # noqa: SIM905
_SEPARATORS = b"-_\n"
_SEPARATED = re.compile(rb"[-_]")
_RANDOM = re.compile(rb"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z]).{11}")


class Words:
    """Tells which tokens hold a placeholder. Safe for threads."""

    def __init__(self, engine: str = "auto") -> None:
        words = [*_ANYWHERE, *_DELIMITED]
        self._engine = make_engine(engine, [of_word(word) for word in words])
        self._lengths = [0] * len(_ANYWHERE) + [len(word) for word in _DELIMITED]

    def in_each(self, tokens: Sequence[bytes]) -> NDArray[np.bool_]:
        """Whether each token holds such a word, as it stands or between separators."""
        out = np.zeros(len(tokens), np.bool_)
        text = b"\n".join([b"", *tokens, b""])
        hits = self._engine.find(text)
        if not hits:
            return out
        ends = np.cumsum([len(token) + 1 for token in tokens]) + 1
        found = [
            end
            for end, length in ((hit >> ID_BITS, self._lengths[hit & ID_MASK]) for hit in hits)
            if length == 0 or _stands_alone(text, end - length, end)
        ]
        out[np.searchsorted(ends, found, side="left")] = True
        return out

    def holds(self, token: bytes) -> bool:
        """Whether one token does."""
        text = b"\n%b\n" % token
        for hit in self._engine.find(text):
            end, length = hit >> ID_BITS, self._lengths[hit & ID_MASK]
            if length == 0 or _stands_alone(text, end - length, end):
                return True
        return False


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    """Between separators, in one way of writing, and no other part of the token is random:
    one random token in 10^4 holds ``-foo-``."""
    word = text[start:end]
    one_case = word.islower() or word.isupper() or word.istitle()
    if not (one_case and text[start - 1] in _SEPARATORS and text[end] in _SEPARATORS):
        return False
    token = text[text.rfind(b"\n", 0, start) + 1 : text.find(b"\n", end)]
    return not any(map(_RANDOM.match, _SEPARATED.split(token)))
