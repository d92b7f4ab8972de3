"""Types of elements of arrays: their sizes, and how one of them is shown."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from pytest_ftc.comparison.members.numbers.measure import Decode, join_complex
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import Elements

_CODES = {
    ("b", 1): "?", ("i", 1): "b", ("i", 2): "h", ("i", 4): "i", ("i", 8): "q",
    ("u", 1): "B", ("u", 2): "H", ("u", 4): "I", ("u", 8): "Q", ("f", 2): "e", ("f", 4): "f", ("f", 8): "d",
    ("M", 8): "q", ("m", 8): "q",
}  # fmt: skip
"""Codes of `struct` by the kind of number, as NumPy names it, and its size in bytes."""
_NAMES = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex", "M": "datetime", "m": "timedelta"}
_MEASURED = "iuf"
_SINGLE = 4
"""Bytes of a number with nine significant digits."""
Order = Literal["<", ">"]
Shape = tuple[int, ...]


def make_array(content: Span, kind: str, size: int, order: Order = "<", shape: Shape = ()) -> Elements:
    """Return an array of numbers; `kind` is a letter as in NumPy's type codes, `size` the bytes of an element.

    Other elements than numbers are shown as bytes.  Raises ValueError for a `size` below 1.
    """
    if size < 1:
        raise ValueError("elements of no size")
    name = f"{_NAMES[kind]}{size * 8}" if kind in _NAMES and kind != "b" else _NAMES.get(kind, f"{size} bytes")
    return Elements(content, size, name, shape, show_number(kind, size, order), decode_numbers(kind, size, order))


def decode_numbers(kind: str, size: int, order: Order) -> Decode | None:
    """Return what reads consecutive elements as numbers; None for elements that are not, as truth values and times."""
    if kind == "c":
        part = _CODES.get(("f", size // 2))
        return partial(_decode_complex, order, size // 2, part) if part and size % 2 == 0 else None
    code = _CODES.get((kind, size)) if kind in _MEASURED else None
    return partial(_decode, order, size, code) if code else None


def _decode_complex(order: Order, size: int, code: str, data: bytes) -> Sequence[complex]:
    parts = _decode(order, size, code, data)
    return list(map(complex, parts[::2], parts[1::2]))


def _decode(order: Order, size: int, code: str, data: bytes) -> Sequence[int | float]:
    return struct.unpack(f"{order}{len(data) // size}{code}", data)


def show_number(kind: str, size: int, order: Order) -> Callable[[bytes], str] | None:
    """Return what shows one number as text; None for other elements."""
    if kind == "c":
        part = show_number("f", size // 2, order) if size % 2 == 0 else None
        return partial(_show_complex, part) if part else None
    code = _CODES.get((kind, size))
    return partial(_show, order + code, single=kind == "f" and size <= _SINGLE) if code else None


def _show_complex(show_part: Callable[[bytes], str], data: bytes) -> str:
    half = len(data) // 2
    return join_complex(show_part(data[:half]), show_part(data[half:]))


def _show(code: str, data: bytes, *, single: bool) -> str:
    if len(data) != struct.calcsize(code):
        return data.hex()
    (value,) = struct.unpack(code, data)
    return f"{value:.9g}" if single else repr(value)
