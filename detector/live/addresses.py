"""URLs of databases. They hold passwords, so what is shown of one is its host and its name."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from detector.errors import UsageError

SCHEMES = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}


class Address(NamedTuple):
    """Where a database is. Its ``repr`` and ``str`` are what may be shown."""

    url: str
    kind: str

    @property
    def shown(self) -> str:
        """Without user, password and options."""
        parts = urlsplit(self.url)
        host = (parts.netloc.rpartition("@")[2] or "(local)").replace("%2F", "/")
        return f"{self.kind}://{host}{unquote(parts.path)}"

    def __repr__(self) -> str:
        return self.shown


def address_of(text: str) -> Address | None:
    """What a URL says, None where it is none of a database."""
    scheme, mark, _ = text.partition("://")
    kind = SCHEMES.get(scheme.lower()) if mark else None
    if kind is None:
        return None
    try:
        urlsplit(text).port  # noqa: B018  (raises where it is no number)
    except ValueError:
        raise UsageError(f"{kind}://…: no URL of a database") from None
    return Address(text, kind)
