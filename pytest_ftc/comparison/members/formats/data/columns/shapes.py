"""What the columns of a Parquet table hold, from its schema (parquet.thrift, SchemaElement)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SCHEMA = 2
_TYPE, _REPETITION, _NAME, _CHILDREN, _CONVERTED, _LOGICAL = 1, 3, 4, 5, 6, 10
"""Numbers of fields."""
_OPTIONAL, _REPEATED = 1, 2
"""Numbers of FieldRepetitionType; the third one is required."""
_NUMBERS = {1: ("i", 4), 2: ("i", 8), 4: ("f", 4), 5: ("f", 8)}
"""By the number of Type, as NumPy names kinds and sizes."""
_UNSIGNED, _SIGNED = range(11, 15), range(15, 19)
"""Numbers of ConvertedType; others are decimal numbers, dates and times."""
_INTEGER = 10
"""The number of integers in LogicalType, in which 2 is whether they have a sign."""
_DEEPEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The type of a column, and how many of its levels say that there is a value."""

    kind: str
    """``i``, ``u`` or ``f``, as NumPy names it; empty for what is no number."""
    size: int
    """Bytes of a number."""
    definition: int
    """The definition level of a value; any lower one is that of a value which is missing."""
    repetition: int
    """The highest repetition level; 0 if each row has one value."""


def read_shapes(footer: Mapping[int, Any]) -> dict[tuple[bytes, ...], Shape]:
    """Return the columns by their paths.  Raises ValueError, KeyError, TypeError, StopIteration for invalid ones."""
    elements = iter(footer[_SCHEMA])
    root = next(elements)
    return dict(_walk(elements, root.get(_CHILDREN, 0), (), (0, 0)))


def _walk(
    elements: Iterator[dict[int, Any]], count: int, path: tuple[bytes, ...], levels: tuple[int, int]
) -> Iterator[tuple[tuple[bytes, ...], Shape]]:
    if len(path) > _DEEPEST:
        raise ValueError("columns that are nested too deeply")
    for _ in range(count):
        element = next(elements, None)
        if element is None:
            raise ValueError("a schema that ends too early")
        repetition, own = element.get(_REPETITION, 0), (*path, element[_NAME])
        inner = levels[0] + (repetition in (_OPTIONAL, _REPEATED)), levels[1] + (repetition == _REPEATED)
        if element.get(_CHILDREN):
            yield from _walk(elements, element[_CHILDREN], own, inner)
        else:
            kind, size = _find_type(element)
            yield own, Shape(kind=kind, size=size, definition=inner[0], repetition=inner[1])


def _find_type(element: Mapping[int, Any]) -> tuple[str, int]:
    kind, size = _NUMBERS.get(element.get(_TYPE, 0), ("", 0))
    converted, logical = element.get(_CONVERTED), element.get(_LOGICAL)
    integer = logical.get(_INTEGER) if logical else None
    is_other = converted not in (None, *_UNSIGNED, *_SIGNED) or (logical and integer is None)
    if not kind or is_other:
        return "", 0
    return ("u" if converted in _UNSIGNED or (integer and not integer.get(2)) else kind), size
