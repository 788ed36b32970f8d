"""URLs of sites. Whatever stands behind a question mark may be a secret and is not shown."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from detector.errors import UsageError

LONGEST = 2048  # characters of a URL that is followed
_SCHEMES = {"http": 80, "https": 443}
_SAFE = "!#$%&'()*+,/:;=?@[]~"  # that stand for themselves, and percent signs


def site_of(text: str) -> str | None:
    """The URL of a site in one spelling, None where the text is none of a site.

    Raises :class:`~detector.errors.UsageError` for one with a user or password: none is sent.
    """
    scheme, mark, rest = text.partition("://")
    if not mark or scheme.lower() not in _SCHEMES:
        return None
    if "@" in re.split(r"[/?#\\]", rest, maxsplit=1)[0]:
        raise UsageError(f"{scheme.lower()}://…: with a user or password; none is ever sent")
    url = joined("", text)
    if url is None:
        raise UsageError(f"{scheme.lower()}://…: no URL of a site")
    return url


def joined(base: str, reference: str) -> str | None:
    """Where a reference on ``base`` leads, without its fragment; None where to nothing that can be
    fetched. As browsers do it: white space at the ends and line breaks do not count, and a
    backslash is a slash (https://url.spec.whatwg.org/#concept-basic-url-parser)."""
    reference = re.sub(r"[\t\n\r]", "", reference).strip()
    path, mark, query = reference.partition("?")
    if len(reference) > LONGEST:
        return None
    try:
        parts = urlsplit(urljoin(base, path.replace("\\", "/") + mark + query))
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc:
        return None
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):
        return None
    host = f"[{host}]" if ":" in host else host
    place = host if port in (None, _SCHEMES[parts.scheme]) else f"{host}:{port}"
    path = quote(parts.path or "/", safe=_SAFE)
    url = urlunsplit((parts.scheme, place, path, quote(parts.query, safe=_SAFE), ""))
    return url if len(url) <= LONGEST else None


def shown(url: str) -> str:
    """A URL as it may be reported: the values of its query masked."""
    parts = urlsplit(url)
    query = re.sub(r"[^&]+", _masked, parts.query)
    return urlunsplit(parts._replace(query=query))


def _masked(pair: re.Match[str]) -> str:
    name, mark, _ = pair[0].partition("=")
    return f"{name}=****" if mark else "****"


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host, without its port."""
    return urlsplit(url).hostname or ""
