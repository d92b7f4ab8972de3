"""Differences between two sequences in quasilinear time: patience diff.

It matches items that occur once on each side first, and then what is between them, as described by Bram Cohen
(https://bramcohen.livejournal.com/73318.html).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

_DEEPEST = 8

Run = tuple[int, int, int, int]
"""Start and end on one side, start and end on the other."""


def differing_runs(one: Sequence[bytes], other: Sequence[bytes]) -> Iterator[Run]:
    """Yield the runs of items that differ, in order."""
    yield from _differ(one, other, (0, len(one), 0, len(other)), 0)


def _differ(one: Sequence[bytes], other: Sequence[bytes], run: Run, depth: int) -> Iterator[Run]:
    start, end, theirs, their_end = _trim(one, other, run)
    if start == end and theirs == their_end:
        return
    if start == end or theirs == their_end or depth == _DEEPEST:
        yield start, end, theirs, their_end
        return
    if end - start == their_end - theirs:
        unequal = [index for index in range(end - start) if one[start + index] != other[theirs + index]]
        if len(unequal) <= (end - start) // 2:
            yield from _pair(unequal, start, theirs)
            return
    anchors = _anchors(one[start:end], other[theirs:their_end])
    if not anchors:
        yield start, end, theirs, their_end
        return
    left, right = start, theirs
    for index, their_index in [*anchors, (end - start, their_end - theirs)]:
        yield from _differ(one, other, (left, start + index, right, theirs + their_index), depth + 1)
        left, right = start + index + 1, theirs + their_index + 1


def _trim(one: Sequence[bytes], other: Sequence[bytes], run: Run) -> Run:
    start, end, theirs, their_end = run
    while start < end and theirs < their_end and one[start] == other[theirs]:
        start, theirs = start + 1, theirs + 1
    while start < end and theirs < their_end and one[end - 1] == other[their_end - 1]:
        end, their_end = end - 1, their_end - 1
    return start, end, theirs, their_end


def _pair(unequal: Sequence[int], start: int, theirs: int) -> Iterator[Run]:
    first = last = unequal[0]
    for index in unequal[1:]:
        if index != last + 1:
            yield start + first, start + last + 1, theirs + first, theirs + last + 1
            first = index
        last = index
    yield start + first, start + last + 1, theirs + first, theirs + last + 1


def _anchors(one: Sequence[bytes], other: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return the longest increasing sequence of pairs of items that are unique on both sides."""
    counts, their_counts = Counter(one), Counter(other)
    places = {item: index for index, item in enumerate(other) if their_counts[item] == 1}
    pairs = [(index, places[item]) for index, item in enumerate(one) if counts[item] == 1 and item in places]
    ends: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(ends, place)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(ends):
            ends.append(place)
            piles.append(number)
        else:
            ends[pile] = place
            piles[pile] = number
    series = []
    number = piles[-1] if piles else -1
    while number >= 0:
        series.append(pairs[number])
        number = before[number]
    return series[::-1]
