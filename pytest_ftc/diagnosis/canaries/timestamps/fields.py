"""Times of the builds and of the sources in text and in header fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.timestamps.clocks import Judge
from pytest_ftc.diagnosis.canaries.timestamps.month_names import languages_of
from pytest_ftc.diagnosis.canaries.timestamps.text import Stamp, find_stamps
from pytest_ftc.diagnosis.canaries.values import touches
from pytest_ftc.model import Cause, Strength, Suspicion

MAY_HIDE_ZONE = "which day it is depends on the time zone"
"""The reason to suspect the zone of a date."""
_MOST_PAIRS = 64
"""If there are more, times are paired by their order only."""


def find_times(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the times in `place` that differ like the clocks, the time zones or the sources."""
    judge = Judge(control, experiment)
    stamps, their_stamps = list(find_stamps(place.control)), list(find_stamps(place.experiment))
    for number, change in enumerate(place.changes):
        own = [stamp for stamp in stamps if touches((stamp.start, stamp.end), change.start, change.end)]
        theirs = [stamp for stamp in their_stamps if touches((stamp.start, stamp.end), change.theirs, change.their_end)]
        explained: list[tuple[Stamp, Stamp]] = []
        for one, other in _pair(own, theirs):
            texts = place.control[one.start : one.end], place.experiment[other.start : other.end]
            if texts[0] == texts[1]:
                continue
            for cause, strength, why in judge.judge(one, other):
                explained.append((one, other))
                yield Sighting(Suspicion(cause, strength, shown(texts[0]), shown(texts[1]), why), frozenset({number}))
        longest = [pair for pair in explained if not any(_is_part(pair, other) for other in explained)]
        if longest and control.locale != experiment.locale and not any(_is_one_notation(*pair) for pair in longest):
            one, other = longest[0]
            texts = place.control[one.start : one.end], place.experiment[other.start : other.end]
            why = "each time is written in the language of its build"
            locales = Suspicion(Cause.LOCALES, Strength.STRONG, shown(texts[0]), shown(texts[1]), why)
            yield Sighting(locales, frozenset({number}))
        if longest and judge.may_hide_zone(*longest[0]):
            zone = Suspicion(Cause.TIMEZONE, Strength.GUESS, "", "", MAY_HIDE_ZONE)
            yield Sighting(zone, frozenset({number}))


def _is_part(pair: tuple[Stamp, Stamp], other: tuple[Stamp, Stamp]) -> bool:
    """Return whether both of `pair` are parts of longer times, such as the year of a date."""
    return all(
        (two.start, two.end) != (one.start, one.end) and two.start <= one.start and one.end <= two.end
        for one, two in zip(pair, other, strict=True)
    )


def _is_one_notation(one: Stamp, other: Stamp) -> bool:
    """Return whether both have the same notation, and possibly the same language."""
    named = bool(one.month or other.month)
    return one.form == other.form and not (named and languages_of(one.month).isdisjoint(languages_of(other.month)))


def _pair(own: Sequence[Stamp], theirs: Sequence[Stamp]) -> Iterator[tuple[Stamp, Stamp]]:
    """Yield the times that may correspond to each other, the most precise first."""
    if len(own) * len(theirs) > _MOST_PAIRS:
        if len(own) == len(theirs):
            yield from zip(own, theirs, strict=True)
        return
    yield from sorted(product(own, theirs), key=lambda pair: (pair[0].precision, bool(pair[0].cycle)))


def find_mtime(control: bytes, experiment: bytes, own: Planted, theirs: Planted) -> Iterator[Sighting]:
    """Yield explanations of two stored times: decimal seconds since 1970, local or UTC."""
    try:
        a, b = float(control), float(experiment)
    except ValueError:
        return
    if not (abs(a) < 1e12 and abs(b) < 1e12):
        return
    judge = Judge(own, theirs)
    # Only the format knows whether a time was stored with its zone, or as local time.
    one, other = Stamp(0, len(control), a // 1, 1.0), Stamp(0, len(experiment), b // 1, 1.0)
    for cause, strength, why in judge.judge(one, other):
        yield Sighting(Suspicion(cause, strength, shown(control), shown(experiment), why), frozenset({0}))
