"""The forms that exports of chats have, and how each says channel, author, id and time.

Slack: https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports, a folder a channel
with a file a day, each an array of https://api.slack.com/events/message.
Discord: the JSON of https://github.com/Tyrrrz/DiscordChatExporter.
Telegram: https://core.telegram.org/import-export, ``result.json`` of Telegram Desktop, of one chat
or of all.
JSON Lines and arrays: whatever has a text, an author and a time, a channel or a role; and lines of
``{"messages": [{"role": …, "content": …}, …]}``, as chat models are trained with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from detector.chats.fields import first, inside, parsed, shown, time_of
from detector.chats.spans import Arrays, Lines, Message, Splitter
from detector.tables.jsons import JsonArray, JsonLines
from detector.tables.layout import Cell, Dialect

Origin = dict[str, Any]
Names = Mapping[str, str]
"""What users and channels are called, by their ids."""

_CHANNELS = (
    *("channel_name", "channel", "channel_id", "room", "room_name", "room_id", "chat", "chat_id"),
    *("conversation", "conversation_id", "thread", "thread_id", "session_id"),
)
_AUTHORS = (
    *("author", "user", "sender", "from", "username", "user_name", "author_name", "sender_name"),
    *("user_id", "author_id", "sender_id", "from_id", "nick", "role"),
)
_IDS = ("id", "message_id", "msg_id", "client_msg_id", "uuid", "ts")
_TIMES = (
    *("time", "timestamp", "created_at", "createdAt", "sent_at", "date", "datetime", "created"),
    "ts",
)
_TEXTS = ("text", "content", "body", "message", "msg")
_NO_CHAT = re.compile(  # a log, or a table of users with its own columns of secrets
    r"(?i)level|severity|logger|.*pass(?:word|wd|phrase)?|.*secret|(?:.*_)?token|.*api_?key"
)
_TURN = re.compile(r"(messages|conversations?|turns|dialog(?:ue)?)\[(\d+)\]")
_TS = re.compile(r"\d{9,11}\.\d{6}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_IN_ALL = re.compile(r"(?:chats|left_chats)\.list\[\d+\]\.messages\[(\d+)\](?:\.|\Z)?")
_CHAT_TYPES = {
    *("personal_chat", "bot_chat", "saved_messages", "private_group", "private_supergroup"),
    *("public_supergroup", "private_channel", "public_channel", "verification_codes", "replies"),
}


class Shape(NamedTuple):
    """One export's. ``channel``: of all its messages, where that is known beforehand.

    ``own``: messages say their channel themselves. Without either the table keeps its name.
    """

    kind: str
    channel: str | None = None
    own: bool = False

    @property
    def splitter(self) -> Splitter:
        """How its messages follow each other."""
        level = _KINDS[self.kind].level
        return Arrays(level) if level else Lines()

    @property
    def named(self) -> bool:
        """Whether channels take the place of the table."""
        return self.own or self.channel is not None

    def placed(self, cell: Cell) -> Cell | None:
        """The row of a message and the field in it; None for what is in no message."""
        if self.kind == "telegram-all":
            if cell.row is not None or not (match := _IN_ALL.match(cell.field or "")):
                return None
            field = (cell.field or "")[match.end() :] or None
            return Cell(cell.table, field, int(match[1]) + 1)
        if cell.row is None or (self.kind in ("discord", "telegram") and cell.table != "messages"):
            return None
        return cell

    def origin(self, said: Said, field: str | None, names: Names) -> Origin:
        """Channel, author, id and time; None for what it does not say."""
        origin = _KINDS[self.kind].read(said.message, field, names)
        if self.channel is not None:
            origin["channel"] = names.get(self.channel, self.channel)
        elif said.channel is not None:
            origin["channel"] = said.channel
        return origin


class Said(NamedTuple):
    """A message's object, and the name of the channel that holds it."""

    message: Mapping[str, Any]
    channel: str | None

    def __repr__(self) -> str:
        return f"Said({len(self.message)} fields)"  # never the text


def said_by(message: Message) -> Said:
    """What its bytes say, as far as they can be read."""
    owner = parsed(message.owner) if message.owner else {}
    return Said(parsed(message.text), _owner_name(owner))


def _owner_name(owner: Mapping[str, Any]) -> str | None:
    """Of the object that holds the messages: its channel's, else its own."""
    channel = owner.get("channel")
    if isinstance(channel, Mapping):
        return first(channel, ("name", "id"))
    if owner.get("type") == "saved_messages":
        return "Saved Messages"
    return first(owner, ("name", "id"))


def _origin(
    channel: str | None, author: str | None, message: str | None, time: str | None
) -> Origin:
    return {"channel": channel, "author": author, "message": message, "time": time}


def _any(one: Mapping[str, Any], _field: str | None, _names: Names) -> Origin:
    channels, authors, ids, times = _present(tuple(one))
    return _origin(first(one, channels), first(one, authors), first(one, ids), time_of(one, times))


