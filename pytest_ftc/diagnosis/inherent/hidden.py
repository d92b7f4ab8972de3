"""Causes that the time hides: where it differs in every build, others show only while the clock stands still."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.case import UNVARIED_TOO, Case, Investigation, Look
from pytest_ftc.diagnosis.conclude import conclude
from pytest_ftc.diagnosis.group_testing import Group, Observation, comes_by_itself, share
from pytest_ftc.diagnosis.hypotheses import Kind
from pytest_ftc.diagnosis.inherent.pairs import build_stopped, find_differing
from pytest_ftc.diagnosis.next_builds import next_groups
from pytest_ftc.diagnosis.places import Key, Places, is_again, match_places
from pytest_ftc.diagnosis.posterior import SURE
from pytest_ftc.model import BuildResult, Cause, Strength, Suspicion
from pytest_ftc.model.protocols import Rebuilder

_AT_ONCE = 2
_LEAST_STEADY = 2
"""Builds that varied nothing while the clock stood still, by which a place repeats then."""
_MOST_KNOWN = 8
"""Groups of known causes that are left out together."""


def find_hidden(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, reserve: int) -> None:
    """Vary everything else while the clock stands still, and open cases of what then differs.

    `reserve` is how many builds are left for remedies.
    """
    by_known: dict[Group, dict[Key, Case]] = {}
    leading = {(key.output, key.member) for key, case in cases.items() if case.place.note != FOLLOWS}
    for key, case in cases.items():
        # What is computed from the rest of its file hides nothing that the rest does not.
        is_computed = case.place.note == FOLLOWS and (key.output, key.member) in leading
        if not is_computed and _may_hide(case, given.everything):
            known = frozenset(name for name in case.evident if name not in UNVARIED_TOO)
            by_known.setdefault(known, {})[key] = case
    steady = given.stopped
    for known, asked in list(by_known.items())[:_MOST_KNOWN]:
        group = given.everything - known - {Cause.TIME}
        groups = [group] if steady else [frozenset[str](), group]
        if not group or rebuilder.left < len(groups) + reserve:
            break
        builds = build_stopped(rebuilder, given, groups)
        if not builds:
            break
        steady += builds[:-1]
        look = partial(_look, given, cases.keys() - asked.keys())
        differing = _find_those(asked, look, steady[0], builds[-1])
        for key, case in asked.items():
            case.hides_nothing = key not in differing
        if differing and len(steady) < _LEAST_STEADY and rebuilder.left > reserve:
            steady += build_stopped(rebuilder, given, [frozenset()])
        if len(steady) >= _LEAST_STEADY:
            _open(differing, group, given, look, [*steady, builds[-1]])
    if steady:
        _narrow(cases, given, rebuilder, reserve)


def _may_hide(case: Case, everything: Group) -> bool:
    """Return whether a time is all that is known of it, and may not be all of it."""
    seen = [one.shows for one in case.observations if one.stopped]
    if case.sources or case.hidden or case.hides_nothing or any(seen) or not comes_by_itself(case.observations):
        return False
    if seen:
        return case.believe(everything).by_kind(Kind.CLOCK) >= SURE
    return Cause.TIME in case.evident and case.beside is not None


def _look(given: Investigation, others: Collection[Key], first: BuildResult, second: BuildResult) -> Places:
    """Return the places in which two builds differ, without `others`, which a near one would be taken for."""
    return {key: place for key, place in given.look(first, second).items() if key not in others}


def _find_those(cases: Mapping[Key, Case], look: Look, first: BuildResult, other: BuildResult) -> dict[Key, Case]:
    """Return those of `cases` that differ between two builds."""
    differing = find_differing(cases, look(first, other), first, other)
    return {key: case for key, case in cases.items() if differing.get(key)}


def _open(
    cases: Mapping[Key, Case], group: Group, given: Investigation, look: Look, builds: Sequence[BuildResult]
) -> None:
    """Give each of `cases` that differs in the last of `builds`, and not between those before it, a case of that.

    The clock stands still in all of them; those before the last vary nothing.
    """
    first, *again, other = builds
    repeats = [find_differing(cases, look(first, one), first, one) for one in again]
    places = look(first, other)
    differing, found = find_differing(cases, places, first, other), match_places(cases, places)
    for key, case in cases.items():
        same = [Observation(frozenset(), False) for repeat in repeats if repeat.get(key) is False]
        if differing.get(key) and key in found and same and len(same) == len(repeats):
            suspicions = [one for one in given.suspect(found[key], first, other) if one.cause in group]
            seen = [Observation(given.everything, True), Observation(group, True), *same]
            case.hidden = Case(found[key], suspicions, seen)


def _narrow(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, reserve: int) -> None:
    first = given.stopped[0]
    hidden = {key: case.hidden for key, case in cases.items() if case.hidden}
    look = partial(_look, given, cases.keys() - hidden.keys())
    # What is known already is not asked about again.
    among = {key: given.everything - {Cause.TIME} - frozenset(cases[key].evident) for key in hidden}
    while (most := min(_AT_ONCE, rebuilder.left - reserve)) > 0:
        groups = share({key: next_groups(case.ask(among[key]), case.evident) for key, case in hidden.items()}, most)
        builds = build_stopped(rebuilder, given, groups) if groups else ()
        if not builds:
            break
        for group, build in zip(groups, builds, strict=True):
            places = look(first, build)
            differing, found = find_differing(hidden, places, first, build), match_places(hidden, places)
            for key, case in hidden.items():
                if key in differing:
                    again = is_again(case.place, found.get(key))
                    case.observations.append(Observation(group, differing[key], again))
    for key, case in hidden.items():
        causes = [name for name, sure in conclude(case, among[key]) if sure and name not in case.evident]
        told = map(_while_stopped, causes)
        case.suspicions = [*case.suspicions, *(one for one in told if one not in case.suspicions)]


def _while_stopped(cause: str) -> Suspicion:
    why = f"while the clock stands still, it differs when {cause} is varied, and not otherwise"
    return Suspicion(cause, Strength.WEAK, "", "", why)
