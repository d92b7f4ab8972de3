"""Parts of open files: a member that is stored uncompressed is a part of its container, and is not copied."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, cast

from pytest_ftc.comparison.members.limits import Budget, LimitReachedError

_CHUNK = 1 << 17
"""Bytes read at once; two such chunks fit in the processor's cache."""
_ZEROS = bytes(_CHUNK)
_IN_MEMORY = 1 << 20
"""A decompressed member above this size goes to a temporary file."""


@dataclass(frozen=True, slots=True)
class Span:
    """`size` bytes of an unbuffered `file`, starting at `start`."""

    file: BinaryIO
    start: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes at `offset`; fewer at the end, none before the start."""
        size = min(size, self.size - offset)
        if size <= 0 or offset < 0:
            return b""
        self.file.seek(self.start + offset)
        return self.file.read(size)

    def part(self, offset: int, size: int) -> Span:
        """Return a part of this span.  Raises ValueError if it exceeds the span."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError(f"{size} bytes at {offset:#x} exceed its {self.size} bytes")
        return Span(self.file, self.start + offset, size)


def whole_file(file: BinaryIO) -> Span:
    """Return a span of a whole unbuffered file."""
    return Span(file, 0, file.seek(0, os.SEEK_END))


def span_of(data: bytes) -> Span:
    """Return a span of `data`."""
    return Span(io.BytesIO(data), 0, len(data))


def spool(chunks: Iterable[bytes], budget: Budget) -> Span:
    """Return a span of the joined `chunks`, in memory or in an unnamed temporary file.

    Raises LimitReachedError, OutOfTimeError, OSError; `budget.partial` then holds the chunks up to that point.
    """
    file: BinaryIO = io.BytesIO()
    size = 0
    try:
        for chunk in chunks:
            budget.take_bytes(len(chunk))
            if size <= _IN_MEMORY < size + len(chunk):
                file = _move_to_disk(cast(io.BytesIO, file), budget)
            file.write(chunk)
            size += len(chunk)
    except Exception:
        budget.partial = Span(file, 0, size)
        raise
    return Span(file, 0, size)


def _move_to_disk(memory: io.BytesIO, budget: Budget) -> BinaryIO:
    file = cast(BinaryIO, tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 - the budget closes it
    budget.hold(file)
    file.write(memory.getbuffer())
    return file


def first_unequal(one: Span, other: Span, budget: Budget) -> int | None:
    """Return the offset of the first difference, None if they are equal.  Raises OutOfTimeError."""
    if budget.compared[:2] != (one, other):
        budget.compared = (one, other, _find_unequal(one, other, budget))
    return budget.compared[2]


def _find_unequal(one: Span, other: Span, budget: Budget) -> int | None:
    position = 0
    while True:
        budget.check_time()
        left, right = one.read(position, _CHUNK), other.read(position, _CHUNK)
        if left != right:
            return position + common_start(left, right)
        if not left:
            return None
        position += len(left)
        if left == _ZEROS:
            position = max(position, min(skip_hole(one, position), skip_hole(other, position)))


def skip_hole(span: Span, position: int) -> int:
    """Return the next position with data in a sparse file (lseek(2), SEEK_DATA): reading large holes takes seconds."""
    if not isinstance(span.file, io.FileIO) or not hasattr(os, "SEEK_DATA"):
        return position
    try:
        return min(span.size, os.lseek(span.file.fileno(), span.start + position, os.SEEK_DATA) - span.start)
    except OSError as error:
        return span.size if error.errno == errno.ENXIO else position


def same(one: Span, other: Span, budget: Budget) -> bool:
    """Return whether both have the same bytes.  Raises OutOfTimeError."""
    if (one.file, one.start, one.size) == (other.file, other.start, other.size):
        return True
    return one.size == other.size and first_unequal(one, other, budget) is None


def common_start(left: bytes, right: bytes) -> int:
    """Return the length of the common prefix.  A binary search is fast, because Python compares slices in C."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_end(left: bytes, right: bytes) -> int:
    """Return the length of the common suffix."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[len(left) - middle : len(left) - low] == right[len(right) - middle : len(right) - low]:
            low = middle
        else:
            high = middle - 1
    return low


class SpanFile(io.RawIOBase):
    """A span as a file for parsers that trust their input; it limits the time, the total size and each read."""

    def __init__(self, span: Span, budget: Budget, most: int = 16 << 20) -> None:
        self._span = span
        self._budget = budget
        self._left = most
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._position, self._span.size)[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position

    def record(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        self._budget.check_time()
        available = max(0, self._span.size - self._position)
        size = available if size is None or size < 0 else min(size, available)
        self._left -= size
        if self._left < 0:
            raise LimitReachedError("its headers are too large")
        data = self._span.read(self._position, size)
        self._position += len(data)
        return data
