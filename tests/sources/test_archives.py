"""Archives made by real tools, in every combination, read back whole."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from detector.sources import Limits
from detector.sources.decode import zstd

from .conftest import read_all

pytestmark = pytest.mark.usefixtures("deflate")
ROOT = Path(__file__).parents[2]


def make_zip(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED, *, pipe=False) -> bytes:
    class Pipe(io.RawIOBase):
        """Cannot seek, so sizes go behind the data."""

        def writable(self):
            return True

        def write(self, data):
            out.write(data)
            return len(data)

    out = io.BytesIO()
    with zipfile.ZipFile(Pipe() if pipe else out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def make_tar(members: dict[str, bytes], form=tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "target"
        archive.addfile(link)
    return out.getvalue()


COMPRESS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("name", COMPRESS)
def test_a_compressed_file_reads_as_its_content(name, text, tmp_path):
    path = tmp_path / "dump.sql"  # the name says nothing: the bytes do
    path.write_bytes(COMPRESS[name](text))
    got = read_all(path)
    assert got.data == {str(path): text}
    assert got.skipped == []
    assert got.bytes_read == path.stat().st_size


@pytest.mark.parametrize("name", COMPRESS)
def test_frames_follow_each_other(name, text, tmp_path):
    path = tmp_path / "logs"
    half = len(text) // 2
    pack = COMPRESS[name]
    path.write_bytes(pack(text[:half]) + pack(text[half:]) + pack(b"") + pack(b"end") + bytes(512))
    got = read_all(path)
    assert got.data == {str(path): text + b"end"}
    assert got.skipped == []


@pytest.mark.parametrize("tool", ["gzip", "bzip2", "xz", "zstd"])
def test_the_command_line_tools(tool, text, tmp_path):
    if not shutil.which(tool):
        pytest.skip(f"no {tool} here")
    path = tmp_path / "a name"
    path.write_bytes(text)
    packed = subprocess.run([tool, "-c", str(path)], capture_output=True, check=True).stdout
    path.write_bytes(packed)
    assert read_all(path).data == {str(path): text}


def test_a_gzip_header_with_every_field(text, tmp_path):
    plain = gzip.compress(text, mtime=0)
    header = plain[:3] + bytes([0x1E]) + plain[4:10] + b"\x03\x00ext" + b"name\0" + b"comment\0"
    path = tmp_path / "x"
    path.write_bytes(header + b"\x00\x00" + plain[10:])
    got = read_all(path)
    assert got.data == {str(path): text}
    assert got.skipped == []


def test_a_skippable_frame_in_front_of_zstd(text, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(text))
    assert read_all(path).data == {str(path): text}


ZIP_METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("method", ZIP_METHODS)
def test_zip_members(method, pipe, text, tmp_path):
    members = {"a.csv": text, "empty": b"", "dir/": b"", "dir/ü.txt": b"PK\x03\x04 short"}
    path = tmp_path / "export.xlsx"
    path.write_bytes(make_zip(members, method, pipe=pipe))
    got = read_all(path)
    assert got.skipped == []
    assert got.data == {f"{path}!{name}": data for name, data in members.items()}


@pytest.mark.parametrize("pipe", [False, True])
def test_a_zip_stored_in_a_zip(pipe, text, tmp_path):
    """The inner archive's own records must not end the outer member."""
    inner = make_zip({"a": text, "b": b"bb"}, zipfile.ZIP_STORED, pipe=True)
    path = tmp_path / "x"
    path.write_bytes(make_zip({"in.zip": inner, "c": b"cc"}, zipfile.ZIP_STORED, pipe=pipe))
    got = read_all(path)
    assert got.skipped == []
    want = {"in.zip!a": text, "in.zip!b": b"bb", "c": b"cc"}
    assert got.data == {f"{path}!{name}": data for name, data in want.items()}


def test_zip64_sizes(text, tmp_path):
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(zipfile.ZipInfo("big"), "w", force_zip64=True) as member:
            member.write(text)
        archive.writestr("next", b"n")
    got = read_all(path)
    assert got.data == {f"{path}!big": text, f"{path}!next": b"n"}


def test_bytes_around_the_members_are_read_too(tmp_path):
    """An apk's signature block, an appended note: nothing is passed over without a word."""
    packed = make_zip({"a": b"aaa"})
    at = packed.index(b"PK\x01\x02")
    path = tmp_path / "x"
    path.write_bytes(packed[:at] + b"signature" + packed[at:] + b"appended PK note")
    got = read_all(path)
    assert got.skipped == []
    assert list(got.data.values()) == [b"aaa", b"signature", b"appended PK note"]


