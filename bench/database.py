"""A leaked database with its truth: ``python -m bench.database [--scale 1.0] [--out DIR]``.

A social network of agents in a real PostgreSQL, filled from a seed: at scale 1, 35,000 owners,
1,500,000 agents with a token each, private messages with keys pasted into them, JSON, arrays and
bytes. ``truth.jsonl`` says of each planted secret its rule, table, column and row; the formats of
:mod:`bench.dumps` stand beside it. One seed, one scale and one version of Python give the same
rows. Nothing in them is live.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import string
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
from psycopg import sql

from bench.planting import Planted
from bench.prose import message, sentences
from bench.recall import accepted
from bench.tokens import B64URL, pick, token
from detector.fingerprint import Fingerprinter

SEED = 20260131
VERSION = 1  # of the rows and the formats: another one leaves what is cached behind
CACHE = Path(__file__).with_name(".cache") / "database"
POSTGRES = "DETECTOR_TEST_POSTGRES"
DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"

RULES = {
    "moltbook-key": "moltbook-api-key",
    "moltbook-claim": "moltbook-claim-token",
    "openai-project": "openai-project-key",
    "openai-legacy": "openai-legacy-key",
    "anthropic": "anthropic-api-key",
    "github": "github-pat",
    "aws-id": "aws-access-key",
    "postgres-url": "supabase-database-url-pooler",
    "stripe-live": "stripe-secret-key",
    "sendgrid": "sendgrid-api-key",
    "slack-bot": "slack-bot-token",
    "gitlab": "gitlab-pat",
    "telegram": "telegram-bot-token",
}
"""The rule that names each kind planted here."""

UNKNOWN = ("agents", "acme_key")
"""The column whose tokens no rule knows."""

_POSTED = ("openai-project", "openai-legacy", "anthropic", "github", "aws-id", "postgres-url")
_SERVICES = ("stripe-live", "sendgrid", "slack-bot", "gitlab", "telegram")

# What stands around a pasted key: languages with and without blanks, and whatever a format has
# to escape.
_PASTED = (
    "Here it is, can you try it? {}",
    "use `{}` for now, I'll rotate it \U0001f605",
    "Hier ist der Schlüssel für die Produktion: {}, bitte nicht weitergeben!",
    "Voici la clé d'accès : « {} », à garder pour toi",
    "La clave es {}, ¿puedes probarla mañana?",
    "A chave é {} (não compartilhe)",
    "вот ключ: {} — никому не показывай",
    "密钥是{}。请不要外传。",
    "キーは「{}」です。",
    "المفتاح هو {} شكرا",
    "कुंजी {} है, धन्यवाद",
    "first line\n{}\nlast line",
    "a\ttab\t{}\tand more",
    "she said \"{}\" and it's 'fine'",
    "it's '{}'",
    'C:\\keys\\prod.txt says "{}"',
    '{{"auth": "{}", "note": "a, b; c"}}',
    "carriage\r\n{}\r\nreturn",
    "<p>{}</p> & so on",
    "(1, 'x', {}), (2, 'y')",
)
_SAID = (
    "Kannst du dir das bitte ansehen? Der Schlüssel liegt unter der Matte.",
    "On se voit demain à l'accueil.",
    "¿Dónde está la contraseña del wifi? Pregúntale a Inés.",
    "пароль не забыл?",
    "会议改到下午三点。",
    "パスワードは変更しましたか。",
    "two\nlines, and a\ttab",
    "back\\slash, \"double\" and 'single' quotes; -- and /* no comment */",
    "\\.",
    "",
    "NULL",
    "\\N",
    "$$ not a dollar quote $$ 💸",
    "); DROP TABLE students;--",
)

Value = str | int | bool | bytes | list[str] | None


class Truth(msgspec.Struct, frozen=True):
    """One planted secret. ``row`` counts from 1 in the order of the dump;
    ``fingerprint``: under the public key, never the secret itself."""

    rule: str
    table: str
    column: str
    row: int
    fingerprint: str


class Text(NamedTuple):
    """A value with secrets in it."""

    value: Value
    planted: tuple[Planted, ...]


Rows = Callable[[Random, "Counts"], Iterator[Sequence[Value | Text]]]


class Counts(NamedTuple):
    """Rows of each table."""

    owners: int
    agents: int
    posts: int
    messages: int
    attachments: int
    clients: int
    accounts: int

    @classmethod
    def of(cls, scale: float) -> Counts:
        """35,000 owners and 1.5 million agents at scale 1; never less than a handful."""
        whole = (35_000, 1_500_000, 150_000, 200_000, 5_000, 2_000, 100_000)
        return cls(*(max(20, round(count * scale)) for count in whole))


class Table(NamedTuple):
    """``columns``: names and PostgreSQL's types; the first one is the key unless ``keyless``."""

    name: str
    columns: dict[str, str]
    rows: Rows
    keyless: bool = False


