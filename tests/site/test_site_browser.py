"""The crawler sees every script that a real Chromium loads."""

from __future__ import annotations

import fcntl
import filecmp
import shutil
import subprocess
from pathlib import Path

import pytest
from material import builtin_scanner, example_of
from sites import QUICK, browse, files_below, serve, visit, without

from detector.run import Options, Run
from detector.types import Finding

HERE = Path(__file__).parent.parent
FIXTURES = HERE / "fixtures" / "sites"
CACHE = HERE.parent / "bench" / ".cache" / "sites"
DONE = 'fetch("/done").catch(() => 0);'

HAND_MADE = {
    "/index.html": """<!doctype html><html><head>
<script type="importmap">
  {"imports": {"shop": "/lib/shop.js", "kit/": "./kit/"},
   "scopes": {"/lib/": {"dep": "/lib/dep.js"}}}
</script>
<link rel="stylesheet" href="main.css"><link rel="modulepreload" href="/pre.js">
<link rel="manifest" href="/app.webmanifest">
<script src='classic.js?v=1' defer></script>
<script type="module" src="./main.mjs"></script>
</head><body><iframe src="/frame.html"></iframe><script>
const late = document.createElement("script"); late.src = "late/by-hand.js";
document.head.append(late);
import("./inline.js");
</script></body></html>""",
    "/main.css": '@import url("more.css"); @import "third.css" screen;',
    "/more.css": "p { color: red }",
    "/third.css": "a { color: red }",
    "/pre.js": "export const pre = 1;",
    "/app.webmanifest": '{"name": "app"}',
    "/classic.js": "window.classic = 1;",
    "/late/by-hand.js": "window.late = 1;",
    "/inline.js": "export default 1;",
    "/frame.html": '<!doctype html><script src="frame.js"></script>',
    "/frame.js": "window.framed = 1;",
    "/main.mjs": f"""
import {{ shop }} from "shop";
import "./side-effect.js";
export * from './exported.js';
export {{ one }} from "./kit/one.js"
import two from "kit/two.js";
const steps = [
  () => import("./dynamic.js"),
  () => import( /* a note */ `./template.js` ),
  () => import("kit/three.js"),
  () => import(new URL("./by-url.js", import.meta.url)),
  () => import("./without-ending"),
  () => said(new Worker(new URL("./workers/beside.js", import.meta.url), {{ type: "module" }})),
  () => said(new Worker("workers/classic.js")),
  async () => said(new SharedWorker("/workers/shared.js").port),
  async () => {{
    await navigator.serviceWorker.register("/sw.js");
    await navigator.serviceWorker.ready;
  }},
];
function said(from) {{
  return new Promise((done) => {{ from.onmessage = from.onerror = done; }});
}}
for (const step of steps) await step();
{DONE}
""",
    "/lib/shop.js": 'import dep from "dep"; export const shop = dep;',
    "/lib/dep.js": "export default 1;",
    "/side-effect.js": 'import"./minified.js";',
    "/minified.js": "window.minified=1;",
    "/exported.js": "export const e = 1;",
    "/kit/one.js": "export const one = 1;",
    "/kit/two.js": "export default 2;",
    "/kit/three.js": "export default 3;",
    "/dynamic.js": 'await import("./deeper.js"); export default 1;',
    "/deeper.js": "export default 1;",
    "/template.js": "export default 1;",
    "/by-url.js": "export default 1;",
    "/workers/beside.js": 'import "./dep.js"; postMessage(1);',
    "/workers/dep.js": "self.x = 1;",
    "/workers/classic.js": 'importScripts("a.js", "/workers/b.js"); postMessage(1);',
    "/workers/a.js": "self.a = 1;",
    "/workers/b.js": "self.b = 1;",
    "/workers/shared.js": "onconnect = (event) => event.ports[0].postMessage(1);",
    "/sw.js": 'importScripts("/sw-part.js");',
    "/sw-part.js": "self.part = 1;",
    "/done": "",
}


def without_query(paths):
    return {path.partition("?")[0] for path in paths}


