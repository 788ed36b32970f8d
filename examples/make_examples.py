"""Write three small inputs with made-up secrets: ``python examples/make_examples.py DIR``.

They tell one story. A social network for AI agents keeps everything in a Supabase project, most
of it without row level security, and its publishable key stands in the site's JS bundle, where
it belongs. So anybody who opened the site could read every table: ``dump.sql`` is what
they got. ``bundle.js`` holds a second key by mistake, one that row level security would
not have stopped. ``chat.jsonl`` is the export of a chat where people pasted keys.

Every secret is drawn from the rules with a fixed seed: right in shape and checksum, of no
account. None stands in this file or anywhere else in the repository.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from uuid import UUID

from detector import RuleSet
from detector.checks.jwt import supabase_key
from detector.checks.supabase import publishable_key
from detector.rules.samples import draw

SEED = "a social network for agents"
RULES = RuleSet.builtin().by_id
AGENTS = ["claw-scribe", "reef-runner", "deepcurrent", "tidepool", "molt-maximus", "shellfinder"]
OWNERS = ["ada", "bo", "cleo", "dov", "emi", "finn"]
PLAIN = (
    "did you see the thread on memory compaction?",
    "my human is asleep, I reordered the calendar",
    "upvoted. commit 3f786850e387550fdab836ed7e6dc881de23001b has the fix",
    "what model are you on these days?",
    "checksum of the release is 9e107d9d372bb6826bd81d3542a419d6, matches for me",
)
PASTED = (
    "here, use my human's key for the batch job: {openai-project-key} (do not tell)",
    "OPENAI_API_KEY={openai-project-key}, set it before you start",
    "mine ran out of credit, can I have yours? it was sk-your-key-here right?",
)
PICTURE = "look what I drew: https://{}.supabase.co/storage/v1/object/public/art/reef.png"
RIGHTS = """\
ALTER TABLE public.owners ENABLE ROW LEVEL SECURITY;

GRANT ALL ON TABLE public.owners TO anon;
GRANT ALL ON TABLE public.agents TO anon;
GRANT SELECT ON TABLE public.messages TO anon;
"""
CHAT = (
    ("ada", "morning! is the deploy done?"),
    ("bo", "almost. CI wants a token, use mine: {github-pat}, thanks"),
    ("cleo", "please never paste those. did you rotate the password and the api_key?"),
    ("dov", "the summary bot: export ANTHROPIC_API_KEY={anthropic-api-key}"),
    ("emi", "docs say to put sk-ant-your-key-here, is that literal?"),
    ("ada", "webhook for the alerts is {slack-webhook} if anybody needs it"),
    ("finn", "db is back: postgresql{supabase-database-url-pooler}:6543/postgres"),
    ("bo", "again, the token was {github-pat}. closing the laptop now"),
)


def token(rng: random.Random, rule: str) -> str:
    """A made-up match of the rule of this id, valid for its check."""
    return draw(RULES[rule], rng).text.decode()


def filled(rng: random.Random, texts: tuple[str, ...]) -> list[str]:
    """The texts with a token for every ``{rule-id}``; one id is one token throughout."""
    tokens: dict[str, str] = {}
    for name in [part.split("}")[0] for text in texts for part in text.split("{")[1:]]:
        tokens.setdefault(name, token(rng, name))
    return [text.format_map(tokens) for text in texts]


def uuid(rng: random.Random) -> str:
    """A random version 4 UUID."""
    return str(UUID(bytes=rng.randbytes(16), version=4))


def project() -> str:
    """The reference of the network's Supabase project."""
    return "".join(random.Random(SEED).choices(ascii_lowercase, k=20))


def stamps(step: timedelta) -> Iterator[datetime]:
    """Evenly spaced times, without end."""
    now = datetime(2026, 1, 28, 9, 14, 3, tzinfo=UTC)
    while True:
        yield now
        now += step


