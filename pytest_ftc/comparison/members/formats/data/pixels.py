"""Pixels of a PNG image, from the filtered lines in which it stores them (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import accumulate

from pytest_ftc.comparison.members.formats.data.element_types import make_array
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.comparison.members.values import Elements

_LARGEST = 12 << 20
"""Bytes of the lines of an image whose pixels are read: it takes a few seconds."""
_HEADER = struct.Struct(">IIBBBBB")
_CHANNELS = {
    0: ("gray",),
    2: ("red", "green", "blue"),
    3: ("palette index",),
    4: ("gray", "alpha"),
    6: ("red", "green", "blue", "alpha"),
}
"""By colour type (11.2.1)."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_INDEXED = 3
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and the distance of columns and rows, of each pass of an interlaced image (8.1)."""
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the pixels of an image are stored."""

    width: int
    height: int
    depth: int
    """Bits of a sample."""
    channels: tuple[str, ...]
    is_interlaced: bool

    @property
    def sample(self) -> int:
        """Bytes of a sample, once it is read."""
        return 2 if self.depth == 16 else 1

    @property
    def pixel(self) -> int:
        """Bytes of a pixel, once it is read."""
        return self.sample * len(self.channels)

    @property
    def is_indexed(self) -> bool:
        """Whether samples are places in a palette, and no amounts."""
        return self.channels == _CHANNELS[_INDEXED]

    def line(self, width: int) -> int:
        """Return the bytes of a stored line of `width` pixels, without the byte for its filter."""
        return (width * len(self.channels) * self.depth + 7) // 8


def read_layout(header: Span) -> Layout | None:
    """Read the chunk IHDR (11.2.1); None if it is invalid."""
    if header.size != _HEADER.size:
        return None
    width, height, depth, color, compression, filters, interlace = _HEADER.unpack(header.read(0, header.size))
    if depth not in _DEPTHS.get(color, ()) or compression or filters or interlace > 1 or not width or not height:
        return None
    return Layout(width=width, height=height, depth=depth, channels=_CHANNELS[color], is_interlaced=interlace == 1)


def read_pixels(layout: Layout, lines: Span, budget: Budget) -> Elements | None:
    """Return the samples by row, column and channel; None if the lines are invalid or too large to be read.

    Raises LimitReachedError, OutOfTimeError.
    """
    passes = list(_passes(layout))
    stored = sum(height * (1 + layout.line(width)) for width, height, _ in passes)
    if lines.size != stored or stored > _LARGEST or layout.width * layout.height * layout.pixel > _LARGEST:
        return None
    rows = _Rows(layout, lines, budget).read(passes)
    return None if rows is None else _name(layout, spool([rows], budget))


def _passes(layout: Layout) -> Iterator[tuple[int, int, tuple[int, int, int, int]]]:
    """Yield the width and the height of the images that an image consists of, and where their pixels are."""
    for place in _PASSES if layout.is_interlaced else ((0, 0, 1, 1),):
        left, top, across, down = place
        width, height = -((left - layout.width) // across), -((top - layout.height) // down)
        if width > 0 and height > 0:
            yield width, height, place


def _name(layout: Layout, content: Span) -> Elements:
    shape = (layout.height, layout.width, len(layout.channels))
    made = make_array(content, "u", layout.sample, ">", shape)
    decode = None if layout.is_indexed else made.decode
    return replace(made, kind=f"uint{layout.depth}", decode=decode, locate=partial(_locate, layout))


def _locate(layout: Layout, number: int) -> str:
    pixel, channel = divmod(number, len(layout.channels))
    row, column = divmod(pixel, layout.width)
    return f"pixel row {row}, column {column}, {layout.channels[channel]}"


class _Rows:
    """Undoes the filters of the lines (9.2), and puts the pixels where they belong."""

    def __init__(self, layout: Layout, lines: Span, budget: Budget) -> None:
        self._layout = layout
        self._lines = lines
        self._budget = budget
        self._step = max(1, len(layout.channels) * layout.depth // 8)
        """Bytes between two that a filter relates (9.2)."""
        self._position = 0

    def read(self, passes: list[tuple[int, int, tuple[int, int, int, int]]]) -> bytes | None:
        """Return the samples of all pixels; None if a filter is unknown."""
        pixel, row = self._layout.pixel, self._layout.width * self._layout.pixel
        image = bytearray(row * self._layout.height)
        for width, height, (left, top, across, down) in passes:
            above = bytes(self._layout.line(width))
            for number in range(height):
                line = self._next_line(above)
                if line is None:
                    return None
                above = line
                samples = _unpack(line, self._layout.depth)[: width * pixel]
                start = (top + number * down) * row
                for byte in range(pixel):
                    image[start + left * pixel + byte : start + row : across * pixel] = samples[byte::pixel]
        return bytes(image)

    def _next_line(self, above: bytes) -> bytes | None:
        self._budget.check_time()
        kind, line = self._lines.read(self._position, 1)[0], self._lines.read(self._position + 1, len(above))
        self._position += 1 + len(line)
        if kind == _NONE:
            return line
        if kind == _UP:
            return bytes(one + other & 255 for one, other in zip(line, above, strict=True))
        undo = _UNDO.get(kind)
        if undo is None:
            return None
        restored = bytearray(len(line))
        for first in range(self._step):
            part = slice(first, None, self._step)
            restored[part] = undo(line[part], above[part])
        return bytes(restored)


def _undo_sub(line: bytes, above: bytes) -> bytes:
    return bytes(value & 255 for value in accumulate(line))


def _undo_average(line: bytes, above: bytes) -> bytes:
    left, restored = 0, bytearray()
    for value, up in zip(line, above, strict=True):
        left = value + (left + up) // 2 & 255
        restored.append(left)
    return bytes(restored)


def _undo_paeth(line: bytes, above: bytes) -> bytes:
    """Undo the filter that predicts a byte by the nearest of those to its left, above, and above that (9.4)."""
    left = corner = 0
    restored = bytearray()
    for value, up in zip(line, above, strict=True):
        from_left, from_up, from_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        if from_left <= from_up and from_left <= from_corner:
            nearest = left
        else:
            nearest = up if from_up <= from_corner else corner
        left, corner = value + nearest & 255, up
        restored.append(left)
    return bytes(restored)


_UNDO = {_SUB: _undo_sub, _AVERAGE: _undo_average, _PAETH: _undo_paeth}


def _unpack(line: bytes, depth: int) -> bytes:
    """Return samples of less than 8 bits as a byte each; the first one is in the highest bits (7.2)."""
    if depth >= 8:
        return line
    return b"".join(map(_samples_of_bytes(depth).__getitem__, line))


@cache
def _samples_of_bytes(depth: int) -> list[bytes]:
    """Return the samples in each of the 256 values of a byte."""
    mask, shifts = (1 << depth) - 1, range(8 - depth, -1, -depth)
    return [bytes(value >> shift & mask for shift in shifts) for value in range(256)]
