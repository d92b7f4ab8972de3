"""Looking for a planted value where two contents differ."""

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
"""The canary of a build, as planning makes it."""
_TELLING = 8
"""Characters in both values together that no coincidence brings about."""
_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")


@dataclass(frozen=True, slots=True)
class Value:
    """What was planted in each build on one axis; empty where there was nothing."""

    cause: str
    control: str
    experiment: str
    what: str
    """As it reads after "it contains"."""


def is_unique(value: str) -> bool:
    """Whether `value` holds a token, and so occurs nowhere else."""
    return bool(_TOKEN.search(value))


def plainly(value: str) -> tuple[bytes, ...]:
    """Return the one form of a value that is written as it is."""
    return (value.encode("utf-8", "surrogateescape"),)


def spot_values(place: AlignedPlace, values: Iterable[Value], forms: Forms) -> Iterator[Sighting]:
    """Yield where each side holds its own build's value, in one of the `forms`, at the same change."""
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
            for number, change in enumerate(place.changes)
            if any(touches(span, change.start, change.end) for span in spans)
            and any(touches(span, change.theirs, change.their_end) for span in their_spans)
        )
        if changes:
            why = f"it contains {value.what}"
            yield Sighting(Suspicion(value.cause, _strength(value), shown(own), shown(theirs), why), changes)
        yield from _spot_moved(place, value, own, theirs)


def _spot_moved(place: AlignedPlace, value: Value, own: bytes, theirs: bytes) -> Iterator[Sighting]:
    """Yield where one side holds its build's unique value, and the other nothing: what is sorted may have moved."""
    for form, of_control in ((own, True), (theirs, False)):
        if not is_unique(value.control if of_control else value.experiment):
            continue
        spans = find_all(place.control if of_control else place.experiment, form, bounded=False)
        changes = frozenset(
            number
            for number, change in enumerate(place.changes)
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
    """Yield where the one build that has the value holds it."""
    for form in dict.fromkeys(forms(value.control or value.experiment)):
        spans = find_all(place.control if value.control else place.experiment, form, bounded=False)
        changes = frozenset(
            number
            for number, change in enumerate(place.changes)
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
    """Return where `value` occurs in `text`; with `bounded` not as a part of a longer word or number."""
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
    """Whether `span` shares a byte or an edge with what lies between `start` and `end`."""
    return span[0] <= end and span[1] >= start


def overlaps(span: Span, start: int, end: int) -> bool:
    """Whether `span` shares a byte with what lies between `start` and `end`."""
    return span[0] < end and span[1] > start
