"""pg_dump's own formats: what comes out is what COPY gives; what is damaged is said."""

from __future__ import annotations

import gzip
import io
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from servers import postgres_database, psql

from detector.sources import Entry, Limits, open_entries, walk
from detector.sources.decode import zstd
from detector.sources.limits import Damaged
from detector.sources.pgdump import CopyText
from detector.sources.stream import Stream
from detector.types import Skipped

LARGE = random.Random(3).randbytes(600_000).hex()
DATABASE = rf"""
CREATE SCHEMA "odd schema"; CREATE SCHEMA "Ünï.cödé";
CREATE TABLE public.agents (id serial PRIMARY KEY, gone int, name text, twice int GENERATED ALWAYS
    AS (id * 2) STORED, api_key text);
ALTER TABLE public.agents DROP COLUMN gone;
ALTER TABLE public.agents ADD COLUMN note text;
INSERT INTO public.agents (name, api_key, note)
    SELECT 'agent ' || n, md5(n::text), repeat('x', n % 50) FROM generate_series(1, 20000) n;
CREATE TABLE "odd schema"."we""ird; ta.ble" ("col, umn" text, "paren)(" text, "q""uote" int,
    "select" bytea);
INSERT INTO "odd schema"."we""ird; ta.ble" VALUES
    (E'tab\tnewline\nbackslash\\ return\r end', 'BZh91AY&SY', 1, '\x00ff5c2e0a'),
    (NULL, '', 2, NULL), (E'\\.', E'\\N', 3, ''), ('last', E'\\.', 4, '\x5c');
CREATE TABLE "odd schema".archive (a text);
INSERT INTO "odd schema".archive VALUES ('BZh91AY&SY'), (E'\\.');
CREATE TABLE "Ünï.cödé"."täble" ("größe" text, "日本" text);
INSERT INTO "Ünï.cödé"."täble" VALUES ('ü', '本'), (repeat('é', 700000), '{LARGE}');
CREATE TABLE public.events (at int, what text) PARTITION BY RANGE (at);
CREATE TABLE public.events_1 PARTITION OF public.events FOR VALUES FROM (0) TO (10);
CREATE TABLE public.events_2 (what text, at int);
ALTER TABLE public.events ATTACH PARTITION public.events_2 FOR VALUES FROM (10) TO (20);
INSERT INTO public.events SELECT n, 'event ' || n FROM generate_series(0, 19) n;
CREATE TABLE public.empty (a int, b text);
CREATE TABLE public.nothing ();
INSERT INTO public.nothing DEFAULT VALUES;
INSERT INTO public.nothing DEFAULT VALUES;
CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$ SELECT 1; -- it's
$$;
ALTER TABLE public.agents ENABLE ROW LEVEL SECURITY;
CREATE POLICY open ON public.agents USING (true);
CREATE VIEW public.v AS SELECT name FROM public.agents;
COMMENT ON TABLE public.agents IS 'a;b';
SELECT lo_from_bytea(4100000001, convert_to(repeat('a large object ', 9000), 'UTF8'));
SELECT lo_from_bytea(70001, ''), lo_from_bytea(70002, '\x{gzip.compress(b"packed").hex()}');
"""
BLOBS = {4100000001: b"a large object " * 9000, 70002: b"packed"}


@dataclass
class Got:
    """All that a path gave; names without the path itself."""

    data: dict[str, bytes] = field(default_factory=dict)
    tables: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    plain: set[str] = field(default_factory=set)


def read(path, limits: Limits | None = None, chunk: int = 1 << 16) -> Got:
    got = Got()
    for ref in walk([str(path)]):
        assert not isinstance(ref, Skipped)
        with open_entries(ref, limits) as entries:
            for entry in entries:
                if isinstance(entry, Entry):
                    name = entry.path[len(str(path)) + 1 :]
                    parts = list(entry.chunks(chunk))
                    got.data[name] = b"".join(p for p in parts if isinstance(p, bytes))
                    got.skipped += [p for p in parts if isinstance(p, Skipped)]
                    if entry.table is not None:
                        got.tables[name] = entry.table
                    if entry.plain:
                        got.plain.add(name)
                else:
                    got.skipped.append(entry)
    return got


