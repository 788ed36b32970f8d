"""What a text is written in: what is no kind of ASCII is decoded, since nobody would find a
secret in its bytes."""

from __future__ import annotations

import codecs
import json

from detector.hooks.asgi.codings import BodyError
from detector.redact import Redactor
from detector.types import Finding, Skipped

_LIKE_ASCII = frozenset({"utf-8", "utf-8-sig", "ascii", "iso8859-1", "cp1252", "iso8859-15"})


def charset_of(raw: bytes, said: str) -> str:
    """The codec for a text; empty where its bytes can be looked at as they are. The text's first
    bytes count for more than what a header has said, as they do for browsers
    (https://encoding.spec.whatwg.org/#decode). Raises :class:`BodyError`."""
    seen = json.detect_encoding(raw)  # of marks, and of zeros: not for JSON only
    if seen.startswith("utf-8") and not said:
        return ""
    try:
        name = codecs.lookup(said if seen.startswith("utf-8") else seen).name
        "".encode(name)  # there are codecs of other things than text
    except (LookupError, ValueError):
        raise not_kept() from None
    return "" if name in _LIKE_ASCII else name


def not_kept() -> BodyError:
    """The error for a text that is not in its charset."""
    return BodyError("the body's charset is not known, or not kept to", 415)


class Decoded:
    """A redactor for text, fed with bytes of a charset; gives bytes of it. ``feed`` and ``close``
    raise :class:`BodyError` for what is not in the charset."""

    def __init__(self, redactor: Redactor[str], charset: str) -> None:
        self._redactor = redactor
        try:
            self._decoder = codecs.getincrementaldecoder(charset)()
            self._encoder = codecs.getincrementalencoder(charset)()
        except LookupError:
            raise not_kept() from None

    @property
    def findings(self) -> list[Finding]:
        """As the redactor's."""
        return self._redactor.findings

    @property
    def skipped(self) -> list[Skipped]:
        """As the redactor's."""
        return self._redactor.skipped

    def feed(self, raw: bytes) -> bytes:
        """The next bytes; what can be let go of."""
        return self.written(self._redactor.feed(self._text(raw, final=False)))

    def close(self) -> bytes:
        """The rest."""
        last = self._redactor.feed(self._text(b"", final=True))
        return self.written(last + self._redactor.close())

    def written(self, text: str) -> bytes:
        """More text, in the charset."""
        try:
            return self._encoder.encode(text)
        except ValueError:
            raise not_kept() from None

    def _text(self, raw: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(raw, final)
        except ValueError:
            raise not_kept() from None
