"""Redacting what a dump writes as hexadecimal digits, before the text itself is redacted."""

from __future__ import annotations

from collections import Counter

from detector.mask import Mask
from detector.scanner import Scanner
from detector.tables.hexes import prefix_at_end, runs_in

LONGEST = 32 << 20  # digits that wait for their end at most


class HexFilter:
    """Text in, text out. ``found`` counts what was replaced, by rule."""

    def __init__(self, scanner: Scanner, mask: Mask) -> None:
        self._scanner, self._mask = scanner, mask
        self._held = b""
        self.found: Counter[str] = Counter()

    def feed(self, data: bytes, *, final: bool = False) -> bytes:
        """The next piece; what can be let go of."""
        text = self._held + data
        end = len(text) if final or len(text) >= LONGEST else _settled(text)
        self._held = text[end:]
        parts, at = [], 0
        for start, stop in runs_in(text[:end]):
            parts += [text[at:start], self._clean(text[start:stop])]
            at = stop
        return b"".join([*parts, text[at:end]])

    def _clean(self, digits: bytes) -> bytes:
        whole = len(digits) & ~1
        clean, findings = self._scanner.redact(
            bytes.fromhex(digits[:whole].decode()), mask=self._mask
        )
        if not findings:
            return digits
        self.found.update(finding.rule for finding in findings)
        return bytes(clean.hex().encode() + digits[whole:])


def _settled(text: bytes) -> int:
    """Up to where nothing that follows the text can matter: digits at its end may go on."""
    digits = len(text) - len(text.rstrip(b"0123456789abcdefABCDEF"))
    for end in (len(text) - digits, len(text)):
        if prefix := prefix_at_end(text[:end]):
            return end - len(prefix)
    return len(text)
