"""What hosts ask robots for (https://www.rfc-editor.org/rfc/rfc9309)."""

from __future__ import annotations

import threading

from protego import Protego

from detector.site.addresses import origin_of
from detector.site.client import Client
from detector.site.network import Refused

NAME = "secrets-leak-detector"
LARGEST = 512 << 10  # bytes of a robots.txt that count; section 2.5 asks for at least 500 KiB
SLOWEST = 30.0  # seconds between requests that are waited at most


class Robots:
    """The rules of all hosts that were asked, each fetched once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rules: dict[str, Protego | str] = {}
        self._lock = threading.Lock()

    def against(self, url: str) -> str | None:
        """What stands against fetching a URL, if anything."""
        origin = origin_of(url)
        with self._lock:
            rules = self._rules.get(origin)
            if rules is None:
                rules = self._rules[origin] = self._fetched(origin)
        if isinstance(rules, str):
            return rules
        return None if rules.can_fetch(url, NAME) else "is not for robots, says robots.txt"

    def _fetched(self, origin: str) -> Protego | str:
        """No file: everything is allowed. A server that cannot say it: nothing is (2.3.1.4)."""
        try:
            answer = self._client.get(f"{origin}/robots.txt", _anywhere, LARGEST)
        except Refused as refused:
            return refused.reason
        if answer.status >= 500 or answer.status == 429:
            return f"has a robots.txt that cannot be read (status {answer.status})"
        text = "" if answer.status != 200 else answer.data.decode("utf-8", "replace")
        rules: Protego = Protego.parse(text)
        delay = rules.crawl_delay(NAME) or 0.0
        if delay > SLOWEST:
            return f"wants {delay:g} s between requests, says robots.txt"
        self._client.pace.slow(delay)
        return rules


def _anywhere(_url: str) -> None:
    return None
