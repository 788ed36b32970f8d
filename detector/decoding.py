"""From signs to secrets: decodes what the engine has seen signs of, and scans that.

What is found becomes a survivor like any other, with the span of the encoded text: so it is
weighed against plain matches at the same place, redacted, counted and told in which row it stands
without anybody else knowing of decoders. What is decoded is scanned in the same way, decoders
included, up to a depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from detector.batch import judged
from detector.cluster import Group, Match, Survivor, clusters_of
from detector.decode import Decoded, Kind, Text, Unfinished
from detector.machinery import Machinery
from detector.tables import hexes

DEPTH = 4  # decoders inside of one another
LOOKBACK = 1024  # bytes before a sign that a decoder may look at
NEAR = 512  # bytes behind it that it is shown first: most of what is encoded is short
OVERLAP = 24 << 10  # bytes at the end of what was cut off: the next sign in them is looked at again
FREE = 64 << 20  # bytes that may be decoded in any source
FACTOR = 16  # and how many more for each of its own

_Done = tuple[Decoded, int, int]

Sign = tuple[int, int]
"""Where it ends, absolute, and the number of its kind."""


class Budget:
    """How much may still be decoded: shared by all that is decoded of one source."""

    def __init__(self) -> None:
        self.spent = 0

    def allows(self, count: int, position: int) -> bool:
        """Takes ``count`` bytes for what stands before ``position`` of the source."""
        if self.spent + count > FREE + FACTOR * position:
            return False
        self.spent += count
        return True


class Inside(NamedTuple):
    """What is decoded: by how many decoders inside of one another, what they may still spend,
    and where in the outermost source the sign was."""

    depth: int
    budget: Budget
    position: int


class Found(NamedTuple):
    """A secret, not yet told where its line is, and where the sign ended that led to it."""

    start: int
    end: int
    sign: int
    survivor: Survivor

    def __repr__(self) -> str:
        return f"Found({self.start}:{self.end})"  # no secret


LookInto = Callable[[bytes, Inside], list[Group]]


class _Region(NamedTuple):
    """What was decoded last of a kind: where it ends for later signs."""

    start: int
    until: int
    in_step: Callable[[int], bool] | None

    def holds(self, place: int) -> bool:
        if not self.start <= place < self.until:
            return False
        return self.in_step is None or self.in_step(place - self.start)


class Decoding:
    """The decoders at work on one source. ``look_into`` gives the groups of decoded bytes."""

    def __init__(
        self, machinery: Machinery, look_into: LookInto, inside: Inside | None = None
    ) -> None:
        self._m = machinery
        self._kinds: Sequence[Kind] = machinery.signs.kinds if machinery.signs else ()
        self._furthest = max((kind.back for kind in self._kinds), default=0)
        self._look_into = look_into
        self._inside = inside
        self._depth = 0 if inside is None else inside.depth
        self.budget = Budget() if inside is None else inside.budget
        self.leave_hexes = False
        """Whether somebody else scans digits behind a prefix, as dumps write bytes."""
        self._waiting: list[Sign] = []
        self._again = 0  # not before so much of the source is there
        self._regions: dict[object, list[_Region]] = {}
        self.has_found = False
        self.left_out: list[tuple[str, int]] = []
        """Reasons why something was not decoded, with the position."""

    def add(self, signs: list[Sign]) -> None:
        """What the engine has seen in one stride, in no order. Each is behind those before."""
        self._waiting += sorted(signs)

    @property
    def floor(self) -> int | None:
        """Absolute position before which nothing will be found by signs that were seen already."""
        if not self._waiting:
            return None
        return self._waiting[0][0] - self._furthest - LOOKBACK

    def reach_from(self, position: int) -> int:
        """Absolute position before which nothing will be found, neither by signs that were seen
        nor by those behind ``position``."""
        floor, reach = self.floor, position - LOOKBACK
        return reach if floor is None else min(reach, floor)

    @property
    def first_sign(self) -> int | None:
        """Where the first sign ends that still waits."""
        return self._waiting[0][0] if self._waiting else None

    def look(self, view: memoryview, base: int, *, final: bool) -> list[Found]:
        """What is found by now; ``base`` is the position of the view's first byte."""
        if not final and base + len(view) < self._again:
            return []
        done: list[_Done] = []
        waiting: list[Sign] = []
        blocked: set[object] = set()  # what goes on behind the view may hold the signs behind it
        self._again = 0
        for sign in self._waiting:
            decoder = self._kinds[sign[1]].decoder
            if decoder in blocked:
                waiting.append(sign)
                continue
            try:
                done += self._decoded(sign, view, base, final)
            except Unfinished:
                blocked.add(decoder)
                waiting.append(sign)
                size = base + len(view) - sign[0]
                again = sign[0] + size + (size >> 3 if size > NEAR else 0)
                self._again = min(self._again, again) if self._again else again
        self._waiting = waiting
        return self._found(done, view, base)

    # decoding

    def _decoded(self, sign: Sign, view: memoryview, base: int, final: bool) -> list[_Done]:
        """What this sign stands for, where its text begins, and where the sign ends."""
        end, number = sign
        kind = self._kinds[number]
        place = end - kind.back
        regions = self._regions.setdefault(kind.decoder, [])
        if any(region.holds(place) for region in regions):
            return []
        low = max(base, place - LOOKBACK)
        decoded, cut = self._try(kind, view, low - base, place - low, final)
        if decoded is None:
            return []
        start, until = low + decoded.start, low + decoded.end
        if cut:
            until = max(place + 1, until - OVERLAP)
        shift = decoded.start
        step = decoded.in_step
        region = _Region(start, until, None if step is None else lambda at: step(at + shift))
        self._regions[kind.decoder] = [*(r for r in regions if r.until > place), region][-4:]
        if self.leave_hexes and _is_of_a_dump(view, low - base, decoded, end - base):
            return []
        return self._allowed(decoded, low, end)

    def _try(
        self, kind: Kind, view: memoryview, low: int, place: int, final: bool
    ) -> tuple[Decoded | None, bool]:
        """``place`` counts from ``low``. Shown as little as will do; and whether it was cut off."""
        size, reach = len(view), NEAR
        while True:
            stop = low + place + reach
            far = reach == kind.reach
            whole = (final and stop >= size) or (far and stop <= size)
            text = Text(bytes(view[low:stop]), whole)
            try:
                decoded = kind.decoder(text, place)
            except Unfinished:
                if stop >= size:
                    raise
                reach = min(kind.reach, reach * 8)
                continue
            cut = whole and stop < size and decoded is not None
            return decoded, cut and decoded.end >= len(text.data)  # type: ignore[union-attr]

    def _allowed(self, decoded: Decoded, low: int, end: int) -> list[_Done]:
        if decoded.left_out:
            self.left_out.append((decoded.left_out, low + decoded.start))
        if not self.budget.allows(len(decoded.data), self._position(end)):
            self.left_out.append(("more is encoded here than is decoded", low + decoded.start))
            return []
        return [(decoded, low, end)]

    def _position(self, sign: int) -> int:
        """In the outermost source."""
        return sign if self._inside is None else self._inside.position

    def _one_deeper(self, sign: int) -> Inside:
        return Inside(self._depth + 1, self.budget, self._position(sign))

    # what is found

    def _found(self, done: list[_Done], view: memoryview, base: int) -> list[Found]:
        if not done:
            return []
        find = self._m.engine.find
        done = [one for one in done if find(one[0].data)]
        groups = [
            _worth(decoded, self._look_into(decoded.data, self._one_deeper(sign)))
            for decoded, _, sign in done
        ]
        out: dict[tuple[int, int, str], Found] = {}
        for (decoded, low, sign), left in zip(done, judged(self._m, groups), strict=True):
            for survivor in (one for cluster in left for one in cluster.best()):
                start, end = decoded.source(survivor.start, survivor.end)
                if bytes(view[low - base + start : low - base + end]) == survivor.secret:
                    continue  # it stands there plainly
                chain = decoded.by + survivor.decoded
                whole = msgspec.structs.replace(survivor, decoded=chain)
                found = Found(low + start, low + end, sign, whole)
                out.setdefault((found.start, found.end, survivor.rule.id), found)
        self.has_found = self.has_found or bool(out)
        return list(out.values())


