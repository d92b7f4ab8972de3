"""Times that do not look like times: they repeat in builds whose clock stands still, or is set to that of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ftc.diagnosis.case import UNVARIED_TOO, Case, Investigation
from pytest_ftc.diagnosis.group_testing import Group, Observation, comes_by_itself
from pytest_ftc.diagnosis.hypotheses import Kind
from pytest_ftc.diagnosis.inherent.hidden import find_hidden
from pytest_ftc.diagnosis.inherent.pairs import FOR_REMEDIES, build_stopped, find_differing
from pytest_ftc.diagnosis.parts import with_parts
from pytest_ftc.diagnosis.places import Key, match_places, show_values
from pytest_ftc.diagnosis.posterior import LEADS, SURE
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Strength, Suspicion
from pytest_ftc.model.protocols import Rebuilder

_MOST_AT_CLOCK = 8
_MOST_STOPPED = 6
BY_STOPPED_CLOCK = (
    "it does not differ between builds whose clock stands still",
    "it does not differ when the clock is set to that of the control build",
)
"""Why something is a time that its values do not tell."""


def check_clock(
    cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, reserve: int = FOR_REMEDIES
) -> None:
    """Find out which values that seem random contain the time: those repeat in builds whose clock stands still.

    Where the clock cannot be stopped, or a build waits for it, builds start at the time of the control instead.
    `reserve` is how many builds are left for remedies.
    """
    doubtful = _check_stopped(cases, given, rebuilder, reserve)
    if doubtful:
        _check_leads(cases, given, rebuilder)
    _note_luck(cases)
    for case in with_parts(cases).values():
        if case.seems_a_time(given.everything) and Cause.TIME not in case.evident:
            text = show_values(case.place)
            is_sure = case.believe(given.everything).by_kind(Kind.CLOCK) >= SURE
            strength = Strength.STRONG if is_sure else Strength.WEAK
            case.suspicions = [
                Suspicion(Cause.TIME, strength, text.control, text.experiment, _why_time(case)),
                *(one for one in case.suspicions if one.cause != Cause.TIME),
            ]
    if not doubtful:
        find_hidden(cases, given, rebuilder, reserve)


def _note_luck(cases: Mapping[Key, Case]) -> None:
    """Note what may be equal by luck while the clock stands still, since other things of the same data are not then.

    These are lines of a text whose lines are in another order, and numbers of an array: many that are drawn at random
    have few values.
    """
    drawn = [key for key, case in cases.items() if any(one.stopped and one.shows for one in case.observations)]
    shuffled = {key[:2] for key in drawn if key.field is Field.ORDER}
    arrays = {_array_of(key) for key in drawn} - {None}
    for key, case in cases.items():
        case.may_be_luck = key[:2] in shuffled or _array_of(key) in arrays


def _array_of(key: Key) -> tuple[str, str, str] | None:
    """Return which array of numbers `key` is in, if any."""
    array, element, _ = key.location.partition("element [")
    return (key.output, key.member, array) if element else None


def _why_time(case: Case) -> str:
    stopped, set_to_it = BY_STOPPED_CLOCK
    return stopped if any(one.stopped for one in case.observations) else set_to_it


def _may_be_a_time(case: Case, everything: Group) -> bool:
    if case.sources or not comes_by_itself(case.observations) or any(name in UNVARIED_TOO for name in case.evident):
        return False
    belief = case.believe(everything)
    return belief.by_kind(Kind.RANDOM) < SURE and (1 - SURE) / 2 < belief.by_kind(Kind.CLOCK) < SURE


def _check_stopped(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, reserve: int) -> bool:
    """Compare builds whose clock stands still at one moment; return whether that was not possible."""
    builds = given.stopped
    while any(_may_be_a_time(case, given.everything) for case in with_parts(cases).values()):
        if rebuilder.left < 2 + (reserve if builds else 0) or len(builds) >= _MOST_STOPPED:
            return False
        more = build_stopped(rebuilder, given, [frozenset(), frozenset()])
        if not more:
            return not builds
        builds += more
        for other in builds[-1:] if len(builds) == 2 else builds[-2:]:
            _compare_stopped(cases, given, builds[0], other)
    return False


def _compare_stopped(cases: Mapping[Key, Case], given: Investigation, first: BuildResult, other: BuildResult) -> None:
    differing = find_differing(cases, given.look(first, other), first, other)
    for key, case in cases.items():
        if key in differing:
            # What is beside a time differs, not the time.
            beside = case.beside
            asked = beside if beside and comes_by_itself(beside.observations) else case
            asked.observations.append(Observation(frozenset(), differing[key], stopped=True))


def _check_leads(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder) -> None:
    for number in range(_MOST_AT_CLOCK):
        doubtful = {
            key: case for key, case in cases.items() if _may_be_a_time(case, given.everything) and not case.parallel
        }
        if not doubtful or rebuilder.left < 1 + (FOR_REMEDIES if number > 1 else 0):
            break
        lead = LEADS[number] if number < len(LEADS) else _likeliest_lead(list(doubtful.values()), number)
        if not _build_at_clock(doubtful, lead, cases, given, rebuilder):
            break


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