def as_script(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/javascript")
    handler.send_header("Content-Length", "17")
    handler.end_headers()
    handler.wfile.write(b"export default 1;")
    return 200


def test_of_a_site_made_by_hand_every_script_is_seen(tmp_path):
    with serve({**HAND_MADE, "/without-ending": as_script}) as site:
        loaded = browse(site, tmp_path)
        had, skipped = visit(site.url)
    # It must have loaded them all, else the test proves nothing.
    assert without_query(loaded) >= {*HAND_MADE, "/without-ending"} - {
        *("/index.html", "/app.webmanifest", "/done")
    }
    assert without_query(loaded) <= had.keys()
    assert {*HAND_MADE} - {"/index.html", "/done"} <= had.keys()
    assert not skipped


SOURCE = {
    "index.html": '<!doctype html><title>x</title><script type="module" src="/main.js"></script>',
    "main.js": """
import { shared } from "./shared.js";
async function go() {
  const one = await import("./one.js");
  const two = await import(/* webpackChunkName: "two" */ "./two.js");
  document.title = shared("main") + one.name + await two.deep();
  await new Promise((done) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = worker.onerror = done;
  });
  await fetch("/done").catch(() => 0);
}
go();
""",
    "shared.js": 'export const shared = (text) => `shared ${text} ${"x".repeat(3)}`;\n',
    "one.js": 'import { shared } from "./shared.js"; export const name = shared("one");\n',
    "two.js": """
import { shared } from "./shared.js";
export const deep = async () => shared((await import("./deep.js")).key);
""",
    "deep.js": 'export const key = "%s";\n',
    "worker.js": 'import { shared } from "./shared.js"; postMessage(shared("worker"));\n',
}
ENTRIES = {
    "esbuild": '<script type="module" src="/static/app.js"></script>',
    "webpack": '<script src="/js/app.js"></script>',
    "webpack-named": '<script src="/js/runtime.js"></script><script src="js/app.js"></script>',
    "webpack-plain": "<script src=/js/app.js></script>",
    "vite": None,
}


def build(bundler, folder, key):
    """The application as a bundler makes it."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            without(f"{program} is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:  # of several test processes one installs
        fcntl.flock(file, fcntl.LOCK_EX)
        install()
    source, out = folder / "source", folder / "out"
    source.mkdir()
    for name, text in SOURCE.items():
        (source / name).write_text(text.replace("%s", key))
    run("node", "build.mjs", str(source), str(out), bundler)
    return out


def install():
    lock, installed = FIXTURES / "package-lock.json", CACHE / "installed-lock.json"
    for name in ("package.json", "package-lock.json", "build.mjs"):
        shutil.copyfile(FIXTURES / name, CACHE / name)
    if installed.exists() and filecmp.cmp(lock, installed, shallow=False):
        return
    try:
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    except subprocess.CalledProcessError:
        without("npm cannot install the bundlers")
    shutil.copyfile(lock, installed)


def run(*command):
    subprocess.run(command, cwd=CACHE, check=True, capture_output=True, timeout=600)


@pytest.mark.parametrize("bundler", ENTRIES)
def test_of_a_site_made_by_a_bundler_every_script_is_seen(bundler, tmp_path):
    text, start, end = example_of("openai-project-key")
    key = text[start:end].decode()
    files = files_below(build(bundler, tmp_path, key))
    if ENTRIES[bundler]:
        files["/index.html"] = f"<!doctype html><title>x</title>{ENTRIES[bundler]}"
    with serve({**files, "/done": ""}) as site:
        loaded = browse(site, tmp_path)
        site.log.clear()
        run = Run(builtin_scanner(), [site.url], Options(site=QUICK))
        results = [*run]
    chunks = {path for path in files if path.endswith(".js")}
    assert loaded <= site.had() | {"/"}
    assert len(loaded) >= 5, loaded  # the page, the entry, and at least three chunks
    assert chunks <= site.had()
    assert {path for path in files if path.endswith(".map")} <= site.had()
    assert all(isinstance(item, Finding) for item in results)
    found = {item.path for item in results if item.secret.reveal().decode() == key}
    assert found & {site.url.rstrip("/") + chunk for chunk in chunks}
