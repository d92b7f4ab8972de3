"""Pages of a column in a Parquet table (https://parquet.apache.org/docs/file-format/data-pages/)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_ftc.comparison.members.formats.compression import decompress, gzip_decoder, zstd_decoder
from pytest_ftc.comparison.members.formats.data.snappy import decode_snappy
from pytest_ftc.comparison.members.formats.data.thrift import ThriftReader
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, span_of

_PLAIN, _SNAPPY, _GZIP, _ZSTD = 0, 1, 2, 6
"""Numbers of CompressionCodec."""
CODECS = (_PLAIN, _SNAPPY, _GZIP, _ZSTD)
"""Those that are read."""
DATA, DICTIONARY, DATA_V2 = 0, 2, 3
"""Numbers of PageType."""
_LARGEST = 64 << 20
_HEADER = 64 << 10
_V2_HEADER = 8


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    kind: int
    """A number of PageType."""
    header: dict[int, Any]
    """PageHeader by the numbers of its fields."""
    data: bytes
    """Levels and values; levels are never compressed in pages of version 2."""
    start: int
    """Where its header begins in the column."""
    heads: bytes
    """The numbers and types of the fields in its header, as they are stored."""


def read_pages(stored: Span, codec: int, budget: Budget) -> Iterator[Page]:
    """Yield the pages, decompressed.  Raises ValueError, IndexError, KeyError, LimitReachedError, OutOfTimeError."""
    position = 0
    while position < stored.size:
        reader = ThriftReader(stored.read(position, _HEADER))
        header, start = reader.read_struct(), position
        position += reader.position
        kind, plain, size = header[1], header[2], header[3]
        if not 0 <= size <= _LARGEST or plain > _LARGEST:
            raise LimitReachedError(f"a page larger than {_LARGEST} bytes")
        data = stored.part(position, size)
        position += size
        yield Page(kind, header, _decompress_page(header, data, codec, budget), start, bytes(reader.heads))


def levels_size(header: dict[int, Any]) -> tuple[int, int]:
    """Return the bytes of the repetition and of the definition levels in a page of version 2.  Raises ValueError."""
    own = header[_V2_HEADER]
    repetition, definition = own[6], own[5]
    if min(repetition, definition) < 0:
        raise ValueError("levels of a negative size")
    return repetition, definition


def _decompress_page(header: dict[int, Any], data: Span, codec: int, budget: Budget) -> bytes:
    kind, plain = header[1], header[2]
    if kind in (DATA, DICTIONARY):
        return _decompress(data, codec, plain, budget)
    if kind != DATA_V2 or not header[_V2_HEADER].get(7, True):
        return data.read(0, data.size)
    levels = sum(levels_size(header))
    values = data.part(levels, data.size - levels)
    return data.read(0, levels) + (_decompress(values, codec, plain - levels, budget) if values.size else b"")


def _decompress(data: Span, codec: int, size: int, budget: Budget) -> bytes:
    packed = data.read(0, data.size)
    if codec == _SNAPPY:
        return decode_snappy(packed, size)
    if codec == _PLAIN:
        return packed
    done = decompress(span_of(packed), gzip_decoder if codec == _GZIP else zstd_decoder, budget)
    if done.end != data.size:
        raise ValueError("a page that has more than compressed data")
    return done.payload.read(0, done.payload.size)
