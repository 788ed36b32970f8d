"""Which dialect a text is."""

from __future__ import annotations

import csv
import io
import json
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.tables.csvs import Csv
from detector.tables.jsons import JsonArray, JsonLines
from detector.tables.sniff import HEAD, sniff
from detector.tables.sql import Sql

PG = b"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.4\n"
MARIADB = b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11\n--\n"
MYSQL = b"-- MySQL dump 10.13\n--\n/*!40101 SET NAMES utf8 */;\n"
SQLITE = b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE `a` (id INTEGER);\n"
HAND = b"/* made by hand */\n# x\ninsert into users (id, name)\nvalues (1, 'x');\n"
TICKS = b"INSERT INTO `users` VALUES (1,'it\\'s');\n"


@pytest.mark.parametrize(
    ("path", "head", "backslashes"),
    [
        ("dump", PG, False),
        ("backup.zip!dump.txt", PG, False),
        ("x.sql.gz", b"select 1;", False),
        ("x.sql", b"", False),
        ("dump.bak", MARIADB, True),
        ("dump", MYSQL, True),
        ("DUMP.SQL", TICKS, True),
        ("dump", SQLITE, False),
        ("rows.txt", HAND, False),
        ("a.sql", b"CREATE TABLE a (id int) ENGINE=InnoDB;", True),
        ("a.sql", PG + b"COPY a FROM stdin;\nENGINE=\n", False),
    ],
)
def test_sql(path, head, backslashes):
    assert sniff(path, head) == Sql(backslashes=backslashes)


@pytest.mark.parametrize("row", [{"id": 1}, {"id": 1, "x": {"y": [{"z": 2}]}}])
def test_json(row):
    one, more = json.dumps(row).encode(), json.dumps([row] * 3, indent=2).encode()
    assert sniff("a/users.jsonl.gz", one) == JsonLines("users")
    assert sniff("users.ndjson", b'{"id": "' + b"x" * HEAD) == JsonLines("users")
    assert sniff("users.json", one + b"\n" + one + b"\n") == JsonLines("users")
    assert sniff("b.zip!users", one + b'\r\n\r\n{"id') == JsonLines("users")
    assert sniff("app.log", one + b"\n" + one + b"\n") == JsonLines("app")
    assert sniff("users.json", more[:40]) == JsonArray("users")
    assert sniff("users", b"\xef\xbb\xbf" + more) == JsonArray("users")
    document = {"version": 3, "users": [row]}
    assert sniff("export.json.zst", json.dumps(document).encode()) == JsonArray("export")
    assert sniff("export", json.dumps(document, indent=4).encode()) == JsonArray("export")


HEADED = b"id,name,email\n1,Bob,bob@example.org\n2,Ann,ann@example.org\n"


@pytest.mark.parametrize("path", ["x/users.csv", "users.csv.gz", "a.zip!users", "users.dat"])
def test_a_csv_by_its_suffix_or_because_it_is_certain(path):
    assert sniff(path, HEADED) == Csv("users", header=("id", "name", "email"))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", Csv("t")),
        (b"token\nx1\nx2\n", Csv("t", header=("token",))),
        (b"id;price\r\n1;1,50\r\n2;2,75\r\n", Csv("t", b";", header=("id", "price"))),
        (b"1\tx\n2\ty\n", Csv("t", b"\t")),
        (b"id|note\n1|a, b, c\n", Csv("t", b"|", header=("id", "note"))),
        (b",city\n0,Rome\n1,Bonn\n", Csv("t", header=("column 1", "city"))),
        (b'"id", "note"\n"1", "a, b"\n', Csv("t", header=("id", "note"), spaced=True)),
        (b"'id','note'\n'1','a, b'\n", Csv("t", quote=b"'", header=("id", "note"))),
        (b"id\tnote\n1\t\\N\n", Csv("t", b"\t", b"", ("id", "note"), backslashes=True)),
        (b'1,"say \\"x, y\\", or"\n', Csv("t", backslashes=True)),
        (b'1,"C:\\dir\\"\n2,"a ""b"" c"\n', Csv("t")),
        (b"id,note\r1,a\r2,b\r", Csv("t", header=("id", "note"), newline=b"\r")),
        ("\ufeffid,größe\n1,2\n".encode(), Csv("t", header=("id", "größe"))),
        (b"Bob,Paris\nAnn,Rome\n", Csv("t")),
        (b"id,note", Csv("t", header=("id", "note"))),
    ],
)
def test_dialects(head, expected):
    assert sniff("t.csv", head) == expected


TOKENS = string.ascii_letters + string.digits


def _token(rng, alphabet=TOKENS, size=32):
    return "".join(rng.choices(alphabet, k=size))


@pytest.mark.parametrize("seed", range(60))
def test_values_are_not_taken_for_names(seed):
    rng = random.Random(seed)
    rows = [["user", "note"], *(["Bob", "x y"] for _ in range(rng.randrange(4)))]
    for row in rows:
        row.insert(
            seed % 3, _token(rng, rng.choice([TOKENS, string.hexdigits, string.ascii_letters]), 24)
        )
    found = sniff("t.csv", "".join(",".join(row) + "\n" for row in rows).encode())
    assert found == Csv("t")


def test_what_is_as_long_as_the_values_below_is_one():
    rng = random.Random(4)
    rows = [f"user{n},{_token(rng, string.ascii_lowercase, 12)},{n}\n" for n in "abc"]
    assert sniff("t.csv", ("user,bcdefghijabc,note\n" + "".join(rows)).encode()) == Csv("t")