@lru_cache(maxsize=64)  # messages of one export have the same fields
def _present(keys: tuple[str, ...]) -> list[list[str]]:
    """Those of the fields that are there, the best first."""
    return [[k for k in known if k in keys] for known in (_CHANNELS, _AUTHORS, _IDS, _TIMES)]


def _turn(one: Mapping[str, Any], field: str | None, _names: Names) -> Origin:
    """One of many in a line: its number is all the id that it has."""
    channel = first(one, ("conversation_id", "session_id", "thread_id", "custom_id", "id"))
    time = time_of(one, _TIMES)
    match = _TURN.match(field or "")
    if match is None:
        return _origin(channel, None, None, time)
    turns = one.get(match[1])
    number = int(match[2])
    turn = turns[number] if isinstance(turns, list) and number < len(turns) else None
    turn = turn if isinstance(turn, Mapping) else {}
    author = first(turn, ("role", "from", "author", "name"))
    return _origin(channel, author, match[2], time_of(turn, _TIMES) or time)


def _slack(one: Mapping[str, Any], _field: str | None, names: Names) -> Origin:
    user = shown(one.get("user"))
    profile = inside(one, "user_profile")
    author = (
        names.get(user or "")
        or first(profile, ("display_name", "real_name", "name"))
        or user
        or first(one, ("username",))
        or first(inside(one, "bot_profile"), ("name",))
        or first(one, ("bot_id",))
    )
    return _origin(None, author, first(one, ("ts", "client_msg_id")), time_of(one, ("ts",)))


def _discord(one: Mapping[str, Any], _field: str | None, _names: Names) -> Origin:
    author = first(inside(one, "author"), ("name", "nickname", "id"))
    return _origin(None, author, first(one, ("id",)), time_of(one, ("timestamp",)))


def _telegram(one: Mapping[str, Any], _field: str | None, _names: Names) -> Origin:
    author = first(one, ("from", "actor", "from_id", "actor_id"))
    return _origin(None, author, first(one, ("id",)), time_of(one, ("date_unixtime", "date")))


class _Kind(NamedTuple):
    level: int  # brackets open in a message's object; 0 for lines
    read: Callable[[Mapping[str, Any], str | None, Names], Origin]


_KINDS = {
    "lines": _Kind(0, _any),
    "turns": _Kind(0, _turn),
    "array": _Kind(2, _any),
    "slack": _Kind(2, _slack),
    "discord": _Kind(3, _discord),
    "telegram": _Kind(3, _telegram),
    "telegram-all": _Kind(6, _telegram),
}


def recognised(path: str, head: bytes, dialect: Dialect | None) -> tuple[Shape, Dialect] | None:
    """The shape of an export that begins with ``head``, and how its cells are told; None for
    anything else. ``dialect``: what the same bytes are, without regard to chats."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if isinstance(dialect, JsonLines):
        shape = _of_message(parsed(text.split(b"\n", 1)[0]), "lines")
        return None if shape is None else (shape, dialect)
    *_, folder, last = ["", *re.split(r"[!/\\]", path)]
    stem = last.partition(".")[0]
    if text[:1] == b"[" and isinstance(dialect, JsonArray):
        message = parsed(text[1:].lstrip())
        shape = _slack_shape(message, folder, stem) or _of_message(message, "array")
        return None if shape is None else (shape, dialect)
    if text[:1] == b"{" and (dialect is None or isinstance(dialect, JsonArray)):
        kind = _kind_of_object(parsed(text), text)
        return None if kind is None else (Shape(kind, own=True), JsonArray(stem or "messages"))
    return None


def _slack_shape(message: Mapping[str, Any], folder: str, stem: str) -> Shape | None:
    ts = message.get("ts")
    dated = isinstance(ts, str) and _TS.fullmatch(ts) is not None
    if not folder or not (dated or (_DAY.fullmatch(stem) and message.get("type") == "message")):
        return None
    return Shape("slack", folder)


def _of_message(one: Mapping[str, Any], kind: str) -> Shape | None:
    if any(_NO_CHAT.fullmatch(key) for key in one):
        return None
    turns = next((one[k] for k in one if _TURN.match(f"{k}[0]")), None)
    if kind == "lines" and isinstance(turns, list) and turns and isinstance(turns[0], Mapping):
        turn = turns[0]
        if {"role", "from", "author"} & turn.keys():
            return Shape("turns")
    said = any(isinstance(one.get(key), str | list) for key in _TEXTS)
    spoken = first(one, _AUTHORS) is not None
    channel = first(one, _CHANNELS) is not None
    told = channel or "role" in one or time_of(one, _TIMES) is not None
    return Shape(kind, own=channel) if said and spoken and told else None


def _kind_of_object(one: Mapping[str, Any], text: bytes) -> str | None:
    if isinstance(one.get("guild"), Mapping) and isinstance(one.get("channel"), Mapping):
        return "discord"
    if one.get("type") in _CHAT_TYPES and re.search(rb'"messages"\s*:\s*\[', text):
        return "telegram"
    about = one.get("about")
    if isinstance(about, str) and ("Telegram" in about or re.search(rb'"chats"\s*:\s*\{', text)):
        return "telegram-all"
    return None
