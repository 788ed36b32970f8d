"""What a site cannot do to the one who scans it."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import time
import zlib

import msgspec
import pytest
from commands import KEY, run, secret
from hypothesis import given
from hypothesis import strategies as st
from material import builtin_scanner
from sites import QUICK, redirect, send, serve, visit

from detector.errors import UsageError
from detector.run import Run
from detector.site import SiteOptions, shown, site_of
from detector.site.client import unpacked
from detector.site.network import is_public
from detector.site.scripts import in_script, in_style
from detector.site.webpack import Webpack
from detector.types import Skipped

PAGE = '<!doctype html><script src="/a.js"></script>'
PUBLIC_ONLY = SiteOptions(rate=1000, timeout=3)
change = msgspec.structs.replace


def reasons(skipped):
    return [one.reason for one in skipped]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "0.0.0.0", "169.254.169.254", "10.1.2.3", "192.168.0.1"),
        *("172.16.0.1", "100.64.0.1", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[fe80::1]"),
        *("[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "localhost"),
        *("2130706433", "0x7f.1", "127.1", "0177.0.0.1"),  # all of them this machine
    ],
)
def test_private_addresses_are_refused(host):
    had, skipped = visit(f"http://{host}:9/", PUBLIC_ONLY)
    assert not had
    (one,) = skipped
    assert "private address" in one.reason or "no address" in one.reason
    assert "no connection" not in one.reason


def test_addresses_of_the_internet_are_public():
    assert all(map(is_public, ("1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8")))


def test_nothing_reaches_a_private_address_by_name_or_by_a_second_look_at_it(monkeypatch):
    """A name server that says a public address first, and this machine's then."""
    answers = iter([["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]])

    def resolve(_host, port, **_rest):
        return [(socket.AF_INET, 1, 6, "", (one, port)) for one in next(answers)]

    with serve({"/index.html": PAGE}) as site:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        for _ in range(2):
            had, skipped = visit(site.url.replace("127.0.0.1", "rebound.example"), PUBLIC_ONLY)
            assert not had
            assert "private address" in skipped[0].reason
    assert not site.log


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    asked = []

    def resolve(host, port, *rest, **named):
        if host == "127.0.0.1":  # the address itself, of which nothing is to be found out
            return original(host, port, *rest, **named)
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    original = socket.getaddrinfo
    with serve({"/index.html": PAGE, "/a.js": "1;"}) as site:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        had, _ = visit(site.url.replace("127.0.0.1", "shop.example"))
    assert had.keys() == {"/", "/a.js"}
    assert all(one.headers["Host"].startswith("shop.example:") for one in site.log)
    assert set(asked) == {"shop.example"}


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/", "http://[::1]:9/", "http://10.0.0.1/"]
)
def test_redirects_to_private_addresses_are_refused(target, monkeypatch):
    """With this machine alone taken as public, since the site stands on it."""
    from detector.site import network

    monkeypatch.setattr(network, "is_public", lambda one: one == "127.0.0.1" or is_public(one))
    with serve({"/index.html": redirect(target)}) as site:
        had, skipped = visit(site.url, PUBLIC_ONLY)
    assert not had
    assert "private address" in skipped[0].reason


def test_scripts_do_not_lead_to_another_host_even_by_a_redirect():
    with (
        serve({"/x.js": "1;"}) as other,
        serve({"/index.html": PAGE, "/a.js": redirect(other.url + "x.js")}) as site,
    ):
        had, skipped = visit(site.url)
    assert had.keys() == {"/"}
    assert reasons(skipped) == ["is redirected to what is on another host"]
    assert not other.log


def test_of_other_hosts_only_the_listed_are_read():
    page = '<!doctype html><script src="http://localhost:{port}/x.js"></script>'
    with serve({"/x.js": "1;"}) as cdn:
        port = cdn.url.split(":")[-1].strip("/")
        with serve({"/index.html": page.format(port=port)}) as site:
            had, skipped = visit(site.url)
            assert had.keys() == {"/"}
            assert len(skipped) == 1
            assert "--cdn localhost" in skipped[0].reason
            assert not cdn.log
            had, skipped = visit(site.url, change(QUICK, cdns=("localhost",)))
            assert "/x.js" in had
            assert not skipped
            assert "/robots.txt" in cdn.paths


def test_robots_are_heard():
    robots = "User-agent: *\nDisallow: /no/\n"
    page = '<!doctype html><script src="/no/a.js"></script><script src="/b.js"></script>'
    files = {"/index.html": page, "/robots.txt": robots, "/no/a.js": "1;", "/b.js": "1;"}
    with serve(files) as site:
        had, skipped = visit(site.url)
        assert had.keys() == {"/", "/b.js"}
        assert reasons(skipped) == ["is not for robots, says robots.txt"]
        assert "/no/a.js" not in site.paths
        site.files["/robots.txt"] = "User-agent: secrets-leak-detector\nDisallow: /\n"
        assert visit(site.url)[0] == {}
        site.files["/robots.txt"] = lambda handler: send(handler, b"", {}, 500)
        assert visit(site.url)[0] == {}


def test_crawl_delay_is_kept():
    files = {"/index.html": PAGE, "/a.js": "1;", "/robots.txt": "User-agent: *\nCrawl-delay: 0.4\n"}
    with serve(files) as site:
        begun = time.monotonic()
        visit(site.url)
        # robots, page, script, map: three waits in between, of which the first is not known yet.
        assert time.monotonic() - begun >= 0.8
        site.files["/robots.txt"] = "User-agent: *\nCrawl-delay: 86400\n"
        assert "86400 s" in visit(site.url)[1][0].reason


def bomb(encoding):
    data = b"var a=1;" + bytes([32]) * (200 << 20)

    def answer(handler):
        packed = gzip.compress(data, 9) if encoding == "gzip" else zlib.compress(data, 9)
        return send(handler, packed, {"Content-Encoding": encoding})

    return answer


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_unpacked_up_to_the_limit(encoding):
    with serve({"/index.html": PAGE, "/a.js": bomb(encoding)}) as site:
        had, skipped = visit(site.url, change(QUICK, resource_bytes=1 << 20))
    assert len(had["/a.js"]) == 1 << 20
    assert reasons(skipped) == ["is larger than 1 MB: the rest was not fetched"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_comes_out_in_small_pieces(encoding):
    packed = (gzip if encoding == "gzip" else zlib).compress(bytes(20 << 20), 9)
    sizes = [len(piece) for piece in unpacked(iter([packed]), encoding)]
    assert sum(sizes) == 20 << 20
    assert max(sizes) <= 1 << 16


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_other_packings_are_not_unpacked(encoding):
    with serve(
        {"/index.html": PAGE, "/a.js": lambda h: send(h, b"1;", {"Content-Encoding": encoding})}
    ) as site:
        had, skipped = visit(site.url)
    assert "/a.js" not in had
    assert reasons(skipped) == ["is packed in a way that was not asked for"]


def test_packed_bodies_are_unpacked():
    text = b"import('./b.js');" * 5000
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "Deflate": raw.compress(text) + raw.flush(),
    }
    for encoding, data in packed.items():
        answer = lambda h, e=encoding, d=data: send(h, d, {"Content-Encoding": e})  # noqa: E731
        with serve({"/index.html": PAGE, "/a.js": answer, "/b.js": "1;"}) as site:
            had, skipped = visit(site.url)
        assert had["/a.js"] == text
        assert "/b.js" in had
        assert not skipped
    with serve(
        {
            "/index.html": PAGE,
            "/a.js": lambda h: send(h, packed["gzip"][:-20], {"Content-Encoding": "gzip"}),
        }
    ) as site:
        assert reasons(visit(site.url)[1]) == ["is packed, and damaged"]


def endless(pause, piece, headers=True):
    def answer(handler):
        if headers:
            handler.send_response(200)
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
        handler.close_connection = True
        while True:
            handler.wfile.write(piece)
            time.sleep(pause)

    return answer


def test_an_endless_body_is_cut():
    with serve({"/index.html": PAGE, "/a.js": endless(0, b"a;" * 50_000)}) as site:
        had, skipped = visit(site.url, change(QUICK, resource_bytes=2 << 20))
    assert len(had["/a.js"]) == 2 << 20
    assert reasons(skipped) == ["is larger than 2 MB: the rest was not fetched"]


@pytest.mark.parametrize("headers", [True, False])
def test_a_body_or_a_header_that_drips_is_given_up(headers):
    with serve({"/index.html": PAGE, "/a.js": endless(0.05, b"a", headers)}) as site:
        begun = time.monotonic()
        _, skipped = visit(site.url, change(QUICK, timeout=0.7))
    assert time.monotonic() - begun < 20
    assert len(skipped) == 1
    assert "within 0.7 s" in skipped[0].reason


def test_a_server_that_is_always_late_is_left_alone():
    page = "<!doctype html>" + "".join(f'<script src="/{n}.js"></script>' for n in range(200))
    files = {"/index.html": page} | {f"/{n}.js": endless(0.05, b"a") for n in range(200)}
    with serve(files) as site:
        _, skipped = visit(site.url, change(QUICK, timeout=0.3))
    assert len(site.log) < 30
    assert "more resources were not fetched" in skipped[-1].reason


def test_redirects_end():
    files = {"/index.html": PAGE, "/a.js": redirect("/b.js"), "/b.js": redirect("/a.js")}
    with serve(files) as site:
        _, skipped = visit(site.url)
    assert reasons(skipped) == ["is redirected more than 10 times"]
    assert len(site.log) < 20


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/"]
)
def test_redirects_lead_to_sites_only(target):
    with serve({"/index.html": redirect(target)}) as site:
        had, skipped = visit(site.url)
    assert not had
    assert reasons(skipped) == ["is redirected to what is no URL of a site"]


def test_ten_thousand_references_are_bounded_and_said():
    page = "<!doctype html>" + "".join(f'<script src="/{n}.js"></script>' for n in range(10_000))
    with serve({"/index.html": page}) as site:
        _, skipped = visit(site.url, change(QUICK, max_requests=50))
    assert len(site.log) == 50
    assert "more resources were not fetched: --max-requests 50" in skipped[-1].reason


def test_bytes_in_all_are_bounded_and_said():
    page = "<!doctype html>" + "".join(f'<script src="/{n}.js"></script>' for n in range(20))
    files = {"/index.html": page} | {f"/{n}.js": b"a;" * (1 << 18) for n in range(20)}
    with serve(files) as site:
        had, skipped = visit(site.url, change(QUICK, max_bytes=2 << 20))
    assert sum(map(len, had.values())) < 5 << 20
    assert any("--max-bytes" in reason for reason in reasons(skipped))


def test_content_types_are_not_believed():
    page = '<!doctype html><script src="/a.js"></script><script src="/p.js"></script>'
    files = {
        "/index.html": page,
        "/a.js": lambda h: send(h, b"1;" * 900, {"Content-Type": "image/png"}),
        "/p.js": lambda h: send(
            h, b"\x89PNG\r\n" + bytes(9000), {"Content-Type": "text/javascript"}
        ),
    }
    with serve(files) as site:
        had, skipped = visit(site.url)
    assert had.keys() == {"/", "/a.js"}
    assert reasons(skipped) == ["is no text"]


def test_a_page_in_place_of_a_script_is_no_script():
    page = '<!doctype html><script src="/a.js"></script>'
    with serve({"/index.html": page, "/a.js": 'load("b/c.js")'}, fallback=page) as site:
        had, skipped = visit(site.url)
    assert had.keys() == {"/", "/a.js"}
    assert not skipped


def test_only_get_and_neither_cookies_nor_credentials():
    cookies = {"Set-Cookie": "session=1", "WWW-Authenticate": "Basic realm=x"}
    files = {
        "/index.html": lambda h: send(h, PAGE.encode(), cookies),
        "/a.js": lambda h: send(h, b"import('/b.js')", cookies),
        "/b.js": lambda h: send(h, b"", cookies, 401),
    }
    with serve(files) as site:
        had, skipped = visit(site.url)
    assert had.keys() == {"/", "/a.js"}
    assert not skipped
    assert {one.method for one in site.log} == {"GET"}
    for one in site.log:
        headers = {name.lower() for name in one.headers}
        assert not headers & {"cookie", "authorization", "referer", "origin"}
        assert "secrets-leak-detector" in one.headers["User-Agent"]


def test_users_and_passwords_are_refused_and_not_told():
    for url in (
        "https://me:hunter2prod@a.example/",
        "http://hunter2prod@a.example",
    ):
        with pytest.raises(UsageError) as told:
            site_of(url)
        assert "hunter2prod" not in str(told.value)
    assert site_of("https://a.example/@me?to=b@c") == "https://a.example/@me?to=b@c"
    assert site_of("https://a.example\\@b/") == "https://a.example/@b/"  # as browsers read it
    assert site_of("./https:/file") is None
    assert site_of("postgresql://a/b") is None


def test_values_of_queries_are_not_told():
    url = "https://a.example/x?token=hunter2prod&v=2&hunter2prod"
    assert shown(url) == "https://a.example/x?token=****&v=****&****"


def test_secrets_in_paths_are_not_told():
    with serve({}) as site:
        token = secret(KEY).decode()
        done = run("scan", "--allow-private", f"{site.url}{token}/page?x={token}")
    assert done.status == 2
    assert token not in done.out.decode() + done.err
    assert "was answered with 404" in done.err


def test_the_command_tells_where_by_url():
    inline = f'<script>\nlet k = "{secret(KEY).decode()}"</script>'
    page = f"<!doctype html>\n{inline}<script src=/a.js?v=1></script>"
    with serve({"/index.html": page, "/a.js": f'let k = "{secret(KEY, 1).decode()}"'}) as site:
        done = run("scan", "--format=jsonl", "--rate=500", "--allow-private", site.url)
        refused = run("scan", site.url)
    lines = [json.loads(line) for line in done.out.splitlines()]
    places = {
        (one["path"], one["line"], one["column"]) for one in lines if one["type"] == "finding"
    }
    assert places == {(site.url, 3, 10), (f"{site.url}a.js?v=****", 1, 10)}
    assert done.status == 1
    assert refused.status == 2
    assert "--allow-private" in refused.err


def test_without_its_packages_a_site_is_not_read_and_they_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpcore2", None)
    for name in ("network", "client", "robots", "crawl"):
        monkeypatch.delitem(sys.modules, f"detector.site.{name}", raising=False)
    (one,) = Run(builtin_scanner(), ["https://a.example/"])
    assert isinstance(one, Skipped)
    assert "pip install 'secrets-leak-detector[site]'" in one.reason


def test_pages_follows_links_of_the_same_origin():
    files = {
        "/index.html": '<!doctype html><a href="/two">x</a><a href="http://other.example/">y</a>',
        "/two": '<!doctype html><a href="/three#x">x</a><script src="two.js"></script>',
        "/three": '<!doctype html><a href="/">x</a>',
        "/two.js": "1;",
    }
    with serve(files) as site:
        assert visit(site.url)[0].keys() == {"/"}
        assert visit(site.url, change(QUICK, pages=2))[0].keys() == {"/", "/two", "/two.js"}
        had, skipped = visit(site.url, change(QUICK, pages=9))
    assert had.keys() == set(files) - {"/index.html"} | {"/"}
    assert not skipped


def test_a_page_may_be_redirected_to_where_its_site_is():
    with serve({"/index.html": PAGE, "/a.js": "1;"}) as there:
        target = there.url.replace("127.0.0.1", "localhost")
        with serve({"/index.html": redirect(target)}) as site:
            had, skipped = visit(site.url)
    assert had.keys() == {"/", "/a.js"}
    assert not skipped


def test_a_script_may_be_what_is_given():
    with serve({"/x/a.js": 'import "./b.js"', "/x/b.js": "1;"}) as site:
        assert visit(f"{site.url}x/a.js")[0].keys() == {"/x/a.js", "/x/b.js"}


def test_a_site_that_is_not_there():
    with serve({}) as site:
        assert reasons(visit(site.url)[1]) == ["was answered with 404"]
    assert reasons(visit(site.url)[1]) == ["cannot be fetched: no connection"]


def test_of_servers_that_cannot_answer_it_is_said():
    with serve({"/index.html": PAGE, "/a.js": lambda h: send(h, b"", {}, 500)}) as site:
        assert reasons(visit(site.url)[1]) == ["was answered with 500"]


def test_answers_that_break_off_are_read_as_far_as_they_came():
    def broken(handler):
        handler.close_connection = True
        return send(handler, b"import './b.js'", {"Content-Length": "99"})

    with serve({"/index.html": PAGE, "/a.js": broken, "/b.js": "1;"}) as site:
        had, skipped = visit(site.url)
    assert had.keys() == {"/", "/a.js", "/b.js"}
    assert reasons(skipped) == ["broke off while it was fetched"]


def test_maps_come_right_behind_their_scripts():
    files = {
        "/index.html": PAGE + '<script src="/b.js"></script><script src="/c.js"></script>',
        "/a.js": "1;\n//# sourceMappingURL=maps/named.map",
        "/maps/named.map": "{}",
        "/b.js": lambda h: send(h, b"1;", {"SourceMap": "/by-header.map"}),
        "/by-header.map": "{}",
        "/c.js": "1;",
        "/c.js.map": "{}",
    }
    with serve(files) as site:
        had, skipped = visit(site.url)
    order = ["/", "/a.js", "/maps/named.map", "/b.js", "/by-header.map", "/c.js", "/c.js.map"]
    assert [*had] == order
    assert not skipped


@given(st.text(alphabet="\"'`(){}[]+:?,=>.u e$import/*js\\ \n", max_size=400))
def test_any_text_is_read_as_a_script(text):
    url = "https://a.example/x.js"
    [*in_script(text, url, url, imports={})]
    [*in_style(text, url)]
    [*Webpack().look("a.u=e=>" + text, url, url)]


def test_hostile_scripts_take_time_in_proportion():
    """Counted in characters that any pattern passes over: none may begin again at each sign."""
    url = "https://a.example/x.js"
    parts = ('"', "import ", "import(", "/*", "new URL(", "'a", '"a.js', "import(/* ", "@import ")
    ended = []

    def work():
        for part in (*parts, "r.u=e=>(", "r.u=e=>{1:", "//# sourceMappingURL=", "importScripts("):
            text = part * (400_000 // len(part))
            [*in_script(text, url, url, imports={})]
            [*in_style(text, url)]
            [*Webpack().look(text, url, url)]
        ended.append(True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(120)  # it takes some seconds; what is quadratic takes hours
    assert ended
