"""Text by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.long_lines import Columns, is_long, span, split
from pytest_ftc.comparison.members.moved_lines import Hunk, find_moved
from pytest_ftc.comparison.members.plain import Found, clip
from pytest_ftc.comparison.members.span import Span, common_end, common_start, first_unequal
from pytest_ftc.model import Field

_CHUNK = 1 << 17
_WINDOW = 2 << 20
"""Bytes, starting at the first difference, that are compared by line."""
_LONGEST_LINE = 1 << 20
"""Bytes before the first difference in which the start of its line is sought."""
_AHEAD = 200
"""Lines to search at a time for the point after a difference where the texts agree again."""
_MOST_PAIRED = 16
_MOST_SEEN = 2000
_LEAST_MOVED = 3
"""Bytes of a part of a line that is at another place by no chance."""
_ALIKE, _MOSTLY = 0.25, 0.8
"""Likeness of a line and its counterpart, and the share of lines that have one."""
_PUNCTUATION = re.compile(rb"[^\w\s]")


Inside = Callable[[Found], Sequence[Found]]
Pair = Callable[[Sequence[bytes], Sequence[bytes], Budget], tuple[list[bytes], Found] | None]


@dataclass(frozen=True, slots=True)
class Texts:
    """What texts are compared one by one."""

    separator: bytes = b"\n"
    item: str = "line"
    unordered: bool = False
    """Whether their order says nothing."""
    inside: Inside | None = None
    """Returns the places within a text that differs; nothing if it is one place."""
    pair: Pair | None = None
    """Returns the second texts in the order of the first, and the place that tells of theirs; None if none moved."""


def compare_lines(one: Span, other: Span, budget: Budget, texts: Texts = Texts()) -> Iterator[Found]:
    """Yield the first lines that differ; one place if only their order differs.  Raises OutOfTimeError."""
    offset = first_unequal(one, other, budget)
    if offset is None:
        return
    separator, item = texts.separator, texts.item
    before = one.read(max(0, offset - _LONGEST_LINE), min(offset, _LONGEST_LINE)).rpartition(separator)[2]
    start = offset - len(before)
    compare = _inside if item == "line" and (not start or len(before) < _LONGEST_LINE) else _as_one
    number = _count(one, start, separator, budget) + 1
    control, experiment = _lines(one, start, separator), _lines(other, start, separator)
    whole = max(one.size, other.size) - start <= _WINDOW
    if whole and sorted(control) == sorted(experiment):
        yield _reordered(control, experiment, item, budget)
        return
    if whole and texts.pair and (paired := texts.pair(control, experiment, budget)):
        experiment, order = paired
        yield order
    pairs = _pair_unordered(control, experiment) if whole and texts.unordered else []
    hunks = pairs or list(islice(find_hunks(control, experiment, budget), _MOST_SEEN))
    moved, hunks = ([], hunks) if texts.unordered else find_moved(control, experiment, hunks)
    if moved:
        lines = [control[line] for ours, _ in moved for line in ours]
        theirs = [experiment[line] for _, others in moved for line in others]
        yield _reordered(lines, theirs, item, budget)
    parts = [part for hunk in hunks for part in _by_line(control, experiment, hunk)]
    # If only the beginnings were read, lines beyond the shorter one are not a difference.
    ends = () if whole else (len(control), len(experiment))
    cut = next((count for count, part in enumerate(parts) if count and {part[1], part[3]} & set(ends)), len(parts))
    found = (
        found
        for part in parts[:cut]
        for found in compare(control, experiment, part, f"{item} {number + part[0]}", budget)
    )
    yield from _choose(found, texts, budget, have_moved=bool(moved))
    if cut < len(parts):
        budget.record(f"more {item}s differ in a member than are listed")


def _choose(found: Iterator[Found], texts: Texts, budget: Budget, *, have_moved: bool) -> Iterable[Found]:
    if texts.inside:
        within = (one for text in found for one in texts.inside(text) or [text])
        return choose(within, texts.item, budget, _place_within)
    if have_moved:
        # What differs on both sides has a cause of its own, and what only one has is left of lines that moved.
        return choose(sorted(found, key=_is_one_sided), texts.item, budget, _kind_beside)
    return choose(found, texts.item, budget, _kind)


def _inside(
    control: Sequence[bytes], experiment: Sequence[bytes], hunk: Hunk, location: str, budget: Budget
) -> Iterator[Found]:
    """Yield what differs in lines: the parts of a long one, or all as one place."""
    first, last, left, right = hunk
    is_pair = last - first == right - left == 1
    found = tuple(compare_parts(control[first], experiment[left], location, budget)) if is_pair else ()
    yield from found or _as_one(control, experiment, hunk, location, budget)


def _as_one(
    control: Sequence[bytes], experiment: Sequence[bytes], hunk: Hunk, location: str, budget: Budget
) -> Iterator[Found]:
    first, last, left, right = hunk
    yield Found(Field.CONTENT, location, b"".join(control[first:last]), b"".join(experiment[left:right]))


def compare_parts(one: bytes, other: bytes, location: str, budget: Budget) -> Iterator[Found]:
    """Yield the parts that differ in a long line at `location`; nothing if no part of it differs, or it has none.

    Each is told by its column and number in the control.  The number is the same in all builds of a diagnosis also
    where what is before it has another length.  Parts in another order are one place.  Raises OutOfTimeError.
    """
    if not is_long(one):
        return
    ours, theirs = split(one), split(other)
    if len(ours) == 1:
        return
    texts, their_texts = [part.text for part in ours], [part.text for part in theirs]
    hunks = list(islice(find_hunks(texts, their_texts, budget), _MOST_SEEN))
    moved, hunks = find_moved(texts, their_texts, hunks, _LEAST_MOVED)
    if moved:
        control, experiment = (
            b", ".join(side[number] for pair in moved for number in pair[index])
            for index, side in enumerate((texts, their_texts))
        )
        yield Found(Field.ORDER, f"{location}, order of parts", control, experiment)
    columns = Columns(one)
    for first, last, left, right in sorted(each for hunk in hunks for each in _by_line(texts, their_texts, hunk)):
        if texts[first:last] != their_texts[left:right]:
            column = columns.at(ours[first].start if first < len(ours) else len(one))
            values = span(one, ours, first, last), span(other, theirs, left, right)
            yield Found(Field.CONTENT, f"{location}, column {column} (part {first + 1})", *values)


def _place_within(found: Found) -> str:
    """Return the location within its text."""
    return found.location.partition(", ")[2]


def _kind(found: Found) -> Hashable:
    """Return what lines that differ for one reason mostly have in common: how they begin, and signs in what differs."""
    control, experiment = found.control, found.experiment
    start, end = common_start(control, experiment), common_end(control, experiment)
    differing = control[start : len(control) - end] + experiment[start : len(experiment) - end]
    return control.lstrip()[:1], frozenset(_PUNCTUATION.findall(differing))


def _is_one_sided(found: Found) -> bool:
    return bool(found.control) != bool(found.experiment)


def _kind_beside(found: Found) -> Hashable:
    """Return the kind of lines beside some that moved; those that only one side has are of one kind."""
    return None if _is_one_sided(found) else _kind(found)


def _pair_unordered(one: Sequence[bytes], other: Sequence[bytes]) -> list[Hunk]:
    """Return the texts that only one side has, each with the most similar one of the other side.

    Nothing if one side has more of them, or there are many.
    """
    mine, theirs = Counter(one) - Counter(other), Counter(other) - Counter(one)
    left = [index for index, text in enumerate(one) if text in mine]
    right = [index for index, text in enumerate(other) if text in theirs]
    if len(left) != len(right) or len(left) > _MOST_PAIRED:
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


def _by_line(one: Sequence[bytes], other: Sequence[bytes], hunk: Hunk) -> Iterator[Hunk]:
    """Yield the lines of a hunk one by one if each has a counterpart, because each may differ for another reason."""
    first, last, left, right = hunk
    count = last - first
    ours, theirs = one[first:last], other[left:right]
    few = count <= _MOST_PAIRED or (count <= _MOST_SEEN and _are_alike(ours, theirs))
    paired = few and count == right - left
    if not paired or sorted(ours) == sorted(theirs):
        yield hunk
        return
    yield from ((first + line, first + line + 1, left + line, left + line + 1) for line in range(count))


def _are_alike(ours: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Return whether each of many lines is the counterpart of the one at its place, as in a list with other times."""
    pairs = zip(ours, theirs, strict=False)
    return sum(_likeness(own, other) >= _ALIKE for own, other in pairs) >= _MOSTLY * len(ours)


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
    # Equal lines share their memory: a window may have a million of them.
    ended: dict[bytes, bytes] = {}
    return [ended.get(line) or ended.setdefault(line, line + separator) for line in lines] + ([last] if last else [])


def find_hunks(one: list[bytes], other: list[bytes], budget: Budget) -> Iterator[Hunk]:
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
