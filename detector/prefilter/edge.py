"""What stands at the end of a text that goes on: could it be the beginning of a secret?

The prefilter's answer for bytes that have not come yet, and the same contract: it may lie by
saying yes, never by saying no. A secret that is not hit yet begins in a head whose literal has
begun, or is complete with the head's body still growing, or before a head, in a run of the bytes
that may stand there. So an automaton over the literals takes each byte once (0.06 microseconds;
trying each head at each place of the tail took 1,000 a call), its states made when they are first
met; few literals are ever complete, and their heads' regexes tell whether they are still alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from detector.rules import Head, Rule
from detector.rules.assigned import RUN, RUN_BYTES
from detector.rules.syntax import Mask, parse, width
from detector.types import Bytes

MOST_EDGES = 1 << 17  # of the automaton, 100 bytes each: hostile text makes it forget
WORD = 24  # bytes that the runs of most texts fit into
_BLANK = b" \t\r\n\f\v"
_NO_BLANK = bytes(byte for byte in range(256) if byte not in _BLANK)


class Run(NamedTuple):
    """Bytes of a class that may stand before a head and belong to its secret: the last ``most``."""

    chars: bytes
    most: int

    def before(self, text: bytes) -> int:
        """How many of them stand at the end of ``text``."""
        return min(self.most, len(text) - len(text.rstrip(self.chars)))


class Share(NamedTuple):
    """What part of a head that is not complete may be its secret's.

    All from ``offset`` on, and the bytes of ``lead`` before the head; or, of a value with a name,
    the run of ``value`` that the text ends in.
    """

    offset: int
    lead: Run | None
    value: Run | None

    def of(self, text: bytes, matched: int) -> int:
        """How many bytes at the end of ``text``, of which the head has matched the last ones."""
        if self.value is not None:
            return self.value.before(text)
        if self.lead is None:
            return max(0, matched - self.offset)
        return matched + self.lead.before(text[: len(text) - matched])


class _State:
    """The literals that have begun, with how many of their bytes; ``complete``: the heads whose
    literal ends here, and its length; ``held``: how much of the text that makes at least."""

    __slots__ = ("begun", "complete", "held", "led", "next")

    def __init__(
        self,
        begun: tuple[tuple[int, int], ...],
        complete: tuple[tuple[int, int], ...],
        held: int,
        led: tuple[tuple[int, Run], ...],
    ) -> None:
        self.begun, self.complete, self.held, self.led = begun, complete, held, led
        self.next: dict[int, _State] = {}


class Beginnings:
    """The beginnings of all heads. Safe for threads: what it remembers follows from the rules."""

    def __init__(
        self, rules: Sequence[Rule], heads: Sequence[Head], speaks: Sequence[Sequence[int]]
    ) -> None:
        """``speaks``: of which rules each head speaks."""
        self._rules, self._heads, self._speaks = rules, heads, speaks
        self.longest = max((head.most for head in heads), default=1)
        self._regexes: dict[int, Any] = {}
        self._edges = 0

    @cached_property
    def shares(self) -> list[tuple[Share, ...]]:
        """What of each head may be a secret's, by the rules that it speaks for."""
        return [
            tuple({_share(head, self._rules[rule]) for rule in rules})
            for head, rules in zip(self._heads, self._speaks, strict=True)
        ]

    @cached_property
    def runs(self) -> list[Run]:
        """What may stand before heads, the longest first."""
        most: dict[bytes, int] = {}
        for share in (share for shares in self.shares for share in shares):
            if share.lead is not None:
                most[share.lead.chars] = max(share.lead.most, most.get(share.lead.chars, 0))
        return sorted((Run(*one) for one in most.items()), key=lambda run: -run.most)

    @cached_property
    def any_run(self) -> bytes:
        """Every byte of them."""
        return bytes(sorted({byte for run in self.runs for byte in run.chars}))

    @cached_property
    def room(self) -> int:
        """Bytes at the end of a text that all of this is a function of."""
        return self.longest - 1 + max((run.most for run in self.runs), default=0)

    @cached_property
    def _literals(self) -> list[tuple[tuple[frozenset[int], ...], tuple[int, ...]]]:
        """Each literal once, as the bytes that may stand at each place, and its heads."""
        found: dict[tuple[frozenset[int], ...], list[int]] = {}
        for number, head in enumerate(self._heads):
            for word in head.literals:
                both = (char + char.upper() if head.caseless else char for char in word)
                places = tuple(frozenset(chars.encode("latin-1")) for chars in both)
                found.setdefault(places, []).append(number)
        return [(places, tuple(numbers)) for places, numbers in found.items()]

    @cached_property
    def _starts(self) -> dict[int, list[int]]:
        out: dict[int, list[int]] = {}
        for number, (places, _) in enumerate(self._literals):
            for byte in places[0]:
                out.setdefault(byte, []).append(number)
        return out

    @cached_property
    def root(self) -> _State:
        """Nothing has begun."""
        return self._state((), ())

    @cached_property
    def _states(self) -> dict[tuple[tuple[int, int], ...], _State]:
        return {}

    def step(self, state: _State, byte: int) -> _State:
        """The state behind one byte more, made and remembered."""
        literals = self._literals
        now = [(number, 0) for number in self._starts.get(byte, ())]
        now += [one for one in state.begun if byte in literals[one[0]][0][one[1]]]
        now = sorted((number, matched + 1) for number, matched in now)
        whole = [one for one in now if one[1] == len(literals[one[0]][0])]
        begun = tuple(one for one in now if one[1] < len(literals[one[0]][0]))
        complete = tuple((head, size) for number, size in whole for head in literals[number][1])
        if self._edges >= MOST_EDGES:
            self._edges = 0
            self._states.clear()
            self.root.next.clear()
        self._edges += 1
        key = (*begun, (-1, -1), *whole)
        if (found := self._states.get(key)) is None:
            found = self._states[key] = self._state(begun, complete)
        state.next[byte] = found
        return found

    def _state(
        self, begun: tuple[tuple[int, int], ...], complete: tuple[tuple[int, int], ...]
    ) -> _State:
        held, led = 0, set()
        for number, matched in begun:
            for share in (one for head in self._literals[number][1] for one in self.shares[head]):
                if share.lead is not None:
                    led.add((matched, share.lead))
                elif share.value is None:
                    held = max(held, matched - share.offset)
        return _State(begun, complete, held, tuple(led))

    def alive(self, head: int, text: bytes) -> bool:
        """Whether ``text`` is the beginning of this head, and more bytes could make a hit."""
        if (regex := self._regexes.get(head)) is None:
            import regex as regex_

            regex = self._regexes[head] = regex_.compile(self._heads[head].regex.encode())
        found = regex.fullmatch(text, partial=True)
        return found is not None and (found.partial or not self._heads[head].length)

    def undecided_from(self, data: Bytes, size: int) -> int:
        """The first position of ``data[:size]`` from which later bytes could still make a secret
        that no head has been hit of; ``size`` if there is none."""
        edge = Edge(self)
        edge.feed(bytes(data[max(0, size - self.room) : size]))
        return size - edge.held()


