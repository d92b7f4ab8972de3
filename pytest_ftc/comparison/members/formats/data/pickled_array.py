"""Arrays and numbers of NumPy in a pickle (array_reduce in its multiarray/methods.c, _frombuffer in its numeric.py)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pytest_ftc.comparison.members.formats.data.npy import read_elements
from pytest_ftc.comparison.members.formats.data.pickle_machine import Thing
from pytest_ftc.comparison.members.span import span_of
from pytest_ftc.comparison.members.values import Elements

_TYPE = "numpy.dtype"
_ENCODED = "_codecs.encode"
"""How bytes are made before protocol 3 (PEP 3154)."""
_MOST_DIMENSIONS = 64
_MADE = tuple(f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core"))
_FROM_BUFFER = tuple(f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core"))
"""How protocol 5 makes arrays (PEP 574)."""
_SCALAR = tuple(f"numpy.{core}.multiarray.scalar" for core in ("core", "_core"))


def read_type(type_: Any) -> str:
    """Return the type of elements as NumPy writes it: ``<f8``.  Raises ValueError if it is no type."""
    if not (isinstance(type_, Thing) and type_.kind == _TYPE and type_.arguments):
        raise ValueError("an array without a type")
    state = type_.state
    order = state.items[1] if isinstance(state, Thing) and len(state.items) > 1 else "|"
    return f"{order}{type_.arguments[0]}"


def read_shape(shape: Any) -> tuple[int, ...]:
    """Return the dimensions.  Raises ValueError if they are none."""
    dimensions = tuple(shape.items) if isinstance(shape, Thing) else ()
    good = isinstance(shape, Thing) and len(dimensions) <= _MOST_DIMENSIONS
    if not good or not all(isinstance(each, int) and each >= 0 for each in dimensions):
        raise ValueError("an array without a shape")
    return dimensions


def read_array(thing: Thing) -> Elements | None:
    """Return the array, or the single number, that an object is; None for any other object."""
    try:
        parts = _split(thing)
        if parts is None:
            return None
        type_, shape, data, is_fortran = parts
        kind, dimensions = read_type(type_), () if shape == () else read_shape(shape)
        elements = read_elements(span_of(bytes(data)), kind, dimensions)
    except (ValueError, LookupError, TypeError):
        return None
    elements = replace(elements, is_fortran=is_fortran)
    return elements if len(data) == elements.size * math.prod(dimensions) else None


def _split(thing: Thing) -> tuple[Any, Any, bytes | bytearray, bool] | None:
    """Return type, shape (`()` for a single number), data and whether the first dimension varies fastest."""
    given = thing.arguments or []
    if thing.kind in _MADE and isinstance(thing.state, Thing):
        _, shape, type_, is_fortran, data = thing.state.items
    elif thing.kind in _FROM_BUFFER:
        data, type_, shape, order = given
        is_fortran = order == "F"
    elif thing.kind in _SCALAR:
        (type_, data), shape, is_fortran = given, (), False
    else:
        return None
    data = read_encoded(data)
    return (type_, shape, data, bool(is_fortran)) if isinstance(data, bytes | bytearray) else None


def read_encoded(value: Any) -> Any:
    """Return the bytes that an object is before protocol 3; anything else as it is."""
    given = value.arguments if isinstance(value, Thing) and value.kind == _ENCODED else None
    return given[0].encode("latin-1", "replace") if given and isinstance(given[0], str) else value
