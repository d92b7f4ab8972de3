"""Numbers in a column of a Parquet table, by row.

A value that is missing is an element too: each has its definition level behind it, unless none can be missing.
"""

from __future__ import annotations

import hashlib
import math
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pytest_ftc.comparison.members.formats.data.columns.encodings import decode_delta, decode_hybrid, join_streams
from pytest_ftc.comparison.members.formats.data.columns.pages import (
    DATA,
    DATA_V2,
    DICTIONARY,
    Page,
    levels_size,
    read_pages,
)
from pytest_ftc.comparison.members.formats.data.columns.shapes import Shape
from pytest_ftc.comparison.members.formats.data.element_types import make_array
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.numbers.measure import Decode, Number
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.comparison.members.values import Elements

_MOST = 2_000_000
"""Values of a column in a group of rows, and also of one page."""
_PLAIN, _PLAIN_DICTIONARY, _DELTA, _RLE_DICTIONARY, _SPLIT = 0, 2, 5, 8, 9
"""Numbers of Encoding."""
_RLE = 3
"""The encoding of levels."""
_HEADERS = {DATA: 5, DICTIONARY: 7, DATA_V2: 8}
"""The field of PageHeader with the header of its type."""
_COUNT = 1
_ENCODING = {DATA: 2, DATA_V2: 4}
_LENGTH = 4
"""Bytes of the length before levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A column of one group of rows."""

    stored: Span
    codec: int
    first_row: int


def read_numbers(chunk: Chunk, shape: Shape, budget: Budget) -> Elements:
    """Return the numbers of a column.

    Raises LimitReachedError, OutOfTimeError, and ValueError, KeyError, IndexError, struct.error for an invalid one.
    """
    reader = _Reader(chunk, shape, budget)
    content = spool(reader.read(), budget)
    made = make_array(content, shape.kind, shape.size)
    if shape.definition and made.show and made.decode:
        made = replace(
            made,
            size=shape.size + 1,
            show=partial(_show, made.show, shape),
            decode=partial(_decode, made.decode, shape),
        )
    return replace(made, locate=partial(_locate, chunk.first_row, reader.rows), places=reader.hash_rest())


def _locate(first: int, rows: Sequence[int] | None, number: int) -> str:
    if rows is None:
        return f"row {first + number}"
    row = rows[number]
    return f"row {first + row}, value {number - bisect_left(rows, row)}"


def _show(show: Any, shape: Shape, data: bytes) -> str:
    level = data[-1]
    if level == shape.definition:
        return str(show(data[:-1]))
    return "null" if level == shape.definition - 1 else f"null of level {level}"


