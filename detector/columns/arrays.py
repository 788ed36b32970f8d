"""Arrays of Arrow to chunks: no value becomes a Python object.

An array may come from a file that lies about itself, so nothing is read before it is checked:
buffers are as long as they must be, offsets ascend, indices are within their dictionary. That
text is UTF-8 is not asked for. Layouts: https://arrow.apache.org/docs/format/Columnar.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detector.columns.types import Also, Chunk, Ints, Limits, Meter, Unreadable, cuts, none, shown

DEEPEST = 64  # levels of a type; Arrow's own limit when it reads one
STEP = 1 << 16  # values of a dictionary or of runs that are looked up at once
SHORTEST = 8  # bytes of a value of fixed size that could hold a secret

_NEWLINE = b"\n"


class Leaf(NamedTuple):
    """Values without structure. ``parents``: the index of each one's row, None for its own."""

    path: str
    array: Any
    parents: Ints | None


def storage(dtype: Any) -> Any:
    """The type that an extension type is written as."""
    while isinstance(dtype, pa.BaseExtensionType):
        dtype = dtype.storage_type
    return dtype


def holds_text(dtype: Any, depth: int = 0) -> bool:
    """Whether values of a type can hold text anywhere."""
    if depth > DEEPEST:
        return True  # refused when it is read
    if str(getattr(dtype, "extension_name", "")) == "arrow.uuid":
        return False
    dtype = storage(dtype)
    if _is_text(dtype):
        return True
    return any(holds_text(child, depth + 1) for child in children(dtype))


def castable(dtype: Any) -> bool:
    """Whether values are no text, but can be written as text one by one."""
    if holds_text(dtype) or children(storage(dtype)):
        return False
    types, dtype = pa.types, storage(dtype)
    return bool(types.is_primitive(dtype) or types.is_decimal(dtype)) and not (
        types.is_interval(dtype) or types.is_float16(dtype)
    )


def children(dtype: Any) -> list[Any]:
    """The types that a type is made of."""
    if pa.types.is_dictionary(dtype) or pa.types.is_run_end_encoded(dtype):
        return [dtype.value_type]
    if pa.types.is_map(dtype):
        return [dtype.key_type, dtype.item_type]
    if _is_list(dtype):
        return [dtype.value_type]
    if pa.types.is_struct(dtype) or pa.types.is_union(dtype):
        return [dtype.field(i).type for i in range(dtype.num_fields)]
    return []


def _storage_of(array: Any) -> Any:
    while isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    return array


def _is_list(dtype: Any) -> bool:
    types = pa.types
    return bool(
        types.is_list(dtype)
        or types.is_large_list(dtype)
        or types.is_fixed_size_list(dtype)
        or _is_list_view(dtype)
    )


def _is_list_view(dtype: Any) -> bool:
    return bool(pa.types.is_list_view(dtype) or pa.types.is_large_list_view(dtype))


def _is_view(dtype: Any) -> bool:
    return bool(pa.types.is_string_view(dtype) or pa.types.is_binary_view(dtype))


def _is_text(dtype: Any) -> bool:
    types = pa.types
    if types.is_fixed_size_binary(dtype):
        return bool(dtype.byte_width >= SHORTEST)
    return bool(
        types.is_string(dtype)
        or types.is_large_string(dtype)
        or types.is_binary(dtype)
        or types.is_large_binary(dtype)
        or _is_view(dtype)
    )