def _bulk(rng: Random, prefix: str, length: int) -> Iterator[str]:
    """Tokens of URL-safe base64, a thousand at a time: drawing each character alone took as long
    as everything else. The last one is a letter or digit."""
    table = (B64URL * 4).encode()
    while True:
        drawn = rng.randbytes(1000 * length).translate(table).decode()
        for at in range(0, len(drawn), length):
            body = drawn[at : at + length]
            yield prefix + (body if body[-1].isalnum() else body[:-1] + "x")


def _draw(rng: Random, kind: str) -> Planted:
    return Planted(kind, token(kind, rng))


def _in(frame: str, *planted: Planted) -> Text:
    return Text(frame.format(*(one.value.decode() for one in planted)), planted)


def _when(rng: Random, number: int) -> str:
    """Later rows are later."""
    minutes, seconds = divmod(number * 7 % 86_400, 60)
    return (
        f"2026-01-{1 + number // 60_000:02d} {minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        f".{rng.getrandbits(19):06d}+00"
    )


_BCRYPT = string.ascii_letters + string.digits + "./"


def _owners(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    mails: list[str] = []
    for number in range(1, counts.owners + 1):
        name = "".join(filter(str.isalpha, rng.choice(sentences())[:14])).lower()
        mail = f"{name}{number}@example.com"
        if mails and rng.random() < 0.02:  # somebody with two accounts
            mail = rng.choice(mails)
        mails.append(mail)
        hashed = pick(rng, _BCRYPT, 53)
        yield number, mail, f"@{name}{number}", f"$2b$12${hashed}", _when(rng, number)


def _agents(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    keys, claims = _bulk(rng, "moltbook_sk_", 32), _bulk(rng, "moltbook_claim_", 32)
    others = _bulk(rng, "acme_live_", 30)
    words, models = sentences(), ("sonnet", "haiku", "gpt", "llama")
    for number in range(1, counts.agents + 1):
        dice = rng.getrandbits(30)
        key = next(keys)
        claim: Text | None = None
        if dice % 10 == 0:
            claim = _in(
                "https://www.moltbook.com/claim/{}",
                Planted("moltbook-claim", next(claims).encode()),
            )
        yield (
            number, 1 + dice % counts.owners, f"agent{number}",
            words[dice % len(words)] if dice % 3 == 0 else None,
            Text(key, (Planted("moltbook-key", key.encode()),)), next(others), claim,
            f'{{"model": "{models[dice & 3]}", "temperature": 0.{dice % 10}, "hook": null}}',
            dice % 5000, claim is None, _when(rng, number),
        )  # fmt: skip


def _posts(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    for number in range(1, counts.posts + 1):
        tags: Value | Text = rng.choices(("ops", "a b", 'quo"te', "comma,", "ünï", "null"), k=2)
        meta: Value | Text = json.dumps({"lang": "en", "n": rng.randrange(9), "path": "a\\b"})
        if number % 40 == 3:
            one, two = _draw(rng, "openai-project"), _draw(rng, rng.choice(_POSTED[3:]))
            env = {"OPENAI_API_KEY": one.value.decode(), "extra": two.value.decode()}
            meta = Text(json.dumps({"env": env, "ok": True}), (one, two))
        if number % 50 == 7:
            one = _draw(rng, rng.choice(_POSTED[2:5]))
            tags = Text(["first", one.value.decode(), 'it\'s "x"'], (one,))
        yield (
            number, 1 + rng.randrange(counts.agents), rng.choice(sentences())[:60], message(rng),
            tags, meta, rng.randrange(900), _when(rng, number),
        )  # fmt: skip


STEP = 7  # between the keys of messages: who takes a key for a row is wrong


def _messages(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    pasted: list[Planted] = []
    for number in range(1, counts.messages + 1):
        body: Value | Text = message(rng) if rng.random() < 0.8 else rng.choice(_SAID)
        if number % 8 == 5:
            again = pasted and rng.random() < 0.1  # the same key, sent once more
            one = rng.choice(pasted) if again else _draw(rng, rng.choice(_POSTED))
            pasted.append(one)
            body = _in(_PASTED[number // 8 % len(_PASTED)], one)
        elif number % 400 == 2:
            body = _in("one {} and another: {}", *(_draw(rng, kind) for kind in _POSTED[2:4]))
        yield (
            number * STEP, 1 + rng.randrange(counts.agents), 1 + rng.randrange(counts.agents), body,
            _when(rng, number + 5) if rng.random() < 0.5 else None, _when(rng, number),
        )  # fmt: skip


def _attachments(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    for number in range(1, counts.attachments + 1):
        one, two = _draw(rng, "anthropic"), _draw(rng, rng.choice(_POSTED[2:5]))
        text = b"# settings\nANTHROPIC_API_KEY=%s\r\n\tDEBUG='1'\n" % one.value
        body = Text(text, (one,))
        if number % 3 == 0:
            # A picture with a comment, as bytes: quotes, backslashes and zeros among them.
            noise = b"\x89PNG\r\n\x1a\n\0\0'\\\xff" + rng.randbytes(60)
            body = Text(noise + b"\0comment: " + two.value + b"\0" + rng.randbytes(20), (two,))
        yield (
            number, STEP * (1 + rng.randrange(counts.messages)), f"file {number}.env",
            "application/octet-stream", body,
        )  # fmt: skip


def _clients(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    for number in range(1, counts.clients + 1):
        one = _draw(rng, rng.choice(_SERVICES))
        origins = [f"https://app{number}.example.com", "http://localhost:3000"]
        yield number, f"Client, No. {number}", Text(one.value.decode(), (one,)), origins, True


def _accounts(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    for number in range(1, counts.accounts + 1):
        yield number, 1, rng.randrange(-5000, 5000), ""


def _tellers(rng: Random, _: Counts) -> Iterator[Sequence[Value | Text]]:
    for number in range(1, 11):
        yield number, 1, rng.randrange(100), None


def _branches(_: Random, __: Counts) -> Iterator[Sequence[Value | Text]]:
    yield 1, 0, None


def _history(rng: Random, counts: Counts) -> Iterator[Sequence[Value | Text]]:
    for number in range(counts.accounts // 10):
        account = 1 + rng.randrange(counts.accounts)
        yield 1 + number % 10, 1, account, rng.randrange(-99, 99), "2026-01-31 10:00:00", None


_WHEN = "timestamp with time zone"

TABLES: tuple[Table, ...] = (
    Table(
        "owners",
        {"id": "bigint", "email": "text", "x_handle": "text", "password_hash": "text",
         "created_at": _WHEN},
        _owners,
    ),
    Table(
        "agents",
        {"id": "bigint", "owner_id": "bigint", "name": "text", "description": "text",
         "api_key": "text", "acme_key": "text", "claim_url": "text", "settings": "jsonb",
         "karma": "integer", "claimed": "boolean", "created_at": _WHEN},
        _agents,
    ),
    Table(
        "posts",
        {"id": "bigint", "agent_id": "bigint", "title": "text", "body": "text", "tags": "text[]",
         "meta": "jsonb", "upvotes": "integer", "created_at": _WHEN},
        _posts,
    ),
    Table(
        "messages",
        {"id": "bigint", "from_agent": "bigint", "to_agent": "bigint", "body": "text",
         "read_at": _WHEN, "created_at": _WHEN},
        _messages,
    ),
    Table(
        "attachments",
        {"id": "bigint", "message_id": "bigint", "name": "text", "mime": "text", "body": "bytea"},
        _attachments,
    ),
    Table(
        "apiClients",
        {"id": "bigint", "clientName": "text", "clientSecret": "text", "Allowed Origins": "text[]",
         "active": "boolean"},
        _clients,
    ),
    Table("pgbench_branches", {"bid": "integer", "bbalance": "integer", "filler": "character(88)"},
          _branches),
    Table("pgbench_tellers", {"tid": "integer", "bid": "integer", "tbalance": "integer",
                              "filler": "character(84)"}, _tellers),
    Table("pgbench_accounts", {"aid": "integer", "bid": "integer", "abalance": "integer",
                               "filler": "character(84)"}, _accounts),
    Table("pgbench_history", {"tid": "integer", "bid": "integer", "aid": "integer",
                              "delta": "integer", "mtime": "timestamp without time zone",
                              "filler": "character(22)"}, _history, keyless=True),
)  # fmt: skip

# Agents and messages are open to everybody, as in the leak that this is modelled on; posts may be
# read by design, owners by nobody but themselves.
_AFTER = """
ALTER TABLE public.agents ADD CONSTRAINT agents_api_key_key UNIQUE (api_key);
ALTER TABLE public.agents ADD FOREIGN KEY (owner_id) REFERENCES public.owners (id);
ALTER TABLE public.posts ADD FOREIGN KEY (agent_id) REFERENCES public.agents (id);
ALTER TABLE public.messages ADD FOREIGN KEY (from_agent) REFERENCES public.agents (id);
ALTER TABLE public.messages ADD FOREIGN KEY (to_agent) REFERENCES public.agents (id);
ALTER TABLE public.attachments ADD FOREIGN KEY (message_id) REFERENCES public.messages (id);
CREATE INDEX ON public.messages (to_agent);
CREATE VIEW public.agent_directory AS SELECT id, name, karma FROM public.agents;
CREATE FUNCTION public.agent_by_key(wanted text) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
  AS $$ SELECT id FROM public.agents WHERE api_key = wanted; $$;
ALTER TABLE public.owners ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.owners FOR SELECT TO authenticated
  USING (email = current_setting('request.email', true));
ALTER TABLE public.posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON public.posts FOR SELECT USING (true);
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.agents, public.messages TO anon, authenticated;
GRANT SELECT ON public.owners, public.posts, public.agent_directory TO anon, authenticated;
GRANT ALL ON ALL TABLES IN SCHEMA public TO service_role;
"""

_ROLES = ("anon", "authenticated", "service_role")


def rows(table: Table, counts: Counts, seed: int = SEED) -> Iterator[Sequence[Value | Text]]:
    """The rows of one table: the same ones whether or not others are made."""
    return table.rows(Random(f"{seed}:{table.name}"), counts)


def server() -> str:
    """Where PostgreSQL is: the URL in ``DETECTOR_TEST_POSTGRES``, or the one of compose.yaml."""
    return os.environ.get(POSTGRES) or DEFAULT_POSTGRES


def named(url: str, name: str) -> str:
    """The same server's URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def loaded(
    scale: float = 0.001, *, seed: int = SEED, url: str | None = None, keep: bool = False
) -> Iterator[str]:
    """The URL of a database of its own, filled; dropped behind the block unless ``keep``.

    :raises psycopg.OperationalError: when no server answers."""
    url = url or server()
    name = f"detector_{os.getpid()}_{os.urandom(4).hex()}"
    _execute(url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    try:
        _fill(named(url, name), Counts.of(scale), seed)
        yield named(url, name)
    finally:
        if not keep:
            _execute(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def quoted(name: str) -> str:
    """As an identifier of PostgreSQL and SQLite."""
    return '"' + name.replace('"', '""') + '"'


def _create(table: Table) -> str:
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in table.columns.items())
    return f"CREATE TABLE public.{quoted(table.name)} ({columns})"


def _fill(url: str, counts: Counts, seed: int) -> None:
    """In one transaction: COPY into a table older than that puts short rows into earlier pages,
    and they would be dumped in that order."""
    with psycopg.connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        for role in _ROLES:
            _make_role(connection, role)
        for table in TABLES:
            connection.execute(_create(table).encode())
            names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
            with connection.cursor().copy(into) as copy:
                for row in rows(table, counts, seed):
                    copy.write_row([v.value if isinstance(v, Text) else v for v in row])
            if not table.keyless:
                key = quoted(next(iter(table.columns)))
                connection.execute(
                    f"ALTER TABLE {quoted(table.name)} ADD PRIMARY KEY ({key})".encode()
                )
                _check_order(connection, table.name, key)
        connection.execute(_AFTER.encode())
    _execute(url, "VACUUM ANALYZE")  # else the server does so while formats are written


def _make_role(connection: psycopg.Connection[Any], role: str) -> None:
    """Roles belong to the whole server: they may stand there already, and they stay."""
    with connection.transaction():
        connection.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN;"
            f" EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$".encode()
        )


def _check_order(connection: psycopg.Connection[Any], table: str, key: str) -> None:
    """pg_dump writes rows as they lie: that has to be the order in which they were made."""
    found = connection.execute(
        f"SELECT count(*) FROM (SELECT {key} AS k, lag({key}) OVER (ORDER BY ctid) AS before"
        f" FROM {quoted(table)}) AS t WHERE k <= before".encode()
    ).fetchone()
    if found is None or found[0]:
        raise RuntimeError(f"{table}: rows do not lie in the order they were written in")


def planted(counts: Counts, seed: int = SEED) -> Iterator[Truth]:
    """What is in the tables, in their order. A few microseconds each."""
    printed = Fingerprinter()
    for table in TABLES:
        columns = tuple(table.columns)
        for number, row in enumerate(rows(table, counts, seed), 1):
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, Text):
                    for kind, whole, _ in value.planted:
                        rule = RULES[kind]
                        secret = accepted(kind, whole.decode())[-1].encode()
                        yield Truth(rule, table.name, column, number, printed(rule, secret))


class Database(NamedTuple):
    """What was written: ``formats`` by name, each a folder of one file or several."""

    folder: Path
    counts: Counts

    @property
    def truth(self) -> Iterator[Truth]:
        """What is planted, from the file."""
        decoder = msgspec.json.Decoder(Truth)
        with (self.folder / "truth.jsonl").open("rb") as lines:
            yield from map(decoder.decode, lines)

    def format(self, name: str) -> Path:
        """The folder of one format."""
        return self.folder / name


def database(
    scale: float = 0.001, formats: Iterable[str] = (), *, out: Path = CACHE, seed: int = SEED,
    url: str | None = None, keep: bool = False,
) -> Database:  # fmt: skip
    """The truth and these formats, made now unless they stand there already. Several processes
    may ask at once.

    :raises psycopg.OperationalError: when no server answers and something is missing."""
    from bench.dumps import FORMATS, write

    folder = out / f"{scale:g}-{seed}-v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    found = Database(folder, Counts.of(scale))
    formats = list(formats)
    if unknown := set(formats) - FORMATS.keys():
        raise ValueError(f"no such format: {', '.join(sorted(unknown))}")
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _write_truth(found, seed)
        missing = [name for name in formats if not found.format(name).exists()]
        if missing or keep:
            with loaded(scale, seed=seed, url=url, keep=keep) as live:
                if keep:
                    print(f"kept as {urlsplit(live).path[1:]}")
                write(live, folder, missing)
    return found


def _write_truth(found: Database, seed: int) -> None:
    target = found.folder / "truth.jsonl"
    if target.exists():
        return
    encode = msgspec.json.Encoder().encode
    part = target.with_suffix(".part")
    with part.open("wb", buffering=1 << 20) as file:
        for truth in planted(found.counts, seed):
            file.write(encode(truth) + b"\n")
    part.rename(target)


def main() -> None:
    from bench.dumps import usual

    parser = argparse.ArgumentParser(description="Fill a real PostgreSQL, and dump it.")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--url", help=f"of the server; default: {POSTGRES}, or this machine's")
    parser.add_argument("--formats", help="comma-separated; default: those of the scale")
    parser.add_argument("--keep", action="store_true", help="do not drop the database")
    options = parser.parse_args()
    began = time.perf_counter()
    formats = options.formats.split(",") if options.formats is not None else usual(options.scale)
    found = database(
        options.scale, filter(None, formats), out=options.out, seed=options.seed,
        url=options.url, keep=options.keep,
    )  # fmt: skip
    count = sum(1 for _ in found.truth)
    print(f"{found.folder}: {count} planted, {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
