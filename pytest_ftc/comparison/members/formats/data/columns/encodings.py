"""Encodings of numbers in Parquet tables (https://parquet.apache.org/docs/file-format/data-pages/encodings/)."""

from __future__ import annotations

from pytest_ftc.comparison.members.formats.data.protobuf import read_varint

_WIDEST = 64
"""Bits of a packed number."""
_MOST_IN_BLOCK = 1 << 16


def decode_hybrid(data: bytes, width: int, count: int) -> tuple[list[int], int]:
    """Return `count` numbers of `width` bits from runs and groups of eight packed ones, and where they end.

    Raises ValueError, IndexError if the data end too early.
    """
    numbers: list[int] = []
    position = 0
    while len(numbers) < count:
        head, position = read_varint(data, position)
        if head < 2:
            raise ValueError("an empty run")
        if head & 1:
            # The last group is filled up.
            groups = min(head >> 1, -((len(numbers) - count) // 8))
            numbers += unpack(data[position : position + groups * width], width, groups * 8)
            position += groups * width
        else:
            size = (width + 7) // 8
            value = int.from_bytes(_take(data, position, size), "little")
            numbers += [value] * min(head >> 1, count - len(numbers))
            position += size
    return numbers[:count], position


def unpack(data: bytes, width: int, count: int) -> list[int]:
    """Return `count` numbers, a multiple of eight, of `width` bits each, the first in the lowest bits.

    Raises ValueError if the data end too early.
    """
    if not width:
        return [0] * count
    if width > _WIDEST or len(data) * 8 < count * width:
        raise ValueError("packed numbers are too wide, or end too early")
    mask, shifts = (1 << width) - 1, range(0, 8 * width, width)
    # Eight numbers take as many bytes as one takes bits.
    groups = (int.from_bytes(data[start : start + width], "little") for start in range(0, count // 8 * width, width))
    return [group >> shift & mask for group in groups for shift in shifts]


def decode_delta(data: bytes, size: int, count: int) -> tuple[bytes, int]:
    """Return integers of `size` bytes that are stored as differences (DELTA_BINARY_PACKED), and where they end.

    Raises ValueError, IndexError.
    """
    per_block, position = read_varint(data, 0)
    parts, position = read_varint(data, position)
    total, position = read_varint(data, position)
    value, position = _signed(data, position)
    if not parts or per_block % (8 * parts) or per_block > _MOST_IN_BLOCK or total != count:
        raise ValueError("an invalid block of differences")
    values = [value] if count else []
    while len(values) < count:
        least, position = _signed(data, position)
        widths = _take(data, position, parts)
        position += parts
        for width in widths:
            if len(values) >= count:
                break
            packed = per_block // parts * width // 8
            for number in unpack(data[position : position + packed], width, per_block // parts):
                value += least + number
                values.append(value)
            position += packed
    mask = (1 << 8 * size) - 1
    return b"".join((each & mask).to_bytes(size, "little") for each in values[:count]), position


def join_streams(data: bytes, size: int) -> bytes:
    """Return numbers of `size` bytes whose first bytes come first, then all second ones (BYTE_STREAM_SPLIT)."""
    joined, count = bytearray(len(data)), len(data) // size
    for byte in range(size):
        joined[byte::size] = data[byte * count : (byte + 1) * count]
    return bytes(joined)


def _signed(data: bytes, position: int) -> tuple[int, int]:
    number, position = read_varint(data, position)
    return (number >> 1) ^ -(number & 1), position


def _take(data: bytes, position: int, size: int) -> bytes:
    taken = data[position : position + size]
    if len(taken) != size:
        raise ValueError("it ends too early")
    return taken