class Columns:
    """Makes the chunks of one table. Not for several threads at once."""

    def __init__(self, table: str, limits: Limits, meter: Meter, also: Also = none) -> None:
        self._also = also
        self._table, self._limits, self._meter = table, limits, meter
        self._coded: tuple[Any, Any, Ints] | None = None

    def chunks(self, field: str, array: Any, first_row: int) -> Iterator[Chunk]:
        """The chunks of some consecutive values, the first one of them in ``first_row``.

        Raises :class:`Unreadable`, or what pyarrow raises for what is damaged.
        """
        array.validate()
        is_text = not castable(array.type)
        if not is_text:
            if not self._also(self._table, shown(field)):
                return
            array = _storage_of(array).cast(pa.large_string())
        for leaf in leaves(array, field):
            for at, data, offsets, nulls in self._values(leaf.array):
                self._meter.charge(len(data))
                rows = None
                if leaf.parents is not None:
                    rows = leaf.parents[at : at + len(offsets) - 1] + first_row
                first = int(rows[0]) if rows is not None else first_row + at
                yield Chunk(
                    self._table, shown(leaf.path), first, data, offsets, nulls, rows, is_text
                )

    def wants(self, field: Any) -> bool:
        """Whether a field of a schema has chunks."""
        if holds_text(field.type):
            return True
        return castable(field.type) and self._also(self._table, shown(field.name))

    def _values(self, array: Any) -> Iterator[tuple[int, memoryview, Ints, int]]:
        """Where each chunk begins, its data, offsets and nulls."""
        if pa.types.is_dictionary(array.type):
            yield from self._of_dictionary(array)
        elif pa.types.is_run_end_encoded(array.type):
            yield from self._of_runs(array)
        else:
            most = self._limits.chunk_bytes
            for begin, to in cuts(sizes(array), most):
                yield begin, *_joined(_binary(array.slice(begin, to - begin)))

    def _of_dictionary(self, array: Any) -> Iterator[tuple[int, memoryview, Ints, int]]:
        for start in range(0, len(array), STEP):
            piece = array.slice(start, STEP)
            indices = piece.indices.cast(pa.int64(), safe=False)
            index = indices.fill_null(-1).to_numpy(zero_copy_only=False)
            yield from self._looked_up(array.dictionary, index, indices.is_valid(), start)

    def _of_runs(self, array: Any) -> Iterator[tuple[int, memoryview, Ints, int]]:
        ends = array.run_ends.to_numpy().astype(np.int64)
        if len(ends) and (ends[0] < 1 or np.any(np.diff(ends) < 1)):
            raise Unreadable("runs that do not ascend")
        for start in range(0, len(array), STEP):
            n = min(STEP, len(array) - start)
            at = np.arange(array.offset + start, array.offset + start + n)
            index = np.searchsorted(ends, at, side="right").astype(np.int64)
            yield from self._looked_up(array.values, index, None, start)

    def _looked_up(
        self, values: Any, index: Ints, valid: Any, start: int
    ) -> Iterator[tuple[int, memoryview, Ints, int]]:
        """Values of a dictionary, each as often as it is asked for, a chunk at a time."""
        table, lengths = self._table_of(values)
        n = len(lengths) - 1  # behind the dictionary's own stands the one that NULL becomes
        if valid is not None:
            index = np.where(valid.to_numpy(zero_copy_only=False), index, n)
        if len(index) and (int(index.min()) < 0 or int(index.max()) > n):
            raise Unreadable("an index that is not in its dictionary")
        missing = values.is_null().to_numpy(zero_copy_only=False)
        none = np.append(missing, True)
        offsets = _summed(lengths[index])
        for begin, to in cuts(offsets, self._limits.chunk_bytes):
            part = index[begin:to]
            taken = table.take(pa.array(part))
            data = memoryview(taken.buffers()[2])[: int(offsets[to] - offsets[begin])]
            yield (
                start + begin,
                data,
                offsets[begin : to + 1] - offsets[begin],
                int(none[part].sum()),
            )

    def _table_of(self, values: Any) -> tuple[Any, Ints]:
        """A dictionary's values and then NULL, each with its newline, and their sizes."""
        if self._coded is not None and self._coded[0] is values:
            return self._coded[1:]
        if not _is_text(values.type):
            raise Unreadable("a dictionary of what is no text")
        limit = self._limits.unit_bytes
        if int(sizes(values)[-1]) > limit:
            raise Unreadable(f"a dictionary of more than {limit} bytes")
        data, offsets, _ = _joined(_binary(values))
        size = int(offsets[-1])
        whole = np.empty(size + 1, np.uint8)
        whole[:size] = np.frombuffer(data, np.uint8)
        whole[size] = _NEWLINE[0]
        offsets = np.append(offsets, size + 1)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(whole)]
        table = pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)
        self._coded = values, table, np.diff(offsets)
        return table, self._coded[2]


def _summed(sizes: NDArray[Any]) -> Ints:
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def sizes(array: Any) -> Ints:
    """Offsets that values will have at most, each with its newline, shape (n + 1,)."""
    dtype, n = array.type, len(array)
    if not n:
        return np.zeros(1, np.int64)
    if pa.types.is_fixed_size_binary(dtype):
        return np.arange(n + 1, dtype=np.int64) * (int(dtype.byte_width) + 1)
    if _is_view(dtype):
        views = np.frombuffer(array.buffers()[1], np.int32).reshape(-1, 4)
        lengths = views[array.offset : array.offset + n, 0].astype(np.int64)
        return _summed(np.maximum(lengths, 0) + 1)
    ends: Ints = _offsets(array) + np.arange(n + 1)
    return ends


def _offsets(array: Any) -> Ints:
    """The offsets of strings or lists, checked."""
    wide = pa.types.is_large_list(array.type) or array.type in (
        pa.large_string(),
        pa.large_binary(),
    )
    raw = np.frombuffer(array.buffers()[1], np.int64 if wide else np.int32)
    part = raw[array.offset : array.offset + len(array) + 1]
    offsets: Ints = part.astype(np.int64, copy=False)
    if offsets[0] < 0 or np.any(np.diff(offsets) < 0):
        raise Unreadable("offsets that do not ascend")
    return offsets


def _binary(array: Any) -> Any:
    """Text of any type as large binary, checked; what is NULL is empty there."""
    dtype = array.type
    if pa.types.is_string(dtype):
        array = array.view(pa.binary())
    elif pa.types.is_large_string(dtype):
        array = array.view(pa.large_binary())
    elif pa.types.is_string_view(dtype):
        array = array.view(pa.binary_view())
    array.validate(full=True)
    return array.cast(pa.large_binary())


