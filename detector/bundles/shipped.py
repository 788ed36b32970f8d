"""Whether a file goes to every visitor of a website, as far as it shows.

A server's bundle is minified by the same tools, and a library's lies in a folder of the same name.
So a file is called shipped only for a reason: it lies where web servers serve from, beside or
below the page that loads it, or it is a script that uses a browser. And never where something says
that a server runs it. Asked of files with findings only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from detector.bundles.script import unpacked
from detector.types import Finding, Severity

ADVICE = "It has been public since it was shipped: revoke it, then move the call to a server."
LONGEST_LINE = 500  # bytes a line on average from which on code is called minified

_SERVED = (".js", ".mjs", ".css", ".html", ".htm", ".map", ".json", ".webmanifest", ".txt", ".svg")
_SERVER = re.compile(
    r"(?:^|[/!])(?:server|ssr|functions|node_modules|lambda|edge-functions|bin|tests?|__tests__)/"
    r"|\.(?:tgz|crate|whl)!"  # packages for developers
)
_NODE_MODULES = (b"fs", b"child_process", b"net", b"tls", b"http2", b"cluster", b"dgram")
_SERVER_CODE = (
    *(b'require("%b")' % name for name in _NODE_MODULES),
    *(b"require('%b')" % name for name in _NODE_MODULES),
    *(b'from"%b"' % name for name in _NODE_MODULES),
    *(b'from "%b"' % name for name in _NODE_MODULES),
    b'require("node:', b"require('node:", b'from"node:', b'from "node:', b"from 'node:",
    b"Deno.env", b"Bun.serve", b"createServer(",
)  # fmt: skip
_PUBLIC = re.compile(
    r"(?:^|[/!])(?:_next/static|\.next/static|_nuxt|_app/immutable|static/js|static/chunks|"
    r"build/static|dist/assets|public|public_html|wwwroot|htdocs)/"
)
_BUILT = re.compile(r"(?:^|[/!])(?:dist|build|out|www|assets|static|bundles?|js)/")
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<script")
_BROWSER = (
    b"document.createElement", b"document.querySelector", b"document.getElementById",
    b"document.body", b"document.head", b"document.cookie", b"document.currentScript",
    b"window.location", b"window.document", b"window.addEventListener", b"localStorage.",
    b"self.addEventListener", b"self.skipWaiting", b"webpackChunk", b"__vite__mapDeps",
    b"new XMLHttpRequest", b"importScripts(",
)  # fmt: skip
_HEAD = 1 << 16  # bytes in which a page has shown that it is one


def is_shipped(path: str, data: bytes, *, below_page: bool = False) -> bool:
    """``path``: as in findings, with ``/``. ``data``: the file's bytes. ``below_page``: an
    ``index.html`` lies in its folder or in one above it."""
    name = unpacked(path.lower())
    if _SERVER.search(name):
        return False
    if name.endswith((".html", ".htm")):
        return _has(data[:_HEAD].lower(), _PAGE)
    is_script = name.endswith((".js", ".mjs"))
    if is_script and (data.startswith(b"#!") or _has(data, _SERVER_CODE)):
        return False
    if below_page or _PUBLIC.search(name):
        return name.endswith(_SERVED) or _is_environment(name)
    place = _BUILT.search(name) is not None or _is_minified(data)
    return is_script and place and _has(data, _BROWSER)


def _has(data: bytes, words: tuple[bytes, ...]) -> bool:
    # Word by word: a regex of all of them takes 50 times as long.
    return any(word in data for word in words)


def raised(finding: Finding) -> Finding:
    """A finding in a file that is shipped: what only its owner may use is critical there."""
    claims: Mapping[str, Any] = {**finding.claims, "shipped": True}
    if finding.privilege not in ("full", "admin") or finding.provider == "generic":
        return msgspec.structs.replace(finding, claims=claims)
    why = f"{finding.why} {ADVICE}".lstrip()
    worst = Severity.critical.name
    return msgspec.structs.replace(finding, claims=claims, severity=worst, why=why)


def _is_environment(name: str) -> bool:
    return re.split(r"[/!]", name)[-1].startswith(".env")


def _is_minified(data: bytes) -> bool:
    return len(data) > LONGEST_LINE * (data.count(b"\n") + 1)
