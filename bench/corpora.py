"""Seeded corpora, built once into a cache: ``python -m bench.corpora [--out DIR]``.

Every corpus is a file or a directory with ``<name>.truth.jsonl`` beside it. One seed, one
version of Python and one ``--scale`` give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from random import Random

from bench import bundles, contexts
from bench.planting import Planted, Planter, files, planted, truth_path
from bench.prose import message, sentences
from bench.tokens import POSTED, pick, token

SEED = 20260131
CACHE = Path(__file__).with_name(".cache")
AGENTS = 200_000
CHAT_MESSAGES = 260_000
ONE_KEY_IN = 500
_AGENT_TOKENS = ("moltbook-key", "moltbook-claim", "moltbook-code")

Build = Callable[[Path, Random, float], None]

_DUMP_HEAD = b"""--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;
SET default_tablespace = '';

CREATE TABLE public.owners (
    id uuid DEFAULT gen_random_uuid() NOT NULL, email text NOT NULL, x_handle text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.agents (
    id uuid DEFAULT gen_random_uuid() NOT NULL, owner_id uuid, name text NOT NULL,
    description text, api_key text NOT NULL, claim_url text, verification_code text,
    karma integer DEFAULT 0, created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL, from_agent uuid, to_agent uuid,
    content text NOT NULL, created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.posts (
    id bigint NOT NULL, agent_id uuid, title text, content text, upvotes integer DEFAULT 0
);
"""


def _uuid(rng: Random) -> bytes:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4)).encode()


def _when(rng: Random) -> bytes:
    return (
        f"2026-01-{rng.randrange(1, 32):02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:"
        f"{rng.randrange(60):02d}.{rng.randrange(10**6):06d}+00"
    ).encode()


def _name(rng: Random) -> str:
    words = rng.choice(sentences()).split()
    return "".join(filter(str.isalpha, words[0] + words[-1])) + str(rng.randrange(1000))


Row = list[bytes | Planted]


def _copy(planter: Planter, table: str, columns: str, rows: Iterable[Row]) -> None:
    planter.put(f"\n--\n-- Data for Name: {table}; Type: TABLE DATA\n--\n\n".encode())
    planter.put(f"COPY public.{table} ({columns}) FROM stdin;\n".encode())
    for row in rows:
        for field in row[:-1]:
            planter.put(field) if isinstance(field, bytes) else planter.put(*_wrapped(field))
            planter.put(b"\t")
        planter.put(row[-1], b"\n")
    planter.put(b"\\.\n\n")


def _wrapped(field: Planted) -> tuple[bytes | Planted, ...]:
    """A claim token stands in its URL, every other token alone."""
    if field.kind == "moltbook-claim":
        return b"https://www.moltbook.com/claim/", field
    return (field,)


def build_dump(target: Path, rng: Random, scale: float) -> None:
    """A ``pg_dump`` with a key, a claim link and a code in every agent's row, and a key that
    somebody pasted in every fortieth message."""

    def owner(_: int) -> Row:
        name = _name(rng).lower().encode()
        return [_uuid(rng), name + b"@example.com", b"@" + name, _when(rng)]

    def agent(_: int) -> Row:
        key, claim, code = (Planted(kind, token(kind, rng)) for kind in _AGENT_TOKENS)
        return [
            _uuid(rng), _uuid(rng), _name(rng).encode(), rng.choice(sentences()).encode(),
            key, claim, code,
            str(rng.randrange(5000)).encode(), _when(rng),
        ]  # fmt: skip

    def post(number: int) -> Row:
        title = rng.choice(sentences())[:60].encode()
        text = message(rng).encode()
        return [str(number).encode(), _uuid(rng), title, text, str(rng.randrange(900)).encode()]

    agents = round(AGENTS * scale)
    with Planter(target) as planter:
        planter.put(_DUMP_HEAD)
        _copy(planter, "owners", "id, email, x_handle, created_at", map(owner, range(agents // 10)))
        columns = (
            "id, owner_id, name, description, api_key, claim_url, verification_code, karma,"
            " created_at"
        )
        _copy(planter, "agents", columns, map(agent, range(agents)))
        _messages(planter, rng, agents // 5)
        columns = "id, agent_id, title, content, upvotes"
        _copy(planter, "posts", columns, map(post, range(1, agents // 5)))


def _messages(planter: Planter, rng: Random, count: int) -> None:
    planter.put(
        b"COPY public.messages (id, from_agent, to_agent, content, created_at) FROM stdin;\n"
    )
    for number in range(count):
        planter.put(_uuid(rng), b"\t", _uuid(rng), b"\t", _uuid(rng), b"\t")
        _say(planter, rng, with_key=number % 40 == 7)
        planter.put(b"\t", _when(rng), b"\n")
    planter.put(b"\\.\n")


_PASTED = (
    ("here is the key: ", ", can you try it?"), ("use ", " for now."), ("my token is `", "`"),
    ("(", ")"), ("export API_KEY=", ""), ("it says ", " is invalid!"), ("<", ">"), ("**", "**"),
    ("https://api.example.com/v1/models?key=", "&stream=1"),
    ("curl -H 'Authorization: Bearer ", "'"),
)  # fmt: skip


def _say(planter: Planter, rng: Random, *, with_key: bool) -> None:
    planter.put(message(rng).encode())
    if with_key:
        kind = rng.choice(POSTED)
        before, after = rng.choice(_PASTED)
        planter.put(f" {before}".encode(), Planted(kind, token(kind, rng)), after.encode())


def build_chat(target: Path, rng: Random, scale: float) -> None:
    """A chat export, one JSON object a line; one message in 500 carries a key."""
    with Planter(target) as planter:
        for number in range(round(CHAT_MESSAGES * scale)):
            user, channel = f"U{pick(rng, '0123456789ABCDEF', 8)}", f"C{rng.randrange(40):06d}"
            planter.put(f'{{"id":{number},"channel":"{channel}","user":"{user}","text":"'.encode())
            _say(planter, rng, with_key=number % ONE_KEY_IN == 250)
            planter.put(b'","ts":"', _when(rng), b'"}\n')


def build_clean(target: Path, rng: Random, scale: float) -> None:
    """Prose that holds no credential: whatever is found in it is wrong."""
    with Planter(target) as planter:
        while planter.size() < 20_000_000 * scale:
            planter.put(" ".join(rng.choices(sentences(), k=6)).encode(), b"\n\n")


def build_oneline(target: Path, rng: Random, scale: float) -> None:
    """One line of 50 MB: bundles behind one another, keys between them."""
    source = target.with_name("js")
    if not truth_path(source).exists():
        bundles.build_js(source, rng, scale)
    with Planter(target) as planter:
        for path in itertools.cycle(files(source)):
            bundles.plant(planter, path.read_bytes().replace(b"\n", b" "), rng)
            if planter.size() > 50_000_000 * scale:
                break


def build_base64(target: Path, rng: Random, scale: float) -> None:
    """A wall of base64, 76 characters a line: 50 MB of random bytes, so nothing to find."""
    with Planter(target) as planter:
        for _ in range(max(1, round(50 * scale))):
            planter.put(base64.encodebytes(rng.randbytes(740_000)))


def build_lockfiles(target: Path, rng: Random, scale: float) -> None:
    """Lock files of npm, Yarn and Poetry: thousands of hashes, no credential."""

    def integrity() -> str:
        return "sha512-" + base64.b64encode(rng.randbytes(64)).decode()

    names = [f"{_name(rng).lower()}-{n}" for n in range(round(8000 * scale))]
    with Planter(target, directory=True) as planter:
        shutil.rmtree(target, ignore_errors=True)
        packages = {
            f"node_modules/{name}": {
                "version": "1.2.3",
                "resolved": f"{name}-1.2.3.tgz",
                "integrity": integrity(),
            }
            for name in names
        }
        planter.open("package-lock.json")
        planter.put(json.dumps({"lockfileVersion": 3, "packages": packages}, indent=2).encode())
        planter.open("yarn.lock")
        for name in names:
            planter.put(
                f'{name}@^1.0.0:\n  version "1.2.3"\n  integrity {integrity()}\n\n'.encode()
            )
        planter.open("poetry.lock")
        for name in names:
            hashed = f'{{file = "{name}-1.2.3.tar.gz", hash = "sha256:{rng.randbytes(32).hex()}"}}'
            entry = (
                f'[[package]]\nname = "{name}"\nversion = "1.2.3"\nfiles = [\n    {hashed},\n]\n\n'
            )
            planter.put(entry.encode())


BUILDS: dict[str, tuple[str, Build]] = {
    "dump": ("dump.sql", build_dump),
    "chat": ("chat.jsonl", build_chat),
    "js": ("js", bundles.build_js),
    "js-planted": ("js-planted", bundles.build_js_planted),
    "clean": ("clean.txt", build_clean),
    "oneline": ("oneline.js", build_oneline),
    "base64": ("base64.txt", build_base64),
    "lockfiles": ("lockfiles", build_lockfiles),
    "contexts": ("contexts", contexts.build_contexts),
    "locales": ("locales", partial(bundles.build_published, "locales")),
    "minified": ("minified", partial(bundles.build_published, "minified")),
    "maps": ("maps", partial(bundles.build_published, "maps")),
    "docs": ("docs", partial(bundles.build_published, "docs")),
}


def corpus(name: str, out: Path = CACHE, scale: float = 1.0) -> Path:
    """The corpus ``name``, built now unless it stands there already."""
    file, build = BUILDS[name]
    target = out / f"{scale:g}" / file
    if not truth_path(target).exists():
        build(target, Random(f"{SEED}:{name}"), scale)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the bench corpora.")
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", help="comma-separated names")
    options = parser.parse_args()
    for name in options.only.split(",") if options.only else BUILDS:
        began = time.perf_counter()
        target = corpus(name, options.out, options.scale)
        size = sum(p.stat().st_size for p in files(target))
        count = sum(1 for _ in planted(target))
        print(
            f"{name:11} {size / 1e6:8.1f} MB {count:7} planted {time.perf_counter() - began:6.1f} s"
        )


if __name__ == "__main__":
    main()
