"""Trees of values, which structured data holds: the paths of the values that differ.

A tree is made of `dict` with texts as keys, `list`, and leaves: texts, numbers, truth values, None, bytes, a `Span` of
more bytes, and `Elements`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pytest_ftc.comparison.likeness import Named, draw, pair_alike
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.lines import compare_parts
from pytest_ftc.comparison.members.numbers.measure import (
    Decode,
    describe,
    describe_pair,
    measure_arrays,
    measure_lists,
)
from pytest_ftc.comparison.members.plain import Found, compare_bytes, unequal_runs
from pytest_ftc.comparison.members.span import Span, first_unequal, same
from pytest_ftc.model import Field

_ABSENT = object()
_CHUNK = 1 << 20
_MOST_SHOWN = 4 << 20
"""Bytes of a value that is shown, before it is cut around the difference."""
_MOST_RUNS, _MOST_ELEMENTS = 4, 16
"""Places listed of one array, and elements shown of each."""
_MOST_MEASURED = 1_000_000
"""Numbers of an array of which it is told how far they are apart: it takes half a second."""


@dataclass(frozen=True, slots=True)
class Elements:
    """An array of elements of `size` bytes each."""

    content: Span
    size: int
    kind: str
    """The name of the type of an element: ``float32``."""
    shape: tuple[int, ...] = ()
    """How many elements each dimension has.  Empty for a flat array."""
    show: Callable[[bytes], str] | None = None
    """Returns one element as text; if None, elements are shown as bytes."""
    decode: Decode | None = None
    """Reads consecutive elements as numbers; None if they are none."""
    is_fortran: bool = False
    """Whether the first dimension varies fastest, and not the last one."""
    locate: Callable[[int], str] | None = None
    """Returns the name of the place of an element; if None, it is named by its index."""
    places: bytes = b""
    """A digest of the places, if they are not told by the shape: arrays are alike only if it is the same."""


def compare_values(one: Any, other: Any, budget: Budget) -> Iterator[Found]:
    """Yield the values that differ, and the orders.  Raises OutOfTimeError."""
    yield from _Comparison(budget).values(one, other, "")


class _Comparison:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._digests: dict[int, bytes] = {}
        """By the identity of the value; all values live as long as their trees."""

    def values(self, one: Any, other: Any, path: str) -> Iterator[Found]:
        self._budget.check_time()
        if self._digest(one) == self._digest(other):
            return
        if isinstance(one, dict) and isinstance(other, dict):
            yield from self._objects(one, other, path)
        elif isinstance(one, list) and isinstance(other, list) and not (_is_date(one) and _is_date(other)):
            yield from self._arrays(one, other, path)
        elif isinstance(one, Elements) and isinstance(other, Elements) and is_alike(one, other):
            yield from self._elements(one, other, path)
        elif isinstance(one, Elements | Span) and isinstance(other, Elements | Span):
            for found in compare_bytes(_span(one), _span(other), self._budget):
                yield Found(found.field, f"{_name(path)}, {found.location}", found.control, found.experiment)
        else:
            yield from self._leaves(one, other, _name(path))

    def _leaves(self, one: Any, other: Any, name: str) -> Iterator[Found]:
        numbers = describe_pair(one, other) if _is_number(one) and _is_number(other) else ""
        control, experiment = _dump(one), _dump(other)
        are_texts = isinstance(one, str) and isinstance(other, str)
        parts = list(compare_parts(control, experiment, name, self._budget)) if are_texts else []
        yield from parts or [Found(Field.CONTENT, name, control, experiment, numbers=numbers)]

    def _objects(self, one: dict[str, Any], other: dict[str, Any], path: str) -> Iterator[Found]:
        common = [key for key in one if key in other]
        theirs = [key for key in other if key in one]
        if common != theirs:
            location = f"order of keys in {path}" if path else "order of keys"
            yield Found(Field.ORDER, location, _names(common), _names(theirs))
        renamed = _pair_keys(one, other)
        taken = set(renamed.values())
        for key in dict.fromkeys([*one, *other]):
            inner = f"{path}.{key}" if path else key
            if key in renamed:
                yield Found(Field.NAME, f"name of key {inner}", _names([key]).strip(), _names([renamed[key]]).strip())
            if key not in taken:
                yield from self.values(one.get(key, _ABSENT), other.get(renamed.get(key, key), _ABSENT), inner)

    def _arrays(self, one: list[Any], other: list[Any], path: str) -> Iterator[Found]:
        control, experiment = [self._digest(value) for value in one], [self._digest(value) for value in other]
        if sorted(control) == sorted(experiment):
            location = f"order of {path}" if path else "order of the array"
            yield Found(Field.ORDER, location, _list(one), _list(other))
            return
        numbers = _measure_lists(one, other)
        for index in range(max(len(one), len(other))):
            left, right = (values[index] if index < len(values) else _ABSENT for values in (one, other))
            for found in self.values(left, right, f"{path}[{index}]"):
                yield replace(found, numbers=numbers or found.numbers)

    def _elements(self, one: Elements, other: Elements, path: str) -> Iterator[Found]:
        for found in compare_elements(one, other, self._budget):
            yield replace(found, location=f"{_name(path)}, {found.location}" if path else found.location)

    def _digest(self, value: Any) -> bytes:
        found = self._digests.get(id(value))
        if found is None:
            found = self._digests[id(value)] = self._compute_digest(value)
        return found

    def _compute_digest(self, value: Any) -> bytes:
        if isinstance(value, dict):
            parts: Iterable[bytes] = (part for key in value for part in (_encode(repr(key)), self._digest(value[key])))
        elif isinstance(value, list):
            parts = map(self._digest, value)
        elif isinstance(value, Elements | Span):
            # The type and shape of an array are told by themselves.
            parts = _read(_span(value), self._budget)
        else:
            parts = (value if isinstance(value, bytes) else _encode(repr(value)),)
        seen = hashlib.sha1(type(value).__name__.encode(), usedforsecurity=False)
        for part in parts:
            seen.update(part)
        return seen.digest()


def compare_elements(one: Elements, other: Elements, budget: Budget) -> Iterator[Found]:
    """Yield the first elements that differ in two arrays of one type and shape.  Raises OutOfTimeError."""
    if same(one.content, other.content, budget):
        return
    numbers = measure_elements(one, other, budget)
    noun = "" if one.locate else "element "
    for count, (start, end) in enumerate(_find_elements(one, other, budget)):
        if count == _MOST_RUNS:
            budget.record("more elements of an array differ than are listed")
            return
        end = min(end, start + _MOST_ELEMENTS)
        values = _show(one, start, end), _show(other, start, end)
        yield Found(Field.CONTENT, f"{noun}{name_index(one, start)} ({one.kind})", *values, numbers=numbers)


def measure_elements(one: Elements, other: Elements, budget: Budget) -> str:
    """Return how far two arrays of one type and shape are apart; empty if they are not of numbers.

    Raises OutOfTimeError.
    """
    if one.decode is None:
        return ""
    extent = measure_arrays(one.content, other.content, one.size, one.decode, budget, _MOST_MEASURED)
    if not extent.differing:
        return ""
    cut = one.content.size // one.size > _MOST_MEASURED
    return describe(extent, lambda number: name_index(one, number), of="the first " if cut else "")


def _measure_lists(one: list[Any], other: list[Any]) -> str:
    """Return how far two lists are apart; empty if they are not equally long lists of numbers."""
    if len(one) != len(other) or len(one) < 2 or not all(map(_is_number, [*one, *other])):
        return ""
    return describe(measure_lists(one, other), lambda number: f"[{number}]")


def _is_date(values: list[Any]) -> bool:
    """Return whether it may be year, month, day and what follows, as Python's zipfile has the date of an entry."""
    if not (3 <= len(values) <= 6 and all(type(value) is int for value in values)):
        return False
    lowest, highest = (1970, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 60)
    return all(low <= value <= high for low, value, high in zip(lowest, values, highest, strict=False))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _span(value: Elements | Span) -> Span:
    return value.content if isinstance(value, Elements) else value


