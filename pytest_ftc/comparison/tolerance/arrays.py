"""Files that hold arrays as they are in memory: NumPy's .npy, safetensors, WAV, ONNX, HDF5, pickles of joblib."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pytest_ftc.comparison.members.formats.table import find_format
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.numbers.measure import measure_arrays
from pytest_ftc.comparison.members.span import Span, same
from pytest_ftc.comparison.members.values import Elements, name_index
from pytest_ftc.comparison.tolerance.measured import Measured
from pytest_ftc.comparison.tolerance.refusal import RefusedError
from pytest_ftc.model.place import FileFormat


@dataclass(frozen=True, slots=True)
class _Array:
    name: str
    elements: Elements

    @property
    def start(self) -> int:
        return self.elements.content.start

    @property
    def layout(self) -> tuple[object, ...]:
        """All that must be the same in both files."""
        own = self.elements
        return self.name, self.start, own.content.size, own.size, own.kind, own.shape, own.is_fortran


def compare_arrays(one: Span, other: Span, name: str, budget: Budget) -> Iterator[Measured]:
    """Yield how far the arrays that differ in two files are apart.

    Raises RefusedError if anything else differs, OutOfTimeError, and whatever readers raise.
    """
    control, experiment = (_find_arrays(span, name, budget) for span in (one, other))
    if [array.layout for array in control] != [array.layout for array in experiment]:
        raise RefusedError("the names, types, shapes or places of arrays differ")
    _compare_rest(one, other, control, budget)
    for left, right in zip(control, experiment, strict=True):
        own = left.elements
        assert own.decode is not None
        extent = measure_arrays(own.content, right.elements.content, own.size, own.decode, budget)
        if extent.differing:
            yield Measured(name=left.name, extent=extent, locate=partial(name_index, own))


def _find_arrays(span: Span, name: str, budget: Budget) -> Sequence[_Array]:
    """Return the arrays of numbers that are stored in the file as they are, in its order.  Raises RefusedError."""
    format_ = find_format(span, name)
    if format_ is None or format_.name is not FileFormat.DATA:
        raise RefusedError("it is none of the formats whose numbers are told from the rest")
    values = format_.read(span, budget).values
    inside = (array for array in _walk(values, "") if array.elements.content.file is span.file)
    return sorted(inside, key=lambda array: array.start)


def _walk(value: Any, name: str) -> Iterator[_Array]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{name}[{index}]")
    elif isinstance(value, Elements) and value.decode:
        count = math.prod(value.shape) if value.shape else value.content.size // value.size
        if 0 < count * value.size <= value.content.size:
            # What follows the last element is no number.
            yield _Array(name, replace(value, content=value.content.part(0, count * value.size)))


def _compare_rest(one: Span, other: Span, arrays: Sequence[_Array], budget: Budget) -> None:
    """Compare all bytes outside of the arrays.  Raises RefusedError, OutOfTimeError."""
    if one.size != other.size:
        raise RefusedError("its size differs")
    position = 0
    for start, size in [*((array.start - one.start, array.elements.content.size) for array in arrays), (one.size, 0)]:
        if start < position:
            raise RefusedError("its arrays overlap")
        if not same(one.part(position, start - position), other.part(position, start - position), budget):
            raise RefusedError(f"other bytes than numbers differ, between {position:#x} and {start:#x}")
        position = start + size
