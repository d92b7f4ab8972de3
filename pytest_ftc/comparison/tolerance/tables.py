"""Parquet tables, split into the numbers in their columns and all that must be the same (parquet.thrift)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_ftc.comparison.members.formats.data.columns.numbers import Chunk, read_numbers
from pytest_ftc.comparison.members.formats.data.columns.pages import DICTIONARY, read_pages
from pytest_ftc.comparison.members.formats.data.columns.shapes import Shape, read_shapes
from pytest_ftc.comparison.members.formats.data.element_types import decode_numbers
from pytest_ftc.comparison.members.formats.data.parquet import is_parquet, read_footer
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.numbers.measure import Number, measure_arrays, measure_lists
from pytest_ftc.comparison.members.span import Span, same
from pytest_ftc.comparison.members.values import is_alike, name_index
from pytest_ftc.comparison.tolerance.measured import Measured
from pytest_ftc.comparison.tolerance.refusal import RefusedError

_Follows = Mapping[int, Any]
_GROUPS, _COLUMNS, _META = 4, 1, 3
_BYTES, _ROWS, _GROUP_OFFSET, _PACKED_BYTES = 2, 3, 5, 6
"""Numbers of fields of RowGroup."""
_OFFSET = 2
"""Of ColumnChunk."""
_PATH, _CODEC, _PLAIN_SIZE, _SIZE, _DATA_OFFSET, _DICTIONARY_OFFSET, _STATISTICS = 3, 4, 6, 7, 9, 11, 12
"""Of ColumnMetaData."""
_META_FOLLOWS = dict.fromkeys((_PLAIN_SIZE, _SIZE, _DATA_OFFSET, _DICTIONARY_OFFSET, _STATISTICS))
_GROUP_FOLLOWS = dict.fromkeys((_BYTES, _GROUP_OFFSET, _PACKED_BYTES))
_FOOTER: _Follows = {_GROUPS: {_COLUMNS: {_OFFSET: None, _META: _META_FOLLOWS}, **_GROUP_FOLLOWS}}
_PAGE: _Follows = {2: None, 3: None, 5: {5: None}, 8: {8: None}}
"""Fields that follow from the numbers: sizes and offsets, which are verified, and statistics, which are measured."""
_OF_VALUES = (_PLAIN_SIZE, _SIZE, _STATISTICS)
_EXTREMES = {1: "largest value", 2: "smallest value", 5: "largest value", 6: "smallest value"}
"""Fields of Statistics that are numbers, old and new ones."""
_BEFORE, _BEHIND = 4, 8
"""Bytes before the columns, and behind the footer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    chunk: Chunk
    shape: Shape
    meta: dict[int, Any]
    data_offset: int
    """Where the first page of data is said to begin in the column."""
    offset: int
    """Which of the places that writers give as that of the column this one does."""


def compare_tables(one: Span, other: Span, budget: Budget) -> Iterator[Measured]:
    """Yield how far the numbers of the columns that differ in two tables are apart.

    Raises RefusedError if anything else differs, OutOfTimeError, LimitReachedError, and whatever readers raise.
    """
    if not is_parquet(other, ""):
        raise RefusedError("only one of them is a table")
    (control, heads), (experiment, other_heads) = (_read(span) for span in (one, other))
    if heads != other_heads or _without(control, _FOOTER) != _without(experiment, _FOOTER):
        raise RefusedError("names, types, metadata or the number of rows differ")
    columns = (list(_find_columns(span, footer)) for span, footer in ((one, control), (other, experiment)))
    for left, right in zip(*columns, strict=True):
        budget.check_time()
        if left.offset != right.offset:
            raise RefusedError("the offsets of columns differ in more than sizes")
        if not same(left.chunk.stored, right.chunk.stored, budget):
            yield from _compare(left, right, budget)
        elif (
            any(left.meta.get(key) != right.meta.get(key) for key in _OF_VALUES)
            or left.data_offset != right.data_offset
        ):
            raise RefusedError(f"the statistics or sizes of column {left.name} differ, and not its values")


def _read(span: Span) -> tuple[dict[int, Any], bytes]:
    """Return the footer, and how its fields are stored."""
    footer, reader = read_footer(span)
    if reader.position != int.from_bytes(span.read(span.size - _BEHIND, 4), "little"):
        raise RefusedError("its footer has more than its fields")
    return footer, bytes(reader.heads)


def _without(value: Any, follows: _Follows) -> Any:
    """Return a structure, or a list of them, in which fields that follow from the numbers are there without a value."""
    if isinstance(value, list):
        return [_without(each, follows) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _without(each, follows[key]) if follows.get(key) else None if key in follows else each
            for key, each in value.items()}  # fmt: skip


