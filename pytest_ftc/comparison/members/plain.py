"""Data of unknown format by byte, and what places that differ have in common."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, common_end, common_start, first_unequal
from pytest_ftc.model import Field

_CHUNK = 1 << 17
_CONTEXT = 64
"""Bytes shown around a difference; also the distance from which two differences are separate."""
_MOST_PLACES = 16
_MOST_SEEN = 4096
"""Places of which those are chosen that are listed."""
_TELLING = 8
"""Characters in a row that are hardly text by chance."""
_PRINTABLE = re.compile(rb"[\x20-\x7e]+")
_REACH = 64 << 20
"""Bytes after the first difference that are searched for further ones."""
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""Those that no text has; ISO 2022 has escapes."""
_HIGH = bytes(range(0x80, 0x100))
_FEWEST = 128
"""Shortest text, in bytes, that is told from random bytes by what it lacks."""
_UNEQUAL = re.compile(rb"[^\0]+")

Ranges = Sequence[tuple[int, int]]
"""Starts and ends, in order."""


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
    is_recomputed: bool = False
    """Whether both values were computed anew from the rest of their files."""


def is_text(span: Span) -> bool:
    """Return whether it starts as text: UTF-8, or lines in an older encoding such as ISO 8859-1 or EUC."""
    chunk = span.read(0, _CHUNK)
    if b"\0" in chunk:
        return False
    try:
        chunk.decode()
    except UnicodeDecodeError as error:
        # The end of the chunk may split a character, but the end of the file must not.
        is_cut = span.size > len(chunk) and error.start > len(chunk) - 4
        return is_cut or _is_in_older_encoding(chunk)
    return True


def _is_in_older_encoding(chunk: bytes) -> bool:
    # Of random bytes, a tenth are control characters.
    is_plain = len(chunk) >= _FEWEST and b"\n" in chunk and not _CONTROLS.search(chunk)
    return is_plain and 3 * len(chunk.translate(None, _HIGH)) >= len(chunk)


def clip(control: bytes, experiment: bytes, longest: int) -> tuple[bytes, bytes]:
    """Return both values cut to `longest` bytes around the first place where they differ."""
    if max(len(control), len(experiment)) <= longest:
        return control, experiment
    start = max(0, common_start(control, experiment) - longest // 4)
    return control[start : start + longest], experiment[start : start + longest]


def compare_bytes(one: Span, other: Span, budget: Budget, without: Ranges = ()) -> Iterator[Found]:
    """Yield the first places that differ, outside the ranges `without`.  Raises OutOfTimeError."""
    offset = first_unequal(one, other, budget)
    if offset is None:
        return
    if one.size != other.size:
        yield _moved(one, other, offset, budget)
        return
    seen = list(islice(_places(unequal_runs(one, other, offset, budget, without), budget), _MOST_SEEN))
    if len(seen) > _MOST_PLACES:
        budget.record("more bytes differ in a member than are listed")
        seen = _choose(seen, (one, other))
    for start, end in seen:
        first = max(0, start - _CONTEXT, *(stop for _, stop in without if stop <= start))
        last = min(end + _CONTEXT, one.size, *(begin for begin, _ in without if begin >= end))
        size = min(last - first, budget.limits.value)
        yield Found(Field.CONTENT, f"byte {start:#x}", one.read(first, size), other.read(first, size))


def _choose(places: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Return some of many `places`: the first ones, but first of all those in text, which tell what differs.

    Addresses that have moved are many, and what has moved them is often a word behind them all.
    """
    texts = islice((place for place in places if all(_is_in_text(span, *place) for span in spans)), _MOST_PLACES // 2)
    return sorted(islice(dict.fromkeys((*texts, *places)), _MOST_PLACES))


def _is_in_text(span: Span, start: int, end: int) -> bool:
    """Return whether a short place is in some printable characters of ASCII."""
    first = max(0, start - _TELLING)
    text = _PRINTABLE.finditer(span.read(first, end + _TELLING - first)) if end - start <= _CONTEXT else ()
    return any(one.start() <= start - first and end - first <= one.end() and len(one[0]) >= _TELLING for one in text)


def _moved(one: Span, other: Span, offset: int, budget: Budget) -> Found:
    """Return the one place between the common start and the common end of files of different sizes."""
    reach = min(one.size, other.size, offset + budget.limits.value) - offset
    left, right = one.read(one.size - reach, reach), other.read(other.size - reach, reach)
    after = max(0, common_end(left, right) - _CONTEXT)
    first = max(0, offset - _CONTEXT)
    most = budget.limits.value
    control, experiment = (span.read(first, min(most, span.size - after - first)) for span in (one, other))
    return Found(Field.CONTENT, f"byte {offset:#x}", control, experiment)


def _places(runs: Iterator[tuple[int, int]], budget: Budget) -> Iterator[tuple[int, int]]:
    """Yield start and end of each place; `runs` that are near are one."""
    start, end = next(runs, (0, 0))
    for left, right in runs:
        if end - start > budget.limits.value:
            # Everything after this differs: it was compressed, encrypted or moved.
            break
        if left - end > _CONTEXT:
            yield start, end
            start = left
        end = right
    if end:
        yield start, end


def unequal_runs(
    one: Span, other: Span, offset: int, budget: Budget, without: Ranges = ()
) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of bytes that differ from `offset` on, within reach and outside `without`.

    Raises OutOfTimeError.
    """
    for position in range(offset, min(one.size, offset + _REACH), _CHUNK):
        budget.check_time()
        left, right = one.read(position, _CHUNK), other.read(position, _CHUNK)
        if left != right:
            unequal = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
            for run in _UNEQUAL.finditer(unequal.to_bytes(len(left), "big")):
                start, end = position + run.start(), position + run.end()
                if not _is_inside(start, end, without):
                    yield start, end


def _is_inside(start: int, end: int, ranges: Ranges) -> bool:
    at = bisect_right(ranges, (start, sys.maxsize)) - 1
    return at >= 0 and end <= ranges[at][1]
