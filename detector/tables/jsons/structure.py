"""Strings, brackets and what separates, and what leads to a byte.

Of a stride numpy finds the quotes, then the brackets outside of strings, and how deep each byte
is. What leads to a byte, a key or an index for each bracket that is open there, is the last comma
or colon of that depth before it: it is looked up for places asked for and for the end.

Format: https://www.rfc-editor.org/rfc/rfc8259. No bytes are refused; what is no JSON has some
place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.tables.bits import Flags, parity
from detector.tables.jsons.samples import KEY, sampled
from detector.tables.layout import Cell
from detector.tables.spans import Inner, Spans

LEVELS = 32  # brackets of which it is known where they are; deeper, there is no field
PATH = 1024  # characters of a field

Ints = NDArray[np.int64]
Frame = int | str | None
"""What leads on in an open bracket: an index, a key, or nothing before a key's colon."""
UNKNOWN = "\0"  # a key that is too long
NONE = np.empty(0, np.int64)


class State(NamedTuple):
    """What is known before the first byte of ``held``, a string whose end decides what it is.

    ``inside``: a longer one; ``depth``: brackets open; ``frames``: of the outermost of them;
    ``row``: of JSON Lines, those ended; ``blank``: nothing but spaces in the line so far.
    """

    held: bytes = b""
    inside: bool = False
    depth: int = 0
    frames: tuple[Frame, ...] = ()
    row: int = 0
    blank: bool = True


