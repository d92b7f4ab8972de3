"""Alignment of two contents: the byte runs that differ, each with its counterpart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pytest_ftc.comparison.members.span import common_end, common_start
from pytest_ftc.diagnosis.canaries.patience_diff import Run, differing_runs

_CONTEXT = 256
"""Bytes searched on both sides of a change for the ends of the value that it is part of."""
_NEAR = 64
_MOST_PLACES = 256
_LONGEST = 16 << 10
"""Bytes of a place."""
_WINDOW = 2 << 20
"""Bytes searched after the first difference if the lengths differ."""
_BYTES_OF_WORDS = 256 << 10
"""Longest line whose words are compared, in bytes."""
_TOGETHER = 8
"""Longest number, in bytes; some of its bytes may be equal."""
_UNEQUAL = re.compile(rb"[^\0](?:\0{0,%d}[^\0])*" % (_TOGETHER - 1))
_LINE = re.compile(rb"[^\n\0]*[\n\0]*", re.DOTALL)
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|[\s\S]")


@dataclass(frozen=True, slots=True)
class Change:
    """A run of bytes that differs: from `start` to `end` in the control, from `theirs` to `their_end` in the other."""

    start: int
    end: int
    theirs: int
    their_end: int


@dataclass(frozen=True, slots=True)
class AlignedPlace:
    """Changes that are near each other, with the bytes around them."""

    control: bytes
    experiment: bytes
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """All places that differ, unless there are too many."""

    places: tuple[AlignedPlace, ...]
    complete: bool
    """Whether the places cover all differences."""


def align(control: bytes, experiment: bytes) -> Alignment:
    """Align `control` with `experiment`."""
    if len(control) == len(experiment) and not (_is_text(control) and _is_text(experiment)):
        runs, complete = list(_unequal_bytes(control, experiment)), True
    else:
        runs, complete = _unequal_words(control, experiment)
    places, all_placed = _gather(control, experiment, runs)
    return Alignment(places, complete and all_placed)


def find_runs(control: bytes, experiment: bytes) -> list[Run]:
    """Return the runs that differ: of words in text, of single bytes where the lengths are the same."""
    if len(control) == len(experiment) and not (_is_text(control) and _is_text(experiment)):
        unequal = (at for at, (one, other) in enumerate(zip(control, experiment, strict=True)) if one != other)
        return [(at, at + 1, at, at + 1) for at in unequal]
    return _unequal_words(control, experiment)[0]


def whole(control: bytes, experiment: bytes) -> AlignedPlace:
    """Return one place: all of `control` compared with all of `experiment`."""
    return AlignedPlace(control, experiment, (Change(0, len(control), 0, len(experiment)),))


def _is_text(data: bytes) -> bool:
    return b"\0" not in data[:65536]


def _unequal_bytes(one: bytes, other: bytes) -> Iterator[Run]:
    first = common_start(one, other)
    last = len(one) - min(common_end(one, other), len(one) - first)
    difference = int.from_bytes(one[first:last], "big") ^ int.from_bytes(other[first:last], "big")
    for run in _UNEQUAL.finditer(difference.to_bytes(last - first, "big")):
        yield first + run.start(), first + run.end(), first + run.start(), first + run.end()


def _unequal_words(one: bytes, other: bytes) -> tuple[list[Run], bool]:
    first = common_start(one, other)
    same = min(common_end(one, other), len(one) - first, len(other) - first)
    # A different number or word may begin before its first unequal byte and end after its last.
    first = max(one.rfind(b"\n", 0, first) + 1, first - _CONTEXT)
    same = max(0, same - _CONTEXT)
    left, right = one[first : len(one) - same], other[first : len(other) - same]
    complete = max(len(left), len(right)) <= _WINDOW
    runs = []
    left_for_words = _BYTES_OF_WORDS
    for start, end, theirs, their_end in _runs_of(left[:_WINDOW], right[:_WINDOW], _LINE):
        size = max(end - start, their_end - theirs)
        if size > left_for_words:
            runs.append((start, end, theirs, their_end))
            continue
        left_for_words -= size
        words = _runs_of(left[start:end], right[theirs:their_end], _WORD)
        runs += [(start + a, start + b, theirs + c, theirs + d) for a, b, c, d in words]
    return [(first + a, first + b, first + c, first + d) for a, b, c, d in runs], complete


def _runs_of(one: bytes, other: bytes, item: re.Pattern[bytes]) -> Iterator[Run]:
    """Split both into items and yield the runs that differ, as byte positions."""
    items, their_items = item.findall(one), item.findall(other)
    starts = [0, *accumulate(map(len, items))]
    their_starts = [0, *accumulate(map(len, their_items))]
    for start, end, theirs, their_end in differing_runs(items, their_items):
        yield starts[start], starts[end], their_starts[theirs], their_starts[their_end]


def _gather(one: bytes, other: bytes, runs: Sequence[Run]) -> tuple[tuple[AlignedPlace, ...], bool]:
    groups: list[list[Run]] = []
    complete = True
    for run in runs:
        if groups and _is_near(groups[-1], run):
            groups[-1].append(run)
        elif len(groups) == _MOST_PLACES:
            complete = False
            break
        else:
            groups.append([run])
    cut = any(max(run[1] - run[0], run[3] - run[2]) > _LONGEST for group in groups for run in group)
    return tuple(_place(one, other, group) for group in groups), complete and not cut


def _is_near(group: Sequence[Run], run: Run) -> bool:
    return (
        run[0] - group[-1][1] <= _NEAR
        and run[2] - group[-1][3] <= _NEAR
        and max(run[1] - group[0][0], run[3] - group[0][2]) <= _LONGEST
    )


def _place(one: bytes, other: bytes, group: Sequence[Run]) -> AlignedPlace:
    cut = [(a, min(b, a + _LONGEST), c, min(d, c + _LONGEST)) for a, b, c, d in group]
    first, theirs = max(0, cut[0][0] - _CONTEXT), max(0, cut[0][2] - _CONTEXT)
    return AlignedPlace(
        control=one[first : cut[-1][1] + _CONTEXT],
        experiment=other[theirs : cut[-1][3] + _CONTEXT],
        changes=tuple(Change(a - first, b - first, c - theirs, d - theirs) for a, b, c, d in cut),
    )