@pytest.fixture(scope="module")
def database():
    with postgres_database(DATABASE) as url:
        yield url


@pytest.fixture(scope="module")
def expected(database):
    """Of each table its columns and what COPY says, by its name for display."""
    listed = psql(
        database,
        "SELECT quote_ident(nspname), quote_ident(relname), nspname || '.' || relname, "
        "array_to_string(array(SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = "
        "c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum), '|'),"
        "array_to_string(array(SELECT attname FROM pg_attribute WHERE attrelid = "
        "c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum), '|') "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND "
        "nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'",
    ).decode()
    tables = {}
    for line in listed.splitlines():
        schema, table, name, quoted, columns = line.split("\t")
        into = f"({quoted.replace('|', ', ')})" if quoted else ""
        text = psql(database, f"COPY {schema}.{table} {into} TO STDOUT")
        tables[name] = (tuple(columns.split("|")) if columns else (), text)
    assert len(tables) == 8
    return tables


@pytest.fixture(scope="module")
def dump(database, tmp_path_factory):
    """Makes a dump with some options, once."""
    made = {}

    def make(*options):
        if options not in made:
            path = tmp_path_factory.mktemp("dump") / "x"
            command = ["pg_dump", "-d", database, "-f", str(path), *options]
            done = subprocess.run(command, capture_output=True, check=False)
            error = done.stderr.decode()
            if "not support" in error or "invalid value" in error or "must be in" in error:
                pytest.skip(f"this pg_dump cannot write {' '.join(options)}")
            assert done.returncode == 0, error
            made[options] = path
        return made[options]

    return make


def by_table(got: Got) -> dict[str, tuple[tuple[str, ...], bytes]]:
    """By the last part of the path, which is unique here."""
    return {
        name.rpartition("!")[2]: (table[1], got.data[name]) for name, table in got.tables.items()
    }


def blobs_of(got: Got) -> dict[int, bytes]:
    found = {}
    for name, data in got.data.items():
        if oid := re.search(r"blob[ _](\d+)", name):
            found[int(oid[1])] = data
    return {oid: data for oid, data in found.items() if data}


COMPRESSIONS = [(), ("-Z0",), ("-Z1",), ("-Z9",), ("-Zlz4",), ("-Zzstd",)]
WAYS = [(f, *z) for f in ("-Fc", "-Fd") for z in COMPRESSIONS] + [("-Ft",)]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_each_table_reads_as_copy_writes_it(way, dump, expected):
    got = read(dump(*way))
    assert got.skipped == []
    assert by_table(got) == expected
    for name, (table, _) in got.tables.items():
        assert table == name.rpartition("!")[2]
        assert "./" not in name
    assert blobs_of(got) == BLOBS
    assert not any("!public" in name for name in got.plain)
    if way[0] == "-Fc":
        assert next(iter(got.data)) == "(schema)"
        assert set(got.data) >= {"public.agents", "blob 4100000001"}
    else:
        assert "toc.dat!(schema)" in got.data
        suffix = {"-Z0": "", "-Zlz4": ".lz4", "-Zzstd": ".zst"}.get(way[-1], ".gz")
        suffix = "" if way[0] == "-Ft" else re.escape(suffix)
        assert all(re.match(rf"\d+\.dat{suffix}!", name) for name in got.tables)


def test_the_names_are_those_that_the_plain_dump_gives(dump, database):
    """One convention: a table has the same name and columns in both."""
    from detector.tables.census import Census
    from detector.tables.sql import Sql

    plain = subprocess.run(["pg_dump", "-d", database], capture_output=True, check=True).stdout
    census = Census()
    Sql().walk(Sql().begin(), plain, (), census)
    tables = dict(read(dump("-Fc")).tables.values())
    assert {n: t.columns for n, t in census.tables.items() if t.rows} == {
        n: columns for n, columns in tables.items() if n in census.tables and census.tables[n].rows
    }
    assert len(census.tables) > 5