def decoding_in(
    machinery: Machinery, look_into: LookInto, inside: Inside | None
) -> Decoding | None:
    """The decoders for a source, or for what is inside of it; None where that is deep enough."""
    if inside is not None and inside.depth >= DEPTH:
        return None
    return Decoding(machinery, look_into, inside)


def _is_of_a_dump(view: memoryview, low: int, decoded: Decoded, sign: int) -> bool:
    """Whether it is digits behind a prefix, or such as begin further back than is looked; the
    prefix may itself look like an escape. ``low``, ``sign``: places in the view."""
    if decoded.by == ("escape",):
        word = bytes(view[max(0, sign - 4) : low + decoded.end])  # of the sign \\xHH on
        return word.startswith(b"\\x") and hexes.digits_at(word, 2) - 2 >= hexes.SHORTEST
    if decoded.by != ("hex",):
        return False
    before = bytes(view[low : low + decoded.start][-2:])
    long_enough = decoded.end - decoded.start >= hexes.SHORTEST
    return long_enough and (not before or bool(hexes.prefix_at_end(before)))


def _worth(decoded: Decoded, groups: list[Group]) -> list[Group]:
    """Of what was found in decoded bytes, what the decoding has brought about."""
    members = [one for group in groups for one in group.members]
    kept = [one for one in members if _counts(decoded, one)]
    return groups if len(kept) == len(members) else list(clusters_of(kept))


def _counts(decoded: Decoded, match: Match) -> bool:
    """A value with a name counts only if all around it was decoded: the two halves of
    ``"password: " + "please"`` are no password."""
    if not decoded.surroundings and (match.rule.spec.names or match.rule.spec.keywords):
        return False
    joints = decoded.joints
    return joints is None or any(match.start < joint < match.end for joint in joints)
