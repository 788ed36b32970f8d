"""What dumps hold, in files of their own and in archives."""

from __future__ import annotations

from collections.abc import Iterator

from detector.sources.containers import Member
from detector.sources.limits import Budget, Damaged
from detector.sources.pgdump.contents import Contents
from detector.sources.pgdump.dump import CUSTOM, FIXED, TOC, Dump, is_dump
from detector.sources.stream import Stream


def dump_members(stream: Stream, budget: Budget) -> Iterator[Member]:
    """What a dump holds, the definitions first. Raises `Damaged` when it ends too early."""
    yield from Dump(stream, budget).members()


def read_contents(stream: Stream, budget: Budget) -> Contents:
    """What ``toc.dat`` says of the files beside it; as far as it can be read."""
    if not is_dump(stream.peek(FIXED)):
        return Contents()
    try:
        dump = Dump(stream, budget)
    except Damaged:
        return Contents()
    try:
        for _ in dump.definitions() if dump.is_alone else ():
            pass
    except Damaged:
        pass
    return dump.contents


def named_members(members: Iterator[Member], budget: Budget) -> Iterator[Member]:
    """An archive's members. Those behind a ``toc.dat`` in its folder are known by it."""
    folder, contents = "", Contents()
    for member in members:
        where, _, name = member.name.rpartition("/")
        if name == TOC and isinstance(member.data, Stream) and _is_toc(member.data):
            try:
                dump = Dump(member.data, budget)
                folder, contents = where, dump.contents
                for one in dump.members():
                    yield one._replace(name=f"{member.name}!{one.name}")
                member.data.settle()
            except Damaged as damage:
                yield Member(member.name, damage)
        elif where == folder and (data := contents.file(name)):
            yield Member(f"{member.name}!{data.name}", member.data, data.known)
        else:
            yield member


def _is_toc(stream: Stream) -> bool:
    head = stream.peek(FIXED)
    return is_dump(head) and head[10] != CUSTOM
