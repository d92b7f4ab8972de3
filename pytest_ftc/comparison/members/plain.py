"""Data of unknown format by byte, and what places that differ have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, common_end, common_start, first_unequal
from pytest_ftc.model import Field

_CHUNK = 1 << 17
_CONTEXT = 64
"""Bytes shown around a difference; also the distance from which two differences are separate."""
_MOST_PLACES = 16
_REACH = 64 << 20
"""Bytes after the first difference that are searched for further ones."""
_UNEQUAL = re.compile(rb"[^\0]+")


@dataclass(frozen=True, slots=True)
class Found:
    """One place that differs."""

    field: Field
    location: str
    control: bytes
    experiment: bytes
    note: str = ""
    numbers: str = ""
    """How far the numbers at this place, or in the array it is in, are apart."""


def is_text(span: Span) -> bool:
    """Return whether it starts as UTF-8 text."""
    chunk = span.read(0, _CHUNK)
    if b"\0" in chunk:
        return False
    try:
        chunk.decode()
    except UnicodeDecodeError as error:
        # The end of the chunk may split a character, but the end of the file must not.
        return span.size > len(chunk) and error.start > len(chunk) - 4
    return True


def clip(control: bytes, experiment: bytes, longest: int) -> tuple[bytes, bytes]:
    """Return both values cut to `longest` bytes around the first place where they differ."""
    if max(len(control), len(experiment)) <= longest:
        return control, experiment
    start = max(0, common_start(control, experiment) - longest // 4)
    return control[start : start + longest], experiment[start : start + longest]


def compare_bytes(one: Span, other: Span, budget: Budget) -> Iterator[Found]:
    """Yield the first places that differ.  Raises OutOfTimeError."""
    offset = first_unequal(one, other, budget)
    if offset is None:
        return
    if one.size != other.size:
        yield _moved(one, other, offset, budget)
        return
    places = _places(one, other, offset, budget)
    for count, (start, end) in enumerate(places):
        if count == _MOST_PLACES:
            budget.record("more bytes differ in a member than are listed")
            return
        first = max(0, start - _CONTEXT)
        size = min(end + _CONTEXT - first, budget.limits.value)
        yield Found(Field.CONTENT, f"byte {start:#x}", one.read(first, size), other.read(first, size))


def _moved(one: Span, other: Span, offset: int, budget: Budget) -> Found:
    """Return the one place between the common start and the common end of files of different sizes."""
    reach = min(one.size, other.size, offset + budget.limits.value) - offset
    left, right = one.read(one.size - reach, reach), other.read(other.size - reach, reach)
    after = max(0, common_end(left, right) - _CONTEXT)
    first = max(0, offset - _CONTEXT)
    most = budget.limits.value
    control, experiment = (span.read(first, min(most, span.size - after - first)) for span in (one, other))
    return Found(Field.CONTENT, f"byte {offset:#x}", control, experiment)


def _places(one: Span, other: Span, offset: int, budget: Budget) -> Iterator[tuple[int, int]]:
    """Yield start and end of each place within reach, in files of the same size."""
    start = end = offset
    for left, right in unequal_runs(one, other, offset, budget):
        if end - start > budget.limits.value:
            # Everything after this differs: it was compressed, encrypted or moved.
            break
        if left - end > _CONTEXT:
            yield start, end
            start = left
        end = right
    yield start, end


def unequal_runs(one: Span, other: Span, offset: int, budget: Budget) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of bytes that differ from `offset` on, within reach.  Raises OutOfTimeError."""
    for position in range(offset, min(one.size, offset + _REACH), _CHUNK):
        budget.check_time()
        left, right = one.read(position, _CHUNK), other.read(position, _CHUNK)
        if left != right:
            unequal = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
            for run in _UNEQUAL.finditer(unequal.to_bytes(len(left), "big")):
                yield position + run.start(), position + run.end()
