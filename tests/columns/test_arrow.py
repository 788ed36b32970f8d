"""Parquet, Arrow and ORC that pyarrow writes: every value, in its row."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.columns import Chunk, Limits, kind_of, open_columns
from detector.columns.types import Meter, Unreadable

pa = pytest.importorskip("pyarrow")
orc = pytest.importorskip("pyarrow.orc")
pq = pytest.importorskip("pyarrow.parquet")

from detector.columns.arrays import Columns  # noqa: E402

from .conftest import Given  # noqa: E402

TEXTS = ["", "a", None, "line\nbreak", "é", "x" * 300, "\n", None, "tab\t"]


def _parquet(table, **options):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return sink.getvalue().to_pybytes()


def _ipc(make, compression=None, rows=None):
    def write(table):
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression=compression)
        with make(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=rows)
        return sink.getvalue().to_pybytes()

    return write


def _orc(table, **options):
    sink = pa.BufferOutputStream()
    orc.write_table(table, sink, **options)
    return sink.getvalue().to_pybytes()


WRITERS = {
    "parquet": _parquet,
    "parquet, small groups": lambda t: _parquet(t, row_group_size=3, compression="zstd"),
    "parquet, plain": lambda t: _parquet(t, use_dictionary=False, data_page_version="2.0"),
    "parquet, mixed": lambda t: _parquet(t, dictionary_pagesize_limit=16, data_page_size=64),
    "arrow": _ipc(pa.ipc.new_file),
    "arrow, lz4": _ipc(pa.ipc.new_file, "lz4", 4),
    "stream": _ipc(pa.ipc.new_stream, None, 5),
    "stream, zstd": _ipc(pa.ipc.new_stream, "zstd"),
}
FLAT = {
    "string": pa.string(),
    "large": pa.large_string(),
    "binary": pa.binary(),
    "large binary": pa.large_binary(),
    "view": pa.string_view(),
    "binary view": pa.binary_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "small dictionary": pa.dictionary(pa.int8(), pa.large_string()),
    "unsigned dictionary": pa.dictionary(pa.uint16(), pa.binary()),
}


def _bytes(value):
    if value is None:
        return b""
    return value if isinstance(value, bytes) else value.encode()


def _flat(dtype, values):
    if pa.types.is_dictionary(dtype):
        return pa.array(values, dtype.value_type).dictionary_encode().cast(dtype)
    return pa.array(values, pa.string()).cast(dtype)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", FLAT)
def test_text_of_every_type(writer, name, given):
    values = TEXTS * 3
    table = pa.table({"n": range(len(values)), "text": _flat(FLAT[name], values)})
    got = given(WRITERS[writer](table))
    assert got.values == {("t", "text"): list(enumerate(map(_bytes, values), 1))}
    assert got.nulls == {("t", "text"): values.count(None)}
    assert got.tables["t"] == ("t", ("n", "text"), len(values))
    assert not got.skipped


@pytest.mark.parametrize("writer", WRITERS)
def test_what_holds_no_text_is_counted_only(writer, given):
    table = pa.table(
        {
            "int": [1, None],
            "float": [0.5, 1.5],
            "bool": [True, False],
            "price": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
            "day": pa.array([1, 2], pa.date32()),
            "vector": [[1.0, 2.0], []],
            "nothing": pa.nulls(2),
        }
    )
    got = given(WRITERS[writer](table))
    assert got.values == {}
    assert got.tables["t"] == ("t", tuple(table.column_names), 2)
    assert not got.skipped


NESTED_TYPE = pa.struct(
    [
        ("tags", pa.list_(pa.string())),
        ("size", pa.int64()),
        ("profile", pa.struct([("token", pa.string()), ("vector", pa.list_(pa.float32()))])),
        ("attrs", pa.map_(pa.string(), pa.string())),
        ("deep", pa.large_list(pa.list_(pa.struct([("a", pa.string()), ("n", pa.int8())])))),
    ]
)
texts = st.one_of(st.none(), st.sampled_from(["", "a\nb", "é"]), st.text("abc", max_size=4))
nested_rows = st.lists(
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {
                "tags": st.none() | st.lists(texts, max_size=3),
                "size": st.none() | st.integers(0, 9),
                "profile": st.none()
                | st.fixed_dictionaries({"token": texts, "vector": st.just([1.0, 2.0])}),
                "attrs": st.none()
                | st.lists(st.tuples(st.text("kl", max_size=2), texts), max_size=2),
                "deep": st.none()
                | st.lists(
                    st.none()
                    | st.lists(
                        st.none() | st.fixed_dictionaries({"a": texts, "n": st.just(1)}),
                        max_size=2,
                    ),
                    max_size=2,
                ),
            }
        ),
    ),
    min_size=1,
    max_size=8,
)


def _flattened(value, dtype, path, row, out):
    """What is expected, by plain recursion over Python values."""
    if pa.types.is_struct(dtype):
        for child in dtype:
            inner = None if value is None else value[child.name]
            _flattened(inner, child.type, f"{path}.{child.name}", row, out)
    elif pa.types.is_map(dtype):
        for key, item in value or []:
            out.setdefault(f"{path}[].key", []).append((row, _bytes(key)))
            _flattened(item, dtype.item_type, f"{path}[].value", row, out)
    elif pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
        for item in value or []:
            _flattened(item, dtype.value_type, f"{path}[]", row, out)
    elif pa.types.is_string(dtype):
        out.setdefault(path, []).append((row, _bytes(value)))


@pytest.mark.parametrize("writer", WRITERS)
@given(rows=nested_rows)
@settings(max_examples=30, deadline=None)
def test_nested_values_are_in_their_rows(writer, rows):
    table = pa.table({"doc": pa.array(rows, NESTED_TYPE)})
    expected: dict = {}
    for number, row in enumerate(table.column(0).to_pylist(), 1):
        _flattened(row, NESTED_TYPE, "doc", number, expected)
    got = Given(open_columns("", "t", data=WRITERS[writer](table)))
    assert not got.skipped
    assert {field: values for (_, field), values in got.values.items()} == expected
    assert got.tables["t"].rows == len(rows)


def test_a_name_with_dots_is_no_path(given):
    table = pa.table({"a": [{"b": "inner"}], "a.b": ["outer"], "a.b.c": [1], "c": ["last"]})
    got = given(_parquet(table))
    assert got.values == {("t", "a.b"): [(1, b"inner"), (1, b"outer")], ("t", "c"): [(1, b"last")]}


def _runs(values, ends):
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values))


RARE = {
    "runs": (
        lambda: _runs(["a", None, "b"], [2, 3, 5]).slice(1),
        {"x": [(1, b"a"), (2, b""), (3, b"b"), (4, b"b")]},
    ),
    "list views": (
        lambda: pa.array([["a"], None, ["b", "c"]], pa.list_view(pa.string())),
        {"x[]": [(1, b"a"), (3, b"b"), (3, b"c")]},
    ),
    "fixed lists": (
        lambda: pa.array([["a", "b"], None, ["c", None]], pa.list_(pa.string(), 2)).slice(1),
        {"x[]": [(2, b"c"), (2, b"")]},
    ),
    "fixed binary": (
        lambda: pa.array([b"12345678", None, b"abcdefgh"], pa.binary(8)).slice(1),
        {"x": [(1, b""), (2, b"abcdefgh")]},
    ),
    "dense union": (
        lambda: pa.UnionArray.from_dense(
            pa.array([0, 1, 0], pa.int8()),
            pa.array([0, 0, 1], pa.int32()),
            [pa.array(["a", "b"]), pa.array([7])],
            ["s", "n"],
        ),
        {"x.s": [(1, b"a"), (3, b"b")]},
    ),
    "sparse union": (
        lambda: pa.UnionArray.from_sparse(
            pa.array([1, 0, 1], pa.int8()),
            [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])],
            ["n", "s"],
        ),
        {"x.s": [(1, b"a"), (3, b"c")]},
    ),
    "json": (
        lambda: pa.ExtensionArray.from_storage(pa.json_(pa.utf8()), pa.array(['{"a":1}', None])),
        {"x": [(1, b'{"a":1}'), (2, b"")]},
    ),
    "uuid": (
        lambda: pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16))),
        {},
    ),
}


@pytest.mark.parametrize("name", RARE)
def test_rare_types(name):
    make, expected = RARE[name]
    array = make()
    columns = Columns("t", Limits(), Meter(Limits()))
    got = Given(columns.chunks("x", array, 1))
    assert {field: values for (_, field), values in got.values.items()} == expected
    if name not in ("runs",):
        read = Given(open_columns("", "t", data=_ipc(pa.ipc.new_file)(pa.table({"x": array}))))
        assert read.values == got.values and not read.skipped


@pytest.mark.parametrize("compression", ["uncompressed", "zlib", "snappy", "lz4", "zstd"])
def test_orc(compression, given):
    values = TEXTS * 3
    table = pa.table(
        {
            "n": range(len(values)),
            "text": values,
            "tags": [[v, v] if v else None for v in values],
            "who": [{"token": v, "n": 1} for v in values],
        }
    )
    got = given(_orc(table, compression=compression), "t.orc")
    pairs = list(enumerate(map(_bytes, values), 1))
    assert got.values["t", "text"] == got.values["t", "who.token"] == pairs
    assert got.values["t", "tags[]"] == [p for p in pairs if p[1] for _ in "ab"]
    assert got.tables["t"] == ("t", ("n", "text", "tags", "who"), len(values))
    assert not got.skipped


def test_orc_stripes_follow_each_other(given):
    rng = random.Random(1)
    values = [rng.randbytes(16).hex() for _ in range(60_000)]
    data = _orc(pa.table({"text": values}), stripe_size=100_000)
    assert orc.ORCFile(pa.BufferReader(data)).nstripes > 1
    got = given(data, "t.orc")
    assert got.values["t", "text"] == list(enumerate((v.encode() for v in values), 1))


@pytest.mark.parametrize("writer", [*WRITERS, "orc"])
def test_chunks_are_bounded_and_a_path_reads_like_bytes(writer, given, tmp_path):
    rng = random.Random(2)
    values = [rng.choice(["active", "x" * rng.randrange(90)]) for _ in range(5000)]
    table = pa.table({"text": values, "same": ["constant value"] * 5000})
    data = {**WRITERS, "orc": _orc}[writer](table)
    path = tmp_path / "odd ?#%é"
    path.write_bytes(data)
    got = given(path, limits=Limits(chunk_bytes=1000))
    assert got.largest <= 1000
    assert got.column("text") == [v.encode() for v in values]
    assert got.column("same") == [b"constant value"] * 5000
    assert got.values == given(data).values
    assert kind_of(data[:4096]) == writer.split(",")[0].replace("stream", "arrow stream")


def test_a_value_longer_than_a_chunk(given):
    values = ["a", "b" * 5000, "c"]
    got = given(_parquet(pa.table({"x": values})), limits=Limits(chunk_bytes=100))
    assert got.column("x") == [v.encode() for v in values]


def test_names_are_fit_for_a_line(given):
    got = given(_parquet(pa.table({"a\x1b[2J\nb": ["x"]})), "e\x07.parquet")
    assert got.values == {("e\\x07", "a\\x1b[2J\\nb"): [(1, b"x")]}
    assert got.tables["e\\x07"].columns == ("a\\x1b[2J\\nb",)


def test_text_that_is_no_utf8(given):
    raw = pa.array([b"\xff\xfe", b"ok", None])
    table = pa.table({"x": raw.view(pa.string())})
    for writer in WRITERS.values():
        assert given(writer(table)).column("x") == [b"\xff\xfe", b"ok", b""]


# What cannot be read


def _column_place(data, column, group=0):
    chunk = pq.ParquetFile(pa.BufferReader(data)).metadata.row_group(group).column(column)
    return chunk.dictionary_page_offset or chunk.data_page_offset, chunk.total_compressed_size


def test_a_damaged_column_loses_only_itself(given):
    rng = random.Random(3)
    values = [rng.randbytes(16).hex() for _ in range(3000)]
    table = pa.table({"a": values, "token": values, "z": values})
    data = bytearray(_parquet(table, row_group_size=1000, compression="zstd"))
    start, size = _column_place(bytes(data), 1, 1)
    data[start : start + size] = bytes(size)
    got = given(bytes(data))
    whole = list(enumerate((v.encode() for v in values), 1))
    assert got.values["t", "a"] == got.values["t", "z"] == whole
    assert got.values["t", "token"] == whole[:1000] + whole[2000:]
    (skipped,) = got.skipped
    assert skipped.reason.startswith("Parquet: row group 1, column token cannot be read")
    assert skipped.nbytes == size
    assert got.tables["t"].rows == 3000


def test_pages_in_front_of_a_damaged_one_are_given(given):
    rng = random.Random(4)
    values = [rng.randbytes(16).hex() for _ in range(20_000)]
    data = bytearray(
        _parquet(
            pa.table({"x": values}), use_dictionary=False, data_page_size=10_000, compression="zstd"
        )
    )
    start, size = _column_place(bytes(data), 0)
    middle = start + size // 2
    data[middle : middle + 5000] = bytes(5000)
    got = given(bytes(data))
    read = got.column("x")
    assert 5000 < len(read) < 15_000
    assert read == [v.encode() for v in values[: len(read)]]
    (skipped,) = got.skipped
    assert f"from row {len(read) + 1} on" in skipped.reason
    assert size // 4 < skipped.nbytes < size * 3 // 4


def test_a_damaged_stripe_of_orc_loses_only_its_column(given):
    rng = random.Random(8)
    values = [rng.randbytes(16).hex() for _ in range(60_000)]
    table = pa.table({"a": values, "n": range(60_000), "b": values})
    data = bytearray(_orc(table, stripe_size=1_000_000, compression="zlib"))
    middle = len(data) // 2
    data[middle : middle + 2000] = b"\xff" * 2000
    file = orc.ORCFile(pa.BufferReader(bytes(data)))
    broken, starts = set(), [0]
    for stripe in range(file.nstripes):
        for column in "ab":
            try:
                file.read_stripe(stripe, columns=[column])
            except (OSError, pa.ArrowException):
                broken.add((stripe, column))
        starts.append(starts[-1] + file.read_stripe(stripe, columns=["n"]).num_rows)
    assert file.nstripes > 2 and 1 <= len(broken) <= 2
    got = given(bytes(data), "t.orc")
    assert {s.reason for s in got.skipped} == {
        f"ORC: stripe {stripe}, column {column} cannot be read" for stripe, column in broken
    }
    whole = list(enumerate((v.encode() for v in values), 1))
    for column in "ab":
        read = got.values["t", column]
        assert set(read) <= set(whole) and len(set(read)) == len(read)
        for stripe in range(file.nstripes):
            if (stripe, column) not in broken:
                assert set(whole[starts[stripe] : starts[stripe + 1]]) <= set(read)
    assert got.tables["t"].rows == 60_000


@pytest.mark.parametrize("writer", ["parquet", "orc"])
def test_without_a_footer_nothing_is_read_and_all_is_said(writer, given):
    data = {"parquet": _parquet, "orc": _orc}[writer](pa.table({"x": ["a"] * 100}))
    got = given(data[:-20])
    assert [s.nbytes for s in got.skipped] == [len(data) - 20]
    assert "footer" in got.skipped[0].reason


@pytest.mark.parametrize("compression", [None, "lz4"])
def test_an_arrow_file_without_its_footer_is_read_as_a_stream(compression, given):
    values = [str(n) for n in range(100)]
    data = _ipc(pa.ipc.new_file, compression, 10)(pa.table({"x": values}))
    got = given(data[:-30])
    assert got.column("x") == [v.encode() for v in values]
    assert got.skipped[0].reason == "Arrow: its footer cannot be read"
    cut = given(data[: len(data) // 2])
    n = len(cut.column("x"))
    assert 0 < n < 100
    assert cut.column("x") == [v.encode() for v in values[:n]]
    assert len(cut.skipped) == 2
    assert cut.skipped[1].nbytes > 0


def test_a_damaged_batch_of_a_file_loses_only_its_column(given):
    rng = random.Random(5)
    values = [rng.randbytes(16).hex() for _ in range(3000)]
    table = pa.table({"a": values, "b": values[::-1]})
    data = bytearray(_ipc(pa.ipc.new_file, "zstd", 1000)(table))
    # The frame of the second batch's first text is among those in the middle of the file.
    frames = [i for i in range(len(data)) if data[i : i + 4] == b"\x28\xb5\x2f\xfd"]
    at = frames[len(frames) // 3 + 1]
    data[at : at + 40] = b"\xff" * 40
    got = given(bytes(data))
    assert [s.reason for s in got.skipped] == ["Arrow: record batch 1, column a cannot be read"]
    assert got.column("b") == [v.encode() for v in values[::-1]]
    assert [row for row, _ in got.values["t", "a"]] == [*range(1, 1001), *range(2001, 3001)]


def test_an_encrypted_parquet_says_so(given, tmp_path):
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Kms(encryption.KmsClient):
        def wrap_key(self, key, master):
            return key.hex()

        def unwrap_key(self, key, master):
            return bytes.fromhex(key)

    factory = encryption.CryptoFactory(lambda _: Kms())
    connection = encryption.KmsConnectionConfig()
    table = pa.table({"open": ["a"] * 9, "closed": ["b"] * 9})
    for plain in (True, False):
        config = encryption.EncryptionConfiguration(
            footer_key="f", column_keys={"c": ["closed"]}, plaintext_footer=plain
        )
        properties = factory.file_encryption_properties(connection, config)
        path = tmp_path / "t.parquet"
        with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
            writer.write_table(table)
        assert kind_of(path.read_bytes()[:4096]) == "parquet"
        got = given(path)
        assert got.skipped
        assert all("encrypted" in s.reason or "closed" in s.reason for s in got.skipped)
        if plain:
            assert got.column("open") == [b"a"] * 9


# Bounds


def test_few_bytes_do_not_become_many_at_once(given):
    """One long value a million times: 100 kB of Parquet that say 100 GB."""
    long = "x" * 100_000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), [long])
    for array in (column, pa.ListArray.from_arrays([0, 1_000_000], column)):
        for data in (
            _parquet(pa.table({"x": array})),
            _ipc(pa.ipc.new_file)(pa.table({"x": array})),
        ):
            items = open_columns("", "t", data=data, limits=Limits(total_bytes=30 << 20))
            before = pa.total_allocated_bytes()
            peak, last = 0, None
            for last in items:  # noqa: B007
                peak = max(peak, pa.total_allocated_bytes() - before)
            assert peak < 100 << 20
            assert last.reason.endswith(f"expands to more than {30 << 20} bytes")
            gc.collect()


def test_few_bytes_do_not_become_many_where_a_dictionary_was_given_up():
    """The same, with pages of values behind those that refer to the long one."""
    rng = random.Random(9)
    values = ["x" * 10_000] * 5120 + [rng.randbytes(16).hex() for _ in range(3000)]
    data = _parquet(pa.table({"x": values}), dictionary_pagesize_limit=20_000)
    chunk = pq.ParquetFile(pa.BufferReader(data)).metadata.row_group(0).column(0)
    assert {"PLAIN", "RLE_DICTIONARY"} <= set(chunk.encodings)
    assert len(data) < 300_000
    limits = Limits(batch_bytes=1 << 20, chunk_bytes=1 << 20)
    pool, previous = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        read = sum(len(item.data) for item in open_columns("", "t", data=data, limits=limits)
                   if isinstance(item, Chunk))  # fmt: skip
    finally:
        pa.set_memory_pool(previous)
    assert read == sum(map(len, values)) + len(values)
    assert 1 << 20 < pool.max_memory() < 15 << 20


def test_a_page_that_unpacks_to_too_much_is_not_unpacked(given):
    table = pa.table({"x": ["y" * 10_000_000], "z": ["ok"]})
    got = given(
        _parquet(table, use_dictionary=False, compression="zstd"), limits=Limits(page_bytes=1 << 20)
    )
    assert got.column("z") == [b"ok"]
    assert [s.reason for s in got.skipped] == [
        "Parquet: row group 0, column x cannot be read: a page of more than 1048576 bytes"
    ]


@pytest.mark.parametrize("make", [pa.ipc.new_file, pa.ipc.new_stream])
def test_a_batch_that_unpacks_to_too_much_is_not_unpacked(make, given):
    data = _ipc(make, "zstd")(pa.table({"x": ["y" * 10_000_000]}))
    assert len(data) < 10_000
    got = given(data, limits=Limits(unit_bytes=1 << 20))
    assert got.values == {}
    assert "unpacks to more than 1048576 bytes" in got.skipped[0].reason


def test_lists_that_overlap_are_refused():
    values = pa.array(["a"] * 100_000)
    offsets = pa.array([0] * 1000, pa.int32())
    sizes = pa.array([100_000] * 1000, pa.int32())
    array = pa.ListViewArray.from_arrays(offsets, sizes, values)
    with pytest.raises(Unreadable):
        list(Columns("t", Limits(), Meter(Limits())).chunks("x", array, 1))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_file(tmp_path):
    """A row group of 300 MB, in a process of its own."""
    rng = random.Random(6)
    path = tmp_path / "t.parquet"
    block = pa.table({"x": [rng.randbytes(500).hex() for _ in range(30_000)]})
    pq.write_table(pa.concat_tables([block] * 10), path, row_group_size=10**9, compression="none",
                   use_dictionary=False)  # fmt: skip
    code = (
        "import re, sys; from detector.columns import open_columns; import pyarrow.parquet\n"
        "def peak():\n"
        "    return int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
        "items = open_columns(sys.argv[1], 't'); first = next(items); base = peak()\n"
        "n = len(first.data) + sum(len(i.data) for i in items if hasattr(i, 'data'))\n"
        "print(n, (peak() - base) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    size, grown = map(int, done.stdout.split())
    assert size == 300_000 * 1001
    assert grown < 100  # MB


# Damage anywhere


def _sample():
    rng = random.Random(7)
    n = 200
    hexes = [rng.randbytes(8).hex() for _ in range(n)]
    return pa.table(
        {
            "n": range(n),
            "text": hexes,
            "kind": [rng.choice(["a", "b", None]) for _ in range(n)],
            "coded": pa.array([rng.choice("xyz") for _ in range(n)]).dictionary_encode(),
            "tags": [[h, None] for h in hexes],
            "doc": [{"a": h, "b": [{"c": h}]} for h in hexes],
        }
    )


SAMPLES = {
    **{name: write(_sample()) for name, write in WRITERS.items() if "small" not in name},
    "orc": _orc(_sample().set_column(3, "coded", _sample()["text"])),
}


@pytest.mark.parametrize("name", SAMPLES)
@given(data=st.data())
@settings(max_examples=60, deadline=20_000, suppress_health_check=[HealthCheck.too_slow])
def test_damage_anywhere_never_raises(name, data):
    raw = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(8, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(8, len(raw))) :]
    kind = kind_of(SAMPLES[name][:4096])
    limits = Limits(total_bytes=1 << 24, unit_bytes=1 << 26, page_bytes=1 << 24)
    got = Given(open_columns("", "t", kind=kind, data=bytes(raw), limits=limits))
    for skipped in got.skipped:
        assert len(skipped.reason) < 300