def test_the_schema_loads(dump):
    (schema,) = [d for n, d in read(dump("-Fc")).data.items() if n == "(schema)"]
    text = re.sub(r"CREATE DATABASE[^;]*;\n", "", schema.decode())
    with postgres_database(text) as url:
        tables = psql(url, "SELECT count(*) FROM pg_policies").strip()
        assert tables == b"1"
        assert psql(url, 'SELECT count(*) FROM "Ünï.cödé"."täble"').strip() == b"0"


def test_each_definition_ends_with_a_semicolon_and_a_newline(dump, database):
    schema = read(dump("-Fc")).data["(schema)"].decode()
    assert schema.endswith(";\n")
    shown = subprocess.run(
        ["pg_restore", "-f", "-", "-s", "-O", dump("-Fc")], capture_output=True, check=True
    ).stdout.decode()
    lines = iter(schema.splitlines())
    for line in shown.splitlines():
        if line and not line.startswith(("--", "SET", "SELECT pg_catalog.set_config", "\\")):
            assert line in lines, line  # in the same order


@pytest.mark.parametrize("way", ["-Fc", "-Fd", "-Ft"])
def test_inserts_are_sql(way, dump):
    got = read(dump(way, "--inserts"))
    assert got.skipped == []
    assert got.tables == {}
    (name,) = [name for name in got.data if name.endswith("public.events_1")]
    assert got.data[name].startswith(b"INSERT INTO public.events_1 VALUES (0, 'event 0');\n")
    assert name not in got.plain


@pytest.mark.parametrize("part", ["-s", "-a", "--section=pre-data", "--section=data", "-Tagents"])
@pytest.mark.parametrize("way", ["-Fc", "-Fd", "-Ft"])
def test_a_part_of_a_database_is_no_truncated_dump(way, part, dump, expected):
    got = read(dump(way, part))
    assert got.skipped == []
    if part in ("-a", "--section=data"):
        assert by_table(got) == expected


def test_a_partition_may_be_loaded_through_its_root(dump):
    got = read(dump("-Fc", "--load-via-partition-root"))
    assert got.tables["public.events_2"] == ("public.events", ("what", "at"))


def test_a_dump_from_a_pipe_has_no_offsets(database, expected, tmp_path):
    piped = subprocess.run(["pg_dump", "-Fc", "-d", database], capture_output=True, check=True)
    (tmp_path / "x").write_bytes(piped.stdout)
    got = read(tmp_path / "x")
    assert got.skipped == []
    assert by_table(got) == expected


def _packed(kind, source: Path, target: Path):
    if kind == "custom.gz":
        target.write_bytes(gzip.compress(source.read_bytes(), 1))
        return
    files = sorted(source.iterdir(), key=lambda path: path.name != "toc.dat")
    if kind == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            for path in files:
                archive.write(path, f"backup/{path.name}")
        return
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for path in files:
            archive.add(path, f"./backup/{path.name}")


@pytest.mark.parametrize("kind", ["custom.gz", "zip", "tar.gz"])
def test_a_dump_in_an_archive(kind, dump, expected, tmp_path):
    _packed(kind, dump("-Fc" if kind == "custom.gz" else "-Fd"), tmp_path / "x")
    got = read(tmp_path / "x")
    assert got.skipped == []
    assert by_table(got) == expected


def test_a_toc_names_no_files_of_another_folder(dump, tmp_path):
    toc = next(path for path in dump("-Fd").iterdir() if path.name == "toc.dat").read_bytes()
    data = sorted(path for path in dump("-Fd").iterdir() if re.match(r"\d", path.name))[0]
    with tarfile.open(tmp_path / "x", "w") as archive:
        for name, content in [("a/toc.dat", toc), (f"b/{data.name}", data.read_bytes())]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    got = read(tmp_path / "x")
    assert set(got.data) == {"a/toc.dat!(schema)", f"b/{data.name}"}
    assert got.tables == {}


