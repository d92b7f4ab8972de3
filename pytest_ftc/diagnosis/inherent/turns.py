"""The time zone of years and months: it shows only in builds at the turn of a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_ftc.diagnosis.canaries.timestamps.fields import MAY_HIDE_ZONE
from pytest_ftc.diagnosis.canaries.timestamps.text import DAY, find_stamps
from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.group_testing import Group, Observation, comes_by_itself
from pytest_ftc.diagnosis.places import Key, match_places
from pytest_ftc.model import BuildStatus, Cause, Strength, Suspicion
from pytest_ftc.model.protocols import Rebuilder

_NOTHING: Group = frozenset()
_ZONE: Group = frozenset({Cause.TIMEZONE})
AT_TURN = "at the turn of a year, it differs between builds in two time zones at one moment"


def find_zones(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, reserve: int) -> None:
    """Build in both time zones at the turn of a year, and open cases of dates that then differ.

    `reserve` is how many builds are left for remedies.
    """
    asked = {key: case for key, case in cases.items() if _may_hide_zone(case)}
    if not asked or not given.everything >= {Cause.TIME, *_ZONE}:
        return
    if not given.at_turn and rebuilder.left >= 2 + reserve:
        given.at_turn.extend(rebuilder.at_the_turn_of_a_year([_NOTHING, _ZONE]))
    if len(given.at_turn) < 2 or any(one.status is not BuildStatus.OK for one in given.at_turn):
        return
    first, other = given.at_turn
    for key, place in match_places(asked, given.look(first, other)).items():
        if key in asked:
            # Both clocks are at one moment, so that of two dates the zone differs.
            told = (one for one in given.suspect(place, first, other) if one.cause in (Cause.TIME, Cause.TIMEZONE))
            date = next(told, Suspicion(Cause.TIMEZONE, Strength.WEAK, "", "", ""))
            same = [Observation(_NOTHING, False) for one in asked[key].observations if not one.varied]
            asked[key].at_turn = Case(
                place, [replace(date, cause=Cause.TIMEZONE, why=AT_TURN)], [Observation(_ZONE, True), *same]
            )


def _may_hide_zone(case: Case) -> bool:
    """Return whether it is a date of the build, of which no build has shown whether its zone matters."""
    if case.sources or comes_by_itself(case.observations):
        return False
    coarse = any(one.why == MAY_HIDE_ZONE for one in case.suspicions)
    date = next((one.control for one in case.suspicions if one.cause == Cause.TIME), "").encode()
    varied = [one for one in case.observations if one.varied >= _ZONE and Cause.TIME not in one.varied]
    # In these builds the day is another one, though rarely the year.
    of_a_day = any(stamp.precision <= DAY for stamp in find_stamps(date))
    return coarse and bool(date) and not any(one.shows for one in varied) and not (varied and of_a_day)
