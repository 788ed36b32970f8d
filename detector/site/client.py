"""One GET with all its bounds: time, bytes on the way and unpacked, redirects, rate."""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpcore2
import msgspec

from detector.site.addresses import joined
from detector.site.network import Clock, Guarded, Refused
from detector.site.options import SiteOptions

REDIRECTS = 10
STEP = 1 << 16  # bytes unpacked at once: of a bomb no more than that comes out at a time
HEAD = 1024  # bytes that tell text from other things
AGENT = "secrets-leak-detector (a scan for leaked credentials asked for by its user)"

_HEADERS = [
    (b"User-Agent", AGENT.encode()),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"gzip, deflate"),  # both are unpacked in bounded steps
]
_TOO_MANY = (429, 503)


class Answer(msgspec.Struct):
    """A body as far as it came. ``cut``: why there is no more of it; ``map``: a header that names
    the source map; ``binary``: it is no text and was not read."""

    url: str
    status: int
    data: bytes = b""
    map: str | None = None
    cut: str | None = None
    late: bool = False
    binary: bool = False

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.data)} bytes)"  # never what it holds


class Pace:
    """When the next request may go, over all threads."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def slow(self, seconds: float) -> None:
        """At least so much between two requests from now on."""
        self._interval = max(self._interval, seconds)

    def slower(self) -> None:
        """The server has said that it is too much."""
        self._interval = min(2 * self._interval, 10.0)

    def wait(self) -> None:
        """Until it is this request's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        time.sleep(max(0.0, turn - now))


class Client:
    """Safe to be used by several threads."""

    def __init__(self, options: SiteOptions) -> None:
        self._options = options
        self._clock = Clock()
        self._pool = httpcore2.ConnectionPool(
            network_backend=Guarded(self._clock, allow_private=options.allow_private),
            max_connections=2 * options.at_once,
            keepalive_expiry=5.0,
        )
        self._lock = threading.Lock()
        self.pace = Pace(options.rate)
        self.requests = self.nbytes = 0

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def get(self, url: str, may: Callable[[str], str | None], cap: int | None = None) -> Answer:
        """What a URL gives; redirects are followed where ``may`` has nothing against it (it says
        what). Raises :class:`Refused`."""
        cap = min(cap or self._options.resource_bytes, self._options.resource_bytes)
        for _ in range(REDIRECTS + 1):
            self._count()
            self.pace.wait()
            self._clock.start(self._options.timeout)
            answer = self._once(url, cap)
            if isinstance(answer, Answer):
                return answer
            if url.startswith("https:") and answer.startswith("http:"):
                raise Refused("is redirected from https to http")
            if problem := may(answer):
                raise Refused(f"is redirected to what {problem}")
            url = answer
        raise Refused(f"is redirected more than {REDIRECTS} times")

    def _count(self) -> None:
        with self._lock:
            if self.requests >= self._options.max_requests:
                raise Refused(f"is behind the {self.requests} requests of --max-requests")
            if self.nbytes >= self._options.max_bytes:
                raise Refused(f"is behind the {self._options.max_bytes} bytes of --max-bytes")
            self.requests += 1

    def _once(self, url: str, cap: int) -> Answer | str:
        """The answer, or where it redirects to."""
        try:
            with self._pool.stream("GET", url, headers=_HEADERS) as response:
                if response.status in _TOO_MANY:
                    self.pace.slower()
                headers = _Headers(response.headers)
                if response.status in (301, 302, 303, 307, 308) and (to := headers["location"]):
                    if target := joined(url, to):
                        return target
                    raise Refused("is redirected to what is no URL of a site")
                return self._read(url, response, headers, cap)
        except httpcore2.TimeoutException:
            reason = f"has not answered within {self._options.timeout:g} s"
            raise Refused(reason, late=True) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Refused(f"cannot be fetched: {_why(error)}") from None

    def _read(self, url: str, response: Any, headers: _Headers, cap: int) -> Answer:
        answer = Answer(url, response.status)
        answer.map = headers["sourcemap"] or headers["x-sourcemap"]
        if response.status != 200:
            return answer
        data = bytearray()
        try:
            for piece in unpacked(response.iter_stream(), headers["content-encoding"] or ""):
                if len(data) < HEAD <= len(data) + len(piece) and _is_binary(data + piece):
                    answer.binary = True
                    return answer
                data += piece
                if len(data) > cap or not self._afford(len(piece)):
                    answer.cut = f"is larger than {cap >> 20} MB: the rest was not fetched"
                    if len(data) <= cap:
                        answer.cut = "is cut short by --max-bytes"
                    break
        except httpcore2.TimeoutException:
            answer.late = True
            answer.cut = f"has not come to its end within {self._options.timeout:g} s"
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            answer.cut = "broke off while it was fetched"
        except zlib.error:
            answer.cut = "is packed, and damaged"
        answer.binary = _is_binary(data)
        answer.data = b"" if answer.binary else bytes(data[:cap])
        return answer

    def _afford(self, nbytes: int) -> bool:
        with self._lock:
            self.nbytes += nbytes
            return self.nbytes <= self._options.max_bytes


class _Headers:
    """Headers by their names in small letters, as far as they are ASCII; the last one counts."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._values = {name.lower(): value for name, value in pairs}

    def __getitem__(self, name: str) -> str | None:
        value = self._values.get(name.encode())
        return None if value is None else value.decode("utf-8", "replace").strip()


def _why(error: Exception) -> str:
    """The kind of trouble. The message of an error may quote what a server has sent."""
    cause = error.__cause__ or error.__context__ or error
    if "CERTIFICATE" in str(cause).upper():
        return "its certificate is not trusted"
    if isinstance(error, httpcore2.ConnectError):
        return "no connection"
    return "no proper answer"


def unpacked(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """A body without its ``Content-Encoding``, in pieces of at most `STEP` bytes where it had one.

    Raises :class:`Refused` for other encodings than those asked for, ``zlib.error`` on damage.
    """
    encoding = encoding.lower()
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Refused("is packed in a way that was not asked for")
    # 32: gzip or zlib by the header. Raw deflate is told by its first bytes.
    decoder = zlib.decompressobj(32 + zlib.MAX_WBITS)
    first = True
    for piece in pieces:
        if first and piece and encoding == "deflate" and piece[0] & 15 != 8:
            decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        first = False
        left = piece
        while left:
            yield decoder.decompress(left, STEP)
            left = decoder.unconsumed_tail
    yield decoder.flush()
    if not first and not decoder.eof:
        raise zlib.error


_BINARY = re.compile(
    rb"\x89PNG|GIF8|\xff\xd8\xff|RIFF....WEBP|wOF[F2]|\0asm|PK\x03\x04|%PDF-|\x1f\x8b|OggS|ID3|"
    rb"\x28\xb5\x2f\xfd|\0\0\x01\0|\0\x01\0\0\0|OTTO",
    re.DOTALL,
)


def _is_binary(data: bytes | bytearray) -> bool:
    """Whether a body is no text. Its ``Content-Type`` is not asked: it may lie."""
    head = bytes(data[:HEAD])
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16, which is full of zeros
        return False
    return _BINARY.match(head) is not None or head.count(0) > len(head) // 16
