"""References in scripts and styles, found without parsing them: each pattern passes over the text
once, whatever the text.

What certainly is a reference (an import, a worker) is told from what looks like one: bundlers keep
the names of their chunks in plain strings, each in its own way, and to try such a name costs one
request. The page's URL and the script's own are both tried where it depends on the bundler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from detector.site.addresses import joined

MANY = 20_000  # references of one text that are looked at


class Reference(NamedTuple):
    """One thing to fetch: the URLs it may have, the likeliest first. ``sure``: that it is meant to
    be fetched."""

    urls: tuple[str, ...]
    kind: str = "script"
    sure: bool = True


_S = r"\s{0,64}"
_COMMENT = rf"(?:/\*[^*]{{0,300}}\*/{_S}){{0,4}}"
_QUOTED = r"""(?:"([^"\\\s]{1,1024})"|'([^'\\\s]{1,1024})'|`([^`\\\s${]{1,1024})`)"""
_IMPORT = re.compile(
    rf"(?<![\w$.])(?:from|import(?:{_S}\()?){_S}{_COMMENT}{_QUOTED}",
)
_BESIDE = re.compile(rf"new\s{{1,64}}URL{_S}\({_S}{_COMMENT}{_QUOTED}{_S},{_S}import\.meta\.url")
_WORKER = re.compile(
    rf"(?:new\s{{1,64}}(?:Shared)?Worker|\.serviceWorker{_S}\.register|addModule){_S}"
    rf"\({_S}{_COMMENT}{_QUOTED}"
)
_BY_PAGE = re.compile(
    rf"new\s{{1,64}}URL{_S}\({_S}{_COMMENT}{_QUOTED}{_S},{_S}"
    r"(?:document\.|self\.|window\.)?location"
)
_SCRIPTS = re.compile(r"importScripts\s*\(([^()]{1,4096})\)")
_STRING = re.compile(_QUOTED)
_NAME = re.compile(
    r"""(?<=["'`])([^"'`\s\\<>(){}|^*;]{1,512}?\.(?:m?js|css|json|webmanifest))"""
    r"""((?:\?[^"'`\s\\<>(){}|^]{0,128})?)(?=["'`])"""
)
_MAP = re.compile(r"(?://|/\*)[#@]\s*sourceMappingURL=([^\s'\"*]{1,2048})")
_STYLE = re.compile(
    r"""@import\s+(?:url\(\s*)?(?:"([^"\s]{1,1024})"|'([^'\s]{1,1024})'|([^\s"'();]{1,1024}))"""
)
_RELATIVE = ("./", "../", "/")


def in_script(
    text: str, url: str, page: str, *, imports: Mapping[str, str], public: str | None = None
) -> Iterator[Reference]:
    """Of a script at ``url`` (of an inline script: the page's). ``page``: the base of the page that
    loads it; ``imports``: its import map, resolved; ``public``: where its bundler puts chunks."""
    text = text.replace("\\u002F", "/").replace("\\/", "/").replace('\\"', '"')
    for quoted in _found(_IMPORT, text):
        if (target := _imported(quoted, url, imports)) is not None:
            yield Reference((target,))
    for pattern, base in ((_BESIDE, url), (_WORKER, page), (_BY_PAGE, page)):
        for quoted in _found(pattern, text):
            if (target := joined(base, quoted)) is not None:
                yield Reference((target,), kind_of(target))
    for match in _SCRIPTS.finditer(text):
        for quoted in _found(_STRING, match[1]):
            if (target := joined(url, quoted)) is not None:
                yield Reference((target,))
    yield from _named(text, url, page, public)


def _named(text: str, url: str, page: str, public: str | None) -> Iterator[Reference]:
    """Of strings that end like the name of a file."""
    seen: set[str] = set()
    for match in _NAME.finditer(text):
        name = match[1] + match[2]
        if name in seen or (match[1].endswith(".json") and "/" not in name) or "${" in name:
            continue
        seen.add(name)
        if len(seen) > MANY:
            return
        urls = tuple(_places(name, url, page, public))
        if urls:
            yield Reference(urls, kind_of(urls[0]), sure=False)


def _places(name: str, url: str, page: str, public: str | None) -> dict[str, None]:
    """Where a name in a script may lie. ``static/chunks/a.js`` in ``/_next/static/chunks/b.js``
    counts from what they have in common."""
    bases = [url, page]
    if "://" not in name and not name.startswith(_RELATIVE):
        path = urlsplit(url).path
        first, slash, _ = name.partition("/")
        common = path.find(f"/{first}/") if slash else -1
        bases = [joined(url, path[: common + 1]) or url] if common >= 0 else []
        bases += [public] if public else []
        bases += [url, page]
    return dict.fromkeys(target for base in bases if (target := joined(base, name)))


def _imported(specifier: str, base: str, imports: Mapping[str, str]) -> str | None:
    """What an import means (https://html.spec.whatwg.org/#resolve-a-module-specifier)."""
    target = None
    if specifier.startswith(_RELATIVE) or "://" in specifier:
        target = joined(base, specifier)
    for asked in (specifier, target):
        if asked is not None and asked in imports:
            return imports[asked]
    folders = [key for key in imports if key.endswith("/") and specifier.startswith(key)]
    if folders:
        key = max(folders, key=len)
        return joined(imports[key], specifier[len(key) :])
    return target


def in_style(text: str, url: str) -> Iterator[Reference]:
    """Of a style sheet."""
    for quoted in _found(_STYLE, text):
        if (target := joined(url, quoted)) is not None:
            yield Reference((target,), "style")


def map_in(text: str) -> str | None:
    """The source map that a script or style names, the last one: "data:…" where it is inline."""
    found = None
    for match in _MAP.finditer(text):
        found = match[1]
    return found


def _found(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for count, match in enumerate(pattern.finditer(text)):
        if count >= MANY:
            return
        yield next(group for group in match.groups() if group is not None)


def kind_of(url: str) -> str:
    """What a URL promises to be."""
    path = urlsplit(url).path.lower()
    if path.endswith(".css"):
        return "style"
    return "data" if path.endswith((".json", ".webmanifest")) else "script"
