"""Comparing two builds of which neither is the control."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pytest_ftc.diagnosis.case import Investigation
from pytest_ftc.diagnosis.group_testing import Group
from pytest_ftc.diagnosis.places import Key, Places, showing
from pytest_ftc.model import BuildResult, BuildStatus, Cause
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


def find_differing(known: Collection[Key], places: Places, one: BuildResult, other: BuildResult) -> Mapping[Key, bool]:
    """Return whether each of the `known` places is among those in which two builds differ, unless that is unknown.

    It is unknown where one of them has no output of that name, as with a random one, while unknown outputs differ.
    """
    found = showing(known, places)
    names = {output.path for output in one.outputs} & {output.path for output in other.outputs}
    strange = {key.output for key in places} - {key.output for key in known}
    return {key: key in found for key in known if key in found or key.output in names or not strange}