def test_a_single_file_finds_its_toc(dump, expected):
    folder = dump("-Fd")
    whole = read(folder)
    for name in whole.tables:
        file, _, table = name.partition("!")
        got = read(folder / file)
        assert got.data == {table: expected[table][1]}
        assert got.tables == {table: whole.tables[name]}


def test_without_a_toc_a_file_is_read_as_it_is(dump, tmp_path):
    folder = dump("-Fd", "-Z0")
    name = next(iter(read(folder).tables)).partition("!")[0]
    for toc in (None, b"", b"PGDMP\x01\x0e\x00\x04\x08\x03", b"no toc"):
        shutil.copy(folder / name, tmp_path)
        if toc is not None:
            (tmp_path / "toc.dat").write_bytes(toc)
        got = read(tmp_path)
        assert got.data[name] == (folder / name).read_bytes()
        assert got.tables == {}


def test_a_toc_is_read_once(dump, monkeypatch):
    from detector.sources import entry

    calls = []
    real = entry.read_contents
    monkeypatch.setattr(entry, "read_contents", lambda *a: calls.append(1) or real(*a))
    entry._contents.cache_clear()
    assert len(read(dump("-Fd")).tables) == 8
    assert len(calls) == 1


# Dumps of all versions, written here: one pg_dump writes one version only.


def _int(value):
    return b"\1" * (value < 0) + b"\0" * (value >= 0) + abs(value).to_bytes(4, "little")


def _str(text):
    return _int(-1) if text is None else _int(len(text)) + text


def _lz4(data):
    return pytest.importorskip("lz4.frame").compress(data)


PACKERS = {"none": bytes, "gzip": zlib.compress, "lz4": _lz4, "zstd": zstd.compress}
METHODS = list(PACKERS)


def make_dump(
    minor=14, method="gzip", *, tables=(), blobs=(), piece=4096, alone=False, statement=b"SELECT 1"
):
    """A dump with tables ``(name, copy statement, data)`` and large objects ``(oid, data)``."""
    head = b"PGDMP" + bytes([1, minor, 0, 4, 8, 3 if alone else 1])
    level = _int(0 if method == "none" else -1)
    head += bytes([METHODS.index(method)]) if minor >= 15 else level
    head += b"".join(map(_int, (1, 2, 3, 4, 5, 126, 0))) + _str(b"db") + _str(b"1") + _str(b"1")

    def entry(number, tag, kind, defn, copy, namespace, has_data):
        out = _int(number) + _int(has_data) + _str(b"1259") + _str(b"%d" % (9000 + number))
        out += _str(tag) + _str(kind) + (_int(3) if minor >= 11 else b"")
        out += _str(defn) + _str(b"DROP IT;\n") + _str(copy) + _str(namespace) + _str(None)
        out += (_str(b"heap") if minor >= 14 else b"") + (_int(114) if minor >= 16 else b"")
        out += _str(b"owner") + _str(b"false")
        out += (_str(b"1") + _str(b"2") if has_data else b"") + _str(None)
        if alone:
            return out + _str(b"%d.dat" % number if has_data else b"")
        return out + bytes([1 if has_data else 3]) + bytes(8)

    entries = [entry(1, b"x", b"TABLE", statement, None, b"public", False)]
    data = b""

    def chunks(content):
        # From version 16 on an empty table is not even an empty compressed stream.
        packed = PACKERS[method](content) if content or minor < 15 else b""
        pieces = [packed[at : at + piece] for at in range(0, len(packed), piece)]
        return b"".join(map(_str, pieces)) + _int(0)

    for number, (name, copy, content) in enumerate(tables, 10):
        entries.append(entry(number, name, b"TABLE DATA", b"", copy, b"public", True))
        data += b"\1" + _int(number) + chunks(content)
    if blobs:
        entries.append(entry(9, b"BLOBS", b"BLOBS", b"", None, None, True))
        signed = [(oid - (1 << 32) * (oid >> 31), content) for oid, content in blobs]
        inner = b"".join(_int(oid) + chunks(content) for oid, content in signed)
        data += b"\3" + _int(9) + inner + _int(0)
    return head + _int(len(entries)) + b"".join(entries) + (b"" if alone else data)