class Edge:
    """The end of one text that grows. Not for several threads at once."""

    def __init__(self, beginnings: Beginnings) -> None:
        self._b = beginnings
        self._any_run, self._runs = frozenset(beginnings.any_run), beginnings.runs
        self._room = beginnings.room
        self._state = beginnings.root
        self._text = b""  # its last bytes
        self._live: list[tuple[int, int]] = []  # a head, and where it begins
        self._fed = 0

    def feed(self, piece: bytes) -> bool:
        """Whether a head may have been completed in it."""
        state, position = self._state, self._fed
        for byte in piece:
            position += 1
            state = state.next.get(byte) or self._b.step(state, byte)
            if state.complete:
                self._live += [(head, position - size) for head, size in state.complete]
        self._state, self._fed = state, position
        self._text = (self._text + piece)[-self._room :]
        return bool(self._live)

    def restart(self, text: bytes) -> None:
        """Forget what was fed: the text is this, or ends in its last ``room`` bytes."""
        self._state, self._live = self._b.root, []
        self.feed(text)

    def held(self) -> int:
        """How many bytes at the end may become part of a secret."""
        text, held = self._text, self._state.held
        if text and text[-1] in self._any_run:
            held = max(held, self._in_runs(text))
        for matched, lead in self._state.led:
            held = max(held, matched + lead.before(text[: len(text) - matched]))
        return max(held, self._in_heads(text)) if self._live else held

    def _in_runs(self, text: bytes) -> int:
        """A head may follow: how many bytes may belong to its secret."""
        text = text[-WORD:] if text[-WORD:].rstrip(self._b.any_run) else text
        size = len(text)
        most = size - len(text.rstrip(self._b.any_run))
        held = 0
        for chars, longest in self._runs:
            run = size - len(text.rstrip(chars))
            held = max(held, min(run, longest))
            if held == most or held >= longest:
                break
        return held

    def _in_heads(self, text: bytes) -> int:
        """How much the heads hold whose literals are complete; those that are dead go."""
        held, living = 0, []
        for head, start in dict.fromkeys(self._live):  # it may begin with several literals
            size = self._fed - start
            if size < self._b.longest and self._b.alive(head, text[-size:]):
                living.append((head, start))
                held = max(held, *(share.of(text, size) for share in self._b.shares[head]))
        self._live = living
        return held


def _share(head: Head, rule: Rule) -> Share:
    if head.runs:
        return Share(0, None, Run(RUN_BYTES, RUN + 1))
    if head.tail:
        return Share(0, None, Run(_NO_BLANK, head.tail))
    if rule.hold:
        return Share(0, Run(_members(rule.lead), rule.hold), None)
    if rule.spec.keywords:
        return Share(head.length, None, None)
    offset = rule.before - rule.heads.lead_lo
    if head.length:
        return Share(max(0, offset), None, None)
    if offset > 0:  # behind the whole head, however long it gets
        return Share(head.most, None, None)
    return Share(max(0, offset + width(parse(head.regex))[0]), None, None)


def _members(regex: str) -> bytes:
    mask: Mask = parse(regex).mask  # type: ignore[union-attr]  # a class is one byte
    return bytes(byte for byte in range(256) if mask >> byte & 1)
