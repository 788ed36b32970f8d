"""What a container may cost, and how a reader says that it cannot go on."""

from __future__ import annotations

from typing import Protocol

import msgspec

MIB = 1 << 20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what one top-level file may unfold into.

    All reading is streamed, so these bound time and the memory of decoders; nothing here is
    about the size of an honest file. There is no bound on one member's size: a dump of
    500 GB in one gzip file is ordinary, and the ratio already ties what comes out to what
    lies on the disk.
    """

    depth: int = 8
    """Containers and compressions inside each other. Real nesting ends at four or five
    (an image layer in a tar.gz, a jar in it, a jar in that)."""

    ratio: int = 200
    """Bytes out for each byte in, per compressed stream, and for everything that comes out
    of a file together. Dumps and logs compress 5 to 50 times; a deflate bomb makes 1,030,
    nested ones the product of their levels."""

    ratio_from: int = 16 * MIB
    """The ratio is not looked at before this many bytes came out: small files of zeros are
    common and cost nothing."""

    total_bytes: int = 4 << 40
    """Bytes out of all the streams of one file: at 1 GB/s about an hour."""

    members: int = 1_000_000
    """Members of all the archives in one file. Each costs some 50 microseconds."""

    window_bytes: int = 128 * MIB
    """What one decoder may keep: the window of `zstd --long=27` (more needs a flag in zstd
    itself too); `xz -9` needs 65 MiB, gzip and bzip2 less than 8."""


class Damaged(Exception):  # noqa: N818  (a fact about the input that never leaves this package)
    """A stream ends before its data does; it becomes a `Skipped` at the entry being read.

    ``nbytes`` is what was passed over or is missing, 0 where nobody can know.
    """

    def __init__(self, reason: str, nbytes: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.nbytes = reason, nbytes


class Counted(Protocol):
    """A top-level file that knows how far it was read."""

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far."""

    @property
    def bytes_left(self) -> int:
        """Bytes of the file not taken yet, 0 where its size is unknown."""


class Budget:
    """Counts what one top-level file has cost so far.

    Once ``spent``, nothing further of the file is opened.
    """

    def __init__(self, limits: Limits, file: Counted) -> None:
        self.limits, self.file = limits, file
        self.spent = False
        self._out = 0
        self._members = 0

    def charge(self, nbytes: int) -> None:
        """Count decompressed bytes. Raises `Damaged` when the file is spent."""
        self._out += nbytes
        if self._out > self.limits.total_bytes:
            raise self._exhausted(f"expands to more than {self.limits.total_bytes} bytes")
        if too_large(self.limits, self.file.bytes_read, self._out):
            raise self._exhausted(f"expands more than {self.limits.ratio} times")

    def member(self) -> None:
        """Count one more archive member. Raises `Damaged` when the file is spent."""
        self._members += 1
        if self._members > self.limits.members:
            raise self._exhausted(f"holds more than {self.limits.members} members")

    def _exhausted(self, reason: str) -> Damaged:
        self.spent = True
        return Damaged(f"file {reason}", self.file.bytes_left)


def too_large(limits: Limits, taken: int, made: int) -> bool:
    """Whether ``made`` bytes out of ``taken`` bytes in look like a bomb."""
    return made > limits.ratio_from and made > limits.ratio * taken
