"""Protocol buffers on the wire (https://protobuf.dev/programming-guides/encoding/), without the classes of a schema."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ftc.comparison.members.span import Span

_VARINT, _WIDE, _BYTES, _NARROW = 0, 1, 2, 5
"""Wire types: how the bytes of a field are read."""
_LONGEST_NUMBER = 10
_HEADER = 2 * _LONGEST_NUMBER
_SIGN = 1 << 63


def read_fields(span: Span) -> Iterator[tuple[int, int | Span]]:
    """Yield number and value of each field: a number, or the bytes of what has a length or a fixed size.

    Raises ValueError for what is no message.
    """
    position = 0
    while position < span.size:
        data = span.read(position, _HEADER)
        tag, used = read_varint(data, 0)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise ValueError("a field without a number")
        size = {_WIDE: 8, _NARROW: 4}.get(kind, 0)
        if kind == _VARINT:
            value, used = read_varint(data, used)
            yield number, value - 2 * _SIGN if value & _SIGN else value
        elif kind == _BYTES or size:
            if kind == _BYTES:
                size, used = read_varint(data, used)
            yield number, span.part(position + used, size)
        else:
            raise ValueError(f"a field of the unknown type {kind}")
        position += used + (size if kind != _VARINT else 0)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends.  Raises ValueError."""
    value = 0
    for index, byte in enumerate(data[position : position + _LONGEST_NUMBER]):
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value & (2 * _SIGN - 1), position + index + 1
    raise ValueError("a number without an end")
