"""Findings in bundles and in their source maps, joined: in folders, in archives, by any number of
workers."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from material import builtin_scanner, sample_of

from detector import Finding
from detector.run import Options, Run, origins
from detector.run import maps as run_maps
from detector.types import Skipped

KEY = sample_of("github-pat").secret
OTHER = sample_of("github-pat", 1).secret


def mapped(
    source: str = "src/a.ts", *, line: int = 3, secret: bytes = KEY, extra: bytes = b""
) -> bytes:
    """A map that leads everything to the beginning of one line, with the secret in it."""
    text = b"\n" * (line - 1) + b"f('" + secret + b"');\n" + extra
    segment = "AA" + "ACEGIKMOQS"[line - 1] + "A"
    return json.dumps(
        {
            "version": 3,
            "sources": [f"webpack://x/./{source}"],
            "sourcesContent": [text.decode()],
            "names": [],
            "mappings": segment,
        }
    ).encode()


def script(secret: bytes = KEY, url: str = "app.js.map") -> bytes:
    return (
        b'f("'
        + secret
        + b'");document.body.append(1)\n//# sourceMappingURL='
        + url.encode()
        + b"\n"
    )


def inline(data: bytes) -> str:
    return "data:application/json;base64," + base64.b64encode(data).decode()


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(files: Mapping[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return raw.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return raw.getvalue()


def scanned(*paths: Path, jobs: int = 1) -> list[Finding]:
    items = list(Run(builtin_scanner(), [str(path) for path in paths], Options(jobs=jobs)))
    assert not [item for item in items if isinstance(item, Skipped)]
    return [item for item in items if isinstance(item, Finding)]


def told(findings: list[Finding], below: Path) -> list[tuple[str, object]]:
    return [
        (one.path.removeprefix(f"{below}/"), one.origin and tuple(one.origin.values()))
        for one in findings
    ]


PAIR = {"app.js": script(), "app.js.map": mapped()}


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("order", [1, -1], ids=["script first", "map first"])
def test_in_an_archive_of_any_order(tmp_path, pack, order):
    files = {f"package/dist/{name}": data for name, data in list(PAIR.items())[::order]}
    put(tmp_path, {"a.bin": pack(files)})
    assert told(scanned(tmp_path), tmp_path) == [("a.bin!package/dist/app.js", ("src/a.ts", 3, 4))]


def test_in_an_archive_in_an_archive(tmp_path):
    put(tmp_path, {"out.zip": zipped({"in.tgz": tarred(PAIR)})})
    assert told(scanned(tmp_path), tmp_path) == [("out.zip!in.tgz!app.js", ("src/a.ts", 3, 4))]


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_number_of_workers_gives_the_same(tmp_path, monkeypatch, jobs):
    monkeypatch.setattr("detector.run.run.HEAD_START", 0)
    monkeypatch.setattr("detector.run.run.PIECE", 1 << 16)
    long = b"/*" + b"x" * (1 << 18) + b"*/\n"
    put(
        tmp_path,
        {
            "a/app.js": long + script(),
            "a/app.js.map": mapped().replace(b'"AA', b'";AA'),
            "b/inline.js": long + script(url=inline(mapped("b.ts").replace(b'"AA', b'";AA'))),
            "c/only.js.map": mapped("c.ts"),
            "d.txt": OTHER,
        },
    )
    assert told(scanned(tmp_path, jobs=jobs), tmp_path) == [
        ("a/app.js", ("src/a.ts", 3, 4)),
        ("b/inline.js", ("b.ts", 3, 4)),
        ("d.txt", None),
        ("c/only.js.map!c.ts", ("c.ts", 3, 4)),
    ]


def test_what_only_the_map_has_is_told_of_the_map(tmp_path):
    extra = b"// \xf0\x9f\x92\xb6 " + OTHER
    put(tmp_path, {"app.js": script(), "app.js.map": mapped(extra=extra)})
    first, second = scanned(tmp_path)
    assert told([first, second], tmp_path) == [
        ("app.js", ("src/a.ts", 3, 4)),
        ("app.js.map!src/a.ts", ("src/a.ts", 4, 7)),
    ]
    assert (second.line, second.column, second.secret.reveal()) == (4, 9, OTHER)


def test_a_map_may_lie_elsewhere_in_what_is_scanned(tmp_path):
    files = {"js/app.js": script(url="../maps/app.js.map"), "maps/app.js.map": mapped()}
    put(tmp_path / "site", files)
    assert told(scanned(tmp_path / "site"), tmp_path / "site") == [
        ("js/app.js", ("src/a.ts", 3, 4))
    ]
    (alone,) = scanned(tmp_path / "site" / "js")  # nobody has asked for the other folder
    assert alone.origin is None


@pytest.mark.parametrize("url", ["https://cdn.example/x/app.js.map?v=1", "", "/static/app.js.map"])
def test_a_map_beside_is_found_whatever_the_comment_says(tmp_path, url):
    put(tmp_path, {"app.js": script(url=url), "app.js.map": mapped()})
    assert told(scanned(tmp_path / "app.js"), tmp_path) == [("app.js", ("src/a.ts", 3, 4))]


def test_a_style_sheet_and_an_inline_map(tmp_path):
    css = (
        b"a{b:url(x?t="
        + KEY
        + b")}\n/*# sourceMappingURL="
        + inline(mapped("a.scss")).encode()
        + b" */"
    )
    put(tmp_path, {"a.css": css, "app.js": script(OTHER, inline(mapped(secret=OTHER)))})
    assert told(scanned(tmp_path), tmp_path) == [
        ("a.css", ("a.scss", 3, 4)),
        ("app.js", ("src/a.ts", 3, 4)),
    ]


@pytest.mark.parametrize(
    "text",
    [b'{"version":1,"key":"%s"}', b'{"version":3,"mappings":"AAAA","key":"%s"', b"{%s", b"%s"],
)
def test_a_map_that_is_none_is_text(tmp_path, text):
    put(tmp_path, {"app.js.map": text % KEY})
    (one,) = scanned(tmp_path)
    assert (one.path, one.start) == (str(tmp_path / "app.js.map"), text.index(b"%s"))


def test_a_map_that_is_too_long_is_text(tmp_path, monkeypatch):
    monkeypatch.setattr(run_maps, "LONGEST", 100)
    put(tmp_path, {"app.js.map": mapped()})
    (one,) = scanned(tmp_path)
    assert one.path.endswith("app.js.map")
    assert mapped()[one.start : one.end] == KEY


def test_other_fields_of_a_map_are_scanned_where_they_stand(tmp_path):
    data = mapped(secret=b"x" * 9).replace(b'"names"', b'"x_key":"%s","names"' % KEY)
    put(tmp_path, {"app.js.map": data})
    (one,) = scanned(tmp_path)
    assert data[one.start : one.end] == KEY


def test_bad_mappings_leave_the_finding(tmp_path):
    put(tmp_path, {"app.js": script(), "app.js.map": mapped().replace(b'"AAEA"', b'"gggggggg"')})
    first, second = scanned(tmp_path)
    assert (first.origin, second.path) == (None, str(tmp_path / "app.js.map!src/a.ts"))


def test_more_findings_than_may_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(origins, "HELD", 4)
    tokens = [sample_of("github-pat", n).secret for n in range(9)]
    body = b";".join(b'f("%s")' % token for token in tokens)
    put(tmp_path, {"a.tgz": tarred({"app.js": body, "app.js.map": mapped()})})
    found = scanned(tmp_path)
    assert [one.secret.reveal() for one in found][:9] == tokens
    assert [one.origin is not None for one in found][:9] == [True] * 4 + [False] * 5


def test_a_source_whose_name_is_a_secret(tmp_path):
    put(tmp_path, {"app.js": script(), "app.js.map": mapped(f"{OTHER.decode()}.ts")})
    found = scanned(tmp_path)
    assert all(OTHER.decode() not in f"{one.path}{one.origin}" for one in found)


def test_a_pipe_or_a_folder_in_the_maps_place_is_left_alone(tmp_path):
    put(tmp_path, {"app.js": script(), "app.js.map/x.txt": b"y"})
    (one,) = scanned(tmp_path / "app.js")
    assert one.origin is None


def test_examples_in_the_comments_of_packages_are_none(tmp_path):
    text = b'const password = "vK3#pQ9zLw-x";\n' + OTHER
    there = mapped("node_modules/x/a.ts", secret=b"-", extra=text)
    put(tmp_path, {"a.js.map": there, "b.js.map": there.replace(b"node_modules/", b"src/")})
    assert [(one.path.split("/")[-3], one.rule) for one in scanned(tmp_path)] == [
        ("a.js.map!node_modules", "github-pat"),
        ("b.js.map!src", "generic-password"),
        ("b.js.map!src", "github-pat"),
    ]