def _joined(array: Any) -> tuple[memoryview, Ints, int]:
    """The data, offsets and nulls of large binary values.

    They are joined as one list with one empty value more: 5 GB/s with values of 36 bytes where
    `binary_join_element_wise` has 1.5, and 1.5 where that has 0.36 with values of 8.
    """
    nulls = array.null_count
    if nulls:
        array = array.fill_null(b"")
    n = len(array)
    offsets = _offsets(array)
    longer = pa.py_buffer(np.append(offsets, offsets[-1]))
    data = array.buffers()[2] or pa.py_buffer(b"")
    whole = pa.Array.from_buffers(pa.large_binary(), n + 1, [None, longer, data])
    one = pa.ListArray.from_arrays(pa.array([0, n + 1], pa.int32()), whole)
    text = pc.binary_join(one, pa.scalar(_NEWLINE, whole.type))
    ends = offsets - offsets[0] + np.arange(n + 1)
    return memoryview(text.buffers()[2])[: int(ends[-1])], ends, nulls


def leaves(array: Any, path: str) -> Iterator[Leaf]:
    """The text in an array, however deep. Raises :class:`Unreadable`."""
    return _leaves(array, path, None, 0)


def _leaves(array: Any, path: str, parents: Ints | None, depth: int) -> Iterator[Leaf]:
    if depth > DEEPEST:
        raise Unreadable(f"nested more than {DEEPEST} levels")
    if not holds_text(array.type):
        return
    while isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    dtype = array.type
    if _is_text(dtype) or pa.types.is_dictionary(dtype) or pa.types.is_run_end_encoded(dtype):
        if len(array):
            yield Leaf(path, array, parents)
    elif pa.types.is_struct(dtype):
        for number, child in enumerate(array.flatten()):
            name = f"{path}.{dtype.field(number).name}"
            yield from _leaves(child, name, parents, depth + 1)
    elif pa.types.is_union(dtype):
        yield from _of_union(array, path, parents, depth)
    else:
        yield from _of_lists(array, path, parents, depth)


def _of_lists(array: Any, path: str, parents: Ints | None, depth: int) -> Iterator[Leaf]:
    dtype, n = array.type, len(array)
    if not n:
        return
    own: Ints = np.arange(n) if parents is None else parents
    if _is_list_view(dtype):
        taken, counts = _viewed(array)
        inside = [("[]", array.values.take(pa.array(taken)))]
    elif pa.types.is_fixed_size_list(dtype):
        if array.null_count:
            kept = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False))
            own, array = own[kept], array.drop_null()
        size, n = dtype.list_size, len(array)
        counts = np.full(n, size)
        inside = [("[]", array.values.slice(array.offset * size, n * size))]
    else:
        offsets = _offsets(array)
        first, count = int(offsets[0]), int(offsets[-1] - offsets[0])
        counts = np.diff(offsets)
        if pa.types.is_map(dtype):
            inside = [("[].key", array.keys), ("[].value", array.items)]
        else:
            inside = [("[]", array.values)]
        if any(first + count > len(part) for _, part in inside):
            raise Unreadable("lists that are longer than their values")
        inside = [(end, part.slice(first, count)) for end, part in inside]
    rows = np.repeat(own, counts)
    for end, child in inside:
        yield from _leaves(child, path + end, rows, depth + 1)


def _viewed(array: Any) -> tuple[Ints, Ints]:
    """The values of list views in the lists' order, and each list's size.

    Views that overlap would make few values stand for many. (Arrow's own cast to lists gives an
    array that is one offset short where a list is NULL; seen with version 26.)
    """
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    counts = np.where(valid, array.sizes.to_numpy(zero_copy_only=False), 0).astype(np.int64)
    starts = array.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    if np.any(counts < 0) or np.any(starts[counts > 0] < 0):
        raise Unreadable("lists of negative size")
    order = np.argsort(starts[counts > 0], kind="stable")
    begins, ends = starts[counts > 0][order], (starts + counts)[counts > 0][order]
    if np.any(begins[1:] < ends[:-1]):
        raise Unreadable("lists that overlap")
    if len(ends) and int(ends[-1]) > len(array.values):
        raise Unreadable("lists that are longer than their values")
    before = _summed(counts)
    taken = np.arange(before[-1]) + np.repeat(starts - before[:-1], counts)
    return taken, counts


def _of_union(array: Any, path: str, parents: Ints | None, depth: int) -> Iterator[Leaf]:
    dtype = array.type
    codes = array.type_codes.to_numpy()
    for number, code in enumerate(dtype.type_codes):
        name = f"{path}.{dtype.field(number).name}"
        if not holds_text(dtype.field(number).type):
            continue
        child = array.field(number)
        at = np.flatnonzero(codes == code)
        taken = at
        if dtype.mode == "dense":
            taken = array.offsets.to_numpy()[at].astype(np.int64)
            if len(taken) and (np.any(np.diff(taken) < 1) or taken[0] < 0):
                raise Unreadable("a union whose values do not ascend")
        if len(taken) and int(taken[-1]) >= len(child):
            raise Unreadable("a union that is longer than its values")
        rows = at if parents is None else parents[at]
        yield from _leaves(child.take(pa.array(taken)), name, rows, depth + 1)