def test_two_zips_behind_each_other(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(make_zip({"a": b"aaa"}) + make_zip({"b": b"bbb"}))
    got = read_all(path)
    assert got.data == {f"{path}!a": b"aaa", f"{path}!b": b"bbb"}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_members(form, text, tmp_path):
    long = "/".join(["directory"] * 12) + "/" + "n" * 60
    members = {"a.csv": text, "empty": b"", long: b"long", "b": b"b" * 512}
    if form != tarfile.USTAR_FORMAT:
        members["ü" * 70] = b"wide"
    path = tmp_path / "x"
    path.write_bytes(make_tar(members, form))
    got = read_all(path)
    assert got.skipped == []
    assert got.data == {f"{path}!{name}": data for name, data in members.items()}


def test_a_v7_tar_is_known_by_its_checksum(tmp_path):
    block = bytearray(make_tar({"old": b"data"}))
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    path = tmp_path / "x"
    path.write_bytes(block)
    assert read_all(path).data == {f"{path}!old": b"data"}


def test_a_sparse_tar_from_the_command_line(tmp_path):
    holes = tmp_path / "holes"
    with holes.open("wb") as file:
        for piece in range(40):
            file.seek(piece * 100_000)
            file.write(b"piece %04d" % piece + bytes(5000))
    pack = ["tar", "--sparse", "--format=gnu", "-cf", "x.tar", "holes"]
    subprocess.run(pack, cwd=tmp_path, check=True)
    got = read_all(tmp_path / "x.tar")
    assert got.skipped == []
    (data,) = got.data.values()
    assert all(b"piece %04d" % piece in data for piece in range(40))


def test_a_damaged_tar_header_loses_nothing(tmp_path):
    packed = bytearray(make_tar({"a": b"a" * 700, "b": b"b" * 700, "c": b"c" * 700}))
    packed[3 * 512 + 10] ^= 0xFF  # in the header of b
    path = tmp_path / "x"
    path.write_bytes(packed)
    got = read_all(path)
    assert [name.split("!")[1] for name in got.data] == ["a", "(outside members, 1)", "c"]
    assert b"b" * 700 in got.data[f"{path}!(outside members, 1)"]


def test_nested_in_every_order(text, tmp_path):
    inner = make_zip({"c.txt": text})
    layers = make_tar({"b.zip": inner, "d.gz": gzip.compress(b"dd"), "e.txt": b"ee"})
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(layers))
    want = {"b.zip!c.txt": text, "d.gz": b"dd", "e.txt": b"ee"}
    got = read_all(path)
    assert got.skipped == []
    assert got.data == {f"{path}!{name}": data for name, data in want.items()}
    path.write_bytes(make_zip({"a.tzst": zstd.compress(layers), "f": b"ff"}, pipe=True))
    got = read_all(path)
    assert got.skipped == []
    assert got.data == {f"{path}!a.tzst!{n}": d for n, d in want.items()} | {f"{path}!f": b"ff"}


def test_nesting_ends_at_the_limit(tmp_path):
    data = b"core"
    for _ in range(5):
        data = gzip.compress(data)
    path = tmp_path / "x"
    path.write_bytes(data)
    assert read_all(path, Limits(depth=5)).data == {str(path): b"core"}
    got = read_all(path, Limits(depth=4))
    assert got.data == {}
    assert got.reasons == {str(path): "nested deeper than 4 levels"}
    assert got.skipped[0].nbytes == len(gzip.compress(b"core"))


def test_members_are_counted(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(make_tar({str(n): b"x" for n in range(20)}))
    got = read_all(path, Limits(members=12))
    assert len(got.data) == 12
    assert got.reasons == {str(path): "file holds more than 12 members"}


def test_standard_input_and_a_pipe_hold_archives_too(text, tmp_path):
    packed = make_zip({"a": text, "b": b"bb"}, pipe=True)
    code = (
        "import sys\n"
        "from tests.sources.conftest import read_all\n"
        "for path, data in read_all('-').data.items():\n"
        "    print(path, len(data))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=packed, capture_output=True, check=False
    )
    assert done.stdout.decode().splitlines() == [f"-!a {len(text)}", "-!b 2"], done.stderr
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(packed,))
    writer.start()
    got = read_all(fifo)
    writer.join()
    assert got.data == {f"{fifo}!a": text, f"{fifo}!b": b"bb"}


FALSE_STARTS = {
    "gzip with reserved flags": b"\x1f\x8b\x08\xe0 text",
    "gzip method": b"\x1f\x8b\x07\x00 text",
    "bzip2 without a block": b"BZh9 is how this note begins",
    "xz with a wrong header checksum": b"\xfd7zXZ\0\0\x04 text that follows",
    "zstd with a reserved bit": b"\x28\xb5\x2f\xfd\x08 text",
    "zip cut inside the header": b"PK\x03\x04 text",
    "a word about zips": b"PK\x03\x04" + b"~" * 100,
    "lzma-like": b"]\0\0\0\1" + b"text text text",
    "ustar without checksum": b"name".ljust(257, b"\0") + b"ustar\x0000" + bytes(300),
}


@pytest.mark.parametrize("name", FALSE_STARTS)
def test_a_false_start_is_read_as_plain_bytes(name, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(FALSE_STARTS[name])
    got = read_all(path)
    assert got.data == {str(path): FALSE_STARTS[name]}
    assert got.skipped == []


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\0", b"PGDMP\x01\x0e"])
def test_what_cannot_be_unpacked_is_said(magic, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(magic + bytes(94))
    got = read_all(path)
    assert got.data == {}
    assert "not supported" in got.reasons[str(path)]
    assert got.skipped[0].nbytes == len(magic) + 94


def test_names_are_safe_to_print(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(make_tar({"a\x1b[2Jb\nc": b"1"}))
    (name,) = read_all(path).data
    assert name.isprintable()
    assert name.endswith("!a\\x1b[2Jb\\nc")