def rows(seed, count=300):
    rng = random.Random(seed)
    return b"".join(b"%d\t%s\n" % (n, rng.randbytes(9).hex().encode()) for n in range(count))


END = b"\\.\n\n\n"
TABLES = [
    (b"a", b"COPY public.a (id, v) FROM stdin;\n", rows(1) + END),
    (b"b", b'COPY public.b (id, "v;""(") FROM stdin;\n', rows(2) + END),
    (b"c", None, b"INSERT INTO c VALUES (1);\n"),
    (b"d", b"COPY public.d  FROM stdin;\n", END),
]
SOME = {"public.a": rows(1), "public.b": rows(2), "public.c": TABLES[2][2], "public.d": b""}
LARGE_OBJECTS = [(5, b"five" * 100), (6, b""), ((1 << 31) + 7, b"far" * 2000)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("minor", range(10, 17))
def test_all_versions(minor, method, tmp_path):
    if minor < 15 and METHODS.index(method) > 1:
        return
    text = make_dump(minor, method, tables=TABLES, blobs=LARGE_OBJECTS)
    (tmp_path / "x").write_bytes(text)
    got = read(tmp_path / "x")
    assert got.skipped == []
    assert got.data == {
        "(schema)": b"SELECT 1;\n", **SOME, **{f"blob {n}": d for n, d in LARGE_OBJECTS}
    }  # fmt: skip
    assert got.tables == {
        "public.a": ("public.a", ("id", "v")),
        "public.b": ("public.b", ("id", 'v;"(')),
        "public.d": ("public.d", ()),
    }
    if shutil.which("pg_restore"):  # the writer above is no invention
        command = ["pg_restore", "-O", "-f", "-", tmp_path / "x"]
        done = subprocess.run(command, capture_output=True, check=False)
        error = done.stderr.decode()
        if "unsupported version" in error or "does not support" in error:
            return
        assert done.returncode == 0, error
        assert rows(1) in done.stdout
        assert b"('2147483655'" in done.stdout


@pytest.mark.parametrize("piece", [1, 3, 4096, 70_000, 200_000])
@pytest.mark.parametrize("method", ["none", "gzip"])
def test_pieces_of_any_size(method, piece, tmp_path):
    content = random.Random(piece).randbytes(150_000 if piece > 9 else 9_000)
    content = content.replace(b"\\", b"/")
    dump = make_dump(method=method, tables=[(b"a", TABLES[0][1], content + END)], piece=piece)
    (tmp_path / "x").write_bytes(dump)
    for chunk in (97, 1 << 16, 1 << 20):
        got = read(tmp_path / "x", chunk=chunk)
        assert got.data["public.a"] == content
        assert got.skipped == []


def test_hidden_ids_are_the_first_column(tmp_path):
    table = (b"a", b"COPY a (id) WITH OIDS FROM stdin;\n", b"1\t2\n" + END)
    (tmp_path / "x").write_bytes(make_dump(12, tables=[table]))
    assert read(tmp_path / "x").tables == {"public.a": ("a", ("oid", "id"))}


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (b"", b""),
        (b" \n", b" \n"),
        (b"SELECT 1", b"SELECT 1;\n"),
        (b"SELECT 1;", b"SELECT 1;\n"),
        (b"SELECT 1;\n", b"SELECT 1;\n"),
        (b"SELECT 1;\n\n\n", b"SELECT 1;\n\n\n"),
        (b"-- via root\n", b"-- via root\n;\n"),
        (b"SELECT '" + b";" * 200_000 + b"'", b"SELECT '" + b";" * 200_000 + b"';\n"),
        (b"SELECT 1;" + b" " * 99_999 + b"\n", b"SELECT 1;" + b" " * 99_999 + b"\n"),
    ],
)
def test_definitions_are_terminated(statement, text, tmp_path):
    (tmp_path / "x").write_bytes(make_dump(statement=statement))
    assert read(tmp_path / "x").data == {"(schema)": text}


