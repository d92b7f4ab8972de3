"""Searching the differences of two contents for a planted value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, Change
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.model import Strength, Suspicion

Span = tuple[int, int]
Forms = Callable[[str], Sequence[bytes]]

_TOKEN = re.compile("[bcdfghjklmnpqrstvwxz]{6}")
"""The token of a build, as planning generates it."""
_TRACE = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]|[0-9a-f]{32}|[0-9a-f]{16}")
"""The values of TRACEPARENT and the IDs in them, which are random."""
_TELLING = 8
"""Total length of both values from which they are no coincidence."""
_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")


@dataclass(frozen=True, slots=True)
class Value:
    """What one variation planted in each build; empty if nothing."""

    cause: str
    control: str
    experiment: str
    what: str
    """The words after "it contains"."""


def is_unique(value: str) -> bool:
    """Return whether `value` contains a token, or names a trace, and so occurs nowhere else."""
    return bool(_TOKEN.search(value) or _TRACE.fullmatch(value))


def plainly(value: str) -> tuple[bytes, ...]:
    """Return the only form of a value that is always written unchanged."""
    return (value.encode("utf-8", "surrogateescape"),)


def spot_values(place: AlignedPlace, values: Iterable[Value], forms: Forms) -> Iterator[Sighting]:
    """Yield the changes at which each side contains the value of its build, in one of the `forms`."""
    for value in values:
        if value.control == value.experiment:
            continue
        if value.control and value.experiment:
            yield from _spot_pair(place, value, forms)
        elif is_unique(value.control or value.experiment):
            yield from _spot_single(place, value, forms)


def _spot_pair(place: AlignedPlace, value: Value, forms: Forms) -> Iterator[Sighting]:
    for own, theirs in dict.fromkeys(zip(forms(value.control), forms(value.experiment), strict=True)):
        spans = find_all(place.control, own, bounded=not is_unique(value.control))
        their_spans = find_all(place.experiment, theirs, bounded=not is_unique(value.experiment)) if spans else []
        changes = frozenset(
            number
            for number, change in enumerate(place.changes if their_spans else ())
            if any(touches(span, change.start, change.end) for span in spans)
            and any(touches(span, change.theirs, change.their_end) for span in their_spans)
        )
        if changes:
            why = f"it contains {value.what}"
            yield Sighting(Suspicion(value.cause, _strength(value), shown(own), shown(theirs), why), changes)
        yield from _spot_moved(place, value, own, theirs)


def _spot_moved(place: AlignedPlace, value: Value, own: bytes, theirs: bytes) -> Iterator[Sighting]:
    """Yield where one side has its build's unique value and the other nothing: sorted lines may have moved."""
    for form, of_control in ((own, True), (theirs, False)):
        if not is_unique(value.control if of_control else value.experiment):
            continue
        spans = find_all(place.control if of_control else place.experiment, form, bounded=False)
        changes = frozenset(
            number
            for number, change in enumerate(place.changes if spans else ())
            if not _is_filled(change, not of_control)
            and any(overlaps(span, *_side(change, of_control)) for span in spans)
        )
        if changes:
            texts = (shown(form), "") if of_control else ("", shown(form))
            why = f"only one side contains {value.what}; the other has nothing there"
            yield Sighting(Suspicion(value.cause, Strength.STRONG, *texts, why), changes)


def _is_filled(change: Change, control: bool) -> bool:
    start, end = _side(change, control)
    return start < end


def _spot_single(place: AlignedPlace, value: Value, forms: Forms) -> Iterator[Sighting]:
    """Yield where the value is, if only one of the builds has it."""
    for form in dict.fromkeys(forms(value.control or value.experiment)):
        spans = find_all(place.control if value.control else place.experiment, form, bounded=False)
        changes = frozenset(
            number
            for number, change in enumerate(place.changes if spans else ())
            if any(overlaps(span, *_side(change, bool(value.control))) for span in spans)
        )
        if changes:
            texts = (shown(form), "") if value.control else ("", shown(form))
            why = f"it contains {value.what}, which only one of the builds has"
            yield Sighting(Suspicion(value.cause, Strength.STRONG, *texts, why), changes)


def _side(change: Change, control: bool) -> Span:
    return (change.start, change.end) if control else (change.theirs, change.their_end)


def _strength(value: Value) -> Strength:
    unique = is_unique(value.control) + is_unique(value.experiment)
    if unique == 2:
        return Strength.CERTAIN
    telling = len(value.control) + len(value.experiment) >= _TELLING
    return Strength.STRONG if unique or telling else Strength.WEAK


def find_all(text: bytes, value: bytes, *, bounded: bool) -> list[Span]:
    """Return the positions of `value` in `text`; if `bounded`, not inside a longer word or number."""
    spans = []
    start = text.find(value) if value else -1
    while start >= 0:
        end = start + len(value)
        if not bounded or _stands_alone(text, start, end):
            spans.append((start, end))
        start = text.find(value, start + 1)
    return spans


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    before = text[start - 1] if start else 0
    after = text[end] if end < len(text) else 0
    return not (before in _WORD and text[start] in _WORD) and not (after in _WORD and text[end - 1] in _WORD)


def touches(span: Span, start: int, end: int) -> bool:
    """Return whether `span` overlaps or touches the range from `start` to `end`."""
    return span[0] <= end and span[1] >= start


def overlaps(span: Span, start: int, end: int) -> bool:
    """Return whether `span` overlaps the range from `start` to `end`."""
    return span[0] < end and span[1] > start
