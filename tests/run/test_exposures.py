"""Who may read a table is said of each finding in it, whatever the dump's format."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections import Counter

import pytest
from leak import leaked

from detector import Scanner
from detector.run import Options, Run
from detector.run.verdicts import source_of
from detector.types import Skipped

SCANNER = Scanner()


def said(*paths, jobs=1):
    """Of all findings in tables where they stand, how severe, and who may read it."""
    out = Counter()
    run = Run(SCANNER, map(str, paths), Options(jobs=jobs))
    for one in run:
        assert not isinstance(one, Skipped), one.reason
        run.count(one)
        if one.table is not None:
            exposure = one.claims.get("exposure")
            out[one.table, one.field, one.row, one.rule, one.severity, exposure] += 1
    return out


@pytest.fixture(scope="module")
def plain():
    found = said(leaked("plain").format("plain"))
    exposed = {key[0]: key[-1] for key in found}
    assert exposed["public.agents"] == "open to read and write for anon"
    assert exposed["public.apiClients"] is None
    return found


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", ["custom", "custom-raw", "directory", "tar"])
def test_each_format_says_the_same_of_each_finding(name, jobs, plain, monkeypatch):
    monkeypatch.setattr("detector.run.run.HEAD_START", 0)  # workers at once
    assert said(leaked(name).format(name), jobs=jobs) == plain


def test_in_any_order_of_files(plain):
    (folder,) = leaked("directory").format("directory").iterdir()
    files = sorted(folder.iterdir())
    assert files[-1].name == "toc.dat"  # as the shell lists them
    assert said(*files) == plain
    assert said(*reversed(files)) == plain
    one = said(*(file for file in files if file.name != "toc.dat"))
    assert one == Counter({key: n for key, n in plain.items() if key in one})
    assert len(one) > 1500


def test_two_dumps_in_one_folder_have_definitions_of_their_own(tmp_path, plain):
    (dump,) = leaked("tar").format("tar").iterdir()
    shutil.copy(dump, tmp_path / "a.tar")
    with tarfile.open(dump) as source, tarfile.open(tmp_path / "b.tar", "w") as target:
        for member in source:
            if member.name == "restore.sql":  # the definitions once more
                continue
            content = source.extractfile(member).read()
            if member.name == "toc.dat":  # in as many bytes
                content = content.replace(b"GRANT", b"-- GR")
            target.addfile(member, io.BytesIO(content))
    run = Run(SCANNER, [str(tmp_path)], Options())
    exposed = {}
    for one in run:
        run.count(one)
        if one.table == "public.agents" and one.privilege != "public":
            exposed.setdefault(one.path.partition("!")[0][-5:], set()).add(
                one.claims.get("exposure")
            )
    assert exposed == {"a.tar": {"open to read and write for anon"}, "b.tar": {None}}
    summed = {
        one.path.partition("!")[0][-5:]: one.open
        for one in run.sums().tables
        if one.table == "public.agents"
    }
    assert summed == {"a.tar": True, "b.tar": False}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/dump.sql", "a/dump.sql"),
        ("a/x.pgdump!public.agents", "a/x.pgdump"),
        ("a/x.dat!public.agents", "a/x.dat"),
        ("a/12.dat.gz!public.agents", "a"),
        ("./a/toc.dat!(schema)", "./a"),
        ("12.dat!t", "."),
        ("/12.dat!t", "/"),
        ("a/x.tar!12.dat!t", "a/x.tar"),
        ("a/x.zip!b/12.dat.lz4!t", "a/x.zip!b"),
        ("a/x.tar!toc.dat!(schema)", "a/x.tar"),
        ("postgresql://host/db", "postgresql://host/db"),
    ],
)
def test_the_source_of_a_path(path, source):
    assert source_of(path) == source