class Pieces:
    """A source that gives what it is told to, then damage or the end."""

    def __init__(self, parts, damaged=False):
        self._parts, self._damaged = [part for part in parts if part], damaged

    def readinto(self, view):
        if not self._parts:
            if self._damaged:
                self._damaged = False
                raise Damaged("lost")
            return 0
        part = self._parts.pop(0)
        view[: len(part)] = part
        return len(part)


@given(
    text=st.text("a\\.\n", max_size=30),
    end=st.sampled_from([b"", END, b"\\.\n", END + b"\n", b"\\", b"\\."]),
    cuts=st.lists(st.integers(0, 40), max_size=9),
    size=st.integers(1, 12),
    damaged=st.booleans(),
)
@example("\\\\.\n", END, [], 1, False)
def test_the_end_mark_is_taken_off_however_the_text_comes(text, end, cuts, size, damaged):
    text = text.replace("\\", "\\\\").encode()  # as COPY writes values
    whole = text + end
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    parts = [whole[a:b] for a, b in pairwise(edges)]
    source, out, lost = CopyText(Stream(Pieces(parts, damaged))), b"", False
    view = memoryview(bytearray(size))
    try:
        while n := source.readinto(view):
            out += view[:n]
    except Damaged:
        lost = True
    assert lost == damaged
    if end in (b"", END, b"\\.\n", END + b"\n") and not text.endswith(b"\\"):
        assert out == text
    elif not text.endswith(b"\\"):
        assert out == whole


DUMP = make_dump(tables=TABLES, blobs=[(5, b"five" * 100)], statement=b"CREATE TABLE x ()")
PLAIN = make_dump(16, "none", tables=TABLES, blobs=[(5, b"five" * 100)], piece=50)
WHOLE = {"(schema)": b"", **SOME, "blob 5": b"five" * 100}


