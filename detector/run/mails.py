"""Mailboxes: the findings of the bytes as they stand, but in encoded parts, which are decoded.

The bytes are scanned as those of any file. What is found waits for the end of its mail; then the
parts that were written as base64 or quoted-printable are scanned as what they stand for, and what
was found in their bytes as they stand is left out: so nothing is told twice.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from detector.chats.mail import LONGEST, Mail, Mails, Part, origin_of, parts_of
from detector.cluster import Group
from detector.run.docket import Waiting
from detector.run.unit import Counts, Result
from detector.scanner import Scanner
from detector.sources import is_packed
from detector.stream import Window
from detector.types import Finding, Skipped

_HEADER = re.compile(rb"^([!-9;-~]+)[ \t]*:", re.MULTILINE)


class _Read(NamedTuple):
    """What is known of a mail that has ended, but its bytes."""

    mail: Mail
    table: str | None
    origin: dict[str, Any]
    body: int
    parts: list[Part]
    headers: list[tuple[int, str]]

    def __repr__(self) -> str:
        return f"Read({self.mail})"

    def placed(self, finding: Finding, field: str | None) -> Finding:
        return msgspec.structs.replace(
            finding, table=self.table, field=field, row=self.mail.number, origin=self.origin
        )

    def part(self, at: int) -> Part | None:
        return next((part for part in self.parts if part.start <= at < part.end), None)

    def field(self, at: int) -> str | None:
        if (part := self.part(at)) is not None:
            return part.name
        if at >= self.body:
            return None
        return next((name for begin, name in reversed(self.headers) if begin <= at), None)


def in_mails(
    results: Iterable[Result | Waiting],
    scanner: Scanner,
    window: Window,
    mails: Mails,
    path: str,
) -> Iterator[Result | Waiting]:
    """The same with what stands in encoded parts, by mail."""
    box = _Box(scanner, mails, path)
    later: list[Result | Waiting] = []
    for result in results:
        if isinstance(result, Counts):
            yield result
        elif isinstance(result, Waiting):
            box.hold(result)
        else:
            later.append(result)
        yield from box.ended()
    mails.pass_to(window.buffer, window.base, window.end)
    mails.finish()
    yield from box.ended()
    yield from later


class _Box:
    """What was found in mails that have not ended, and the last of them that has."""

    def __init__(self, scanner: Scanner, mails: Mails, path: str) -> None:
        self._scanner, self._mails, self._path = scanner, mails, path
        self._held: deque[Group] = deque()
        self._waiting: Waiting | None = None
        self._read: _Read | None = None

    def hold(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._held.extend(waiting.groups)

    def ended(self) -> Iterator[Result | Waiting]:
        done, self._mails.done = self._mails.done, []
        for mail in done:
            yield from self._one(mail)

    def _one(self, mail: Mail) -> Iterator[Result | Waiting]:
        groups = []
        while self._held and self._held[0].start < mail.end:
            groups.append(self._held.popleft())
        if mail.rest and self._read is not None:
            read = self._read._replace(mail=mail, body=0, parts=[], headers=[])
            reason = f"of a mail of more than {LONGEST >> 20} MB the rest is not decoded"
            yield Skipped(path=self._path, reason=reason, nbytes=len(mail.data))
        else:
            read = _read(self._scanner, mail, self._path)
        self._read = read._replace(mail=mail._replace(data=b""), parts=[])
        if groups and self._waiting is not None:
            yield self._waiting._replace(groups=groups, findings=_placed(self._waiting, read))
        yield from _in_parts(self._scanner, read, self._path)


def _read(scanner: Scanner, mail: Mail, path: str) -> _Read:
    headers, body, parts = parts_of(mail.data)
    box = re.split(r"[!/\\]", path)
    name = box[-2] if path.lower().endswith(".eml") and len(box) > 1 else box[-1]
    origin = {k: v and scanner.safe_name(v) for k, v in origin_of(headers, name).items()}
    begun = [
        (match.start(), scanner.safe_name(match[1].decode("ascii")) or "")
        for match in _HEADER.finditer(mail.data, 0, body)
    ]
    return _Read(mail, origin["channel"], origin, body, parts, begun)


def _placed(waiting: Waiting, read: _Read) -> Any:
    start = read.mail.start
    coded = [(start + part.start, start + part.end) for part in read.parts if part.encoding]
    light = read._replace(
        mail=read.mail._replace(data=b""), parts=[part._replace(data=b"") for part in read.parts]
    )

    def findings(groups: Sequence[Group]) -> Iterator[Finding]:
        for one in waiting.findings(groups):
            if not any(begin <= one.start < end for begin, end in coded):
                yield light.placed(one, light.field(one.start - start))

    return findings


def _in_parts(scanner: Scanner, read: _Read, path: str) -> Iterator[Finding | Skipped]:
    parts = [part for part in read.parts if part.encoding]
    for part in parts:
        if is_packed(part.data):
            reason = "an archive or compression in a mail is not opened"
            yield Skipped(path=path, reason=reason, nbytes=len(part.data))
    found = scanner.scan_many([part.data for part in parts])
    for part, findings in zip(parts, found, strict=True):
        spans = part.spans(read.mail.data, [(one.start, one.end) for one in findings])
        for one, span in zip(findings, spans, strict=True):
            yield read.placed(_in_file(read.mail, part, one, path, *span), part.name)


def _in_file(mail: Mail, part: Part, found: Finding, path: str, start: int, end: int) -> Finding:
    """``start`` and ``end``: where it stands in the mail."""
    as_is = mail.data[start:end] == found.secret.reveal()
    return msgspec.structs.replace(
        found,
        path=path,
        start=mail.start + start,
        end=mail.start + end,
        line=mail.line + mail.data.count(b"\n", 0, start),
        column=start - mail.data.rfind(b"\n", 0, start),
        decoded=found.decoded if as_is else (part.encoding or "", *found.decoded),
    )
