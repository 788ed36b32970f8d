"""Columns of which every value goes: what only a look at all of them has told.

What is reported as a whole goes before rules look at the text, so that equal values have equal
masks. Where rules know most of a column and only the rest would be reported, what they have
replaced stays as they left it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from detector.fingerprint import Fingerprinter
from detector.mask import Mask, characters, stand_in
from detector.tables.csvs import Csv
from detector.tables.fields import Fields, Value
from detector.tables.layout import Dialect
from detector.tables.spans import MOST
from detector.tables.sql import Sql

Columns = Mapping[tuple[str, str], str]
"""By table and field, what its column is reported as."""

_MASKS = {
    Mask.label: rb"\[redacted(?::[a-z0-9-]+)?\]|\*+",
    Mask.stars: rb"\*+",
    Mask.pseudonym: rb"\[(?:[a-z0-9-]+:)?[0-9a-f]{4,32}\]|\*+",
}
_UUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NESTED = re.compile(rb"\s*(?:\{.*\}|\[.*\])\s*", re.DOTALL)
# What stands for one character, in any of the formats.
_ONE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|''|\"\"",
    re.DOTALL,
)
# A number that the judge takes for neither a token (18 digits) nor a password (4).
_TOKEN_DIGITS, _PASSWORD_DIGITS = 17, 3


class ColumnMask:
    """Gives the masks of single values. ``found`` counts them, by what the column is."""

    def __init__(self, columns: Columns, mask: Mask, fingerprinter: Fingerprinter) -> None:
        self.columns = columns
        self._mask, self._fingerprinter = mask, fingerprinter
        self._masked = re.compile(_MASKS[mask])
        self.found: Counter[str] = Counter()

    def wanted(self, table: str, field: str) -> bool:
        """Whether the values of a column go."""
        return (table, field) in self.columns

    def __call__(self, table: str, field: str, raw: bytes, *, bare: bool = False) -> bytes:
        """What stands in a value's place: of the same type, and as short. ``bare``: it may have
        to be a number."""
        rule = self.columns[table, field]
        if not raw or self._masked.fullmatch(raw) or _is_nested(rule, raw):
            return raw
        self.found[rule] += 1
        if bare and raw.isdigit():
            return self._number(rule, raw)
        if _UUID.fullmatch(raw):  # a column of UUIDs takes nothing else
            return self._uuid(raw)
        room = characters(_ONE.sub(b"x", raw))
        return stand_in(rule, raw, self._mask, self._fingerprinter, room=room, fit=True)

    def _number(self, rule: str, raw: bytes) -> bytes:
        if self._mask is not Mask.pseudonym:
            return b"0"
        most = _PASSWORD_DIGITS if "password" in rule else _TOKEN_DIGITS
        digits = min(len(raw), most)
        low = 10 ** (digits - 1)
        drawn = int(self._fingerprinter.pseudonym(raw, 32), 16)
        return str(low + drawn % (9 * low)).encode()

    def _uuid(self, raw: bytes) -> bytes:
        """Of version 4 by its form, with 60 bits that name the secret."""
        name = "0" * 15
        if self._mask is Mask.pseudonym:
            name = self._fingerprinter.pseudonym(raw.lower(), 15)
        return f"00000000-0000-4000-8{name[:3]}-{name[3:]}".encode()


def _ends(before: bytes, quote: bytes) -> bool:
    return bool(quote) and before.endswith(quote)


def _is_nested(rule: str, raw: bytes) -> bool:
    """An object or array of a type of its own, in a column that is known by its name only: in it
    rules have looked for what is behind names."""
    return not rule.endswith("-column") and _NESTED.fullmatch(raw) is not None


class ColumnFilter:
    """Text in, text out, whatever the cut."""

    def __init__(self, dialect: Dialect, masks: ColumnMask) -> None:
        self._dialect, self._masks = dialect, masks
        self._fields = Fields(dialect, masks.wanted)
        self._held, self._base = b"", 0
        self.found = masks.found
        self.missed = 0
        """Values longer than 16 MB, which stay as they are."""

    def feed(self, data: bytes, *, final: bool = False) -> bytes:
        """The next piece; what can be let go of."""
        if not self._masks.columns:
            return data
        values = self._fields.feed(data)
        if final:
            values += self._fields.finish()
        text, base = self._held + data, self._base
        parts, at = [], 0
        for value in values:
            begin, end = value.start - base, value.end - base
            if begin < at:  # its begin was let go
                continue
            parts += [text[at:begin], self._clean(value, text[max(0, begin - 2) : begin])]
            at = end
        upto = len(text) if final else max(at, self._fields.settled - base - 2)
        if len(text) - upto > MOST:
            self.missed += 1
            upto = len(text)
        parts.append(text[at:upto])
        self._held, self._base = text[upto:], base + upto
        return b"".join(parts)

    def _clean(self, value: Value, before: bytes) -> bytes:
        """``before``: the two bytes in front, a quote if there is one."""
        table, field, raw = value.table, value.field, value.raw
        if isinstance(self._dialect, Csv):
            clean = self._masks(table, field, raw, bare=not _ends(before, self._dialect.quote))
            return b"*" * len(clean) if self._dialect.delimiter in clean else clean
        if not isinstance(self._dialect, Sql):
            quoted = before.endswith(b'"')
            if not quoted and not raw.isdigit():
                return raw  # a truth value, or a number that is no secret
            return self._masks(table, field, raw, bare=not quoted)
        if before.upper() == b"X'":
            return self._in_hex(table, field, raw)
        if not raw.isdigit() and before[-1:] in (b"(", b",", b" "):
            return raw  # a word or an expression of SQL
        return self._masks(table, field, raw, bare=not before.endswith(b"'"))

    def _in_hex(self, table: str, field: str, digits: bytes) -> bytes:
        try:
            raw = bytes.fromhex(digits.decode())
        except ValueError:
            return digits
        return self._masks(table, field, raw).hex().encode()
