"""The kind of a stream is told from its bytes alone, however slowly they come."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
import zipfile

import pytest

from detector.sources import Entry, FileRef, open_entries

LINE = b"password = hunter2, and some more words\n"


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("notes.txt")
        member.size = len(LINE)
        archive.addfile(member, io.BytesIO(LINE))
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", LINE)
    return out.getvalue()


KINDS = {
    "tar": (tar, "!notes.txt"),
    "zip": (zipped, "!notes.txt"),
    "gzip": (lambda: gzip.compress(LINE, mtime=0x0A0A0A0A), ""),
    "bzip2": (lambda: bz2.compress(LINE), ""),
    "xz": (lambda: lzma.compress(LINE), ""),
    "lzma": (lambda: lzma.compress(LINE, lzma.FORMAT_ALONE), ""),
    "utf-16": (lambda: LINE.decode().encode("utf-16"), ""),
    "utf-16 without a mark": (lambda: LINE.decode().encode("utf-16-be"), ""),
}


class Pipe:
    """A pipe that stays open, and a source that reads it."""

    def __init__(self) -> None:
        out, self._into = os.pipe()
        self.ref = FileRef(f"/dev/fd/{out}", "stream")
        self._out = out

    def write(self, data: bytes) -> None:
        os.write(self._into, data)

    def trickle(self, data: bytes) -> None:
        for at in range(len(data)):
            self.write(data[at : at + 1])
        os.close(self._into)

    def close(self) -> None:
        os.close(self._out)


@pytest.fixture
def pipe():
    made = Pipe()
    yield made
    made.close()


def read(entries) -> dict[str, bytes]:
    got = {}
    for entry in entries:
        assert isinstance(entry, Entry), entry
        got[entry.path] = b"".join(entry.chunks(4096))
        assert entry.skipped is None
    return got


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_byte_by_byte_is_recognised(kind: str, pipe: Pipe) -> None:
    make, member = KINDS[kind]
    writer = threading.Thread(target=pipe.trickle, args=(make(),))
    writer.start()
    with open_entries(pipe.ref) as entries:
        got = read(entries)
    writer.join()
    ((path, data),) = got.items()
    assert path == pipe.ref.name + member
    assert data.removeprefix("\ufeff".encode()) == LINE


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        b"\n",
        "schl\u00fcssel: \u4f60\u597d\n".encode(),
        b"\x1b[32mINFO\x1b[0m ok\r\n",
        b"P*M\n",
        b"x" * 512,
    ],
)
def test_text_goes_on_while_the_pipe_stays_open(line: bytes, pipe: Pipe) -> None:
    pipe.write(line)
    got: list[bytes] = []

    def first() -> None:
        with open_entries(pipe.ref) as entries:
            entry = next(entries)
            assert isinstance(entry, Entry)
            buffer = bytearray(1 << 16)
            got.append(bytes(buffer[: entry.readinto(memoryview(buffer))]))

    reader = threading.Thread(target=first, daemon=True)
    reader.start()
    reader.join(5)
    assert got == [line]


def test_packed_says_whether_bytes_are_those_on_the_disk(tmp_path) -> None:
    for name, data, packed in [
        ("a", LINE, False),
        ("b", gzip.compress(LINE), True),
        ("c", tar(), True),
    ]:
        path = tmp_path / name
        path.write_bytes(data)
        with open_entries(FileRef(str(path), "file", len(data))) as entries:
            assert [entry.packed for entry in entries if isinstance(entry, Entry)] == [packed]
