"""Which string of one side is which string of the other one: strings may have another length, or have moved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.lines import find_hunks
from pytest_ftc.comparison.members.span import common_end, common_start

_MOST_ALIGNED = 16
_MOST_MOVED = 64
_ALIKE, _FEWEST_ALIKE = 0.3, 4
"""Likeness of strings of which one is hardly in the place of the other by chance, and the bytes that they share."""
_DIGIT = re.compile(rb"[0-9]")

Run = tuple[range, range]
"""Numbers of strings on each side that belong together; of one side there may be none."""


def pair_strings(one: Sequence[bytes], other: Sequence[bytes], budget: Budget) -> list[Run]:
    """Return the strings that differ, each with its counterpart; runs that are too long to tell stay together.

    Those alike belong together wherever they stand, as linkers sort strings by their alignment; then those at the same
    place of a run, if each has a counterpart.  Raises OutOfTimeError.
    """
    hunks: list[Run] = []
    runs: list[Run] = []
    for a, b, c, d in find_hunks(list(one), list(other), budget):
        (runs if max(b - a, d - c) > _MOST_ALIGNED else hunks).append((range(a, b), range(c, d)))
    pairs = _Pairs()
    for ours, theirs in hunks:
        if len(ours) == len(theirs):
            pairs.add({a: b for a, b in zip(ours, theirs, strict=True) if _likeness(one[a], other[b]) >= _ALIKE})
        pairs.add(find_alike(one, other, *pairs.left(ours, theirs)))
    left, right = pairs.left(*([number for hunk in hunks for number in hunk[side]] for side in (0, 1)))
    if max(len(left), len(right)) <= _MOST_MOVED:
        pairs.add(find_alike(one, other, left, right))
    for hunk in hunks:
        left, right = pairs.left(*hunk)
        if len(left) == len(right):
            pairs.add(dict(zip(left, right, strict=True)))
        runs += _runs(pairs, *hunk)
    return sorted(runs, key=lambda run: run[0].start)


class _Pairs:
    """Numbers of strings of one side, each with that of its counterpart."""

    def __init__(self) -> None:
        self.theirs: dict[int, int] = {}
        self._taken: set[int] = set()

    def add(self, pairs: Mapping[int, int]) -> None:
        self.theirs.update(pairs)
        self._taken.update(pairs.values())

    def left(self, ours: Iterable[int], theirs: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return which of these strings have no counterpart."""
        return [a for a in ours if a not in self.theirs], [b for b in theirs if b not in self._taken]


def _runs(pairs: _Pairs, ours: range, theirs: range) -> Iterator[Run]:
    its = pairs.theirs
    for a in ours:
        yield range(a, a + 1), range(its[a], its[a] + 1) if a in its else range(theirs.start, theirs.start)
    for b in pairs.left((), theirs)[1]:
        # What the control does not have stands after what is before it there.
        after = max((a + 1 for a in ours if a in its and its[a] < b), default=ours.start)
        yield range(after, after), range(b, b + 1)


def find_alike(
    one: Sequence[bytes], other: Sequence[bytes], ours: Sequence[int], theirs: Sequence[int]
) -> dict[int, int]:
    """Return which of `theirs` is like each of `ours`, both numbers of strings; the most similar first."""
    ranked = sorted(
        (-alike, abs(place - its), a, b)
        for place, a in enumerate(ours)
        for its, b in enumerate(theirs)
        if (alike := _likeness(one[a], other[b])) >= _ALIKE
    )
    pairs: dict[int, int] = {}
    for _, _, a, b in ranked:
        if a not in pairs and b not in pairs.values():
            pairs[a] = b
    return pairs


def _likeness(one: bytes, other: bytes) -> float:
    """Return which part of the shorter string begins or ends as the other one does; 0 if that is next to nothing.

    Digits are those of a time, and the same as any others.
    """
    shorter = min(len(one), len(other))
    if shorter < _FEWEST_ALIKE:
        return 0.0
    own, theirs = (_DIGIT.sub(b"0", text) for text in (one, other))
    if own[0] != theirs[0] and own[-1] != theirs[-1]:
        return 0.0
    same = min(common_start(own, theirs) + common_end(own, theirs), shorter)
    return same / shorter if same >= _FEWEST_ALIKE else 0.0