def test_long_names_are_names():
    names = ("IsPrimaryContactEmailVerifiedByUser", "sha256_of_v1", "addr1Line2City", "Straße 2")
    assert sniff("t.csv", ",".join(names).encode() + b"\n1,2,3,4\n") == Csv("t", header=names)


def _cell(rng, kind):
    words = ["the", "server,", '"hello";', "a|b", "it's", "Müller\n(x)", '5"', "tall"]
    return {
        "id": lambda: rng.randrange(10**6),
        "price": lambda: f"{rng.randrange(999)},{rng.randrange(100):02}",
        "created_at": lambda: f"2024-01-{rng.randrange(1, 29):02} 10:00:00+00",
        "email": lambda: f"u{rng.randrange(999)}@example.org",
        "api key": lambda: _token(rng),
        "first name": lambda: rng.choice(["Bob", "Ann", "Zoë"]),
        "body": lambda: " ".join(rng.choices(words, k=rng.randrange(1, 9))),
        "meta": lambda: '{"a": [1, 2], "b": "x"}',
        "note": lambda: rng.choice(["", "", "z"]),
    }[kind]()


@pytest.mark.parametrize("seed", range(60))
def test_what_the_csv_module_writes(seed):
    rng = random.Random(seed)
    kinds = rng.sample(
        ["id", "price", "created_at", "email", "api key", "first name", "body", "meta", "note"],
        rng.randrange(2, 8),
    )
    delimiter = rng.choice(",;\t|")
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting)
    headed = rng.random() < 0.7
    writer.writerows([kinds] * headed)
    writer.writerows([_cell(rng, kind) for kind in kinds] for _ in range(rng.choice([5, 20, 99])))
    head = out.getvalue().encode()[:HEAD]
    found = sniff("t.csv", head)
    assert (found.delimiter, found.header) == (delimiter.encode(), tuple(kinds) if headed else None)
    assert sniff("t", head) in (found, None)  # without a suffix, nothing or the same


PROSE = b"Dear all, as said, yes.\nWell, I think, no.\nFirst, second, third.\nSo, it is, then.\n"
CODE = b"int a, b, c;\nint d, e, f;\nfoo(1, 2, 3);\nbar(4, 5, 6);\n"
NUMBERS = b"x = [\n  1, 2, 3,\n  4, 5, 6,\n  7, 8, 9,\n]\n"
LOG = b"2024-01-01 10:00:00,123 INFO a, b\n2024-01-01 10:00:01,456 INFO c, d\n" * 3
LOGURU = b"2024-01-01 10:00:00.123 | INFO     | a:b:1 - started\n" * 4
DRAWN = b"| id | name |\n|----|------|\n| 1  | Bob  |\n| 2  | Ann  |\n"
PASSWD = b"root:x:0:0:root:/root:/bin/bash\n" * 4
INDENTED = b"    id,name,note\n    1,x,y\n    2,x,z\n    3,x,z\n"
INI = b"[a]\nx = 1\ny = 2, 3, 4\n"
SCRIPT = b"use strict;\nuse warnings;\nmy $x = 'INSERT INTO a VALUES (1)';\n"
ENGLISH = b"Create table reservations in the app.\nUse it; then COPY them.\n"


UTF16 = HEADED.decode().encode("utf-16")
TEXTS = [PROSE, CODE, NUMBERS, LOG, LOGURU, DRAWN, PASSWD, INDENTED, INI, SCRIPT, ENGLISH, UTF16]
OBJECTS = [b"[]", b"[1,2]", b'{"a": 1}', b'{"a": {"b": [1]}}\n', b"{\n{\n{"]


@pytest.mark.parametrize("head", [b"", b"PGDMP\0\1", *TEXTS, *OBJECTS])
@pytest.mark.parametrize("path", ["x", "x.txt", "x.json"])
def test_no_tables(path, head):
    assert sniff(path, head) is None


@pytest.mark.parametrize("path", ["x.py", "x.min.js", "x.md", "server.log", "x.yaml.gz"])
@pytest.mark.parametrize("head", [HEADED, HAND, b'[{"id": 1}]'])
def test_code_and_logs_are_none_whatever_they_look_like(path, head):
    assert sniff(path, head) is None


pieces = st.sampled_from(
    [PG, MYSQL, SQLITE, HAND, HEADED, PROSE, CODE, LOG, DRAWN, b'[{"a": 1}, ', b'{"a": [{"b"']
    + [bytes([c]) for c in b"\0\r\n\t ,;|\"'\\{}[]:1a\xff\xc3"]
    + [b"\xef\xbb\xbf", b"\\N", b'"' * 99, b"-" * 500, b"[" * 3000, b" \n" * 2000, b"1a" * 2000]
)


@given(
    path=st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            ["", ".", "a.csv", "a.tsv.gz", "a.json", "a.jsonl", "a", "x!/.gz", "a.sql"]
        ),
    ),
    head=st.one_of(
        st.binary(max_size=300),
        st.lists(pieces, max_size=12).map(b"".join),
        st.just(b'{"a":' * 900),
    ),
    cut=st.integers(0, HEAD),
)
@settings(max_examples=600, deadline=1000)
def test_sniff_never_raises_and_what_it_finds_reads_the_text(path, head, cut):
    for text in (head, head[:cut]):
        dialect = sniff(path, text)
        if dialect is not None:
            places = dialect.walk(dialect.begin(), text, range(len(text)))[1]
            assert len(places) == len(text)
