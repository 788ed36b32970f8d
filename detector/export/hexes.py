"""Redacting what a dump writes as hexadecimal digits, before the text itself is redacted."""

from __future__ import annotations

import re
from collections import Counter

from detector.mask import Mask
from detector.scanner import Scanner

SHORTEST = 32  # digits: nothing shorter than 16 bytes is looked at
LONGEST = 32 << 20  # digits that wait for their end at most
_RUN = re.compile(rb"(?<=\\x)[0-9a-fA-F]{%d,}|(?<=[(,\s]0x)[0-9a-fA-F]{%d,}" % (SHORTEST, SHORTEST)
                  + rb"|(?<=[xX]')[0-9a-fA-F]{%d,}" % SHORTEST)  # fmt: skip
_OPEN = re.compile(rb"(?:\\x?|0x?|[xX]'?)(?:(?<=[x'])[0-9a-fA-F]*)?\Z")


class HexFilter:
    """Text in, text out. ``found`` counts what was replaced, by rule."""

    def __init__(self, scanner: Scanner, mask: Mask) -> None:
        self._scanner, self._mask = scanner, mask
        self._held = b""
        self.found: Counter[str] = Counter()

    def feed(self, data: bytes, *, final: bool = False) -> bytes:
        """The next piece; what can be let go of."""
        text = self._held + data
        self._held = b""
        if not final and len(text) < LONGEST:
            digits = len(text) - len(text.rstrip(b"0123456789abcdefABCDEF"))
            opened = _OPEN.search(text, max(0, len(text) - digits - 2))
            if opened is not None:
                text, self._held = text[: opened.start()], text[opened.start() :]
        if b"x" not in text and b"X" not in text:
            return text
        clean: bytes = _RUN.sub(self._clean, text)
        return clean

    def _clean(self, run: re.Match[bytes]) -> bytes:
        digits = run[0]
        whole = len(digits) & ~1
        clean, findings = self._scanner.redact(
            bytes.fromhex(digits[:whole].decode()), mask=self._mask
        )
        if not findings:
            return digits
        self.found.update(finding.rule for finding in findings)
        return bytes(clean.hex().encode() + digits[whole:])
