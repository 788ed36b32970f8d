"""Paths to files: order, links, things that are no files, names of any bytes."""

from __future__ import annotations

import io
import os
import pickle
import socket
from pathlib import Path

import pytest

from detector.sources import FileRef, Limits, open_entries, open_range, printable, walk
from detector.sources.stream import BLOCK
from detector.types import Skipped

from .conftest import read_all


def make_tree(root):
    for name in ("b/2", "b/1", "a", "c/d/e", "b.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def names(found, root):
    return [os.path.relpath(item.path, root) for item in found]


def test_a_directory_is_walked_in_a_stable_order(tmp_path):
    make_tree(tmp_path)
    assert names(walk([str(tmp_path)]), tmp_path) == ["a", "b/1", "b/2", "b.txt", "c/d/e"]


def test_what_is_excluded_is_not_entered(tmp_path):
    make_tree(tmp_path)
    found = walk([str(tmp_path)], exclude=lambda path: Path(path).name in ("b", "a"))
    assert names(found, tmp_path) == ["b.txt", "c/d/e"]
    (given_by_name,) = walk([str(tmp_path / "a")], exclude=lambda path: True)
    assert isinstance(given_by_name, FileRef)


def test_links_are_followed_only_when_given(tmp_path):
    make_tree(tmp_path)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link").symlink_to(tmp_path / "a")
    (tmp_path / "tree/loop").symlink_to(tmp_path / "tree")
    (tmp_path / "tree/broken").symlink_to(tmp_path / "nowhere")
    assert list(walk([str(tmp_path / "tree")])) == []
    assert read_all(tmp_path / "tree/link").data == {str(tmp_path / "tree/link"): b"a"}
    (missing,) = walk([str(tmp_path / "tree/broken")])
    assert missing == Skipped(
        path=str(tmp_path / "tree/broken"), reason="cannot be read: No such file or directory"
    )
    assert len(list(walk([str(tmp_path / "tree/loop/loop")]))) == 0


def test_what_is_no_file_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        cwd = Path.cwd()
        os.chdir(tmp_path)  # socket paths are short
        try:
            server.bind("socket")
        finally:
            os.chdir(cwd)
        found = {item.path: item.reason for item in walk([str(tmp_path)])}
        (given,) = walk([str(tmp_path / "socket")])
    assert found == {
        str(tmp_path / "pipe"): "is a named pipe",
        str(tmp_path / "socket"): "is a socket",
    }
    assert given == Skipped(path=str(tmp_path / "socket"), reason="is a socket")


def test_a_directory_that_cannot_be_listed(tmp_path, monkeypatch):
    make_tree(tmp_path)
    real = os.scandir

    def scandir(path):
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list(walk([str(tmp_path)]))
    assert names(found, tmp_path) == ["a", "b", "b.txt", "c/d/e"]
    assert found[1].reason == "cannot be read: Permission denied"


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"12345")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(io, "FileIO", refuse)
    want = Skipped(path=str(path), reason="cannot be opened: Permission denied", nbytes=5)
    assert read_all(path).skipped == [want]


@pytest.mark.parametrize(
    ("path", "why"),
    [("no such file", "No such file or directory"), ("a\0b", "not a usable path")],
)
def test_a_path_that_leads_nowhere(path, why):
    (item,) = walk([path])
    assert item == Skipped(path=printable(path), reason=f"cannot be read: {why}")


def test_any_name_can_be_opened_and_printed(tmp_path):
    raw = os.fsencode(tmp_path) + b"/\xff\x1b[31m\n\xc3\xa9"
    Path(os.fsdecode(raw)).write_bytes(b"found")
    got = read_all(tmp_path)
    (name,) = got.data
    assert got.data[name] == b"found"
    assert name.endswith("/\\xff\\x1b[31m\\né")
    name.encode()


def test_printable_leaves_good_names_alone():
    assert printable("a b/ü.sql") == "a b/ü.sql"
    assert printable("a\u202eb\u2028") == "a\\u202eb\\u2028"


def test_a_ref_travels_to_a_worker(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (ref,) = walk([str(tmp_path)])
    assert pickle.loads(pickle.dumps(ref)) == ref
    assert pickle.loads(pickle.dumps(Limits(depth=3))) == Limits(depth=3)


def open_one(path):
    (ref,) = walk([str(path)])
    return ref, open_entries(ref)


def test_plain_files_say_so(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"plain text")
    _, entries = open_one(path)
    entry = next(entries)
    assert (entry.plain, entry.size, entry.encoding, entry.path) == (True, 10, None, str(path))
    assert entry.source_span(2, 5) == (2, 5)
    entries.close()
    path.write_bytes("wide text here".encode("utf-16-le"))
    _, entries = open_one(path)
    entry = next(entries)
    assert (entry.plain, entry.encoding) == (False, "utf-16-le")
    assert entry.source_span(2, 5) == (0, 0)  # nothing read yet
    assert next(entry.chunks(100)) == b"wide text here"
    assert entry.source_span(5, 9) == (10, 18)
    entries.close()


def test_a_file_truncated_while_it_is_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x" * (4 * BLOCK))
    _, entries = open_one(path)
    entry = next(entries)
    chunks = entry.chunks(BLOCK)
    assert len(next(chunks)) == BLOCK
    os.truncate(path, BLOCK + 10)
    assert b"".join(chunks) == b"x" * 10
    assert list(entries) == []
    assert entries.bytes_read == BLOCK + 10


def test_a_file_that_grows_or_vanishes_while_it_is_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x" * (2 * BLOCK))
    _, entries = open_one(path)
    chunks = next(entries).chunks(BLOCK)
    next(chunks)
    with path.open("ab") as file:
        file.write(b"more")
    path.unlink()
    assert b"".join(chunks) == b"x" * BLOCK + b"more"
    entries.close()


def test_a_file_replaced_by_a_pipe_does_not_hang(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    (ref,) = walk([str(path)])
    path.unlink()
    os.mkfifo(path)
    (item,) = open_entries(ref)
    assert item.reason == "cannot be opened: no longer a regular file"


def test_ranges(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(range(100)))
    (ref,) = walk([str(path)])
    with open_range(ref, 40) as reader:
        view = memoryview(bytearray(50))
        assert reader.readinto(view) == 50
        assert bytes(view) == bytes(range(40, 90))
        assert reader.readinto(view) == 10
        assert reader.readinto(view) == 0
        assert reader.skipped is None
    path.unlink()
    assert open_range(ref, 40) == Skipped(
        path=str(path), reason="cannot be opened: No such file or directory", nbytes=60
    )


def test_an_input_error_becomes_a_reason(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"x" * (2 * BLOCK))

    class Failing(io.FileIO):
        """A disk that has one good block."""

        def readinto(self, view):
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().readinto(view)

    monkeypatch.setattr(io, "FileIO", Failing)
    got = read_all(path)
    assert got.data == {str(path): b"x" * BLOCK}
    want = Skipped(path=str(path), reason="cannot be read: Input/output error", nbytes=BLOCK)
    assert got.skipped == [want]
