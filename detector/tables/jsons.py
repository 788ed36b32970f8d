"""JSON: Lines, and files that are one array of objects or an object of such arrays.

Of a stride numpy finds the quotes, then the brackets outside of strings, and how deep each byte
is. What leads to a byte, a key or an index for each bracket that is open there, is the last comma
or colon of that depth before it: it is looked up for places asked for and for the end.

Format: https://www.rfc-editor.org/rfc/rfc8259, https://jsonlines.org. No bytes are refused; what
is no JSON has some place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.tables.bits import PIECE, Flags, parity, pieces
from detector.tables.census import Census
from detector.tables.layout import NOWHERE, Cell
from detector.types import Bytes

LEVELS = 32  # brackets of which it is known where they are; deeper, there is no field
KEY = 256  # bytes of a key with its quotes and what stands before the colon; longer, no field
PATH = 1024  # characters of a field
SAMPLES = 12  # objects sampled of what is walked over at once, about
LONGEST = 1 << 16  # bytes of an object that is sampled
COLUMNS = 1024  # of a table
TABLES = 64  # of which objects are sampled in one piece

Ints = NDArray[np.int64]
Frame = int | str | None
"""What leads on in an open bracket: an index, a key, or nothing before a key's colon."""
UNKNOWN = "\0"  # a key that is too long
_NONE = np.empty(0, np.int64)


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


class JsonLines(NamedTuple):
    """A value a line; the row is its number, blank lines are none. A broken line ends, too."""

    name: str

    def begin(self) -> State:
        """Before the first line."""
        return State()

    def walk(
        self, state: State, data: Bytes, positions: Sequence[int], census: Census | None = None
    ) -> tuple[State, list[Cell]]:
        """See :class:`~detector.tables.layout.Dialect`."""
        places: list[Cell] = []
        for part, offsets in pieces(memoryview(data), positions):
            state, found = self._piece(state, part, offsets, census, _samples(data))
            places += found
        return state, places

    def _piece(
        self, state: State, data: bytes, positions: Sequence[int], census: Census | None, most: int
    ) -> tuple[State, list[Cell]]:
        lead = b"\n" if state.blank else b"x"  # what stands before says whether a line is blank
        text = lead + state.held + data
        newlines, ended = _lines(text)
        places: list[Cell] = []
        if positions:
            wanted = np.asarray(positions, np.int64) + (1 + len(state.held))
            places = self._places(state, text, newlines, ended, wanted)
        last = int(newlines[-1]) + 1 if newlines.size else 1
        kept = State() if newlines.size else state
        blank = kept.blank and not text[last:].strip(b" \t\r")
        after = _Structure(text[last:], kept).after()
        after = after._replace(row=state.row + ended.size, blank=blank)
        if census is not None and (begun := _begun(after) - _begun(state)):
            _tell(census, self.name, begun, self._objects(state, text, newlines, most))
        return after, places

    def _places(
        self, state: State, text: bytes, newlines: Ints, ended: Ints, wanted: Ints
    ) -> list[Cell]:
        first = int(np.searchsorted(newlines, wanted[0]))
        begin = int(newlines[first - 1]) + 1 if first else 1
        end = int(wanted[-1])
        breaks = newlines[first : np.searchsorted(newlines, end)] - begin
        structure = _Structure(text[begin:end], State() if first else state, breaks)
        rows = np.searchsorted(ended, wanted) + (state.row + 1)
        return [
            Cell(self.name, _path(frames), row)
            for frames, row in zip(structure.frames(wanted - begin), rows.tolist(), strict=True)
        ]

    def _objects(
        self, state: State, text: bytes, newlines: Ints, most: int
    ) -> list[dict[str, Any]]:
        """Some whole lines."""
        starts = newlines if state.held or not state.blank else np.append(0, newlines)
        ends = newlines[newlines.size + 1 - starts.size :]
        return _sampled(text, starts[: ends.size] + 1, ends, most) if starts.size else []


