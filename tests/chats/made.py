"""Exports of chats in the form of the real ones, from a seed, with the truth of each.

Slack: https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports
Discord: https://github.com/Tyrrrz/DiscordChatExporter/blob/master/DiscordChatExporter.Core/Exporting/JsonMessageWriter.cs
Telegram: https://core.telegram.org/import-export
"""

from __future__ import annotations

import json
import random
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from material import sample_of

RULES = ("github-pat", "openai-project-key", "anthropic-api-key")
PEOPLE = {"U01ADA": "Ada", "U02GRACE": 'Grace "G" Höpper', "U03LIN": "林"}
FIRST = 1_700_000_000


class Truth(NamedTuple):
    """One secret and its place; ``channel`` None where the export says none."""

    secret: bytes
    table: str | None
    field: str
    row: int
    channel: str | None
    author: str | None
    message: str | None
    time: str | None


class Maker:
    """Draws the texts and remembers what was planted."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.number = seed * 1000
        self.truth: list[Truth] = []

    def words(self) -> str:
        odd = ['say "hi"', "a\\b", "{x: [1]}", "ünï ✓", "line\nbreak", "}]", "\\\\", "<@U01ADA>"]
        plain = ["ok", "could you try it", "tomorrow then", "thanks", "let us see"]
        return " ".join(self.rng.choice(odd + plain * 2) for _ in range(self.rng.randrange(1, 9)))

    def key(self) -> str:
        self.number += 1
        return sample_of(self.rng.choice(RULES), self.number).secret.decode()

    def secret(self) -> str | None:
        return self.key() if self.rng.random() < 0.4 else None

    def text(self, key: str | None) -> str:
        return self.words() if key is None else f"{self.words()} {key} {self.words()}"

    def person(self) -> tuple[str, str]:
        return self.rng.choice([*PEOPLE.items()])

    def digits(self, count: int) -> str:
        return "".join(self.rng.choice(string.digits) for _ in range(count))

    def plant(self, key: str | None, table: str | None, field: str, row: int, *origin: Any) -> None:
        if key is not None:
            self.truth.append(Truth(key.encode(), table, field, row, *origin))


def utc(seconds: int, micro: int = 0) -> str:
    time = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)
    return time.isoformat().replace("+00:00", "Z")


def lines(seed: int, count: int) -> tuple[bytes, list[Truth]]:
    """JSON Lines with a channel in each."""
    made, out = Maker(seed), []
    for row in range(1, count + 1):
        key, channel = made.secret(), made.rng.choice(["general", "ops"])
        _, name = made.person()
        one = {
            "id": f"m{row}", "channel": channel, "text": made.text(key),
            "user": {"id": 7, "name": name}, "timestamp": FIRST + row,
        }  # fmt: skip
        keys = [*one]
        made.rng.shuffle(keys)
        out.append(json.dumps({k: one[k] for k in keys}, ensure_ascii=made.rng.random() < 0.5))
        made.plant(key, channel, "text", row, channel, name, f"m{row}", utc(FIRST + row))
    return "\n".join(out).encode(), made.truth


def turns(seed: int, count: int) -> tuple[bytes, list[Truth]]:
    """Conversations with a model, one a line: https://platform.openai.com/docs/guides/fine-tuning"""
    made, out = Maker(seed), []
    for row in range(1, count + 1):
        messages = []
        for number in range(made.rng.randrange(1, 6)):
            key, role = made.secret(), ("user", "assistant")[number % 2]
            messages.append({"role": role, "content": made.text(key)})
            field = f"messages[{number}].content"
            made.plant(key, None, field, row, None, role, str(number), None)
        out.append(json.dumps({"messages": messages}))
    return ("\n".join(out) + "\n").encode(), made.truth


def discord(seed: int, count: int) -> tuple[bytes, list[Truth]]:
    made, messages = Maker(seed), []
    for row in range(1, count + 1):
        key, embedded = made.secret(), made.secret()
        uid, name = made.person()
        number, time = made.digits(18), f"2024-05-01T12:00:{row % 60:02}.123+00:00"
        messages.append({
            "id": number, "type": "Default", "timestamp": time, "timestampEdited": None,
            "callEndedTimestamp": None, "isPinned": False, "content": made.text(key),
            "author": {"id": uid, "name": name, "discriminator": "0000", "nickname": "N",
                       "color": None, "isBot": False, "roles": [{"id": "1", "name": "r"}]},
            "attachments": [],
            "embeds": [{"title": "", "description": made.text(embedded), "fields": []}],
            "stickers": [], "reactions": [], "mentions": [],
        })  # fmt: skip
        origin = ("general", name, number, time)
        made.plant(key, "general", "content", row, *origin)
        made.plant(embedded, "general", "embeds[0].description", row, *origin)
    export = {
        "guild": {"id": "1", "name": "A guild", "iconUrl": "https://cdn.example/icon.png"},
        "channel": {"id": "2", "type": "GuildTextChat", "categoryId": "3", "category": "Text",
                    "name": "general", "topic": 'what "is" {on}'},
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2024-06-01T00:00:00.0000000+00:00",
        "messages": messages,
        "messageCount": count,
    }  # fmt: skip
    return json.dumps(export, indent=2, ensure_ascii=False).encode(), made.truth


