"""A file of which some bytes read as zeros, because they are compared by themselves."""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Sequence
from typing import BinaryIO, cast

from pytest_ftc.comparison.members.span import Span


class _Blanked(io.RawIOBase):
    def __init__(self, span: Span, ranges: Sequence[tuple[int, int]]) -> None:
        self._span = span
        self._ranges = sorted((start, start + size) for start, size in ranges)
        self._longest = max((size for _, size in ranges), default=0)
        self._position = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 0
        self._position = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        start = self._position
        data = bytearray(self._span.read(start, self._span.size - start if size < 0 else size))
        self._position += len(data)
        near = bisect_left(self._ranges, (start - self._longest, 0))
        for first, last in self._ranges[near : bisect_left(self._ranges, (start + len(data), 0))]:
            first, last = max(first - start, 0), min(last - start, len(data))
            if first < last:
                data[first:last] = bytes(last - first)
        return bytes(data)


def blank(span: Span, ranges: Sequence[tuple[int, int]]) -> Span:
    """Return `span` with zeros in the `ranges`, pairs of an offset and a size."""
    return Span(cast(BinaryIO, _Blanked(span, ranges)), 0, span.size)