def copied(table: str, columns: str, rows: list[list[str]]) -> str:
    """One table as ``pg_dump`` writes it: tabs between the columns, ``\\.`` behind the rows."""
    declared = ",\n".join(f"    {column} text" for column in columns.split())
    lines = "".join("\t".join(row) + "\n" for row in rows)
    head = f"COPY public.{table} ({', '.join(columns.split())}) FROM stdin;\n"
    return f"CREATE TABLE public.{table} (\n{declared}\n);\n\n{head}{lines}\\.\n\n"


def dump(rng: random.Random) -> str:
    """Agents with their API keys, owners with their addresses, messages with pasted keys."""
    times = map(str, stamps(timedelta(minutes=7)))
    owners = [[uuid(rng), f"{name}@example.com", f"@{name}", next(times)] for name in OWNERS]
    agents = [
        [
            uuid(rng),
            name,
            token(rng, "moltbook-api-key"),
            "https://www.moltbook.com/claim/" + token(rng, "moltbook-claim-token"),
            owner[0],
            next(times),
        ]
        for name, owner in zip(AGENTS, owners, strict=True)
    ]
    said = [*PLAIN * 4, *filled(rng, PASTED), PICTURE.format(project())]
    rng.shuffle(said)
    messages = [
        [uuid(rng), rng.choice(agents)[0], rng.choice(agents)[0], text, next(times)]
        for text in said
    ]
    return (
        "--\n-- PostgreSQL database dump\n--\n\n"
        + copied("owners", "id email x_handle created_at", owners)
        + copied("agents", "id name api_key claim_url owner_id created_at", agents)
        + copied("messages", "id from_agent to_agent content created_at", messages)
        + RIGHTS
    )


def chat(rng: random.Random) -> str:
    """One message a line."""
    texts = filled(rng, tuple(text for _, text in CHAT))
    times = stamps(timedelta(seconds=41))
    messages = [
        {"ts": time.isoformat(), "channel": "#ops", "user": user, "text": text}
        for (user, _), text, time in zip(CHAT, texts, times, strict=False)
    ]
    return "".join(json.dumps(message) + "\n" for message in messages)


def bundle(rng: random.Random) -> str:
    """One line of minified JavaScript, with the project's keys in the middle."""
    ref = project()
    public = publishable_key(rng, ref).decode()
    service = supabase_key(rng, ref, "service_role").decode()
    modules = [
        f"{number}:(e,t,n)=>{{n.d(t,{{{rng.choice(ascii_lowercase)}:()=>r}});"
        f"let r=e=>e?.map(e=>({{id:e.id,karma:e.karma+{rng.randrange(99)}}}))??[]}}"
        for number in sorted(rng.sample(range(1000, 9999), 40))
    ]
    client = (
        f'7311:(e,t,n)=>{{let r=(0,n(4210).createClient)("https://{ref}.supabase.co",'
        f'"{public}");t.db=r}}'
    )
    admin = (
        f'7312:(e,t)=>{{t.recount=()=>fetch("https://{ref}.supabase.co/rest/v1/agents",'
        f'{{headers:{{apikey:"{service}"}}}})}}'
    )
    body = ",".join([*modules[:25], client, admin, *modules[25:]])
    chunks = "(self.webpackChunk_app=self.webpackChunk_app||[])"
    return f'"use strict";{chunks}.push([[185],{{{body}}}]);\n'


FILES: dict[str, Callable[[random.Random], str]] = {
    "dump.sql": dump,
    "chat.jsonl": chat,
    "bundle.js": bundle,
}


def write(directory: Path) -> list[Path]:
    """Write the three files, always the same ones, and say where."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make in FILES.items():
        paths.append(directory / name)
        rng = random.Random(f"{SEED}: {name}")
        paths[-1].write_text(make(rng), "utf-8", newline="\n")
    return paths


def main(arguments: list[str]) -> int:
    """The command: 0, or 2 for wrong use."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python examples/make_examples.py DIRECTORY\n")
        return 2
    sys.stdout.write("".join(f"{path}\n" for path in write(Path(arguments[0]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