@pytest.mark.parametrize("text", [DUMP, PLAIN], ids=["zlib", "none"])
def test_truncation_anywhere_is_said_once(text, tmp_path):
    step = max(1, len(text) // 700)
    for keep in [*range(12, len(text), step), *range(len(text) - 30, len(text))]:
        (tmp_path / "x").write_bytes(text[:keep])
        got = read(tmp_path / "x")
        assert len(got.skipped) == 1, keep
        assert "truncated" in got.skipped[0].reason
        for name, data in got.data.items():
            if name != "(schema)":
                assert WHOLE[name].startswith(data.removesuffix(b"\\").removesuffix(b"\\."))
        # Nothing but the last piece of data may lack anything.
        for name in list(got.data)[1:-1]:
            assert got.data[name] == WHOLE[name]


def test_a_piece_of_negative_size_is_corrupt(tmp_path):
    text = bytearray(make_dump(method="none", tables=TABLES, piece=100))
    text[text.index(rows(1)[:100]) - 5 + 3 * 105] = 1  # the sign of the fourth
    (tmp_path / "x").write_bytes(text)
    got = read(tmp_path / "x")
    assert got.data["public.a"] == rows(1)[:300]
    assert [item.reason for item in got.skipped] == ["dump is corrupt"]


@pytest.mark.parametrize("keep", [300, 70_000, 199_000])
def test_truncation_inside_a_long_piece(keep, tmp_path):
    content = b"x" * 200_000
    text = make_dump(method="none", tables=[(b"a", TABLES[0][1], content)], piece=200_000)
    (tmp_path / "x").write_bytes(text[: text.index(content) + keep])
    got = read(tmp_path / "x")
    assert got.data["public.a"] == content[:keep]
    assert [item.reason for item in got.skipped] == ["dump is truncated"]


@pytest.mark.parametrize("way", [("-Fc",), ("-Fc", "-Z0"), ("-Ft",)], ids=" ".join)
def test_truncation_of_a_real_dump(way, dump, expected, tmp_path):
    whole = dump(*way).read_bytes()
    rng = random.Random(11)
    for _ in range(25):
        keep = rng.randrange(600, len(whole) - 1100)
        (tmp_path / "x").write_bytes(whole[:keep])
        got = read(tmp_path / "x")
        assert len(got.skipped) == (1 if way[0] == "-Fc" else len(got.skipped))
        for name, (_, data) in by_table(got).items():
            assert expected[name][1].startswith(data.removesuffix(b"\\."))
    assert got.data


@pytest.mark.parametrize("text", [DUMP, PLAIN], ids=["zlib", "none"])
@settings(max_examples=150)
@given(data=st.data())
def test_random_damage_never_raises(text, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("damage") / "x"
    damaged = bytearray(text)
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of it where the structure is.
        end = data.draw(st.sampled_from([900, len(text)]))
        damaged[data.draw(st.integers(5, end - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    got = read(path)
    assert sum(item.nbytes for item in got.skipped) <= 2 * len(text)
    assert sum(map(len, got.data.values())) <= 2 * sum(map(len, WHOLE.values())) + len(text)
    path.unlink()


@settings(max_examples=100)
@given(garbage=st.binary(max_size=400), minor=st.integers(0, 255), kind=st.sampled_from([1, 3, 5]))
def test_garbage_behind_a_header_never_raises(garbage, minor, kind, tmp_path_factory):
    path = tmp_path_factory.mktemp("garbage") / "x"
    path.write_bytes(b"PGDMP\1" + bytes([minor, 0, 4, 8, kind]) + garbage)
    assert read(path).skipped
    path.unlink()


def test_corrupt_data_costs_one_table(tmp_path):
    at = DUMP.index(zlib.compress(TABLES[0][2])[:200])
    damaged = bytearray(DUMP)
    damaged[at + 500] ^= 0xFF
    (tmp_path / "x").write_bytes(damaged)
    got = read(tmp_path / "x")
    assert [item.path for item in got.skipped] == [f"{tmp_path / 'x'}!public.a"]
    assert "zlib" in got.skipped[0].reason
    assert {n: d for n, d in got.data.items() if n not in ("public.a", "(schema)")} == {
        n: d for n, d in WHOLE.items() if n not in ("public.a", "(schema)")
    }


def test_a_wrong_checksum_withholds_nothing(tmp_path):
    packed = zlib.compress(TABLES[0][2])
    damaged = DUMP.replace(packed[-4:], b"\0\1\2\3")
    (tmp_path / "x").write_bytes(damaged)
    got = read(tmp_path / "x")
    assert got.data["public.a"] == rows(1)
    assert [item.reason for item in got.skipped] == ["zlib checksum does not match"]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"\1\x11\0\4\x08\1", "version 1.17"),
        (b"\2\0\0\4\x08\1", "version 2.0"),
        (b"\1\x09\0\4\x08\1", "version 1.9"),
        (b"\1\x10\0\4\x08\2", "format 2"),
        (b"\1\x10\0\4\x08\1\7", "compression 7"),
        (b"\1\x10\0\x09\x08\1", "9 and 8 bytes"),
    ],
)
def test_what_is_not_known_is_said(head, reason, tmp_path):
    text = b"PGDMP" + head + bytes(200)
    (tmp_path / "x").write_bytes(text)
    got = read(tmp_path / "x")
    assert got.data == {}
    (skipped,) = got.skipped
    assert reason in skipped.reason
    assert skipped.nbytes == len(text)


def test_text_that_begins_like_a_dump_is_text(tmp_path):
    for text in (b"PGDMP is what they begin with\n" * 9, b"PGDMP", b"PGDMP\1\x0e"):
        (tmp_path / "x").write_bytes(text)
        assert read(tmp_path / "x").data == {"": text}


def test_bytes_behind_a_toc_are_counted(tmp_path):
    (tmp_path / "toc.dat").write_bytes(make_dump(tables=TABLES, alone=True) + b"123")
    got = read(tmp_path)
    assert got.data == {"toc.dat!(schema)": b"SELECT 1;\n"}
    assert [(item.reason, item.nbytes) for item in got.skipped] == [
        ("other bytes follow the table of contents", 3)
    ]


def test_lz4_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    text = make_dump(16, "lz4", tables=TABLES[:1], blobs=[(5, b"five" * 100)])
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    (tmp_path / "x").write_bytes(text)
    got = read(tmp_path / "x")
    assert got.data == {"(schema)": b"SELECT 1;\n", "public.a": b"", "blob 5": b""}
    assert len(got.skipped) == 2
    assert all("pip install lz4" in item.reason for item in got.skipped)


@pytest.mark.parametrize("method", ["none", "gzip"])
def test_a_bomb_ends_where_the_limits_say(method, tmp_path):
    tables = [(b"a", TABLES[0][1], bytes(3 << 20) + END), TABLES[1]]
    (tmp_path / "x").write_bytes(make_dump(method=method, tables=tables))
    got = read(tmp_path / "x", Limits(ratio_from=1 << 20, total_bytes=8 << 20))
    assert bool(got.skipped) == (method == "gzip")
    if method == "gzip":
        assert "expands more" in got.skipped[0].reason


def test_too_many_members_and_levels(tmp_path):
    (tmp_path / "x").write_bytes(DUMP)
    assert "more than 2 members" in read(tmp_path / "x", Limits(members=2)).skipped[0].reason
    assert "nested deeper" in read(tmp_path / "x", Limits(depth=0)).skipped[0].reason


@pytest.mark.parametrize("field", ["copy", "tag"])
def test_what_is_kept_is_bounded(field, tmp_path):
    long = b"n" * (2 << 20)
    table = (long if field == "tag" else b"a", long if field == "copy" else b"", b"x")
    (tmp_path / "x").write_bytes(make_dump(tables=[table]))
    got = read(tmp_path / "x")
    assert [item.reason for item in got.skipped] == ["dump is corrupt"]


@pytest.mark.parametrize("most", ["dump.MOST_ENTRIES", "dump.MOST_DEPENDENCIES", "reader.LONGEST"])
def test_counts_are_bounded(most, tmp_path, monkeypatch):
    monkeypatch.setattr(f"detector.sources.pgdump.{most}", 1)
    (tmp_path / "x").write_bytes(DUMP)
    assert [item.reason for item in read(tmp_path / "x").skipped] == ["dump is corrupt"]


def test_tables_behind_the_bound_lose_their_names_and_no_data(tmp_path, monkeypatch):
    monkeypatch.setattr("detector.sources.pgdump.contents.MOST_KEPT", 400)
    (tmp_path / "x").write_bytes(make_dump(tables=TABLES))
    got = read(tmp_path / "x")
    assert got.data["public.a"] == rows(1)
    assert got.data["(data 11)"] == rows(2) + END
    assert got.skipped == []


@pytest.mark.parametrize("method", ["none", "gzip"])
def test_memory_is_constant(method, tmp_path):
    content = rows(5, 400_000)
    tables = [(b"a", TABLES[0][1], content), (b"b", TABLES[1][1], content)]
    (tmp_path / "x").write_bytes(
        make_dump(method=method, tables=tables, piece=300, statement=b"--" * (4 << 20))
    )
    del tables
    size = 0
    tracemalloc.start()
    (ref,) = walk([str(tmp_path / "x")])
    view = memoryview(bytearray(1 << 16))
    with open_entries(ref) as entries:
        for entry in entries:
            assert isinstance(entry, Entry)
            while n := entry.readinto(view):
                size += n
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 2 * len(content)
    assert peak < 2 << 20
