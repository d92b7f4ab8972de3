"""Comparing two builds of which neither is the control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ftc.diagnosis.case import Case, Investigation, places_in
from pytest_ftc.diagnosis.counted import is_line
from pytest_ftc.diagnosis.group_testing import Group
from pytest_ftc.diagnosis.places import Key, Places, may_be_elsewhere, showing
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place
from pytest_ftc.model.protocols import Rebuilder

FOR_REMEDIES = 4
"""Builds reserved for testing remedies."""
WAITS_FOR_CLOCK = "a build whose clock stands still did not end, so it waits for the clock to advance"


def build_stopped(rebuilder: Rebuilder, given: Investigation, groups: Sequence[Group]) -> Sequence[BuildResult]:
    """Return a build for each of `groups` that varies it while the clock stands still; none if one did not succeed."""
    builds = rebuilder.with_a_stopped_clock(given.control, groups)
    if any(one.status is BuildStatus.TIMEOUT for one in builds):
        given.notes[WAITS_FOR_CLOCK] = None
    failed = any(one.status is not BuildStatus.OK or Cause.TIME in one.not_applied for one in builds)
    return () if failed or len(builds) < len(groups) else builds


def find_differing(
    known: Mapping[Key, Case], places: Places, one: BuildResult, other: BuildResult
) -> Mapping[Key, bool]:
    """Return whether each of the `known` places is among those in which two builds differ, unless that is unknown.

    It is unknown where one of them has no output of that name, as with a random one, while unknown outputs differ, and
    for lines where unknown ones differ, which may be the same under other numbers.
    """
    before = places_in(known)
    found = showing(before, places) | frozenset(_find_moved(known, places))
    names = {output.path for output in one.outputs} & {output.path for output in other.outputs}
    strange = {key.output for key in places} - {key.output for key in known}
    elsewhere = may_be_elsewhere(before, places) - found
    told = (key for key in known if key in found or key.output in names or not strange)
    return {key: key in found for key in told if key not in elsewhere}


def _find_moved(known: Mapping[Key, Case], places: Places) -> Iterator[Key]:
    """Yield the `known` lines that are in another place: where nothing else differs, only an order is told."""
    moved = {key[:2]: _moved_lines(place) for key, place in places.items() if key.field is Field.ORDER}
    for key, case in known.items():
        lines = moved.get(key[:2])
        if lines and is_line(key.location) and not lines.isdisjoint(_lines(case.place)):
            yield key


def _moved_lines(order: Place) -> frozenset[bytes]:
    pairs = zip(order.control.splitlines(), order.experiment.splitlines(), strict=False)
    return frozenset(line for pair in pairs if pair[0] != pair[1] for line in pair)


def _lines(place: Place) -> list[bytes]:
    return [*place.control.splitlines(), *place.experiment.splitlines()]
