"""Inherent differences: further builds distinguish random values, races and the real clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.culprits.commands import find_culprit, find_source, is_made_in_parallel
from pytest_ftc.diagnosis.group_testing import Group, Observation, comes_by_itself
from pytest_ftc.diagnosis.places import Key, match_places, show_values
from pytest_ftc.diagnosis.posterior import LEADS, SURE, Kind
from pytest_ftc.model import BuildStatus, Cause, Strength, Suspicion, Trace
from pytest_ftc.model.protocols import Rebuilder

_MOST_PAIRS = 6
_MOST_AT_CLOCK = 8
_FOR_REMEDIES = 4
"""Builds reserved for testing remedies."""


def check_races(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, trace: Trace) -> None:
    """For places that no value explains and that may race, build pairs on one CPU until the cause is sure."""
    for key, case in cases.items():
        if not case.evident:
            values = [show_values(case.place).control]
            path = find_source(trace, f"{given.tree}/{key.output}", case.place, values)
            program = find_culprit(trace, path, values, case.place.format)
            threads = Cause.RACE in case.suspects
            case.parallel = is_made_in_parallel(trace, path, program, threads=threads) if program else None
    alone = frozenset({Cause.NUM_CPUS})
    if not alone & given.everything:
        return
    for number in range(_MOST_PAIRS):
        doubtful = {key: case for key, case in cases.items() if _may_race(case, given.everything)}
        if not doubtful or rebuilder.left < 2 + (_FOR_REMEDIES if number else 0):
            return
        one, other = rebuilder.varying([alone, alone])
        if any(build.status is not BuildStatus.OK for build in (one, other)):
            return
        still = {key.output for key in given.look(one, other)}
        for key, case in doubtful.items():
            case.pairs.append(key.output not in still)


def _may_race(case: Case, everything: Group) -> bool:
    known = not case.parallel or case.evident or not comes_by_itself(case.observations)
    return not known and 1 - SURE < case.race_probability(everything) < SURE


def check_clock(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder) -> None:
    """Build with the clock of the control if a value seems random: a value that contains the time then repeats."""
    for number in range(_MOST_AT_CLOCK):
        doubtful = {key: case for key, case in cases.items() if _may_be_a_time(case, given.everything)}
        if not doubtful or rebuilder.left < 1 + (_FOR_REMEDIES if number > 1 else 0):
            break
        lead = LEADS[number] if number < len(LEADS) else _likeliest_lead(list(doubtful.values()), number)
        if not _build_at_clock(doubtful, lead, cases, given, rebuilder):
            break
    why = "it does not differ when the clock is set to that of the control build"
    for case in cases.values():
        tried = any(one.lead is not None for one in case.observations)
        if tried and case.believe(given.everything).by_kind(Kind.CLOCK) >= SURE:
            text = show_values(case.place)
            case.suspicions = [
                Suspicion(Cause.TIME, Strength.STRONG, text.control, text.experiment, why),
                *(one for one in case.suspicions if one.cause != Cause.TIME),
            ]


def _may_be_a_time(case: Case, everything: Group) -> bool:
    if not comes_by_itself(case.observations) or case.evident or case.parallel:
        return False
    belief = case.believe(everything)
    return belief.by_kind(Kind.RANDOM) < SURE and (1 - SURE) / 2 < belief.by_kind(Kind.CLOCK) < SURE


def _likeliest_lead(cases: Sequence[Case], number: int) -> float:
    """Return the lead with the most hits: a time read near the end of a second matches with only one of them."""
    hits = {lead: sum(_hits(case, lead) for case in cases) for lead in LEADS}
    return LEADS[number % 2] if len(set(hits.values())) == 1 else max(hits, key=lambda lead: hits[lead])


def _hits(case: Case, lead: float) -> int:
    return sum(one.lead == lead and not one.shows for one in case.observations)


def _build_at_clock(
    doubtful: Mapping[Key, Case],
    lead: float,
    cases: Mapping[Key, Case],
    given: Investigation,
    rebuilder: Rebuilder,
) -> bool:
    """Build once with the clock of the control, `lead` seconds early; return whether the build succeeded."""
    result = rebuilder.at_the_time_of(given.control, lead)
    if result.status is not BuildStatus.OK:
        return False
    differing = {(key.output, key.field) for key in match_places(cases, given.look(given.control, result))}
    for key, case in doubtful.items():
        case.observations.append(Observation(frozenset(), (key.output, key.field) in differing, lead=lead))
    return True
