"""References in a page, read by a parser that reads HTML as browsers do."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from detector.site.addresses import joined
from detector.site.scripts import MANY, Reference, in_script, in_style

LONGEST = 8 << 20  # bytes that are parsed: a tree takes some ten times as many
_LOADED = frozenset(["stylesheet", "modulepreload", "preload", "prefetch", "manifest"])
_AS = frozenset(("", "script", "style", "fetch", "worker", "document", "json", "serviceworker"))
_NO_SCRIPT = frozenset(("application/json", "application/ld+json", "text/template"))


class Page(msgspec.Struct):
    """What a page refers to. ``links``: to other pages; ``base``: what its scripts count from;
    ``imports``: its import map; ``scripts``: the texts of those that stand in it."""

    base: str
    references: list[Reference] = []
    links: list[str] = []
    imports: dict[str, str] = {}
    scripts: list[str] = []

    def __repr__(self) -> str:
        return f"Page({len(self.references)} references)"  # never what its scripts hold


def read_page(data: bytes, url: str) -> Page:
    """A page that came from ``url``."""
    tree = LexborHTMLParser(data[:LONGEST])
    page = Page(_base(tree, url))
    for node in tree.css("script[type=importmap]")[:MANY]:
        page.imports |= _import_map(node.text(), page.base)
    for imported in page.imports.values():
        if not imported.endswith("/"):
            page.references.append(Reference((imported,)))
    for node in tree.css("script, link, style, iframe, frame")[:MANY]:
        page.references += _of(node, page)
    for node in tree.css("a[href], area[href]")[:MANY]:
        if target := joined(page.base, node.attributes.get("href") or ""):
            page.links.append(target)
    return page


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    return (joined(url, node.attributes.get("href") or "") if node else None) or url


def _of(node: LexborNode, page: Page) -> Iterator[Reference]:
    attributes = node.attributes
    source = attributes.get("src")
    if node.tag == "script" and source is None:
        if attributes.get("type") not in ("importmap", *_NO_SCRIPT):
            text = node.text()
            page.scripts.append(text)
            yield from in_script(text, page.base, page.base, imports=page.imports)
    elif node.tag == "style":
        yield from in_style(node.text(), page.base)
    elif node.tag == "link":
        source = attributes.get("href")
        if kind := _kind_of_link(attributes):
            yield from _one(page.base, source, kind)
    elif node.tag == "script":
        yield from _one(page.base, source, "script")
    else:
        yield from _one(page.base, source, "frame", sure=False)


def _one(base: str, source: str | None, kind: str, *, sure: bool = True) -> Iterator[Reference]:
    if source and (target := joined(base, source)):
        yield Reference((target,), kind, sure)


def _kind_of_link(attributes: dict[str, str | None]) -> str | None:
    rel = _LOADED & set((attributes.get("rel") or "").lower().split())
    wanted = (attributes.get("as") or "").lower()
    if not rel or wanted not in _AS:
        return None
    if "stylesheet" in rel or wanted == "style":
        return "style"
    if "manifest" in rel or wanted in ("fetch", "json"):
        return "data"
    if "modulepreload" in rel or wanted in ("script", "worker", "serviceworker"):
        return "script"
    return None  # a prefetched page


def _import_map(text: str, base: str) -> dict[str, str]:
    """Names and folders with their URLs; those of ``scopes`` too, as if they held everywhere."""
    try:
        read = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    scopes = read.get("scopes")
    maps = [*scopes.values()] if isinstance(scopes, dict) else []
    found = {}
    for one in (*maps, read.get("imports")):
        for name, target in one.items() if isinstance(one, dict) else ():
            url = joined(base, target) if isinstance(target, str) else None
            if url is not None:
                found[joined(base, name) or name if name.startswith((".", "/")) else name] = url
    return found
