"""How many fields a message has, before it is parsed: an empty message is two bytes here and a hundred in memory.

See https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from functools import cache
from typing import Any

MOST_FIELDS = 1_500_000
"""Of one message, with all messages in it: more than a folder of 200,000 files has."""
_SMALL = 1 << 20
"""Bytes of messages that cannot take much memory."""
_VARINT, _FIXED_64, _MESSAGE, _FIXED_32 = 0, 1, 2, 5
_WIDTHS = {_FIXED_64: 8, _FIXED_32: 4}
_LONGEST_VARINT = 10


def is_bounded(data: bytes, descriptor: Any, most: int = MOST_FIELDS) -> bool:
    """Return whether `data`, a message of the type `descriptor`, has at most `most` fields; False if it is broken."""
    if len(data) <= _SMALL:
        return True
    left = most
    pending = [(0, len(data), descriptor)]
    try:
        while pending:
            position, end, kind = pending.pop()
            below = _messages_of(kind)
            while position < end:
                left -= 1
                if left < 0:
                    return False
                tag, position = _read_varint(data, position)
                size, position = _read_size(data, position, tag & 7)
                if tag & 7 == _MESSAGE and (inner := below.get(tag >> 3)):
                    pending.append((position, min(position + size, end), inner))
                position += size
    except (IndexError, ValueError):
        return False
    return True


@cache
def _messages_of(descriptor: Any) -> dict[int, Any]:
    """Return the types of the fields that are messages, by number."""
    return {field.number: field.message_type for field in descriptor.fields if field.message_type}


def _read_size(data: bytes, position: int, wire_type: int) -> tuple[int, int]:
    """Return the size of a field's value in bytes, and where it begins.  Raises ValueError and IndexError."""
    if wire_type == _MESSAGE:
        return _read_varint(data, position)
    if wire_type == _VARINT:
        return 0, _read_varint(data, position)[1]
    if wire_type in _WIDTHS:
        return _WIDTHS[wire_type], position
    raise ValueError("no messages of ours have groups")


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number, and where it ends.  Raises ValueError and IndexError."""
    value = 0
    for index in range(_LONGEST_VARINT):
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("a number has more than ten bytes")