def _decode(decode: Decode, shape: Shape, data: bytes) -> Sequence[Number]:
    step = shape.size + 1
    values = bytearray(len(data) // step * shape.size)
    for byte in range(shape.size):
        values[byte :: shape.size] = data[byte::step]
    levels = data[shape.size :: step]
    return [
        value if level == shape.definition else math.nan
        for value, level in zip(decode(bytes(values)), levels, strict=True)
    ]


class _Reader:
    def __init__(self, chunk: Chunk, shape: Shape, budget: Budget) -> None:
        self._chunk = chunk
        self._shape = shape
        self._budget = budget
        self._dictionary: list[bytes] | None = None
        self._count = 0
        self.rows: array[int] | None = array("q") if shape.repetition else None
        """The row of each value; None if each has one."""
        self._used: set[int] = set()
        """The places in the dictionary that are referred to."""
        self._rest = hashlib.sha256()
        """The bytes of pages that belong to no level and no value."""

    def read(self) -> Iterator[bytes]:
        for page in read_pages(self._chunk.stored, self._chunk.codec, self._budget):
            self._budget.check_time()
            own = page.header.get(_HEADERS.get(page.kind, 0), {})
            if page.kind == DICTIONARY:
                values = self._decode(page.data, own[2], self._check(own[_COUNT]))
                self._dictionary = _split(values, self._shape.size)
            elif page.kind in (DATA, DATA_V2):
                count = self._check(own[_COUNT])
                self._count = self._check(self._count + count)
                yield self._read_data(page, own, count)

    def hash_rest(self) -> bytes:
        """Return a digest of all that was read and is neither a value nor its definition level."""
        whole = self._rest.copy()
        whole.update(self.rows or b"")
        for place, value in enumerate(self._dictionary or ()):
            whole.update(b"" if place in self._used else value)
        return whole.digest()

    def _skip(self, data: bytes) -> None:
        if data:
            self._rest.update(struct.pack("<Q", len(data)) + data)

    @staticmethod
    def _check(count: int) -> int:
        if not 0 <= count <= _MOST:
            raise LimitReachedError(f"a column of more than {_MOST} values")
        return count

    def _read_data(self, page: Page, own: dict[int, Any], count: int) -> bytes:
        repetition, definition, values = self._cut(page, own)
        self._add_rows(self._decode_levels(repetition, self._shape.repetition, count))
        levels = self._decode_levels(definition, self._shape.definition, count)
        found = self._decode(values, own[_ENCODING[page.kind]], levels.count(self._shape.definition))
        return _place(found, bytes(levels), self._shape)

    def _cut(self, page: Page, own: dict[int, Any]) -> tuple[bytes, bytes, bytes]:
        """Return the repetition levels, the definition levels and the values of a page."""
        shape, data = self._shape, page.data
        if page.kind == DATA_V2:
            first, second = levels_size(page.header)
            return data[:first], data[first : first + second], data[first + second :]
        if (shape.definition and own[3] != _RLE) or (shape.repetition and own[4] != _RLE):
            raise LimitReachedError("levels in an encoding that is not read")
        repetition, data = _cut_levels(data) if shape.repetition else (b"", data)
        definition, data = _cut_levels(data) if shape.definition else (b"", data)
        return repetition, definition, data

    def _add_rows(self, levels: Sequence[int]) -> None:
        if self.rows is not None:
            row = self.rows[-1] if self.rows else -1
            for level in levels:
                row += not level
                self.rows.append(row)

    def _decode_levels(self, data: bytes, highest: int, count: int) -> list[int]:
        # Levels that can only be zero are not stored.
        levels, end = decode_hybrid(data, highest.bit_length(), count) if highest else ([0] * count, 0)
        self._skip(data[end:])
        return levels

    def _decode(self, data: bytes, encoding: int, count: int) -> bytes:
        """Return `count` numbers, one after another."""
        size = self._shape.size
        if encoding in (_PLAIN_DICTIONARY, _RLE_DICTIONARY) and self._dictionary is not None:
            indices, end = decode_hybrid(data[1:], data[0], count) if count else ([], -1)
            self._used.update(indices)
            found, end = b"".join(map(self._dictionary.__getitem__, indices)), end + 1
        elif encoding in (_PLAIN, _PLAIN_DICTIONARY):
            # Old writers give the latter for the values of a dictionary too.
            found, end = data[: count * size], count * size
        elif encoding == _SPLIT:
            found, end = join_streams(data, size), len(data)
        elif encoding == _DELTA and self._shape.kind != "f":
            found, end = decode_delta(data, size, count)
        else:
            raise LimitReachedError(f"values in the encoding {encoding}, which is not read")
        self._skip(data[end:])
        if len(found) != count * size:
            raise ValueError("a page that ends too early")
        return found


def _cut_levels(data: bytes) -> tuple[bytes, bytes]:
    """Return the levels at the start of a page of version 1, and the rest."""
    (size,) = struct.unpack_from("<I", data)
    return data[_LENGTH : _LENGTH + size], data[_LENGTH + size :]


def _split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _place(values: bytes, levels: bytes, shape: Shape) -> bytes:
    """Return an element for each of the levels: a value, or zeros where there is none, and its level."""
    if not shape.definition:
        return values
    size, step = shape.size, shape.size + 1
    placed = bytearray(len(levels) * step)
    if len(values) == len(levels) * size:
        for byte in range(size):
            placed[byte::step] = values[byte::size]
    else:
        position = 0
        for number, level in enumerate(levels):
            if level == shape.definition:
                placed[number * step : number * step + size] = values[position : position + size]
                position += size
    placed[size::step] = levels
    return bytes(placed)