def _read(span: Span, budget: Budget) -> Iterator[bytes]:
    for position in range(0, span.size, _CHUNK):
        budget.check_time()
        yield span.read(position, _CHUNK)


def _pair_keys(one: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    """Return the names in `other` of keys of `one` that hold a digest or a random word."""
    ours, theirs = (
        [Named(key, dump) for key, value in values.items() if key not in others for dump in [_dump(value)]]
        for values, others in ((one, other), (other, one))
    )
    pairs = pair_alike(ours, theirs, lambda value: draw(len(value), value)) if ours and theirs else []
    return {own.name: their.name for own, their in pairs}


def is_alike(one: Elements, other: Elements) -> bool:
    """Return whether two arrays have one type, shape and size."""
    own, theirs = (
        (each.size, each.kind, each.shape, each.is_fortran, each.places, each.content.size) for each in (one, other)
    )
    return own == theirs


def _find_elements(one: Elements, other: Elements, budget: Budget) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number (exclusive) of neighbouring elements that differ."""
    first = last = 0
    offset = first_unequal(one.content, other.content, budget) or 0
    for start, end in unequal_runs(one.content, other.content, offset, budget):
        begin, stop = start // one.size, (end - 1) // one.size + 1
        if last and begin > last:
            yield first, last
            first = begin
        elif not last:
            first = begin
        last = max(last, stop)
    yield first, last


def _show(elements: Elements, start: int, end: int) -> bytes:
    data = elements.content.read(start * elements.size, (end - start) * elements.size)
    if elements.show is None:
        return data
    parts = (data[offset : offset + elements.size] for offset in range(0, len(data), elements.size))
    return _encode(", ".join(map(elements.show, parts)))


def name_index(elements: Elements, number: int) -> str:
    """Return the index of an element in all dimensions, or the name of its place."""
    if elements.locate:
        return elements.locate(number)
    indices: list[int] = []
    for size in elements.shape if elements.is_fortran else reversed(elements.shape):
        number, index = divmod(number, size) if size else (number, 0)
        indices.append(index)
    ordered = indices if elements.is_fortran else reversed(indices)
    return f"[{', '.join(map(str, ordered))}]" if indices else str(number)


def _name(path: str) -> str:
    return f"key {path}" if path else "the value"


def _list(values: list[Any]) -> bytes:
    lines, size = [], 0
    for value in values:
        lines.append(_dump(value))
        size += len(lines[-1])
        if size > _MOST_SHOWN:
            break
    return b"\n".join(lines)


def _dump(value: Any) -> bytes:
    """Return a value as text, bytes as they are; cut if it is very long, as values that are shared can expand."""
    if value is _ABSENT:
        return b""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, dict | list):
        return _encode(json.dumps(value, ensure_ascii=False, default=_replace))
    parts, size = [], 0
    for part in json.JSONEncoder(ensure_ascii=False, default=_replace).iterencode(value):
        parts.append(part)
        size += len(part)
        if size > _MOST_SHOWN:
            break
    return _encode("".join(parts))


def _replace(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return f"{_span(value).size} bytes"


def _names(names: list[str]) -> bytes:
    return _encode("".join(f"{name}\n" for name in names))


def _encode(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
