"""Data in which strings have another length, so that all that follows them is at another place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.lines import by_line, find_hunks
from pytest_ftc.comparison.members.plain import Found, compare_bytes
from pytest_ftc.comparison.members.span import Span, common_end, common_start, first_unequal
from pytest_ftc.model import Field

_BEFORE = 4096
"""Bytes before the first difference in which the start of its string is sought."""
_PIECE = re.compile(rb"[^\0]*\0|[^\0]+\Z")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What texts do not have; escapes they may."""
_TELLING = 4
"""Characters of a string that is hardly one by chance."""
_Pair = tuple[int, bytes, bytes]
"""Where strings begin in the control, and what differs."""


def compare_data(one: Span, other: Span, budget: Budget) -> Iterator[Found]:
    """Yield the first places that differ; string by string if they moved what follows.  Raises OutOfTimeError."""
    strings = _compare_strings(one, other, budget) if one.size != other.size else ()
    yield from strings or compare_bytes(one, other, budget)


def _compare_strings(one: Span, other: Span, budget: Budget) -> Sequence[Found]:
    """Return the strings that differ, and all else as one place; nothing for a single place, or none with a string."""
    offset = first_unequal(one, other, budget) or 0
    start = offset - len(one.read(max(0, offset - _BEFORE), min(offset, _BEFORE)).rpartition(b"\0")[2])
    most = budget.limits.value
    tail = min(one.size - start, other.size - start, most)
    same = common_end(one.read(one.size - tail, tail), other.read(other.size - tail, tail))
    if max(one.size, other.size) - same - start > most:
        return ()
    ours, theirs = (_pieces(span.read(start, most), span.size - same - start) for span in (one, other))
    pairs = list(_pairs(start, ours, theirs, budget))
    texts = [pair for pair in pairs if _is_text(pair)]
    if len(pairs) < 2 or not texts:
        return ()
    rest = [pair for pair in pairs if not _is_text(pair)]
    if rest:
        texts.append((rest[0][0], b"".join(one for _, one, _ in rest), b"".join(other for _, _, other in rest)))
    return choose((_found(*pair) for pair in sorted(texts)), "string", budget)


def _pieces(data: bytes, end: int) -> list[bytes]:
    """Return the strings of `data`, each with what ends it, with the one at `end`, from which both sides are equal."""
    stop = data.find(b"\0", end)
    return _PIECE.findall(data[: stop + 1 if stop >= 0 else len(data)])


def _pairs(start: int, ours: list[bytes], theirs: list[bytes], budget: Budget) -> Iterator[_Pair]:
    """Yield the strings that differ, without those that are only padding."""
    begins = list(accumulate(map(len, ours), initial=start))
    for hunk in find_hunks(ours, theirs, budget):
        for first, last, left, right in by_line(ours, theirs, hunk):
            control, experiment = b"".join(ours[first:last]), b"".join(theirs[left:right])
            if control.strip(b"\0") or experiment.strip(b"\0"):
                yield begins[first], control, experiment


def _is_text(pair: _Pair) -> bool:
    _, control, experiment = pair
    both = control + experiment
    try:
        both.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(both) and max(len(control.strip(b"\0")), len(experiment.strip(b"\0"))) >= _TELLING


def _found(begin: int, control: bytes, experiment: bytes) -> Found:
    return Found(Field.CONTENT, f"byte {begin + common_start(control, experiment):#x}", control, experiment)
