"""JS bundles: published packages pinned by hash, and copies of them with planted keys."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec

from bench.planting import Planted, Planter, files, truth_path
from bench.tokens import POSTED, token

PINS = Path(__file__).with_name("packages.toml")
KEYS_A_FILE = 3
_SCRIPTS = (".js", ".mjs", ".cjs")
_SUFFIXES = {
    "maps": (*_SCRIPTS, ".map", ".css"),
    "docs": (".md", ".html", ".lock", "-lock.json", "npm-shrinkwrap.json"),
}

# How keys get into a bundle: a constant, an option, a header, an inlined environment.
_STATEMENTS = (
    (b'const k="', b'";'),
    (b'var client=connect({apiKey:"', b'",retries:3});'),
    (b"headers.Authorization=`Bearer ", b"`;"),
    (b'var env={NODE_ENV:"production",API_TOKEN:\'', b"'};"),
    (b'fetch("https://api.example.com/v1/me?key=', b'&v=2");'),
    (b'/* TODO remove: ', b" */"),
    (b'var c=JSON.parse(\'{"token":"', b'"}\');'),
)  # fmt: skip


class Pin(msgspec.Struct, frozen=True):
    """One package of ``packages.toml``."""

    name: str
    version: str
    integrity: str
    keep: list[str]
    corpus: str = "js"

    def bundles(self, archive: Path) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of what is kept of the package: scripts, or texts for ``docs``."""
        with tarfile.open(archive) as tar:
            for member in tar:
                path = member.name.partition("/")[2]
                if member.isfile() and self._keeps(path):
                    content = tar.extractfile(member)
                    assert content is not None
                    yield path, content.read()

    def _keeps(self, path: str) -> bool:
        chosen = any(fnmatch.fnmatchcase(path, pattern) for pattern in self.keep)
        return chosen and path.endswith(_SUFFIXES.get(self.corpus, _SCRIPTS))


def pins(corpus: str) -> list[Pin]:
    table = tomllib.loads(PINS.read_text("utf-8"))
    found = msgspec.convert(table["package"], list[Pin])
    return [pin for pin in found if pin.corpus == corpus]


def _fetch(pin: Pin, into: Path) -> Path:
    """The package's archive. :raises ValueError: when it isn't the one that was pinned."""
    wanted = f"{pin.name}@{pin.version}"
    command = ["npm", "pack", wanted, "--silent", "--pack-destination", str(into)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    archive = into / out.split()[-1]
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{found}" != pin.integrity:
        raise ValueError(f"{wanted}: the registry's archive is not the pinned one")
    return archive


def build_js(target: Path, rng: Random, scale: float) -> None:
    """The bundles as published."""
    build_published("js", target, rng, scale)


def build_published(corpus: str, target: Path, rng: Random, scale: float) -> None:
    """A corpus of packages as published: ``target/<package>/<path>``. Nothing is planted. They
    are whole or not at all, so ``scale`` takes the first packages only."""
    del rng
    pinned = pins(corpus)
    chosen = pinned[: max(1, round(len(pinned) * min(scale, 1.0)))]
    with tempfile.TemporaryDirectory() as scratch, Planter(target, directory=True) as planter:
        shutil.rmtree(target, ignore_errors=True)
        for pin in chosen:
            for path, content in pin.bundles(_fetch(pin, Path(scratch))):
                planter.open(f"{pin.name.replace('/', '__')}/{path}")
                planter.put(content)


def build_js_planted(target: Path, rng: Random, scale: float) -> None:
    """Copies of every third bundle, each with a few keys where a statement ends."""
    source = target.with_name("js")
    if not truth_path(source).exists():
        build_js(source, rng, scale)
    with Planter(target, directory=True) as planter:
        shutil.rmtree(target, ignore_errors=True)
        for path in files(source)[::3]:
            planter.open(path.relative_to(source).as_posix())
            plant(planter, path.read_bytes(), rng)


def plant(planter: Planter, code: bytes, rng: Random) -> None:
    """Put ``code`` with keys between its statements."""
    ends = [m.end() for m in re.finditer(rb"[;}]", code)]
    places = sorted(rng.sample(ends, min(KEYS_A_FILE, len(ends))))
    at = 0
    for place in places:
        kind = rng.choice(POSTED)
        before, after = rng.choice(_STATEMENTS)
        planter.put(code[at:place], before, Planted(kind, token(kind, rng)), after)
        at = place
    planter.put(code[at:])
