"""Findings in an export of chats wait for the end of their message: its origin is known then."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from detector.chats.layout import ChatLayout
from detector.cluster import Group, Match
from detector.run.docket import Waiting
from detector.run.unit import Counts, Result
from detector.sources import FileRef, open_range
from detector.stream import Window
from detector.types import Finding, Skipped

ON = 1 << 16  # bytes read behind a piece at once, for a message that goes on there


def in_messages(
    results: Iterable[Result | Waiting],
    window: Window,
    layout: ChatLayout,
    file: FileRef | None = None,
) -> Iterator[Result | Waiting]:
    """The same in the same order, with their origins. ``file``: that of a piece, behind which the
    last message may go on."""
    held: deque[Result | Waiting] = deque()
    for result in results:
        if isinstance(result, Counts) and not result.newlines:
            yield result
            continue
        held.append(result)
        layout.resolve(window.buffer, window.base, window.end)
        yield from _ready(held)
    layout.pass_to(window.buffer, window.base, window.end)
    if file is not None and layout.waits:
        _read_on(layout, file, window.end)
    layout.finish()
    yield from _ready(held)


def _read_on(layout: ChatLayout, file: FileRef, position: int) -> None:
    reader = open_range(file, position)
    if isinstance(reader, Skipped):
        return
    with reader:
        buffer = memoryview(bytearray(ON))
        while layout.waits and (n := reader.readinto(buffer)):
            layout.go_on(bytes(buffer[:n]))


def _ready(held: deque[Result | Waiting]) -> Iterator[Result | Waiting]:
    while held:
        one = held[0]
        if isinstance(one, Waiting):
            known = _known(one.groups)
            if known < len(one.groups):
                if known:
                    yield _told(one, one.groups[:known])
                    held[0] = one._replace(groups=one.groups[known:])
                return
            yield _told(one, one.groups)
        elif isinstance(one, Finding):
            if one.origin == {}:
                return
            yield _in_channel(one)
        else:
            yield one
        held.popleft()


def _known(groups: Sequence[Group]) -> int:
    """How many of the first have their origins."""
    for n, group in enumerate(groups):
        members: Sequence[Match] = group.members
        if any(one.cell is not None and one.cell.origin == {} for one in members):
            return n
    return len(groups)


def _told(one: Waiting, groups: Sequence[Group]) -> Waiting:
    def findings(groups: Sequence[Group]) -> Iterator[Finding]:
        return map(_in_channel, one.findings(groups))

    return one._replace(groups=groups, findings=findings)


def _in_channel(finding: Finding) -> Finding:
    """Its table is the channel, where there is one."""
    origin: Mapping[str, Any] | None = finding.origin
    if origin is None or origin["channel"] is None:
        return finding
    return msgspec.structs.replace(finding, table=origin["channel"])
