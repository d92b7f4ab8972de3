"""Races: what concurrent processes make is the same in builds that run on one CPU."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.culprits.commands import find_culprit, find_source, is_made_in_parallel
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.group_testing import Group, comes_by_itself
from pytest_ftc.diagnosis.inherent.pairs import FOR_REMEDIES, find_differing
from pytest_ftc.diagnosis.places import Key, show_values
from pytest_ftc.diagnosis.posterior import SURE
from pytest_ftc.model import BuildResult, BuildStatus, Cause
from pytest_ftc.model.protocols import Rebuilder

_MOST_PAIRS = 6


def check_races(
    cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, traced: BuildResult, reserve: int
) -> None:
    """For places that no value explains and that may race, build pairs on one CPU until the cause is sure.

    The build `traced` tells who made them.  `reserve` is how many builds are left for remedies by the first pair.
    """
    if traced.trace is None:
        return
    flow = Flow(traced.trace)
    names = given.renamed(given.control, traced) if traced.status is BuildStatus.OK else {}
    for key, case in cases.items():
        if not (case.evident or case.sources):
            values = [show_values(case.place).control]
            path = find_source(flow, f"{given.tree}/{names.get(key.output, key.output)}", case.place, values)
            program = find_culprit(flow, path, values, case.place.format)
            suspected = Cause.RACE in case.suspects
            if program:
                case.parallel = is_made_in_parallel(flow, path, program, threads=suspected)
                case.mixed = suspected and is_made_in_parallel(flow, path, program, threads=False)
    alone = frozenset({Cause.NUM_CPUS})
    if not alone & given.everything:
        return
    for number in range(_MOST_PAIRS):
        doubtful = {key: case for key, case in cases.items() if _may_race(case, given.everything)}
        if not doubtful or rebuilder.left < 2 + (FOR_REMEDIES if number else reserve):
            return
        one, other = rebuilder.varying([alone, alone])
        if any(build.status is not BuildStatus.OK for build in (one, other)):
            return
        differing = find_differing(cases, given.look(one, other), one, other)
        for key, case in doubtful.items():
            if key in differing:
                case.pairs.append(not differing[key])


def _may_race(case: Case, everything: Group) -> bool:
    known = not case.parallel or case.evident or case.sources or not comes_by_itself(case.observations)
    return not known and 1 - SURE < case.race_probability(everything) < SURE
