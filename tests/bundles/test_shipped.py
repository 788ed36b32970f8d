"""What goes to every visitor, and what a server runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from material import builtin_scanner, sample_of

from detector.bundles.shipped import ADVICE, is_shipped, raised
from detector.run import Run

BROWSER = b'let a=document.createElement("p");'
LONG = b"x" * 2000
SERVER = b'const f=require("fs");'


@pytest.mark.parametrize(
    ("path", "data", "shipped"),
    [
        ("dist/app.js", BROWSER, True),
        ("src/app.js", BROWSER, False),
        ("app.js", BROWSER + LONG, True),
        ("app.js", LONG, False),
        ("dist/app.js", BROWSER + SERVER, False),
        ("dist/cli.js", b"#!/usr/bin/env node\n" + BROWSER, False),
        ("dist/app.js", b'import a from"node:fs";' + BROWSER, False),
        (".next/static/chunks/1.js", LONG, True),
        (".next/server/chunks/1.js", BROWSER + LONG, False),
        ("x/node_modules/a/dist/a.js", BROWSER + LONG, False),
        ("a-1.0.tgz!package/dist/a.js", BROWSER + LONG, False),
        ("site.zip!_nuxt/a.js", LONG, True),
        ("public/manifest.webmanifest", b"{}", True),
        ("public/.env.production", b"", True),
        ("public/app.py", b"", False),
        (".env", b"", False),
        ("index.html", b"<!DOCTYPE html><p>", True),
        ("notes.html", b"plain", False),
        ("dist/assets/a.js.gz", LONG, True),
    ],
)
def test_shipped(path, data, shipped):
    assert is_shipped(path, data) is shipped


@pytest.mark.parametrize(
    ("path", "data", "shipped"),
    [
        ("a/.env", b"", True),
        ("a/data.json", b"", True),
        ("a/app.js", SERVER, False),
        ("a/app.py", b"", False),
        ("server/app.js", b"", False),
    ],
)
def test_below_a_page(path, data, shipped):
    assert is_shipped(path, data, below_page=True) is shipped


def test_keys_that_only_owners_may_use_become_critical():
    for rule, severity in (("stripe-publishable-key", "info"), ("github-pat", "critical")):
        (found,) = builtin_scanner().scan(sample_of(rule).text)
        one = raised(found)
        assert (one.severity, one.claims["shipped"]) == (severity, True)
        assert (ADVICE in one.why) == (severity == "critical")


def test_files_beside_and_below_a_page(tmp_path):
    key = sample_of("resend-api-key").secret
    files = {
        "dist/index.html": b"<!doctype html><script>let k='%s'</script>" % key,
        "dist/.env": b"KEY=" + key,
        "dist/js/deep/a.json": b'{"k":"%s"}' % key,
        "sw.js": b"self.skipWaiting();" + b"k('%s');" % key,
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = list(Run(builtin_scanner(), [str(tmp_path)]))
    shipped = {Path(one.path).name: one.claims.get("shipped", False) for one in found}
    assert shipped == {"index.html": True, ".env": True, "a.json": True, "sw.js": False}
    alone = list(Run(builtin_scanner(), [str(tmp_path / "dist" / "js")]))
    assert [one.claims.get("shipped") for one in alone] == [None]  # the page was not asked for
