"""Cut, corrupt, hostile: what can be read is, what cannot is said, nothing raises."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.sources import Limits, decode, open_entries, walk
from detector.sources.decode import STEP, zstd

from .conftest import make_text, read_all
from .test_archives import COMPRESS, make_tar, make_zip

pytestmark = pytest.mark.usefixtures("deflate")

fast = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CONTENT = {name: random.Random(name).randbytes(900) * 5 for name in ("a", "b", "c")}
ARCHIVES = {
    "zip": make_zip(CONTENT),
    "stored zip": make_zip(CONTENT, zipfile.ZIP_STORED),
    "zip to a pipe": make_zip(CONTENT, pipe=True),
    "stored zip to a pipe": make_zip(CONTENT, zipfile.ZIP_STORED, pipe=True),
    "lzma zip to a pipe": make_zip(CONTENT, zipfile.ZIP_LZMA, pipe=True),
    "tar": make_tar(CONTENT),
    "tar.gz": gzip.compress(make_tar(CONTENT)),
    "tar.xz": lzma.compress(make_tar(CONTENT)),
    "zip.zst": zstd.compress(make_zip(CONTENT)),
}


TEXT = make_text()[:100_000]
PACKED = {name: pack(TEXT) for name, pack in COMPRESS.items()}
PACKED["zstd"] = zstd.compress(TEXT, options={zstd.CompressionParameter.checksum_flag: 1})


def read_bytes(tmp_path, data: bytes, limits: Limits | None = None):
    path = tmp_path / "x"
    path.write_bytes(data)
    got = read_all(path, limits)
    got.data = {name.removeprefix(f"{path}!"): value for name, value in got.data.items()}
    return got


@pytest.mark.parametrize("name", PACKED)
@fast
@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_cut_stream_gives_what_decompresses(name, cut, tmp_path):
    packed = PACKED[name][: int(cut * len(PACKED[name]))]
    got = read_bytes(tmp_path, packed)
    (data,) = got.data.values()
    if len(packed) > 20:
        assert TEXT.startswith(data)
        assert "truncated" in got.skipped[0].reason
        assert len(got.skipped) == 1
    if len(packed) > 20 and name == "gzip":
        whole = zlib.decompressobj(31).decompress(packed)
        assert whole.startswith(data)
        assert len(whole) - len(data) <= (0 if decode.deflate is zlib else 8)


@pytest.mark.parametrize("name", ["gzip", "bz2", "xz", "zstd"])
@fast
@given(where=st.floats(0, 1, exclude_max=True))
def test_a_flipped_bit_is_noticed_and_accounted(name, where, tmp_path):
    packed = bytearray(PACKED[name])
    packed[20 + int(where * (len(packed) - 28))] ^= 0x10
    got = read_bytes(tmp_path, bytes(packed))
    if list(got.data.values()) == [TEXT] and not got.skipped:
        return  # a bit that says nothing, such as padding
    assert len(got.skipped) == 1
    assert got.skipped[0].nbytes <= len(packed)


def test_a_wrong_gzip_checksum_withholds_nothing(text, tmp_path):
    packed = bytearray(gzip.compress(text))
    packed[-6] ^= 1
    got = read_bytes(tmp_path, bytes(packed))
    assert list(got.data.values()) == [text]
    assert [item.reason for item in got.skipped] == ["gzip checksum does not match"]


def test_bytes_behind_a_gzip_are_counted(text, tmp_path):
    got = read_bytes(tmp_path, gzip.compress(text) + b"garbage")
    assert list(got.data.values()) == [text]
    assert got.skipped[0].nbytes == 7


@pytest.mark.parametrize("name", ARCHIVES)
@fast
@given(cut=st.floats(0.1, 1, exclude_max=True))
def test_a_cut_archive_gives_its_first_members(name, cut, tmp_path):
    packed = ARCHIVES[name]
    keep = int(cut * len(packed))
    got = read_bytes(tmp_path, packed[:keep])
    for member, data in got.data.items():
        if member in CONTENT:
            # Half a descriptor cannot be told from stored data; then it counts as data.
            half = 15 if name == "stored zip to a pipe" else 0
            assert CONTENT[member].startswith(data[: len(CONTENT[member])])
            assert len(data) <= len(CONTENT[member]) + half
    whole = got.data.get("a") == CONTENT["a"]
    assert len(got.skipped) <= 1  # one cause, one report
    if name == "tar":  # a tar that ends between members cannot be told from a whole one
        return
    assert len(got.skipped) == 1
    if name in ("zip", "stored zip", "zip to a pipe") and keep > len(packed) * 0.6:
        assert whole


@pytest.mark.parametrize("name", ARCHIVES)
@fast
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_raises_or_hangs(name, where, bit, tmp_path):
    packed = bytearray(ARCHIVES[name])
    packed[int(where * len(packed))] ^= 1 << bit
    read_bytes(tmp_path, bytes(packed))


@pytest.mark.parametrize("at", range(30, 60))
@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_any_damage_in_front_of_a_member(method, at, tmp_path):
    packed = bytearray(make_zip(CONTENT, method))
    packed[at] ^= 0xFF
    got = read_bytes(tmp_path, bytes(packed))
    assert got.data["c"] == CONTENT["c"]


@fast
@given(data=st.data())
def test_garbage_behind_any_magic(data, tmp_path):
    head = data.draw(st.sampled_from([value[:40] for value in ARCHIVES.values()]))
    got = read_bytes(tmp_path, head + data.draw(st.binary(max_size=2000)))
    assert got.data or got.skipped


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED])
@pytest.mark.parametrize("pipe", [False, True])
def test_a_corrupt_member_does_not_take_the_next_with_it(method, pipe, tmp_path):
    packed = bytearray(make_zip(CONTENT, method, pipe=pipe))
    start = packed.index(b"PK\x03\x04", 10)
    packed[start + 200 : start + 240] = bytes(40)
    got = read_bytes(tmp_path, bytes(packed))
    assert got.data["a"] == CONTENT["a"]
    assert got.data["c"] == CONTENT["c"]
    (item,) = got.skipped
    assert item.path.endswith("!b")
    assert item.nbytes <= len(packed)


@pytest.mark.parametrize("pipe", [False, True])
def test_encrypted_members_are_named_with_their_size(pipe, tmp_path):
    packed = bytearray(make_zip(CONTENT, pipe=pipe))
    start = packed.index(b"PK\x03\x04", 10)
    packed[start + 6] |= 1
    got = read_bytes(tmp_path, bytes(packed))
    assert got.data == {"a": CONTENT["a"], "c": CONTENT["c"]}
    (item,) = got.skipped
    assert (item.path[-2:], item.reason) == ("!b", "encrypted")
    with zipfile.ZipFile(io.BytesIO(make_zip(CONTENT))) as archive:
        size = archive.getinfo("b").compress_size
    assert item.nbytes == size + (16 if pipe else 0)  # its descriptor is of it then


def test_an_unknown_method_is_named(tmp_path):
    packed = bytearray(make_zip({"a": b"aaa", "b": b"bbb"}))
    packed[8] = 9
    got = read_bytes(tmp_path, bytes(packed))
    assert got.data == {"b": b"bbb"}
    assert "method 9" in got.skipped[0].reason


ZEROS = bytes(1 << 20)


def gzip_of_zeros(mib: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        for _ in range(mib):
            file.write(ZEROS)
    return out.getvalue()


def drained(path, limits=None):
    """Bytes out and skipped, without keeping anything."""
    total, skipped, view = 0, [], memoryview(bytearray(1 << 18))
    for ref in walk([str(path)]):
        for entry in open_entries(ref, limits):
            if not hasattr(entry, "readinto"):
                skipped.append(entry)
                continue
            while n := entry.readinto(view):
                total += n
            skipped += [entry.skipped] if entry.skipped else []
    return total, skipped


def test_a_gzip_bomb_is_stopped_in_little_memory(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(gzip_of_zeros(64))
    tracemalloc.start()
    try:
        total, skipped = drained(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    limits = Limits()
    assert total <= limits.ratio_from + STEP
    assert [item.reason for item in skipped] == ["expands more than 200 times"]
    assert peak < 3 << 20


def test_a_large_honest_stream_runs_in_little_memory(tmp_path):
    path = tmp_path / "x"
    noise = random.Random(3).randbytes(1 << 14)
    path.write_bytes(zlib.compress((noise + bytes(1 << 16)) * 400, 1, wbits=31))
    tracemalloc.start()
    try:
        total, skipped = drained(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (total, skipped) == (400 * 80 * 1024, [])
    assert peak < 3 << 20


def test_a_bomb_among_members_costs_only_itself(tmp_path):
    packed = make_zip({"a": b"before", "bomb": ZEROS * 40, "z": b"after"})
    filler = {"filler": random.Random(1).randbytes(300_000)}  # an archive of some size
    got = read_bytes(tmp_path, make_zip(filler) + packed)
    assert got.data["a"] == b"before"
    assert got.data["z"] == b"after"
    assert got.data["filler"] == filler["filler"]
    assert got.reasons == {f"{tmp_path / 'x'}!bomb": "expands more than 200 times"}


def test_a_nested_bomb_spends_its_file(tmp_path):
    leaf = make_zip({str(n): ZEROS * 12 for n in range(8)})  # each below the ratio's start
    packed = make_zip({str(n): leaf for n in range(8)})
    path = tmp_path / "x"
    path.write_bytes(packed)
    total, skipped = drained(path)
    assert total < 64 << 20
    assert skipped[-1].reason == "file expands more than 200 times"
    assert len(skipped) == 1


def test_all_that_a_file_unfolds_into_is_bounded(text, tmp_path):
    got = read_bytes(tmp_path, gzip.compress(text), Limits(total_bytes=100_000))
    assert "more than 100000 bytes" in got.skipped[0].reason
    assert text.startswith(next(iter(got.data.values())))


def test_a_window_too_large_is_refused(text, tmp_path):
    for packed in (
        lzma.compress(text, preset=6),
        zstd.compress(text * 20, options={zstd.CompressionParameter.window_log: 22}),
    ):
        got = read_bytes(tmp_path, packed, Limits(window_bytes=1 << 20))
        assert "too large a window" in got.skipped[0].reason
