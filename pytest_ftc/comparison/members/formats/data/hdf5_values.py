"""Values in an HDF5 file, by their datatypes (HDF5 File Format Specification 3.0, IV.A.2.d)."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftc.comparison.members.formats.data.element_types import Order, make_array, show_number
from pytest_ftc.comparison.members.formats.data.hdf5_store import Store, dimensions
from pytest_ftc.comparison.members.formats.fixed.reader import number_at
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import Elements

_INTEGER, _FLOAT, _STRING, _ENUM, _VARIABLE = 0, 1, 3, 8, 9
_BIG, _SIGNED = 1, 8
_MOST_TEXTS = 10_000
_REFERENCE = 16
"""Bytes that stand for a text of variable length."""


@dataclass(frozen=True, slots=True)
class Type:
    """The type of an element."""

    kind: str
    """A letter as in NumPy's type codes, ``S`` for texts, ``O`` for texts of variable length; empty for others."""
    size: int
    order: Order = "<"


def read_type(data: bytes) -> Type:
    """Return a datatype.  Raises IndexError if it is cut."""
    kind, bits, size = data[0] & 15, data[1], number_at(data, 4, 4)
    order: Order = ">" if bits & _BIG else "<"
    if kind == _INTEGER:
        return Type("i" if bits & _SIGNED else "u", size, order)
    if kind == _FLOAT:
        return Type("f", size, order)
    if kind == _ENUM:
        # As its base type, as which booleans are stored.
        return read_type(data[8:20]) if len(data) >= 20 and data[8] & 15 == _INTEGER else Type("", size)
    if kind == _STRING:
        return Type("S", size)
    return Type("O" if kind == _VARIABLE and bits & 15 == 1 and size == _REFERENCE else "", size)


def read_value(store: Store, content: Span, type_: Type, shape: Sequence[int]) -> Any:
    """Return what `content` holds: one value, texts, or an array.  Raises ValueError, struct.error, OutOfTimeError."""
    count = math.prod(shape) if len(shape) <= 32 else -1
    if type_.size < 1 or count < 0:
        return content
    if type_.kind == "O" and count <= _MOST_TEXTS and content.size >= count * _REFERENCE:
        texts = [store.text(content.read(_REFERENCE * number, _REFERENCE)) for number in range(count)]
        return texts if shape else texts[0]
    if not shape and type_.kind == "S" and content.size >= type_.size:
        return content.read(0, type_.size).rstrip(b"\0").decode(errors="surrogateescape")
    if type_.kind == "S":
        return Elements(content, type_.size, "text", tuple(shape))
    if not shape and (show := show_number(type_.kind, type_.size, type_.order)) and content.size >= type_.size:
        text = show(content.read(0, type_.size))
        return float(text) if type_.kind == "f" else int(text)
    return make_array(content, type_.kind, type_.size, type_.order, tuple(shape))


def read_attribute(store: Store, data: bytes, start: int) -> tuple[str, Any]:
    """Return name and value of an attribute message (IV.A.2.m), which is at `start` in the file."""
    version, flags = data[0], data[1]
    sizes = struct.unpack_from("<HHH", data, 2)
    position = 9 if version == 3 else 8
    parts = []
    for size in sizes:
        parts.append(data[position : position + size])
        # The first version fills each part up to a multiple of eight.
        position += (size + 7) // 8 * 8 if version == 1 else size
    content = store.span.part(start + position, len(data) - position)
    store.read.append((start + position, len(data) - position))
    name = parts[0].rstrip(b"\0").decode(errors="surrogateescape")
    if version > 1 and flags & 3:
        # Its type or shape is shared with other objects.
        return name, content
    return name, read_value(store, content, read_type(parts[1]), dimensions(parts[2]))
