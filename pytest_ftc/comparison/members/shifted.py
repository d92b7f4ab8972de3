"""Data in which strings have another length, so that all that follows them is at another place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.lines import find_hunks
from pytest_ftc.comparison.members.plain import Found, compare_bytes
from pytest_ftc.comparison.members.span import Span, common_end, common_start, first_unequal
from pytest_ftc.model import Field

_BEFORE = 4096
"""Bytes before the first difference in which the start of its string is sought."""
_STRING = re.compile(rb"[^\0]+")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What texts do not have; escapes they may."""
_TELLING = 4
"""Characters of a string that is hardly one by chance."""
_MOST_ALIGNED = 16
_ALIKE = 0.3
"""Likeness of strings of which one is hardly in the place of the other by chance."""
_Pair = tuple[int, bytes, bytes]
"""Where strings begin in the control, and what differs."""


def compare_data(one: Span, other: Span, budget: Budget) -> Iterator[Found]:
    """Yield the first places that differ; string by string if they moved what follows.  Raises OutOfTimeError."""
    strings = _compare_strings(one, other, budget) if one.size != other.size else ()
    yield from strings or compare_bytes(one, other, budget)


def _compare_strings(one: Span, other: Span, budget: Budget) -> Sequence[Found]:
    """Return the strings that differ, and all else as one place; nothing if there are no strings."""
    offset = first_unequal(one, other, budget) or 0
    start = offset - len(_last_strings(one.read(max(0, offset - _BEFORE), min(offset, _BEFORE))))
    most = budget.limits.value
    tail = min(one.size - start, other.size - start, most)
    same = common_end(one.read(one.size - tail, tail), other.read(other.size - tail, tail))
    if max(one.size, other.size) - same - start > most:
        return ()
    ours, theirs = (_strings(span.read(start, most), span.size - same - start) for span in (one, other))
    pairs = ((start + begin, control, experiment) for begin, control, experiment in _pairs(ours, theirs, budget))
    texts: list[_Pair] = []
    rest: list[_Pair] = []
    for pair in pairs:
        (texts if _is_text(pair) else rest).append(pair)
    if not texts:
        return ()
    if rest:
        texts.append((rest[0][0], b"\0".join(one for _, one, _ in rest), b"\0".join(other for _, _, other in rest)))
    return choose((_found(*pair) for pair in sorted(texts)), "string", budget)


def _last_strings(data: bytes) -> bytes:
    """Return the last two strings of `data`, of which the last may be empty."""
    last = data.rpartition(b"\0")[2]
    before = data[: len(data) - len(last)].rstrip(b"\0").rpartition(b"\0")
    return data[len(before[0]) + len(before[1]) :]


def _strings(data: bytes, end: int) -> list[re.Match[bytes]]:
    """Return the strings of `data` with the one at `end`, from which both sides are equal; zeros may be padding."""
    stop = data.find(b"\0", end)
    return list(_STRING.finditer(data, 0, stop if stop >= 0 else len(data)))


def _pairs(ours: Sequence[re.Match[bytes]], theirs: Sequence[re.Match[bytes]], budget: Budget) -> Iterator[_Pair]:
    """Yield the strings that differ, each with where it begins."""
    one, other = [string[0] for string in ours], [string[0] for string in theirs]
    for first, last, left, right in find_hunks(one, other, budget):
        if max(last - first, right - left) > _MOST_ALIGNED:
            yield _begin(ours, first), b"\0".join(one[first:last]), b"\0".join(other[left:right])
            continue
        place = first
        for mine, its in _align(one[first:last], other[left:right]):
            control = one[first + mine] if mine is not None else b""
            # What the control does not have stands after what is before it, wherever the next one begins.
            begin = _begin(ours, place) if control else _end(ours, place)
            yield begin, control, other[left + its] if its is not None else b""
            place += mine is not None


def _begin(strings: Sequence[re.Match[bytes]], number: int) -> int:
    return strings[number].start() if number < len(strings) else _end(strings, number)


def _end(strings: Sequence[re.Match[bytes]], number: int) -> int:
    """Return where the string before that of this `number` ends."""
    return strings[number - 1].end() if number else 0


def _align(one: Sequence[bytes], other: Sequence[bytes]) -> Iterator[tuple[int | None, int | None]]:
    """Yield which string of `other` is in the place of which string of `one`, in order; None where there is none."""
    if len(one) == len(other):
        yield from enumerate(range(len(other)))
        return
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for a in range(len(one), -1, -1):
        for b in range(len(other), -1, -1):
            steps = [(0.0, 0)] if a == len(one) and b == len(other) else []
            if a < len(one) and b < len(other) and (alike := _likeness(one[a], other[b])) >= _ALIKE:
                steps.append((alike + best[a + 1, b + 1][0], 0))
            steps += [(best[a + 1, b][0], 1)] if a < len(one) else []
            steps += [(best[a, b + 1][0], 2)] if b < len(other) else []
            best[a, b] = max(steps, key=lambda step: step[0])
    a = b = 0
    while a < len(one) or b < len(other):
        step = best[a, b][1]
        yield (None if step == 2 else a), (None if step == 1 else b)
        a, b = a + (step != 2), b + (step != 1)


def _likeness(one: bytes, other: bytes) -> float:
    """Return which part of the shorter string begins or ends as the other one does."""
    shorter = min(len(one), len(other))
    return min(common_start(one, other) + common_end(one, other), shorter) / shorter


def _is_text(pair: _Pair) -> bool:
    _, control, experiment = pair
    both = control + experiment
    try:
        both.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(both) and max(len(control), len(experiment)) >= _TELLING


def _found(begin: int, control: bytes, experiment: bytes) -> Found:
    return Found(Field.CONTENT, f"byte {begin + common_start(control, experiment):#x}", control, experiment)
