"""Matches in views to clusters of pieces in leaves: what is to be judged and replaced."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import msgspec

from detector.cluster import Settled, Survivor, by_place, clusters_of
from detector.filter.leaves import Leaf, Piece, View

LONGEST_WORD = 20  # letters; a longer run of them is none of prose


class Marks:
    """What was found in the leaves of one message."""

    def __init__(self) -> None:
        self._pieces: dict[Leaf, dict[tuple[int, int, str], Piece]] = {}
        self._numbers = count()

    def take(self, view: View, clusters: Iterable[Settled]) -> None:
        """The matches in a view. Those of views of single leaves come first: what they say of
        a span is said without escapes."""
        for cluster in clusters:
            for match in cluster.members:
                spans = list(view.spans(match.start, match.end))
                if spans and (not view.seam or self._over_seam(match, spans)):
                    self._mark(match, spans)

    def clusters(self) -> list[tuple[Leaf, list[Settled]]]:
        """The pieces in each leaf, those that overlap together."""
        return [
            (leaf, clusters_of(sorted(pieces.values(), key=by_place)))
            for leaf, pieces in self._pieces.items()
        ]

    def _mark(self, match: Survivor, spans: list[tuple[Leaf, int, int]]) -> None:
        number = next(self._numbers)
        secret = b"".join(leaf.raw[start:end] for leaf, start, end in spans)
        fields = msgspec.structs.asdict(match) | {"secret": secret, "match": number, "cell": None}
        for leaf, start, end in spans:
            place = {"start": start, "end": end}
            known = self._pieces.setdefault(leaf, {})
            known.setdefault((start, end, match.rule.id), Piece(**(fields | place)))

    def _over_seam(self, match: Survivor, spans: list[tuple[Leaf, int, int]]) -> bool:
        """Whether a match of joined leaves is one. It is none where one leaf alone holds a
        secret as specific, and what it touches in the others are only words: "… sk-abc",
        "thanks"."""
        if len(spans) < 2:
            return False
        return not any(
            self._holds(match, *span)
            and all(_is_words(*other) for other in spans if other is not span)
            for span in spans
        )

    def _holds(self, match: Survivor, leaf: Leaf, start: int, end: int) -> bool:
        return any(
            piece.start <= start
            and end <= piece.end
            and piece.rule.spec.rank >= match.rule.spec.rank
            for piece in self._pieces.get(leaf, {}).values()
        )


def _is_words(leaf: Leaf, start: int, end: int) -> bool:
    text = leaf.raw[start:end]
    return len(text) <= LONGEST_WORD and text.isalpha() and (text.islower() or text.istitle())