def _telegram_chat(made: Maker, name: str, number: int, count: int) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for row in range(1, count + 1):
        key = made.secret()
        uid, author = made.person()
        one = {"id": row * 3, "type": "message", "date": "2023-11-14T23:13:20"}
        one |= {"date_unixtime": str(FIRST + row), "from": author, "from_id": f"user{uid}"}
        if key is not None and made.rng.random() < 0.5:
            field = "text[1].text"
            one["text"] = [made.words(), {"type": "code", "text": key}, made.words()]
        else:
            field = "text"
            one["text"] = made.text(key)
        one["text_entities"] = []
        messages.append(one)
        made.plant(key, name, field, row, name, author, str(row * 3), utc(FIRST + row))
    return {"name": name, "type": "private_supergroup", "id": number, "messages": messages}


def telegram(seed: int, count: int) -> tuple[bytes, list[Truth]]:
    made = Maker(seed)
    chat = _telegram_chat(made, "Ops & Co", 17, count)
    return json.dumps(chat, indent=1, ensure_ascii=False).encode(), made.truth


def telegram_all(seed: int, count: int) -> tuple[bytes, list[Truth]]:
    made = Maker(seed)
    chats = [_telegram_chat(made, f"Chat {n}", n, count) for n in range(3)]
    left = [_telegram_chat(made, "Left", 9, count)]
    export = {
        "about": "Here is the data you requested. Remember: Telegram is ad free.",
        "personal_information": {"user_id": 1, "first_name": "Ada", "bio": ""},
        "contacts": {"about": "", "list": [{"first_name": "B", "last_name": "", "date": ""}]},
        "chats": {"about": "This page lists all chats from this export.", "list": chats},
        "left_chats": {"about": "", "list": left},
    }
    return json.dumps(export, indent=1, ensure_ascii=False).encode(), made.truth


def slack(folder: Path, seed: int, days: int = 3, count: int = 12) -> dict[str, list[Truth]]:
    """An unpacked export; the truth by file."""
    truth: dict[str, list[Truth]] = {}
    users = [
        {"id": uid, "name": uid.lower(), "profile": {"real_name": "R", "display_name": name}}
        for uid, name in PEOPLE.items()
    ]
    _write(folder / "users.json", users)
    _write(folder / "channels.json", [{"id": "C1", "name": "general", "members": [*PEOPLE]}])
    _write(folder / "dms.json", [{"id": "D1", "created": 1, "members": ["U01ADA", "U03LIN"]}])
    names = {"general": "general", "ops": "ops", "D1": "Ada, 林"}
    for channel, shown in names.items():
        for day in range(1, days + 1):
            made = Maker(seed + day * 7 + len(channel) * 100)
            messages = [_slack_message(made, shown, row) for row in range(1, count + 1)]
            name = f"{channel}/2024-05-{day:02}.json"
            _write(folder / name, messages)
            truth[name] = made.truth
    return truth


def _slack_message(made: Maker, channel: str, row: int) -> dict[str, Any]:
    key, hidden = made.secret(), made.secret()
    uid, name = made.person()
    seconds, micro = FIRST + row, made.rng.randrange(10**6)
    ts = f"{seconds}.{micro:06}"
    one: dict[str, Any] = {"client_msg_id": made.digits(12), "type": "message"}
    if made.rng.random() < 0.2:
        one |= {"subtype": "bot_message", "username": "deployer", "bot_id": "B1"}
        name = "deployer"
    else:
        one["user"] = uid
    one |= {"text": made.text(key), "ts": ts, "team": "T1"}
    one["attachments"] = [{"fallback": made.text(hidden), "id": 1}]
    origin = (channel, name, ts, utc(seconds, micro))
    made.plant(key, channel, "text", row, *origin)
    made.plant(hidden, channel, "attachments[0].fallback", row, *origin)
    return one


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=4), encoding="utf-8")