class JsonArray(NamedTuple):
    """One array: the row is an element's number. Or an object: each of its keys that holds an
    array is a table; of all else the field is the whole path, and there is no row."""

    name: str

    def begin(self) -> State:
        """Before the array."""
        return State()

    def walk(
        self, state: State, data: Bytes, positions: Sequence[int], census: Census | None = None
    ) -> tuple[State, list[Cell]]:
        """See :class:`~detector.tables.layout.Dialect`."""
        places: list[Cell] = []
        for part, offsets in pieces(memoryview(data), positions):
            structure = _Structure(state.held + part, state)
            if offsets:
                wanted = np.asarray(offsets, np.int64) + len(state.held)
                places += [self._place(frames) for frames in structure.frames(wanted)]
            if census is not None:
                self._tell(census, structure, _samples(data))
            state = structure.after()
        return state, places

    def _place(self, frames: Sequence[Frame]) -> Cell:
        match frames:
            case [int(row), *path]:
                return Cell(self.name, _path(path), row + 1)
            case [str(table), int(row), *path] if table != UNKNOWN:
                return Cell(table, _path(path), row + 1)
            case []:
                return NOWHERE
        return Cell(self.name, _path(frames))

    def _tell(self, census: Census, structure: _Structure, most: int) -> None:
        """Of objects (and arrays) that are elements: those that begin here, and some of them."""
        for _, begins in structure.elements(1):
            _tell(census, self.name, begins.size, structure.sampled(begins, 2, most))
        for n, (frames, begins) in enumerate(structure.elements(2)):
            table = frames[0]
            if isinstance(table, str) and table != UNKNOWN:
                samples = structure.sampled(begins, 3, most) if n < TABLES else []
                _tell(census, table, begins.size, samples)


def holds_tables(head: bytes) -> bool:
    """Whether an object that begins so has an array of objects or arrays under a key."""
    return bool(_Structure(head, State()).elements(2))


class _Structure:
    """Strings, brackets and what separates, in one piece of text, as positions.

    ``breaks``: newlines behind each of which all begins anew.
    """

    def __init__(self, text: bytes, state: State, breaks: Ints = _NONE) -> None:
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
        return _sampled(self._text, begins[: ends.size], ends, most)


def _samples(data: Bytes) -> int:
    """Objects sampled of a piece."""
    return SAMPLES * PIECE // max(len(data), PIECE) + 1


def _begun(state: State) -> int:
    """How many lines have begun."""
    return state.row + (not state.blank)


def _lines(text: bytes) -> tuple[Ints, Ints]:
    """Where lines end, and of those where one ends that is not blank; not the first byte."""
    column = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(column[1:] == 10) + 1
    last = column[newlines - 1]
    if (last > 32).all():
        return newlines, newlines
    last = np.where(last == 13, column[newlines - 2], last)
    blank = last == 10
    if ((last == 32) | (last == 9) | (last == 13)).any():  # all but spaces, then
        kept = column[(column != 32) & (column != 9) & (column != 13)]
        ends = np.flatnonzero(kept[1:] == 10) + 1
        blank = kept[ends - 1] == 10
    return newlines, newlines[~blank]


def _path(frames: Sequence[Frame]) -> str | None:
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


_DECODER = msgspec.json.Decoder(float_hook=str)  # numbers as they stand


def _sampled(text: bytes, begins: Ints, ends: Ints, most: int) -> list[dict[str, Any]]:
    """Some objects out of many, from all over; what is none is left out."""
    chosen = np.linspace(0, begins.size - 1, min(most, begins.size)).astype(np.int64)
    out = []
    for begin, end in zip(begins[chosen].tolist(), ends[chosen].tolist(), strict=True):
        if end - begin <= LONGEST:
            try:
                one = _DECODER.decode(text[begin:end].removeprefix(b"\xef\xbb\xbf"))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
                continue
            if isinstance(one, dict):
                out.append(one)
    return out


def _tell(census: Census, table: str, rows: int, objects: list[dict[str, Any]]) -> None:
    """Rows of a table, and samples in the order in which keys have appeared."""
    known = census.tables.get(table)
    names = dict.fromkeys(known.columns if known else ())
    for one in objects:
        names.update(dict.fromkeys(key[:KEY] for key in one))
    columns = tuple(names)[:COLUMNS]
    census.count(table, columns, rows)
    if known := census.tables.get(table):
        known.columns = columns
    census.sample(table, columns, [[_value(one.get(name)) for name in columns] for one in objects])


def _value(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    try:
        return msgspec.json.encode(value)
    except RecursionError:  # it was decoded with a little less on the stack
        return None
