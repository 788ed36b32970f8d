"""Sites on loopback, with a log of what they were asked; and a real browser to visit them."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import urlsplit

import pytest

from detector.site import Resource, SiteOptions, open_site
from detector.types import Skipped

TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
TYPES |= {".html": "text/html", ".json": "application/json", ".map": "application/json"}
PATIENCE = 60  # seconds for a browser on a busy machine
QUICK = SiteOptions(allow_private=True, rate=1000, timeout=5)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Asked(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    status: int


Special = Callable[[BaseHTTPRequestHandler], int]
Content = bytes | str | Special


class Site:
    """``files``: by path, or what writes an answer itself and says its status."""

    def __init__(self, files: Mapping[str, Content], fallback: str | None = None) -> None:
        self.files, self.fallback = dict(files), fallback
        self.log: list[Asked] = []
        self.url = ""

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.log]

    def had(self) -> set[str]:
        """The paths that were there."""
        return {one.path for one in self.log if one.status in (200, 304)}

    def answer(self, handler: BaseHTTPRequestHandler) -> int:
        path = urlsplit(handler.path).path
        content = self.files.get("/index.html" if path == "/" else path)
        if content is None:
            content = self.fallback
            path = "/index.html"
        if content is None:
            handler.send_error(404)
            return 404
        if callable(content):
            return content(handler)
        data = content.encode() if isinstance(content, str) else content
        kind = TYPES.get(Path(path).suffix, "text/html" if path == "/" else "text/plain")
        return send(handler, data, {"Content-Type": kind})


def send(
    handler: BaseHTTPRequestHandler, data: bytes, headers: Mapping[str, str], status: int = 200
) -> int:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(data)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)
    return status


def redirect(target: str) -> Special:
    return lambda handler: send(handler, b"", {"Location": target}, 302)


@contextmanager
def serve(files: Mapping[str, Content], fallback: str | None = None) -> Iterator[Site]:
    site = Site(files, fallback)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status = 0
            try:
                status = site.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            site.log.append(Asked(self.command, self.path, dict(self.headers), status))

        def __getattr__(self, name: str) -> object:
            if name.startswith("do_"):  # any other method, so that the log shows it
                return self.do_GET
            raise AttributeError(name)

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass  # whoever asked has gone

    server = Server(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def files_below(folder: Path) -> dict[str, Content]:
    """A folder as a site."""
    return {
        f"/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def visit(url: str, options: SiteOptions = QUICK) -> tuple[dict[str, bytes], list[Skipped]]:
    """What was had of a site, by its path, and what was not."""
    had, skipped = {}, []
    for item in open_site(url, options):
        if isinstance(item, Resource):
            had[urlsplit(item.url).path] = item.data
        elif isinstance(item, Skipped):
            skipped.append(item)
    return had, skipped


def browser() -> str:
    """Skips the test, or fails it under ``CI``, where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or without("Chromium is not installed")


def browse(site: Site, room: Path, until: str = "/done") -> set[str]:
    """What a headless Chromium is given of a site before it asks for ``until``."""
    program = browser()
    before = len(site.log)
    command = [
        *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
        *("--disable-sync", "--disable-extensions", "--remote-debugging-port=0"),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        *(f"--user-data-dir={room / 'profile'}", site.url),
    ]
    errors = room / "chromium.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=room)
        try:
            end = time.monotonic() + PATIENCE
            while not any(one.path == until for one in site.log[before:]):
                assert process.poll() is None, errors.read_text()[-2000:]
                assert time.monotonic() < end, f"only asked for {site.paths[before:]}"
                time.sleep(0.05)
        finally:
            process.terminate()
            process.wait(PATIENCE)
    return {one.path for one in site.log[before:] if one.status == 200} - {until, "/favicon.ico"}


def without(problem: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{problem}, and in CI there must be one")
    pytest.skip(problem)
