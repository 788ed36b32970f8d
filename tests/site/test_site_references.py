"""What bundlers and frameworks write, read for the names of their chunks."""

from __future__ import annotations

import pytest

from detector.site.addresses import joined
from detector.site.pages import read_page
from detector.site.scripts import in_script, in_style, map_in
from detector.site.webpack import Webpack

HOST = "https://a.example"
PAGE = f"{HOST}/shop/"
SCRIPT = f"{HOST}/js/main.js"


def first(text, url=SCRIPT, **more):
    """Where each reference is looked for first."""
    found = in_script(text, url, PAGE, **{"imports": {}, **more})
    return [one.urls[0].removeprefix(HOST) for one in found]


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        (
            'd.u=e=>"s/"+({1:"fw"}[e]||e)+"-"+{1:"a",2:"b"}[e]+".js";d.p="/_next/"',
            ["/_next/s/fw-a.js", "/_next/s/2-b.js"],
        ),
        ('d.u=e=>"s/"+(({1:"fw"})[e]||e)+"-"+({1:"a"})[e]+".js"', ["/js/s/fw-a.js"]),
        (
            'n.u=e=>35===e?"s/x.js":e===36?"s/y.js":e+"."+{7:"c"}[e]+".js"',
            [*("/js/s/x.js", "/js/s/y.js", "/js/7.c.js")],
        ),
        ('r.u=function(e){return"js/"+e+"."+{"a-b":"aa"}[e]+".js"},r.p="../"', ["/js/a-b.aa.js"]),
        (
            'w.u = (chunkId) => {\n  // return url\n  if (chunkId === 9) return "odd.js";\n'
            '  return "" + chunkId + ".x.js";\n};\nw.e(/*! import() */ "lazy_js")',
            ["/js/odd.js", "/js/lazy_js.x.js"],
        ),
        ("i.u=e=>`c.${e}.js`;i.e(12);i.u(13)", ["/js/c.12.js", "/js/c.13.js"]),
        ('m.miniCssF=e=>e+".css";m.e(1)', ["/js/1.css"]),
        ("x.u=e=>f(e)+'.js';x.e(1)", []),
        ('x.u=e=>"a"+y+".js";x.e(1)', []),
    ],
)
def test_names_of_webpack(text, chunks):
    found = [url.removeprefix(HOST) for url in Webpack().look(text, SCRIPT, PAGE)]
    assert found == chunks


def test_chunks_that_another_script_asks_for():
    webpack = Webpack()
    assert not [*webpack.look("n.e(5)", SCRIPT, PAGE)]
    assert [*webpack.look('n.u=e=>e+".js"', SCRIPT, PAGE)] == [f"{HOST}/js/5.js"]
    assert [*webpack.look("n.e(5),n.e(6)", SCRIPT, PAGE)] == [f"{HOST}/js/6.js"]


def test_chunks_are_bounded():
    text = "n.u=e=>e+'.js';" + ",".join(f"n.e({n})" for n in range(50_000))
    assert len([*Webpack().look(text, SCRIPT, PAGE)]) == 10_000


def test_names_of_next():
    manifest = (
        "self.__BUILD_MANIFEST=function(s){return{'/':[s,\"static\\u002Fchunks\\u002Fp.js\"]}}"
        '("static\\u002Fcss\\u002F29.css")'
    )
    found = first(manifest, f"{HOST}/_next/static/abc/_buildManifest.js")
    assert found == ["/_next/static/chunks/p.js", "/_next/static/css/29.css"]
    flight = 'self.__next_f.push([1,"3:I[1,[\\"177\\",\\"static/chunks/app/l.js\\"]]"])'
    assert first(flight, PAGE, public=f"{HOST}/_next/") == ["/_next/static/chunks/app/l.js"]


def test_names_of_vite():
    text = 'const d=(i,m=d,e=(m.f||(m.f=["assets/a.js","assets/b.css"])))=>i'
    assert first(text, f"{HOST}/sub/assets/main.js") == ["/sub/assets/a.js", "/sub/assets/b.css"]


def test_names_that_are_none_are_not_tried():
    for text in (
        '"x.json"',
        '"a b.js"',
        '"${x}.js"',
        "`a/${b}.js`",
        '"<b>.js"',
        '"file.jsx"',
        "a.js",
    ):
        assert not first(text)


def test_what_references_count_from():
    assert first('import("./x")') == ["/js/x"]
    assert first('new URL("x", import.meta.url)') == ["/js/x"]
    assert first('importScripts("x", "y")') == ["/js/x", "/js/y"]
    assert first('new Worker("x")') == ["/shop/x"]
    assert first('navigator.serviceWorker.register("x")') == ["/shop/x"]


def test_what_bare_imports_mean():
    imports = {"lib": f"{HOST}/lib.js", "v/": f"{HOST}/vendor/", "v/a/": f"{HOST}/va/"}
    text = 'import"lib";import("v/x");import{a}from"v/a/y";import z from"unknown"'
    assert first(text, imports=imports) == ["/lib.js", "/vendor/x", "/va/y"]


def test_styles_and_maps():
    style = '@import "a.css"; @import url(b.css); @import url("c.css") print; @import \'d.css\';'
    found = [one.urls[0] for one in in_style(style, f"{HOST}/css/x.css")]
    assert found == [f"{HOST}/css/{name}.css" for name in "abcd"]
    assert map_in("//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map\n") == "b.map"
    assert map_in("/*# sourceMappingURL=c.map */") == "c.map"
    assert map_in("1;") is None


def test_pages():
    page = read_page(
        b'<base href="/b/"><script src=a.js></script><LINK REL="preload" AS=script HREF="c.js">'
        b"<link rel=preload as=font href=f.woff><link rel=icon href=i.ico>"
        b"<!-- <script src=no.js> -->"
        b'<script type="application/json">{"x": "no2.js"}</script><script>import("./d.js")</script>'
        b"<link rel=preload as=fetch href=_payload.json>"
        b'<a href="e">x</a><a href="mailto:x@y">y</a>',
        PAGE,
    )
    sure = [one.urls[0].removeprefix(HOST) for one in page.references if one.sure]
    assert sorted(sure) == ["/b/_payload.json", "/b/a.js", "/b/c.js", "/b/d.js"]
    assert page.links == [f"{HOST}/b/e"]


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("x.js#y", f"{HOST}/shop/x.js"),
        (" \n/x y.js ", f"{HOST}/x%20y.js"),
        ("//cdn.example/x.js", "https://cdn.example/x.js"),
        ("\\\\cdn.example\\x.js", "https://cdn.example/x.js"),
        ("https://A.Example:443/", f"{HOST}/"),
        ("https://münchen.example/ä", "https://xn--mnchen-3ya.example/%C3%A4"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("javascript:alert(1)", None),
        ("data:text/javascript,1", None),
        ("https://u@a.example/", None),
        ("http://[::1/", None),
        ("http://a:99999/", None),
        ("http://a\x00b/", None),
        ("x" * 3000, None),
    ],
)
def test_where_references_lead(reference, url):
    assert joined(PAGE, reference) == url
