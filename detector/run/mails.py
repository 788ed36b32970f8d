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
    held: deque[Group] = deque()
    last: Waiting | None = None
    later: list[Result | Waiting] = []
    for result in results:
        if isinstance(result, Counts):
            yield result
        elif isinstance(result, Waiting):
            last = result
            held.extend(result.groups)
        else:
            later.append(result)
        yield from _ended(scanner, mails, path, held, last)
    mails.pass_to(window.buffer, window.base, window.end)
    mails.finish()
    yield from _ended(scanner, mails, path, held, last)
    yield from later


def _ended(
    scanner: Scanner, mails: Mails, path: str, held: deque[Group], last: Waiting | None
) -> Iterator[Result | Waiting]:
    done, mails.done = mails.done, []
    for mail in done:
        groups = []
        while held and held[0].start < mail.start + mail.size:
            groups.append(held.popleft())
        read = _read(scanner, mail, path)
        if groups and last is not None:
            yield last._replace(groups=groups, findings=_as_they_stand(last, read))
        yield from _in_parts(scanner, read, path)
        if mail.size > len(mail.data):
            reason = f"of a mail of more than {LONGEST >> 20} MB the rest is not decoded"
            yield Skipped(path=path, reason=reason, nbytes=mail.size - len(mail.data))


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


def _as_they_stand(waiting: Waiting, read: _Read) -> Any:
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
        decoded=() if as_is else (part.encoding or "",),
    )
