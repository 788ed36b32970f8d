"""URLs of brokers, and how they are shown: without what opens them.

    nats://host:4222/STREAM?subject=chat.>&durable=detector
    redis://host:6379/0?stream=in&group=detector
    amqp://user:password@host/vhost?queue=in        amqp://host?exchange=chat&routing_key=clean
    kafka://host:9092,host2:9092/topic?group=detector

``tls``, ``rediss``, ``amqps`` and ``kafkas`` are the same over TLS, with the machine's authorities
or those of the file that ``SSL_CERT_FILE`` names.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from detector.errors import UsageError

FROM, TO, QUARANTINE = "--from", "--to", "--quarantine"
GROUP = "detector"  # what consumers share where the URL names nothing else

_SCHEMES = {
    "nats": ("nats", False),
    "tls": ("nats", True),
    "redis": ("redis", False),
    "rediss": ("redis", True),
    "amqp": ("amqp", False),
    "amqps": ("amqp", True),
    "kafka": ("kafka", False),
    "kafkas": ("kafka", True),
}
_PORTS = {"nats": 4222, "redis": 6379, "amqp": 5672, "kafka": 9092}
_CLUSTERS = ("nats", "kafka")  # whose URLs may name several hosts

_BOTH = {
    "nats": {"subject", "creds"},
    "redis": {"stream", "field"},
    "amqp": {"queue"},
    "kafka": {"mechanism"},
}
_READING = {"nats": {"durable"}, "redis": {"group", "idle"}, "amqp": set(), "kafka": {"group"}}
_WRITING = {"nats": set(), "redis": set(), "amqp": {"exchange", "routing_key"}, "kafka": set()}


class Address(NamedTuple):
    """Where a broker is and what of it is meant. Its ``repr`` and ``str`` may be shown."""

    kind: str
    secure: bool
    hosts: tuple[str, ...]
    """Each with its port."""
    user: str
    password: str
    path: str
    """The stream, the number of the database, the virtual host or the topic."""
    options: dict[str, str]

    @property
    def shown(self) -> str:
        """Without user and password."""
        said = "&".join(f"{name}={quote(value, safe='/.>*:{}')}" for name, value in self._told())
        path = f"/{quote(self.path, safe='')}" if self.path else ""
        return f"{self.kind}://{','.join(self.hosts)}{path}{'?' if said else ''}{said}"

    def _told(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.options.items() if name != "creds"]

    def __repr__(self) -> str:
        return self.shown

    def __str__(self) -> str:
        return self.shown

    def host(self) -> tuple[str, int]:
        """Name and port of the only host."""
        name, _, port = self.hosts[0].rpartition(":")
        return name.strip("[]"), int(port)

    def option(self, name: str, default: str = "") -> str:
        """What the URL says under this name."""
        return self.options.get(name, default)


def address_of(text: str, role: str) -> Address:
    """What a URL says. ``role``: ``--from``, ``--to`` or ``--quarantine``, which decides on what
    may stand in it. Raises :class:`UsageError`, which quotes nothing of user and password."""
    scheme, mark, _ = text.partition("://")
    if not mark or scheme.lower() not in _SCHEMES:
        raise UsageError(f"{role}: begins with none of {', '.join(f'{s}://' for s in _SCHEMES)}")
    kind, secure = _SCHEMES[scheme.lower()]
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UsageError(f"{role}: no URL of a broker") from None
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    path = unquote(parts.path.removeprefix("/"))
    address = Address(
        kind,
        secure,
        _hosts(kind, secure, hosts, role),
        unquote(user),
        unquote(password),
        path,
        _options(kind, parts.query, role),
    )
    _complete(address, role)
    return address


def _hosts(kind: str, secure: bool, text: str, role: str) -> tuple[str, ...]:
    default = {"amqp": 5671}.get(kind, _PORTS[kind]) if secure else _PORTS[kind]
    out = []
    for one in (text or "localhost").split(","):
        name, colon, port = one.rpartition(":")
        if not colon or one.endswith("]"):
            name, port = one, str(default)
        if not name or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UsageError(f"{role}: {kind}://…: no host and port")
        out.append(f"{name}:{port}")
    if len(out) > 1 and kind not in _CLUSTERS:
        raise UsageError(f"{role}: {kind}:// takes one host")
    return tuple(out)


def _options(kind: str, query: str, role: str) -> dict[str, str]:
    given = parse_qsl(query, keep_blank_values=True)
    known = _BOTH[kind] | (_READING if role == FROM else _WRITING)[kind]
    for name, _ in given:
        if name not in known:
            raise UsageError(
                f"{role}: {kind}:// knows no parameter '{name[:40]}'; "
                f"it knows {', '.join(sorted(known))}"
            )
    if len(options := dict(given)) < len(given):
        raise UsageError(f"{role}: a parameter is given twice")
    return options


def _complete(address: Address, role: str) -> None:
    """Complain where the URL does not say what is to be read or written."""
    kind = address.kind
    problem = ""
    if kind == "nats" and not address.path:
        problem = "names no stream: nats://host:4222/STREAM"
    elif kind == "nats" and role != FROM and not address.option("subject"):
        problem = "needs a subject: ?subject=clean.chat, or ?subject=clean.{subject}"
    elif kind == "redis" and not address.option("stream"):
        problem = "needs a stream: redis://host:6379/0?stream=NAME"
    elif kind == "redis" and address.path and not address.path.isdecimal():
        problem = "has a path that is no number of a database"
    elif kind == "redis" and not address.option("idle", "1").isdecimal():
        problem = "has an idle= that is no number of milliseconds"
    elif kind == "amqp" and not (address.option("queue") or address.option("exchange")):
        problem = "needs a queue: amqp://host/vhost?queue=NAME"
    elif kind == "amqp" and address.option("queue") and address.option("exchange"):
        problem = "names a queue and an exchange; give one of them"
    elif kind == "kafka" and not address.path:
        problem = "names no topic: kafka://host:9092/TOPIC"
    if problem:
        raise UsageError(f"{role}: {address.shown} {problem}")
