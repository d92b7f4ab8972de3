"""Data of unknown format: text by line, everything else by byte."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
_WINDOW = 2 << 20
"""Bytes, starting at the first difference, that are compared by line."""
_LONGEST_LINE = 64 << 10
_AHEAD = 200
"""Lines to search at a time for the point after a difference where the texts agree again."""
_UNEQUAL = re.compile(rb"[^\0]+")
_Hunk = tuple[int, int, int, int]
"""Start and end of lines that differ, on both sides."""


@dataclass(frozen=True, slots=True)
class Found:
    """One place that differs."""

    field: Field
    location: str
    control: bytes
    experiment: bytes
    note: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """What texts are compared one by one."""

    separator: bytes = b"\n"
    item: str = "line"
    unordered: bool = False
    """Whether their order says nothing."""


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


def compare_lines(one: Span, other: Span, budget: Budget, texts: Texts = Texts()) -> Iterator[Found]:
    """Yield the first lines that differ; one place if only their order differs.  Raises OutOfTimeError."""
    offset = first_unequal(one, other, budget)
    if offset is None:
        return
    separator, item = texts.separator, texts.item
    before = one.read(max(0, offset - _LONGEST_LINE), min(offset, _LONGEST_LINE)).rpartition(separator)[2]
    start = offset - len(before)
    number = _count(one, start, separator, budget) + 1
    control, experiment = _lines(one, start, separator), _lines(other, start, separator)
    whole = max(one.size, other.size) - start <= _WINDOW
    if whole and sorted(control) == sorted(experiment):
        yield _reordered(control, experiment, item, budget)
        return
    most = budget.limits.value
    hunks: Iterable[_Hunk] = _pair_unordered(control, experiment) if whole and texts.unordered else ()
    if not hunks:
        hunks = (
            part for hunk in find_hunks(control, experiment, budget) for part in _by_line(control, experiment, hunk)
        )
    for count, (first, last, left, right) in enumerate(hunks):
        # If only the beginnings were read, lines beyond the shorter one are not a difference.
        if count == _MOST_PLACES or (count and not whole and (last == len(control) or right == len(experiment))):
            budget.record(f"more {item}s differ in a member than are listed")
            return
        values = b"".join(control[first:last]), b"".join(experiment[left:right])
        yield Found(Field.CONTENT, f"{item} {number + first}", *clip(*values, most))


def _pair_unordered(one: Sequence[bytes], other: Sequence[bytes]) -> list[_Hunk]:
    """Return the texts that only one side has, each with the most similar one of the other side.

    Nothing if one side has more of them, or there are many.
    """
    mine, theirs = Counter(one) - Counter(other), Counter(other) - Counter(one)
    left = [index for index, text in enumerate(one) if text in mine]
    right = [index for index, text in enumerate(other) if text in theirs]
    if len(left) != len(right) or len(left) > _MOST_PLACES:
        return []
    ranked = sorted((-_likeness(one[a], other[b]), a, b) for a in left for b in right)
    paired: dict[int, int] = {}
    for _, a, b in ranked:
        if a not in paired and b not in paired.values():
            paired[a] = b
    return [(a, a + 1, b, b + 1) for a, b in sorted(paired.items())]


def _likeness(one: bytes, other: bytes) -> float:
    """Return which part of the longer text begins or ends as the other one does."""
    longest = max(len(one), len(other))
    return min(common_start(one, other) + common_end(one, other), longest) / longest if longest else 1.0


def is_reordered(one: Span, other: Span, separator: bytes) -> bool:
    """Return whether both have the same lines in a different order; False for more than are compared by line."""
    if max(one.size, other.size) > _WINDOW:
        return False
    lines, theirs = _lines(one, 0, separator), _lines(other, 0, separator)
    return lines != theirs and sorted(lines) == sorted(theirs)


def _by_line(one: Sequence[bytes], other: Sequence[bytes], hunk: _Hunk) -> Iterator[_Hunk]:
    """Yield the lines of a hunk one by one if each has a counterpart, because each may differ for another reason."""
    first, last, left, right = hunk
    count = last - first
    if count != right - left or count > _MOST_PLACES or sorted(one[first:last]) == sorted(other[left:right]):
        yield hunk
        return
    yield from ((first + line, first + line + 1, left + line, left + line + 1) for line in range(count))


def _reordered(control: Sequence[bytes], experiment: Sequence[bytes], item: str, budget: Budget) -> Found:
    end = len(control)
    while end and control[end - 1] == experiment[end - 1]:
        end -= 1
    values = clip(b"".join(control[:end]), b"".join(experiment[:end]), budget.limits.value)
    return Found(Field.ORDER, f"{item} order", *values)


def _count(span: Span, end: int, separator: bytes, budget: Budget) -> int:
    total = 0
    for position in range(0, end, _CHUNK):
        budget.check_time()
        total += span.read(position, min(_CHUNK, end - position)).count(separator)
    return total


def _lines(span: Span, start: int, separator: bytes) -> list[bytes]:
    lines = span.read(start, _WINDOW).split(separator)
    last = lines.pop()
    return [line + separator for line in lines] + ([last] if last else [])


def find_hunks(one: list[bytes], other: list[bytes], budget: Budget) -> Iterator[_Hunk]:
    """Yield start and end, on both sides, of each run of lines that differ; in linear time, unlike a minimal diff."""
    left = right = 0
    while left < len(one) or right < len(other):
        if left < len(one) and right < len(other) and one[left] == other[right]:
            left, right = left + 1, right + 1
            continue
        first, theirs = left, right
        while one[left : left + 1] != other[right : right + 1]:
            budget.check_time()
            skip_left, skip_right = _agree_again(one[left : left + _AHEAD], other[right : right + _AHEAD])
            left, right = left + skip_left, right + skip_right
        yield first, left, theirs, right


def _agree_again(one: list[bytes], other: list[bytes]) -> tuple[int, int]:
    """Return the number of lines on each side after which the texts agree again; all lines if they never do."""
    seen_one: dict[bytes, int] = {}
    seen_other: dict[bytes, int] = {}
    for ahead in range(max(len(one), len(other))):
        if ahead < min(len(one), len(other)) and one[ahead] == other[ahead]:
            return ahead, ahead
        if ahead < len(one):
            seen_one.setdefault(one[ahead], ahead)
        if ahead < len(other):
            seen_other.setdefault(other[ahead], ahead)
        if ahead < len(one) and one[ahead].strip() and one[ahead] in seen_other:
            return ahead, seen_other[one[ahead]]
        if ahead < len(other) and other[ahead].strip() and other[ahead] in seen_one:
            return seen_one[other[ahead]], ahead
    return len(one), len(other)
