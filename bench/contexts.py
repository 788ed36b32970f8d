"""Every kind of credential in every context that leaks are made of."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

from bench.planting import Planted, Planter
from bench.tokens import MAKERS, token

# The short code is nothing but a word and four characters: the dump has it in its table.
KINDS = tuple(kind for kind in MAKERS if kind != "moltbook-code")

CONTEXTS: dict[str, tuple[bytes, bytes]] = {
    "quoted": (b'api_key = "', b'"\n'),
    "single-quoted": (b"api_key = '", b"'\n"),
    "dotenv": (b"API_KEY=", b"\n"),
    "bare-line": (b"", b"\n"),
    "csv-cell": (b"17,alice,", b",2026-01-31\n"),
    "csv-quoted": (b'17,"alice","', b'","2026-01-31"\n'),
    "copy-row": (b"17\talice\t", b"\t2026-01-31\t\\N\n"),
    "sql-insert": (b"INSERT INTO agents VALUES (17, 'alice', '", b"', NULL);\n"),
    "chat-comma": (b"the key is ", b", can you try it?\n"),
    "chat-dot": (b"use ", b". thanks\n"),
    "chat-bracket": (b"(it was ", b") before\n"),
    "chat-angle": (b"see <", b"> please\n"),
    "url-query": (b"https://api.example.com/v1?key=", b"&page=2\n"),
    "url-fragment": (b"https://app.example.com/callback#access_token=", b"&state=1\n"),
    "html-code": (b"<p>use <code>", b"</code> here</p>\n"),
    "html-attribute": (b'<input type="hidden" value="', b'">\n'),
    "markdown-code": (b"run it with `", b"` set\n"),
    "markdown-bold": (b"**", b"** is the key\n"),
    "markdown-table": (b"|alice|", b"|admin|\n"),
    "json": (b'{"user":"alice","token":"', b'","admin":false}\n'),
    "json-in-json": (b'{"body":"{\\"token\\":\\"', b'\\"}"}\n'),
    "json-newline": (b'{"text":"first line\\n', b'\\nlast line"}\n'),
    "json-unicode": (b'{"url":"https://a.example/?key\\u003d', b'\\u0026v=1"}\n'),
    "percent-encoded": (b"next=%2Fgo%3Fkey%3D", b"%26v%3D1\n"),
    "yaml": (b"token: ", b"\n"),
    "colons": (b"alice:", b":100:0\n"),
    "semicolon": (b"var k=", b";var j=2;\n"),
    "header": (b"Authorization: Bearer ", b"\r\n"),
    "emoji": ("🔑".encode(), "🚀\n".encode()),
    "accented": ("clé\u00a0: ".encode(), "…\n".encode()),
    "nul-bytes": (b"\x00\x00", b"\x00\x00\n"),
    "template": (b"const h = `Bearer ", b"`\n"),
    "xml": (b"<key>", b"</key>\n"),
    "log-line": (b"2026-01-31T10:00:00Z INFO auth ok token=", b" user=17\n"),
    "braces": (b"${", b"}\n"),
    "slash-path": (b"/hooks/", b"/events\n"),
}
"""What stands before and behind the credential; each ends its line."""


def build_contexts(target: Path, rng: Random, scale: float) -> None:
    """One file per context, each kind several times: ``contexts/<context>.txt``."""
    times = max(1, round(4 * scale))
    with Planter(target, directory=True) as planter:
        shutil.rmtree(target, ignore_errors=True)
        for context, (before, after) in CONTEXTS.items():
            planter.open(f"{context}.txt")
            for kind in [kind for kind in KINDS for _ in range(times)]:
                planter.put(before, Planted(kind, token(kind, rng), context), after)
