"""A visit: what is fetched next, and what a browser would make of the answer.

Four requests are under way together, and their answers are taken in the order in which they were
asked for: the report of a site that does not change is always the same.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from detector.site.addresses import host_of, joined, origin_of, shown
from detector.site.client import Answer, Client
from detector.site.network import Refused
from detector.site.options import SiteOptions
from detector.site.pages import read_page
from detector.site.resource import Known, Resource
from detector.site.robots import Robots
from detector.site.scripts import Reference, in_script, in_style, kind_of, map_in
from detector.site.webpack import Webpack
from detector.types import Skipped

MANY = 100_000  # URLs that are remembered
GUESSES = 300  # names tried that may be none
TIMEOUTS = 5  # in a row: then the host is left alone

_OWN = frozenset(("page", "frame"))
_PICTURES = re.compile(
    r"\.(?:png|jpe?g|gif|webp|avif|ico|svg|woff2?|[to]tf|eot|mp[34]|web[ma]|ogg|wav|wasm|pdf|zip|gz)$"
)
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<!--")


class _Want(NamedTuple):
    """Something to fetch; ``page``: the base of the page that it belongs to."""

    urls: tuple[str, ...]
    kind: str
    page: str
    sure: bool = True


class _Fetched(NamedTuple):
    """An answer, and that for the source map which belongs to it; ``named``: by the script."""

    answer: Answer | Refused
    map: Answer | Refused | None = None
    map_url: str = ""
    named: bool = False


def crawl(url: str, options: SiteOptions) -> Iterator[Resource | Known | Skipped]:
    """See :func:`detector.site.open_site`."""
    visit = _Visit(url, options)
    try:
        yield from visit.run()
    finally:
        visit.close()


class _Visit:
    def __init__(self, url: str, options: SiteOptions) -> None:
        self._url, self._options = url, options
        self._client = Client(options)
        self._robots = Robots(self._client)
        self._webpack = Webpack()
        self._threads = ThreadPoolExecutor(options.at_once, "site")
        self._origin = origin_of(url)
        self._imports: dict[str, str] = {}
        self._sure: deque[_Want] = deque([_Want((url,), "page", url)])
        self._unsure: deque[_Want] = deque()
        self._seen = {url}
        self._guessed: set[str] = set()
        self._given: set[str] = set()
        self._foreign: set[str] = set()
        self._pages, self._guesses, self._timeouts = 1, 0, 0

    def close(self) -> None:
        """Whatever is under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def run(self) -> Iterator[Resource | Known | Skipped]:
        """The page alone, since it says what the site is; then all it needs."""
        yield Known(1)
        waiting: deque[tuple[_Want, Future[_Fetched]]] = deque()
        while self._sure or self._unsure or waiting:
            alone = not self._given
            while len(waiting) < (1 if alone else self._options.at_once):
                want = self._next()
                if want is None:
                    break
                waiting.append((want, self._threads.submit(self._fetched, want)))
            if not waiting:
                break
            want, future = waiting.popleft()
            before = len(self._sure) + len(self._unsure)
            yield from self._taken(want, future.result())
            if alone and not self._given:
                return  # the page itself could not be had
            yield Known(len(self._sure) + len(self._unsure) - before)
        yield from self._left()

    def _next(self) -> _Want | None:
        """What is to be fetched now; nothing behind the limits."""
        if self._spent():
            return None
        if self._sure:
            return self._sure.popleft()
        while self._unsure and self._guesses < GUESSES:
            want = self._unsure.popleft()
            urls = tuple(url for url in want.urls if url not in self._seen)
            if urls and not self._given.intersection(want.urls):
                self._guesses += 1
                self._seen.add(urls[0])
                return want._replace(urls=urls)
        self._unsure.clear()
        return None

    def _spent(self) -> str | None:
        if self._client.requests >= self._options.max_requests:
            return f"--max-requests {self._options.max_requests}"
        if self._client.nbytes >= self._options.max_bytes:
            return f"--max-bytes {self._options.max_bytes >> 20}"
        return f"{TIMEOUTS} answers in a row came too late" if self._timeouts >= TIMEOUTS else None

    def _left(self) -> Iterator[Skipped]:
        if self._sure:
            reason = f"{len(self._sure)} more resources were not fetched: {self._spent()}"
            yield Skipped(path=shown(self._url), reason=reason)

    # In a thread of its own.

    def _fetched(self, want: _Want) -> _Fetched:
        answer = self._get(want.urls[0])
        if isinstance(answer, Refused) or _is_missing(want, answer) or answer.binary:
            return _Fetched(answer)
        if want.kind not in ("script", "style") or answer.url in self._given:
            return _Fetched(answer)
        named = answer.map or map_in(answer.data.decode("utf-8", "replace"))
        if named is not None and named.startswith("data:"):
            return _Fetched(answer)
        parts = urlsplit(answer.url)
        beside = urlunsplit(parts._replace(path=parts.path + ".map"))
        url = (joined(answer.url, named) if named else None) or beside
        if not self._is_ours(url):
            return _Fetched(answer)
        return _Fetched(answer, self._get(url), url, named is not None)

    def _get(self, url: str) -> Answer | Refused:
        try:
            if problem := self._robots.against(url):
                return Refused(problem)
            return self._client.get(url, self._against if self._given else self._robots.against)
        except Refused as refused:
            return refused

    def _against(self, url: str) -> str | None:
        return self._robots.against(url) if self._is_ours(url) else "is on another host"

    def _is_ours(self, url: str) -> bool:
        return self._is_own(url) or host_of(url) in self._options.cdns

    def _is_own(self, url: str) -> bool:
        return origin_of(url) == self._origin

    # Answers, one after the other.

    def _taken(self, want: _Want, fetched: _Fetched) -> Iterator[Resource | Skipped]:
        path, answer = shown(want.urls[0]), fetched.answer
        if isinstance(answer, Refused):
            self._timeouts = self._timeouts + 1 if answer.late else 0
            if want.sure:
                yield Skipped(path=path, reason=answer.reason)
            return
        self._timeouts = self._timeouts + 1 if answer.late else 0
        if _is_missing(want, answer):
            yield from self._missed(want, answer)
        elif answer.binary:
            if want.sure:
                yield Skipped(path=path, reason="is no text")
        elif answer.url not in self._given:
            yield from self._had(want, answer)
            yield from self._had_map(fetched, answer.url)
            yield from self._follow(want, answer)

    def _missed(self, want: _Want, answer: Answer) -> Iterator[Skipped]:
        """A name that is none is no trouble; the page is, and a server that cannot answer."""
        failed = answer.status >= 500 or answer.status == 429
        if want.sure and (failed or not self._given):
            yield Skipped(path=shown(want.urls[0]), reason=f"was answered with {answer.status}")
        elif len(want.urls) > 1 and want.urls[1] not in self._seen:
            self._seen.add(want.urls[1])
            self._unsure.appendleft(want._replace(urls=want.urls[1:]))

    def _had(self, want: _Want, answer: Answer) -> Iterator[Resource | Skipped]:
        if not self._given:  # wherever it was redirected to: that is the site
            self._origin = origin_of(answer.url)
        self._given.add(answer.url)
        self._seen.add(answer.url)
        yield Resource(answer.url, answer.data)
        if answer.cut:
            yield Skipped(path=shown(answer.url), reason=answer.cut)

    def _had_map(self, fetched: _Fetched, url: str) -> Iterator[Resource | Skipped]:
        """Of the script at ``url``. That there is none, or none for everybody, is no trouble."""
        answer = fetched.map
        if isinstance(answer, Refused):
            if fetched.named:
                yield Skipped(path=shown(fetched.map_url), reason=answer.reason)
        elif answer is not None and answer.status == 200 and answer.url not in self._given:
            if answer.binary or _is_markup(answer.data):
                return
            self._given.add(answer.url)
            self._seen.add(answer.url)
            yield Resource(answer.url, answer.data, url)
            if answer.cut:
                yield Skipped(path=shown(answer.url), reason=answer.cut)

    def _follow(self, want: _Want, answer: Answer) -> Iterator[Skipped]:
        """Everything that the answer refers to."""
        url, kind = answer.url, want.kind
        if kind in _OWN and not _is_markup(answer.data):
            kind = _named_kind(url) or kind
        if kind in _OWN:
            page = read_page(answer.data, url)
            self._imports |= page.imports
            yield from self._add(page.references, page.base)
            for text in page.scripts:
                yield from self._chunks(text, page.base, page.base)
            self._turn_to(page.links)
        elif kind in ("script", "style"):
            text = answer.data.decode("utf-8", "replace")
            yield from self._add(self._in(want, kind, text, url), want.page)

    def _in(self, want: _Want, kind: str, text: str, url: str) -> Iterator[Reference]:
        if kind == "style":
            yield from in_style(text, url)
            return
        for chunk in self._webpack.look(text, url, want.page):
            yield Reference((chunk,), "style" if ".css" in chunk else "script")
        public = self._webpack.public
        yield from in_script(text, url, want.page, imports=self._imports, public=public)

    def _chunks(self, text: str, url: str, page: str) -> Iterator[Skipped]:
        chunks = self._webpack.look(text, url, page)
        yield from self._add((Reference((chunk,)) for chunk in chunks), page)

    def _add(self, references: Iterable[Reference], page: str) -> Iterator[Skipped]:
        for one in references:
            if _is_picture(one.urls[0]):
                continue
            urls = tuple(url for url in one.urls if self._is_ours(url))
            if not urls:
                if one.sure:
                    yield from self._foreign_host(one.urls[0])
                continue
            known = self._seen if one.sure else self._guessed
            if urls[0] in self._seen or urls[0] in known or len(known) >= MANY:
                continue
            known.add(urls[0])
            queue = self._sure if one.sure else self._unsure
            queue.append(_Want(urls, one.kind, page, one.sure))

    def _foreign_host(self, url: str) -> Iterator[Skipped]:
        """Once for each host: what it serves is part of the page, and was not read."""
        host = host_of(url)
        if host not in self._foreign and len(self._foreign) < 256:
            self._foreign.add(host)
            reason = f"is on another host (--cdn {host} reads what lies there)"
            yield Skipped(path=shown(url), reason=reason)

    def _turn_to(self, links: Iterable[str]) -> None:
        for url in links:
            if self._pages >= self._options.pages:
                return
            if self._is_own(url) and url not in self._seen and _may_be_page(url):
                self._seen.add(url)
                self._pages += 1
                self._sure.append(_Want((url,), "page", url))


def _is_markup(data: bytes) -> bool:
    return data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP)


def _is_missing(want: _Want, answer: Answer) -> bool:
    """Whether there is nothing of that name. The servers of single-page applications answer with
    their page for every path that they do not know."""
    return answer.status != 200 or (want.kind not in _OWN and _is_markup(answer.data))


def _named_kind(url: str) -> str | None:
    """What a given URL says of itself, where it is not of a page."""
    path = urlsplit(url).path.lower()
    return kind_of(url) if path.endswith((".js", ".mjs", ".cjs", ".css", ".json")) else None


def _is_picture(url: str) -> bool:
    """Or a font, or something else that is no text."""
    return _PICTURES.search(urlsplit(url).path.lower()) is not None


def _may_be_page(url: str) -> bool:
    name = urlsplit(url).path.rpartition("/")[2]
    return "." not in name or name.lower().endswith((".html", ".htm", ".php", ".aspx", ".jsp"))
