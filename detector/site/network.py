"""Connections to addresses that were checked.

A name is resolved once, its addresses are checked, and the connection goes to one of those: a name
server that answers differently the next time (DNS rebinding) gains nothing. The name stays in the
``Host`` header and in TLS. Environment variables for proxies are not looked at, since a proxy would
resolve the name again.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore2

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # https://www.rfc-editor.org/rfc/rfc6052


class Refused(Exception):  # noqa: N818  (a fact about what was asked for)
    """What is not had, and why; the reason never holds a URL. ``late``: the time was over."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.late = reason, late


def is_public(text: str) -> bool:
    """Whether an address is one of the public Internet, also where it is wrapped in IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Clock(threading.local):
    """The time by which this thread's request must be through. A limit on each read alone would let
    a server go on for ever with a byte now and then."""

    until = 0.0

    def start(self, seconds: float) -> None:
        """From now on."""
        self.until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises httpcore's timeout where there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left


class _Timed(httpcore2.NetworkStream):
    """A connection whose every step ends by the clock."""

    def __init__(self, inner: httpcore2.NetworkStream, clock: Clock) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._clock.left())
        return _Timed(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Guarded(httpcore2.NetworkBackend):
    """Connects to public addresses only, unless told otherwise."""

    def __init__(self, clock: Clock, *, allow_private: bool) -> None:
        self._clock, self._allow_private = clock, allow_private
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Raises :class:`Refused` where any of the host's addresses is not public."""
        addresses = _resolved(host, port)
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Refused("has a private address (--allow-private lets it be asked)")
        last: Exception | None = None
        for address in addresses[:4]:
            try:
                inner = self._inner.connect_tcp(
                    address, port, self._clock.left(), local_address, socket_options
                )
                return _Timed(inner, self._clock)
            except httpcore2.ConnectError as error:
                last = error
        raise last or Refused("has no address")

    def sleep(self, seconds: float) -> None:
        """Between attempts."""
        time.sleep(seconds)


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("has no address") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))