def _find_columns(span: Span, footer: dict[int, Any]) -> Iterator[_Column]:
    """Yield the columns, between which and around which nothing else may be, and verify offsets and sizes."""
    shapes, position, first_row = read_shapes(footer), _BEFORE, 0
    for group in footer[_GROUPS]:
        metas = [column[_META] for column in group[_COLUMNS]]
        sizes = group[_BYTES], group.get(_PACKED_BYTES), group.get(_GROUP_OFFSET)
        plain, packed = (sum(meta[key] for meta in metas) for key in (_PLAIN_SIZE, _SIZE))
        if any(one not in (None, other) for one, other in zip(sizes, (plain, packed, position), strict=True)):
            raise RefusedError("the sizes or offsets of a group of rows are wrong")
        for column, meta in zip(group[_COLUMNS], metas, strict=True):
            start, size = position, meta[_SIZE]
            position += size
            if start != min(meta[each] for each in (_DATA_OFFSET, _DICTIONARY_OFFSET) if meta.get(each)):
                raise RefusedError("it has more than columns, such as an index")
            if column[_OFFSET] not in (0, start, position):
                raise RefusedError("the offset of a column is wrong")
            yield _Column(
                name=".".join(each.decode() for each in meta[_PATH]),
                chunk=Chunk(stored=span.part(start, size), codec=meta[_CODEC], first_row=first_row),
                shape=shapes[tuple(meta[_PATH])],
                meta=meta,
                data_offset=meta[_DATA_OFFSET] - start,
                offset=(0, start, position).index(column[_OFFSET]),
            )
        first_row += group[_ROWS]
    if position != span.size - _BEHIND - int.from_bytes(span.read(span.size - _BEHIND, 4), "little"):
        raise RefusedError("it has more than columns, such as an index")


def _compare(one: _Column, other: _Column, budget: Budget) -> Iterator[Measured]:
    shape = one.shape
    if not shape.kind:
        raise RefusedError(f"column {one.name} differs, and has no numbers")
    (control, heads), (experiment, other_heads) = (_read_headers(each, budget) for each in (one, other))
    if heads != other_heads or [_without(header, _PAGE) for header in control] != [
        _without(header, _PAGE) for header in experiment
    ]:
        raise RefusedError(f"the pages of column {one.name} differ in more than their numbers")
    left, right = (read_numbers(each.chunk, shape, budget) for each in (one, other))
    if not is_alike(left, right):
        raise RefusedError(f"column {one.name} differs in more than its numbers")
    assert left.decode is not None
    extent = measure_arrays(left.content, right.content, left.size, left.decode, budget)
    if not extent.differing:
        raise RefusedError(f"the numbers of column {one.name} are the same, and stored otherwise")
    yield Measured(name=one.name, extent=extent, locate=partial(name_index, left), noun="column")
    pairs = zip(_statistics(one, control), _statistics(other, experiment), strict=True)
    yield from (found for pair in pairs for found in _compare_statistics(one, *pair))


def _read_headers(column: _Column, budget: Budget) -> tuple[list[dict[int, Any]], list[bytes]]:
    """Return the headers of the pages, and how their fields are stored; verify sizes and offsets."""
    headers, heads, first = list[dict[int, Any]](), list[bytes](), None
    for page in read_pages(column.chunk.stored, column.chunk.codec, budget):
        if len(page.data) != page.header[2]:
            raise RefusedError("a page has another size than it says")
        headers.append(page.header)
        heads.append(page.heads)
        first = page.start if first is None and page.kind != DICTIONARY else first
    # The headers are not compressed.
    more = sum(header[2] - header[3] for header in headers)
    if first != column.data_offset or more != column.meta[_PLAIN_SIZE] - column.meta[_SIZE]:
        raise RefusedError("the sizes or offsets of a column are wrong")
    return headers, heads


def _statistics(column: _Column, headers: Sequence[dict[int, Any]]) -> Iterator[dict[int, Any]]:
    yield column.meta.get(_STATISTICS, {})
    for header in headers:
        yield header.get(5, {}).get(5, {})
        yield header.get(8, {}).get(8, {})


def _compare_statistics(column: _Column, one: dict[int, Any], other: dict[int, Any]) -> Iterator[Measured]:
    rest = dict.fromkeys(_EXTREMES)
    if _without(one, rest) != _without(other, rest):
        raise RefusedError(f"the statistics of column {column.name} differ in more than numbers")
    keys = [key for key in _EXTREMES if key in one]
    numbers = [[_decode(column.shape, each[key]) for key in keys] for each in (one, other)]
    extent = measure_lists(*numbers)
    if extent.differing:
        name = f"{column.name} of the statistics"
        yield Measured(name=name, extent=extent, locate=lambda number: _EXTREMES[keys[number]], noun="column")


def _decode(shape: Shape, data: bytes) -> Number:
    decode = decode_numbers(shape.kind, shape.size, "<")
    assert decode is not None
    (number,) = decode(data)
    return number
