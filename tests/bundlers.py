"""Real bundlers, and a small shop that they build, with keys in its sources.

The packages are installed once into ``bench/.cache/bundlers``, those of the lock file only.
A test without npm is skipped and says so; where ``CI`` is set it fails.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures" / "bundlers"
CACHE = HERE.parent / "bench" / ".cache" / "bundlers"
BUNDLERS = ("esbuild", "rollup", "webpack", "vite")
MAPS = ("external", "inline", "hidden", "off")


class Keys(NamedTuple):
    """What stands in the shop's sources, or is inlined when it is built."""

    anon: str
    service_role: str
    written: str
    inlined: str
    shaken: str
    comment: str


def build(folder: Path, keys: Keys) -> Path:
    """The shop, built by every bundler with every kind of map: ``BUNDLER/MAP/…``."""
    _install()
    source, out = folder / "shop", folder / "dist"
    (source / "src").mkdir(parents=True)
    for name, text in sources(keys).items():
        (source / name).write_text(text, encoding="utf-8")
    given = json.dumps({"__OPENAI_KEY__": keys.inlined})
    _run("node", str(CACHE / "build.mjs"), str(source), str(out), given)
    return out


def sources(keys: Keys) -> dict[str, str]:
    """By name. Characters outside of ASCII stand in front of keys: columns are not bytes."""
    return {
        "index.html": '<!doctype html><script type="module" src="/src/main.ts"></script>\n',
        "src/main.ts": (
            'import { Shop } from "./shop";\n'
            'import { price } from "./prices";\n'
            'import { h, render } from "preact";\n'
            'import { useState } from "preact/hooks";\n\n'
            'render(h("p", null, () => useState(1)), document.body);\n'
            "const shop: Shop = new Shop(document.body);\n"
            'shop.show("💶 ".repeat(3) + price(12));\n'
        ),
        "src/shop.ts": (
            "/* The shop. */\n"
            'import { createClient } from "./backend";\n\n'
            'const url: string = "https://abcdefghijklmnopqrst.supabase.co";\n'
            f'const client = createClient(url, "{keys.anon}");\n'
            f'const admin = createClient(url, "{keys.service_role}");\n\n'
            "export class Shop {\n"
            "  constructor(private readonly root: HTMLElement) {}\n\n"
            "  show(text: string): void {\n"
            '    this.root.append(text + " · äé💶");\n'
            "  }\n\n"
            "  async pay(): Promise<unknown> {\n"
            f'    const headers = {{ "X-Shop": "💶ü", Authorization: "Bearer {keys.written}" }};\n'
            '    await admin.from("orders").select();\n'
            "    return [client, await fetch(url, { headers }), this.ask(__OPENAI_KEY__)];\n"
            "  }\n\n"
            "  ask(key: string): string {\n"
            "    return `Bearer ${key}`;\n"
            "  }\n"
            "}\n\n"
            "declare const __OPENAI_KEY__: string;\n"
        ),
        "src/backend.ts": (
            "export function createClient(url: string, key: string) {\n"
            "  const call = (name: string) => fetch(`${url}/${name}`, { headers: { key } });\n"
            "  return { from: (table: string) => ({ select: () => call(table) }) };\n"
            "}\n"
        ),
        "src/prices.ts": (
            f"// the old key was {keys.comment}\n"
            "export function price(cents: number): string {\n"
            "  return (cents / 100).toFixed(2);\n"
            "}\n\n"
            f'export const unused = "{keys.shaken}";\n'
        ),
    }


def _install() -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            _without(f"{program} is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    lock, installed = FIXTURES / "package-lock.json", CACHE / "installed-lock.json"
    for name in ("package.json", "package-lock.json", "build.mjs"):
        shutil.copyfile(FIXTURES / name, CACHE / name)
    if installed.exists() and filecmp.cmp(lock, installed, shallow=False):
        return
    try:
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    except subprocess.CalledProcessError:
        _without("npm cannot install the bundlers")
    shutil.copyfile(lock, installed)


def _run(*command: str) -> None:
    subprocess.run(command, cwd=CACHE, check=True, capture_output=True, timeout=600)


def _without(problem: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{problem}, and in CI there must be one")
    pytest.skip(problem)