class Structure:
    """Strings, brackets and what separates, in one piece of text, as positions.

    ``breaks``: newlines behind each of which all begins anew.
    """

    def __init__(self, text: bytes, state: State, breaks: Ints = NONE) -> None:
        self._state = state
        self._text = text
        self._column = column = np.frombuffer(text, np.uint8)
        self._quotes = column == 34
        if b"\\" in text:
            self._escape()
        self._inside = parity(self._quotes, state.inside)
        if breaks.size:
            self._close(breaks)
        folded = column | 32  # [ and {, ] and } are one bit apart
        brackets = (folded == 0x7B) | (folded == 0x7D)
        marks = np.flatnonzero(brackets & ~self._inside)
        steps = np.where(column[marks] & 2, 1, -1)
        depths = np.cumsum(steps) + state.depth
        if breaks.size:
            marks, steps, depths = self._anew(marks, steps, breaks)
        self._marks, self._steps, self._depths = marks, steps, depths
        self._keys: dict[bytes, str] = {}
        self.stop = self._stop()

    def _escape(self) -> None:
        """Without the quotes behind an odd number of backslashes."""
        slashes = np.flatnonzero(self._column == 92)
        ends = np.flatnonzero(np.diff(slashes, append=-1) != 1)
        odd = np.diff(ends, prepend=-1) & 1 == 1
        behind = slashes[ends[odd]] + 1
        self._quotes[behind[behind < self._column.size]] = False

    def _close(self, breaks: Ints) -> None:
        """A quote more for each line that leaves a string open."""
        open_ = np.diff(self._inside[breaks].astype(np.int8), prepend=0) != 0
        if open_.any():
            self._quotes[breaks[open_]] = True
            self._inside = parity(self._quotes, self._state.inside)

    def _anew(self, marks: Ints, steps: Ints, breaks: Ints) -> tuple[Ints, Ints, Ints]:
        """Breaks among the marks, behind which no bracket is open."""
        both = np.concatenate((marks, breaks))
        order = np.argsort(both, kind="stable")
        steps = np.concatenate((steps, np.zeros(breaks.size, np.int64)))[order]
        depths = np.cumsum(steps) + self._state.depth
        last = np.maximum.accumulate(np.where(steps == 0, np.arange(order.size), -1))
        return both[order], steps, depths - np.where(last >= 0, depths[last], 0)

    def _stop(self) -> int:
        """Up to where what is seen is certain: a string may yet be a key, a backslash escapes."""
        text, size = self._text, len(self._text)
        begin = max(0, size - KEY)
        quotes = np.flatnonzero(self._quotes[begin:]) + begin
        inside = bool(self._inside[-1]) if size else self._state.inside
        if quotes.size >= 2 - inside and (inside or not text[int(quotes[-1]) + 1 :].strip()):
            return int(quotes[inside - 2])
        slashes = size - len(text.rstrip(b"\\"))
        return size - (slashes & 1)

    def _depth(self, positions: Ints) -> Ints:
        before = np.searchsorted(self._marks, positions)
        return np.concatenate((np.array([self._state.depth]), self._depths))[before]

    def _openers(self, level: int) -> Ints:
        opening: Ints = self._marks[(self._depths == level) & (self._steps == 1)]
        return opening

    def _separators(self, level: int, low: int, high: int) -> Ints:
        """Commas and colons of one level between two positions."""
        first, last = np.searchsorted(self._marks, (low, high)).tolist()
        marks = np.concatenate(([low], self._marks[first:last], [high]))
        depth = int(self._depths[first - 1]) if first else self._state.depth
        here = np.concatenate(([depth], self._depths[first:last])) == level
        begins, sizes = marks[:-1][here], np.diff(marks)[here]
        if sizes.sum() * 8 > high - low:
            seps = np.flatnonzero(self._separate(slice(low, high))) + low
            found: Ints = seps[self._depth(seps) == level]
            return found
        # Between rows there are few bytes: each is looked at.
        shifts = np.repeat(begins - np.cumsum(sizes) + sizes, sizes)
        seps = shifts + np.arange(shifts.size)
        return seps[self._separate(seps)]

    def _separate(self, where: Ints | slice) -> Flags:
        column = self._column[where]
        separate: Flags = ((column == 44) | (column == 58)) & ~self._inside[where]
        return separate

    def frames(self, positions: Ints) -> list[list[Frame]]:
        """What leads to each of ascending positions from the outermost bracket."""
        depths = self._depth(positions)
        out: list[list[Frame]] = [[] for _ in range(positions.size)]
        for level in range(1, min(LEVELS, int(depths.max(initial=0))) + 1):
            which = np.flatnonzero(depths >= level)
            frames = self._level(level, positions[which])
            for n, frame in zip(which.tolist(), frames, strict=True):
                out[n].append(frame)
        for n in np.flatnonzero(depths > LEVELS).tolist():
            out[n].append(UNKNOWN)
        return out

    def _level(self, level: int, positions: Ints) -> list[Frame]:
        """The frames at one level of positions that are at least so deep."""
        if not positions.size:
            return []
        openers = np.concatenate(([-1], self._openers(level)))
        starts = openers[np.searchsorted(openers, positions) - 1]
        seps = self._separators(level, max(0, int(starts.min())), int(positions[-1]))
        firsts = np.searchsorted(seps, starts)
        lasts = np.searchsorted(seps, positions)
        seps = np.concatenate(([-1], seps))
        before = seps[lasts]
        known = self._state.frames[level - 1] if level <= len(self._state.frames) else None
        out: list[Frame] = []
        for start, count, sep in zip(
            starts.tolist(), (lasts - firsts).tolist(), before.tolist(), strict=True
        ):
            if isinstance(known, int) if start < 0 else self._text[start] == 91:
                out.append(count + (known if start < 0 and isinstance(known, int) else 0))
            elif count:
                out.append(self._key(sep, start) if self._text[sep] == 58 else None)
            else:
                out.append(known if start < 0 else None)
        return out

    def _key(self, colon: int, start: int) -> str:
        """The string before a colon."""
        text, quotes = self._text, self._quotes
        low = max(start + 1, colon - KEY)
        closing = low + len(text[low:colon].rstrip()) - 1
        opening = text.rfind(b'"', low, max(low, closing))
        while opening >= 0 and not quotes[opening]:
            opening = text.rfind(b'"', low, opening)
        if opening < 0 or not quotes[closing]:
            return UNKNOWN
        raw = text[opening + 1 : closing]
        key = self._keys.get(raw)
        if key is None:
            key = self._keys[raw] = _string(raw)
        return key

    def after(self) -> State:
        """The state at the stop, and what is held from there."""
        end = np.array([self.stop])
        depth = int(self._depth(end)[0])
        frames = [self._level(n, end)[0] for n in range(1, min(LEVELS, depth) + 1)]
        inside = bool(self._inside[self.stop - 1]) if self.stop else self._state.inside
        return State(self._text[self.stop :], inside, depth, tuple(frames))

    def tell(
        self, spans: Spans, stop: int, place: Callable[[list[Frame], int], Cell], *, ended: bool
    ) -> None:
        """What stands in the fields up to ``stop``. ``place``: the cell of a position, whose
        frames are given; ``ended``: the text ends there."""
        parts = list(self._parts(stop, spans.keys))
        starts = np.array([start for start, _, _ in parts], np.int64)
        for (start, end, closed), frames in zip(parts, self.frames(starts), strict=True):
            key = frames[-1] if frames else None
            if key is None or (spans.keys is not None and not _is_among(key, spans.keys)):
                continue
            table, field, row, _ = place(frames, start)
            if table is None or field is None or row is None or not spans.wanted(table, field):
                continue
            spans.tell(table, field, row, start, end, _inner, ended=closed or ended)

    def _parts(self, stop: int, keys: Collection[bytes] | None) -> Iterator[tuple[int, int, bool]]:
        """From and to where values may stand, and whether it is known where they end. ``keys``:
        the only ones behind which they are looked for."""
        separators = np.flatnonzero(self._separate(slice(0, stop)))
        edges = np.concatenate((separators, self._marks[: np.searchsorted(self._marks, stop)]))
        edges.sort()
        ends = np.append(edges, stop)
        yield 0, int(ends[0]), bool(edges.size)
        kind, ends = self._column[edges], ends[1:]
        may = (kind != 123) & (ends > edges + 1)
        may[-1:] = kind[-1:] != 123
        if keys is not None:
            may &= (kind != 44) & (kind != 91)
            may[kind == 58] &= self._may_lead(edges[kind == 58], keys)
        text, last = self._text, edges.size - 1
        for n in np.flatnonzero(may).tolist():
            edge, end = int(edges[n]), int(ends[n])
            if text[edge] == 58 or text[edge + 1 : end].strip():
                yield edge + 1, end, n < last

    def _may_lead(self, colons: Ints, keys: Collection[bytes]) -> Flags:
        """Whether one of these keys may stand before each colon: one of their lengths, or of any
        if it has escapes or begins before the text."""
        quotes = np.flatnonzero(self._quotes)
        before = np.searchsorted(quotes, colons)
        far = before < 2
        if not quotes.size:
            return far
        opening, closing = quotes[before - 2], quotes[before - 1]
        may: Flags = far | np.isin(closing - opening - 1, [len(key) for key in keys])
        slashes = np.flatnonzero(self._column == 92)
        if slashes.size:
            may |= np.searchsorted(slashes, closing) > np.searchsorted(slashes, opening)
        for n in np.flatnonzero(may & ~far).tolist():
            key = self._text[int(opening[n]) + 1 : int(closing[n])]
            may[n] = key.lower() in keys or b"\\" in key
        return may

    def elements(self, level: int) -> list[tuple[list[Frame], Ints]]:
        """Where containers begin that are elements of arrays at a level, behind nothing but
        objects; by array, with the frames outside of it."""
        begins = self._openers(level + 1)
        begins = begins[: np.searchsorted(begins, self.stop)]
        for n in range(1, level + 1):
            begins = begins[self._in_arrays(n, begins) == (n == level)]
        if not begins.size:
            return []
        owners = np.searchsorted(self._openers(level), begins)
        firsts = np.flatnonzero(np.diff(owners, prepend=-1))
        outer = [self._level(n, begins[firsts]) for n in range(1, level)]
        return [
            ([frames[n] for frames in outer], part)
            for n, part in enumerate(np.split(begins, firsts[1:]))
        ]

    def _in_arrays(self, level: int, positions: Ints) -> Flags:
        """Whether what is open at a level is an array."""
        known = self._state.frames[level - 1 : level]
        openers = self._openers(level)
        kinds = np.concatenate(
            ([bool(known) and isinstance(known[0], int)], self._column[openers] == 91)
        )
        inside: Flags = kinds[np.searchsorted(openers, positions)]
        return inside

    def sampled(self, begins: Ints, level: int, most: int) -> list[dict[str, Any]]:
        """Some whole ones of the containers at a level that begin at these positions."""
        closers = self._marks[(self._depths == level - 1) & (self._steps == -1)]
        ends = closers[np.searchsorted(closers, begins[0]) :][: begins.size] + 1
        return sampled(self._text, begins[: ends.size], ends, most)


def _is_among(key: Frame, keys: Collection[bytes]) -> bool:
    return isinstance(key, str) and key.encode("utf-8", "surrogatepass").lower() in keys


def _inner(raw: bytes, _last: bool) -> Inner:
    begin, end = len(raw) - len(raw.lstrip()), len(raw.rstrip())
    if raw.startswith(b'"', begin):
        closed = end > begin + 1 and raw.endswith(b'"', begin, end)
        return begin + 1, end - 1 if closed else len(raw)
    return None if begin >= end or raw[begin:end] == b"null" else (begin, end)


def path_of(frames: Sequence[Frame]) -> str | None:
    """Keys and indexes as a field; None if it isn't known."""
    if not frames:
        return None
    parts = []
    for frame in frames:
        if isinstance(frame, int):
            parts.append(f"[{frame}]")
        elif frame == UNKNOWN:
            return None
        elif frame is not None:
            parts.append("." + frame if parts else frame)
    path = "".join(parts)
    return path if 0 < len(path) <= PATH else None


def _string(raw: bytes) -> str:
    """What stands between a string's quotes."""
    if b"\\" in raw:
        try:
            return msgspec.json.decode(b'"' + raw + b'"', type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    return raw.decode("utf-8", "replace")
