"""Lines that both texts have, in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

Hunk = tuple[int, int, int, int]
"""Start and end of lines that differ, on both sides."""
Moved = tuple[Sequence[int], Sequence[int]]
"""Numbers of lines, on both sides, that are the same lines in another order."""

_MOST_JOINED = 8
"""Runs of lines among which one that moved is sought."""
_LEAST_MOVED = 8
"""Bytes of a line that is at another place by no chance, unlike a bracket."""


def find_moved(
    one: Sequence[bytes], other: Sequence[bytes], hunks: Sequence[Hunk], least: int = _LEAST_MOVED
) -> tuple[list[Moved], list[Hunk]]:
    """Return the lines among `hunks` that only moved, and hunks of the others.

    A line of fewer than `least` bytes may be at another place by chance.
    """
    parts = _find_parts(one, other, hunks, least)
    rest = [hunk for hunk in hunks if not any(_is_within(hunk, each) for each in parts)]
    moved: list[Moved] = [(range(first, last), range(left, right)) for first, last, left, right in parts]
    found = _find_among_others(one, other, rest, least)
    return ([*moved, found[0]], found[1]) if found else (moved, rest)


def _find_parts(one: Sequence[bytes], other: Sequence[bytes], hunks: Sequence[Hunk], least: int) -> list[Hunk]:
    """Return the parts in which both have the same lines in a different order, each over several of the `hunks`."""
    parts = []
    place = 0
    while place < len(hunks):
        near = hunks[place : place + _MOST_JOINED]
        last = _find_end(one, other, near, least)
        if last:
            parts.append((near[0][0], near[last][1], near[0][2], near[last][3]))
        place += last + 1
    return parts


def _find_end(one: Sequence[bytes], other: Sequence[bytes], hunks: Sequence[Hunk], least: int) -> int:
    """Return which of `hunks` is the first with which both have the same lines again; 0 for none."""
    balance: Counter[bytes] = Counter()
    for index, (first, last, left, right) in enumerate(hunks):
        balance.update(one[first:last])
        balance.subtract(other[left:right])
        if index == 0 and not any(_is_telling(line, least) for line, count in balance.items() if count):
            return 0
        if not any(balance.values()):
            return index
    return 0


def _is_telling(line: bytes, least: int) -> bool:
    return len(line.strip()) >= least


def _is_within(hunk: Hunk, part: Hunk) -> bool:
    return part[0] <= hunk[0] and hunk[1] <= part[1] and part[2] <= hunk[2] and hunk[3] <= part[3]


def _find_among_others(
    one: Sequence[bytes], other: Sequence[bytes], hunks: Sequence[Hunk], least: int
) -> tuple[Moved, list[Hunk]] | None:
    """Return the lines that moved among such that differ, with those between them, and hunks of the latter."""
    lost = Counter(one[line] for first, last, _, _ in hunks for line in range(first, last))
    new = Counter(other[line] for _, _, left, right in hunks for line in range(left, right))
    both = Counter({line: count for line, count in (lost & new).items() if _is_telling(line, least)})
    if not both:
        return None
    ours, theirs = Counter(both), Counter(both)
    rest: list[Hunk] = []
    among: list[Hunk] = []
    for hunk in hunks:
        first, last, left, right = hunk
        mine = [line for line in range(first, last) if not _take(ours, one[line])]
        others = [line for line in range(left, right) if not _take(theirs, other[line])]
        if len(mine) < last - first or len(others) < right - left:
            among.append(hunk)
        rest += _as_hunks(mine, others, hunk)
    if not among:
        return None
    start, end, begin, stop = among[0][0], among[-1][1], among[0][2], among[-1][3]
    left_out = {line for first, last, _, _ in rest for line in range(first, last)}
    there = {line for _, _, left, right in rest for line in range(left, right)}
    moved = [x for x in range(start, end) if x not in left_out], [x for x in range(begin, stop) if x not in there]
    return (moved, rest) if [one[x] for x in moved[0]] != [other[x] for x in moved[1]] else None


def _take(left: Counter[bytes], line: bytes) -> bool:
    """Return whether `line` is one of those `left`, and take it from them."""
    left[line] -= 1
    return left[line] >= 0


def _as_hunks(mine: Sequence[int], others: Sequence[int], hunk: Hunk) -> Iterator[Hunk]:
    """Yield hunks of the lines that are left of `hunk`: one for each pair, else one for each run on either side."""
    if len(mine) == len(others):
        yield from ((ours, ours + 1, theirs, theirs + 1) for ours, theirs in zip(mine, others, strict=True))
        return
    yield from ((start, end, hunk[2], hunk[2]) for start, end in _runs(mine))
    yield from ((hunk[0], hunk[0], start, end) for start, end in _runs(others))


def _runs(lines: Iterable[int]) -> Iterator[tuple[int, int]]:
    start = end = -1
    for line in lines:
        if line != end:
            if start >= 0:
                yield start, end
            start = line
        end = line + 1
    if start >= 0:
        yield start, end
