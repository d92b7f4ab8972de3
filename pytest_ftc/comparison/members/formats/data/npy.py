"""NumPy's arrays (NEP 1; numpy.org, "numpy.lib.format"), as members of an ``.npz`` file too, which is a zip."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import Any

from pytest_ftc.comparison.members.contents import Contents, Member, header
from pytest_ftc.comparison.members.formats.data.element_types import Order, make_array
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import Elements
from pytest_ftc.model.place import FileFormat

_MAGIC = b"\x93NUMPY"
_LONGEST = 10_000
"""Longest header to evaluate, as in NumPy itself."""
_MOST_DIMENSIONS = 64
_TYPE = re.compile(r"([<>|=])([a-zA-Z])(\d{1,9})?(?:\[\d*\w+\])?")
_CHARACTER = 4
"""Bytes of a character of type ``U``."""


def is_npy(span: Span, name: str) -> bool:
    return span.read(0, 6) == _MAGIC


def read_npy(span: Span, budget: Budget) -> Contents:
    """Return the type and shape of the array, and its elements.  Raises ValueError and what `ast` raises."""
    wide = 2 if span.read(6, 1) == b"\1" else 4
    start = 8 + wide
    length = int.from_bytes(span.read(8, wide), "little")
    if length > _LONGEST:
        raise ValueError("its header is too long")
    # Version 3 has UTF-8, earlier ones Latin-1 (NEP 1).
    described = ast.literal_eval(span.read(start, length).decode("latin-1").strip())
    if not isinstance(described, dict):
        raise ValueError("its header is no dictionary")
    kind, order = described.get("descr"), bool(described.get("fortran_order"))
    shape = described.get("shape")
    fields = (
        header("npy header version", span.read(6, 2)),
        header("npy header descr", kind),
        header("npy header fortran_order", order),
        header("npy header shape", shape),
    )
    content = span.part(start + length, span.size - start - length)
    if kind == "|O":
        members = (Member(name="objects", part="npy objects", stored=content),)
        return Contents(format=FileFormat.DATA, noun="npy", attributes=fields, members=members)
    elements = replace(read_elements(content, kind, _shape(shape)), is_fortran=order)
    return Contents(format=FileFormat.DATA, noun="npy", attributes=fields, values=elements, recoded="npy header")


def _shape(shape: Any) -> tuple[int, ...]:
    """Return the dimensions; none if they are invalid, so that elements are numbered through."""
    good = isinstance(shape, tuple) and len(shape) <= _MOST_DIMENSIONS
    return shape if good and all(isinstance(each, int) and each >= 0 for each in shape) else ()


def read_elements(content: Span, kind: Any, shape: tuple[int, ...]) -> Elements:
    """Return an array by its type, as NumPy writes it: ``<f8``.  Raises ValueError for one that is not known."""
    size = _size_of(kind)
    found = _TYPE.fullmatch(kind) if isinstance(kind, str) else None
    if not size:
        raise ValueError("an unknown type of elements")
    if not found:
        # A structure: its fields are shown as bytes.
        return Elements(content, size, "structure", shape)
    order: Order = ">" if found[1] == ">" else "<"
    if found[2] == "U":
        return Elements(content, size, "text", shape, lambda data: _text(data, order))
    if found[2] == "S":
        return Elements(content, size, "text", shape)
    return make_array(content, found[2], size, order, shape)


def _text(data: bytes, order: Order) -> str:
    return data.decode("utf-32-be" if order == ">" else "utf-32-le", "replace").rstrip("\0")


def _size_of(kind: Any, depth: int = 0) -> int:
    """Return the bytes of a structure, a list of fields with a name, a type and perhaps a shape; 0 if it is invalid."""
    if isinstance(kind, str):
        found = _TYPE.fullmatch(kind)
        return int(found[3] or 1) * (_CHARACTER if found[2] == "U" else 1) if found else 0
    if not isinstance(kind, list) or depth > 10:
        return 0
    total = 0
    for field in kind:
        count = 1
        for each in _shape(field[2]) if len(field) > 2 else ():
            count *= each
        total += count * _size_of(field[1], depth + 1)
    return total
